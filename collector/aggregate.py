"""Readings become statistics of a stretch of time, and states their heartbeat; pure.

Only good readings enter statistics. A point that is vouched for unchanged was, in effect, read again: so a
subscription that is silent about a steady value gives the same figures as polling it. What the machine was
doing during a window of samples is in context.py.
"""

import math
from collections.abc import Sequence
from itertools import compress
from operator import mul, sub
from typing import Any, cast

from collector.history import History, Standing, Stretch
from collector.points import Point, PointKind, PointQuality

_GOOD, _UNCERTAIN = PointQuality.GOOD, PointQuality.UNCERTAIN
_BAD, _STALE = PointQuality.BAD, PointQuality.STALE
CURRENT_UNITS = frozenset({"A", "mA", "kA"})
"""Points in these units are currents, whose rms tells more than their mean."""


def summary(history: History, from_ns: int, to_ns: int) -> dict[str, Any]:
    """What a point said from a moment until before another: a summary's fields, in the record's order.

    Qualities are plain text: a member of an enumeration takes the encoder nearly as long as all the rest.
    """
    if history.point.kind is PointKind.NUMBER:
        return _number(history, from_ns, to_ns)
    end = history.at(to_ns - 1)
    return {
        "kind": history.point.kind.value,
        "last": state_value(end.value),
        "quality": str(end.quality),
        "changes": history.changes(from_ns - 1, to_ns - 1),
        **_ages(end, to_ns),
    }


def definitions() -> list[dict[str, str]]:
    """What each figure of a summary means, for meta."""
    return [{"name": name, "definition": text} for name, text in _DEFINITIONS.items()]


def seconds_since(then_ns: int | None, now_ns: int) -> float | None:
    """An age in seconds, to the microsecond; None for what never happened."""
    return None if then_ns is None else (now_ns - then_ns + 500) // 1000 / 1e6


def is_current(point: Point) -> bool:
    """Whether a point is an electric current, going by its unit."""
    return point.unit in CURRENT_UNITS


_SMALLEST_SQUARES = 1e-290
"""Of a smaller sum of squares, the digits may be gone."""

_NO_FIGURES: dict[str, float | None] = dict.fromkeys(("mean", "min", "max", "std", "rms"))

_DEFINITIONS = {
    "count": "good observations: readings, and times the controller vouched that nothing had changed",
    "mean": "mean of the good observations; null without one, as for all figures of them",
    "min": "smallest good observation",
    "max": "largest good observation",
    "std": "standard deviation of the good observations: sqrt(mean((x - mean)^2))",
    "rms": "sqrt(mean(x^2)) of the good observations, for currents (A, mA, kA); null for all other units",
    "coverage": "part of the time for which a good value held that was vouched for within the limit",
    "uncertain": "observations that the controller itself called uncertain",
    "bad": "observations without a usable value",
    "stale": "observations that the source itself called stale",
    "last": "the value at the end, as its quality says",
    "quality": "good, uncertain, bad (no value), or stale (not vouched for within the limit), at the end",
    "changes": "how often a good reading brought another value than the good one before",
    "changed_s": "seconds since a good reading last brought another value, at the end",
    "vouched_s": "seconds since the controller last said so, at the end",
}


def _number(history: History, from_ns: int, to_ns: int) -> dict[str, Any]:
    said = history.stretch(from_ns, to_ns)
    good = [reading.value for reading in said.readings if reading.quality is _GOOD]
    values = cast("list[float]", good)
    qualities: Sequence[PointQuality] = ()
    if len(values) < len(said.readings):  # else all are good
        qualities = [reading.quality for reading in said.readings]
    return {
        "kind": "number",
        "count": len(values),
        **_figures(values, current=is_current(history.point)),
        "coverage": _covered_ns(said, qualities, history.limit_ns, from_ns, to_ns) / (to_ns - from_ns),
        "uncertain": qualities.count(_UNCERTAIN),
        "bad": qualities.count(_BAD),
        "stale": qualities.count(_STALE),
        "last": None if said.end.value is None else float(said.end.value),
        "quality": str(said.end.quality),
        **_ages(said.end, to_ns),
    }


def _ages(end: Standing, to_ns: int) -> dict[str, float | None]:
    return {
        "changed_s": seconds_since(end.changed_ns, to_ns),
        "vouched_s": seconds_since(end.vouched_ns, to_ns),
    }


def _figures(x: Sequence[float], *, current: bool) -> dict[str, float | None]:
    """The figures of finite values; null where they are beyond all numbers.

    In plain Python, which is faster than numpy for the ten or hundred values that a point has in a summary.
    """
    if not x:
        return _NO_FIGURES
    n = len(x)
    mean = sum(x) / n
    figures = {
        "mean": mean,
        "min": min(x),
        "max": max(x),
        "std": _root_mean_square([value - mean for value in x]),
        "rms": _root_mean_square(x) if current else None,
    }
    if math.isfinite(figures["std"] or 0.0) and math.isfinite(figures["rms"] or 0.0):
        return figures
    return {name: value if math.isfinite(value or 0.0) else None for name, value in figures.items()}


def _root_mean_square(x: Sequence[float]) -> float:
    squares = sum(map(mul, x, x))
    if _SMALLEST_SQUARES < squares < math.inf:
        return math.sqrt(squares / len(x))
    return math.hypot(*x) / math.sqrt(len(x))  # which neither underflows nor overflows on the way


def _covered_ns(
    said: Stretch, qualities: Sequence[PointQuality], limit_ns: int, from_ns: int, to_ns: int
) -> int:
    """How long a good value held: each until the next or for the limit; without `qualities` all are good."""
    before, at = said.before, said.at
    ends = (*at, to_ns)
    covered_ns = 0
    if before.quality is _GOOD and before.vouched_ns is not None:
        covered_ns = max(0, min(ends[0], before.vouched_ns + limit_ns) - from_ns)
    held_ns: list[int] = list(map(sub, ends[1:], at))
    if qualities:
        held_ns = list(compress(held_ns, [quality is _GOOD for quality in qualities]))
    if held_ns and max(held_ns) > limit_ns:
        held_ns = [min(limit_ns, each_ns) for each_ns in held_ns]
    return covered_ns + sum(held_ns)


def state_value(value: float | str | bool | None) -> str | bool | None:
    """The value of a state or text as records have it: a name or a flag."""
    return value if value is None or isinstance(value, str | bool) else str(value)
