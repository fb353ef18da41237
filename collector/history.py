"""What one point has said lately: readings, and when it was vouched for unchanged; pure.

Statistics and the context join both read it. A reading's place in time is when it was received, on the
monotonic clock. What is older than anyone asks for is forgotten, but for what still held then.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from operator import itemgetter
from typing import NamedTuple

from collector.points import Point, PointQuality, Reading, Value


class Standing(NamedTuple):
    """What is known of a point at a moment.

    `value` is the last one that was said (None if that was bad, or nothing was said yet). `changed_ns` is
    when a good reading last brought another value, `vouched_ns` when the controller last said that it is so.
    """

    value: Value | None
    quality: PointQuality
    changed_ns: int | None
    vouched_ns: int | None
    source_us: int | None = None


class Stretch(NamedTuple):
    """What a point said from a moment until before another, and how it stood just before that and at the end.

    `at` says when it was read or vouched for, `readings` what it said each time.
    """

    before: Standing
    at: Sequence[int]
    readings: Sequence[Reading]
    end: Standing


PERIODS_UNTIL_STALE = 3

_GOOD, _STALE = PointQuality.GOOD, PointQuality.STALE

_NOTHING = Standing(None, PointQuality.STALE, None, None)


class History:
    """The readings of one point, oldest first.

    `period_ns` is the usual time from one sign of life to the next; after `limit_ns` without one the value
    is stale.
    """

    __slots__ = (
        "_at",
        "_changed",
        "_good",
        "_good_since",
        "_known_from",
        "_readings",
        "_vouched",
        "limit_ns",
        "period_ns",
        "point",
    )

    def __init__(self, point: Point, period_ns: int, limit_ns: int) -> None:
        self.point = point
        self.period_ns = period_ns
        self.limit_ns = limit_ns
        self._at: list[int] = []
        self._readings: list[Reading] = []
        self._vouched: list[int] = []
        self._changed: list[int] = []  # when a good reading brought another value than the good one before
        self._good: Value | None = None
        self._good_since = 0  # when the first good reading came, which changed nothing
        self._known_from = 0

    def go_on_as(self, other: "History") -> None:
        """The same point is heard of more often, or less: it is stale when that other history would be."""
        self.point, self.period_ns, self.limit_ns = other.point, other.period_ns, other.limit_ns

    @property
    def last(self) -> Reading | None:
        """The last reading; None before the first."""
        return self._readings[-1] if self._readings else None

    def add(self, reading: Reading) -> None:
        """Take the next reading; they count in the order in which they are handed over."""
        at, at_ns, value = self._at, reading.received_ns, reading.value
        if at and at_ns < at[-1]:  # times never go back
            at_ns = at[-1]
        at.append(at_ns)
        self._readings.append(reading)
        if value != self._good and reading.quality is _GOOD:
            if self._good is None:
                self._good_since = at_ns
            self._good = value
            self._changed.append(at_ns)

    def vouch(self, at_ns: int) -> None:
        """The point is known to be as it was said last; nothing, before the first reading."""
        newest_ns = max(self._at[-1] if self._at else at_ns, self._vouched[-1] if self._vouched else 0)
        if self._at and at_ns > newest_ns:
            self._vouched.append(at_ns)

    def forget(self, before_ns: int) -> None:
        """Forget what no longer held at this moment."""
        self._known_from = max(self._known_from, before_ns)
        passed = bisect_right(self._at, before_ns) - 1
        if passed > 0:
            del self._at[:passed], self._readings[:passed]
        for times in (self._vouched, self._changed):
            passed = bisect_right(times, before_ns) - 1
            if passed > 0:
                del times[:passed]

    def remembers(self, at_ns: int) -> bool:
        """Whether the point was heard of by this moment, and nothing since is forgotten."""
        return bool(self._at) and at_ns >= max(self._at[0], self._known_from)

    def at(self, at_ns: int) -> Standing:
        """What was known at a moment; a value that nobody vouched for within the limit is stale."""
        return self._standing(bisect_right(self._at, at_ns) - 1, at_ns)

    def good_values(self, first_ns: int, last_ns: int) -> list[Value]:
        """The good value that held at the first moment, and those read or vouched for up to the last one.

        What was stale at first and is then vouched for is good again.
        """
        held = self.at(first_ns)
        _, said = self.observations(first_ns + 1, last_ns + 1)
        known = [(held.quality, held.value), *((reading.quality, reading.value) for reading in said)]
        return [value for quality, value in known if quality is PointQuality.GOOD and value is not None]

    def good_numbers(self, from_ns: int, to_ns: int) -> list[float]:
        """The good numbers that were read or vouched for from a moment until before another."""
        _, said = self.observations(from_ns, to_ns)
        values = (reading.value for reading in said if reading.quality is PointQuality.GOOD)
        return [float(value) for value in values if not isinstance(value, str | bool | None)]

    def changes(self, first_ns: int, last_ns: int) -> int:
        """How often a good reading brought another good value than the one before, after the first moment."""
        count = bisect_right(self._changed, last_ns) - bisect_right(self._changed, first_ns)
        return count - (count > 0 and first_ns < self._good_since <= last_ns)

    def observations(self, from_ns: int, to_ns: int) -> tuple[Sequence[int], Sequence[Reading]]:
        """When the point was read or vouched for, from a moment until before another, and what it said."""
        return self._observations(
            bisect_left(self._at, from_ns), bisect_left(self._at, to_ns), from_ns, to_ns
        )

    def stretch(self, from_ns: int, to_ns: int) -> Stretch:
        """Everything from a moment until before another, looked up once."""
        start, end = bisect_left(self._at, from_ns), bisect_left(self._at, to_ns)
        return Stretch(
            self._standing(start - 1, from_ns - 1),
            *self._observations(start, end, from_ns, to_ns),
            self._standing(end - 1, to_ns - 1),
        )

    def _standing(self, last: int, at_ns: int) -> Standing:
        """How it stood at a moment, of which `last` is the last reading's place."""
        if last < 0:
            return _NOTHING
        vouched_ns = self._at[last]
        if self._vouched:
            vouch = bisect_right(self._vouched, at_ns) - 1
            if vouch >= 0:
                vouched_ns = max(vouched_ns, self._vouched[vouch])
        reading = self._readings[last]
        quality = _STALE if at_ns - vouched_ns > self.limit_ns else reading.quality
        change = bisect_right(self._changed, at_ns) - 1
        changed_ns = self._changed[change] if change >= 0 else None
        return Standing(reading.value, quality, changed_ns, vouched_ns, reading.source_us)

    def _observations(
        self, start: int, end: int, from_ns: int, to_ns: int
    ) -> tuple[Sequence[int], Sequence[Reading]]:
        """The readings from one place until before another, and when it was vouched for meanwhile."""
        at, readings = self._at[start:end], self._readings[start:end]
        if not self._vouched:
            return at, readings
        vouched = self._vouched[bisect_left(self._vouched, from_ns) : bisect_left(self._vouched, to_ns)]
        held = [(at_ns, self._readings[bisect_right(self._at, at_ns) - 1]) for at_ns in vouched]
        merged = sorted((*zip(at, readings, strict=True), *held), key=itemgetter(0))
        return [at_ns for at_ns, _ in merged], [reading for _, reading in merged]


def new_history(point: Point, silent_after_s: float, stale_after_s: float | None) -> History:
    """An empty history of a point of a source that counts as lost after `silent_after_s`.

    A point is stale after the configured time, or after three of its periods.
    """
    period_s = point.every_s or silent_after_s / PERIODS_UNTIL_STALE
    limit_s = stale_after_s or PERIODS_UNTIL_STALE * period_s
    return History(point, round(period_s * 1e9), round(limit_s * 1e9))
