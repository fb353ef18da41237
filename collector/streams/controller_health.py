"""How one controller is: judged by which of its points have a good value.

What is judged here changes nothing in what is read; it is shown, and published as alarms.
"""

from collections.abc import Callable, Mapping, Sequence

from collector.health import ControllerReport, State
from collector.history import History
from collector.points import PointQuality
from collector.streams.source_health import SourceHealth
from collector.streams.stream_records import StreamRecords
from collector.texts import Sentence, Text
from collector.texts import points as say

_NAMED = 3
"""So many points are named in a sentence; more would not help."""

_COMPLAINTS: dict[PointQuality, Text] = {
    PointQuality.BAD: say.POINTS_BAD,
    PointQuality.STALE: say.POINTS_STALE,
    PointQuality.UNCERTAIN: say.POINTS_UNCERTAIN,
}


class ControllerHealth:
    """The condition of a controller, told by those who know, and judged once a second."""

    def __init__(self, name: str, records: StreamRecords) -> None:
        self._name = name
        self._clock = records.clock
        self._source = SourceHealth(name, records)
        self._readings = self._arrivals = 0
        self.failed = self._source.failed
        self.trying_again = self._source.trying_again
        self.closed = self._source.closed

    @property
    def arrivals(self) -> int:
        """How often it has said something so far."""
        return self._arrivals

    @property
    def reason(self) -> Sentence | None:
        """What is wrong; None while all is well."""
        return self._source.reason

    def arrived(self, at_ns: int, readings: int) -> None:
        """The controller has said something."""
        self._source.arrived(at_ns)
        self._arrivals += 1
        self._readings += readings

    def finished(self) -> None:
        """A recording has come to its end."""
        self._source.enter(State.FINISHED)

    def stumbled(self, sentence: Sentence) -> None:
        """Something unexpected came of what it said."""
        self._source.enter(State.FAILED, sentence)

    def look(self, histories: Mapping[str, History], remarks: Callable[[], Sequence[Sentence]]) -> None:
        """Judge a controller that answers; once a second. What its source remarks says more than we could."""
        if self._source.finished or not self._source.delivering:
            return
        found = _by_quality(histories, self._clock.monotonic_ns())
        complaint = next(iter(remarks()), None) or self._complaint(found, len(histories))
        self._source.enter(State.DEGRADED if complaint else State.OK, complaint)

    def report(
        self,
        kind: str,
        origin: str,
        histories: Mapping[str, History],
        *,
        withheld: int,
        offset_us: int | None,
        lost: int,
    ) -> ControllerReport:
        """Everything that `collector status` shows of the controller."""
        found = _by_quality(histories, self._clock.monotonic_ns())
        return ControllerReport(
            **self._source.facts(),
            kind=kind,
            origin=origin,
            points=len(histories) + withheld,
            **{quality.value: len(names) for quality, names in found.items()},
            withheld=withheld,
            readings=self._readings,
            lost=lost,
            offset_s=None if offset_us is None else offset_us / 1e6,
        )

    def _complaint(self, found: Mapping[PointQuality, list[str]], points: int) -> Sentence | None:
        """What most points without a value lack: one bad answer must not hide that nobody answers."""
        worst = max(PointQuality.BAD, PointQuality.STALE, key=lambda quality: len(found[quality]))
        quality = worst if found[worst] else PointQuality.UNCERTAIN
        names = found[quality]
        if not names:
            return None
        named = ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
        return _COMPLAINTS[quality](count=len(names), points=points, names=named, source=self._name)


def _by_quality(histories: Mapping[str, History], now_ns: int) -> dict[PointQuality, list[str]]:
    found: dict[PointQuality, list[str]] = {quality: [] for quality in PointQuality}
    for name, history in histories.items():
        found[history.at(now_ns).quality].append(name)
    return found
