"""What the rules are about, as it was at each moment: features of windows get a history as points have one.

A window speaks of the middle of its span, as long as its hop: so neighbours follow one another without a gap
and without sharing any time, however much they overlap.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from collector.history import History
from collector.points import Point, PointKind, PointQuality, Reading

_ACCELERATIONS = frozenset({"g", "m/s2"})


class FeatureInputs:
    """The histories of features, by `waveform/channel/feature`.

    `units` has the unit of every `waveform/channel`.
    """

    def __init__(self, paths: Iterable[str], units: Mapping[str, str]) -> None:
        self.histories: dict[str, History] = {}
        self._parts = {path: tuple(path.split("/")) for path in paths}
        self._units = units

    def take(self, waveform: str, first_ns: int, window: Mapping[str, Any]) -> None:
        """Take a window's values: the fields of its features record, and the time of its first sample."""
        n, hop, rate_hz = window["n"], window["hop"], window["rate_hz"]
        for path, (of, channel, *feature) in self._parts.items():
            if of != waveform:
                continue
            history = self.histories.get(path)
            if history is None:
                point = Point(path, PointKind.NUMBER)
                period_ns, limit_ns = (round(samples * 1e9 / rate_hz) for samples in (hop, n + 2 * hop))
                history = self.histories[path] = History(point, period_ns, limit_ns)
            at_ns = first_ns + round(max(0, n - hop) / 2 * 1e9 / rate_hz)
            value = self._value(f"{of}/{channel}", window["channels"][channel], feature)
            quality = PointQuality.BAD if value is None else PointQuality.GOOD
            history.add(Reading(path, value, quality, at_ns))

    def within(self, path: str, from_ns: int, to_ns: int) -> list[float]:
        """The values of the windows that lie in a stretch of time as a whole."""
        history = self.histories[path]
        hop_ns = history.period_ns
        before_ns = (history.limit_ns - 3 * hop_ns) // 2  # from a window's beginning to where it stands
        return history.good_numbers(from_ns + max(0, before_ns), to_ns - max(0, before_ns) - hop_ns + 1)

    def forget(self, before_ns: int) -> None:
        """Forget what no longer held at this moment."""
        for history in self.histories.values():
            history.forget(before_ns)

    def _value(self, channel: str, values: Mapping[str, Any], feature: list[str]) -> float | None:
        """A feature's value; none from a vibration sensor that does not even show noise: it is stuck.

        A current that is exactly the same for long is that of a drive without power.
        """
        if values.get("rms") == 0 and self._units.get(channel) in _ACCELERATIONS:
            return None
        found = values.get(feature[0])
        if len(feature) > 1:
            found = found.get(feature[1]) if isinstance(found, dict) else None
        return float(found) if isinstance(found, int | float) else None


def moments(histories: Iterable[History], after_ns: int, until_ns: int) -> list[int]:
    """When what is known may have become something else, after a moment up to another; the other is one.

    These are readings and signs of life, and moments from which on one of them is too old to count.
    """
    found = {until_ns}
    for history in histories:
        stale_ns = history.limit_ns + 1
        said, _ = history.observations(after_ns - stale_ns + 1, until_ns + 1)
        found.update(at_ns for at_ns in said if at_ns > after_ns)
        found.update(at_ns + stale_ns for at_ns in said if after_ns < at_ns + stale_ns <= until_ns)
    return sorted(found)
