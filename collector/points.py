"""What controllers and meters say: points, and readings of them with quality and times; values only.

A reading's place in time is when it was received, on the monotonic clock; the controller's own time stamp is
kept beside it, for it may be wrong or missing. Nothing here does I/O.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from itertools import repeat
from typing import Any, Literal, NamedTuple

Value = float | int | bool | str
"""Numbers for measured quantities, text for states (their names) and texts, true or false for flags."""

Share = Literal["none", "pseudonym", "plain"]
"""Whether the value of a point leaves the gateway: not at all, under a made-up name, or as it is."""


class PointKind(StrEnum):
    """How a point is evaluated."""

    NUMBER = "number"
    """A measured quantity: windowed statistics."""
    STATE = "state"
    """An enumeration or a flag: published on change, by name."""
    TEXT = "text"
    """Free text, such as a program's name: published on change, and only as the configuration shares it."""


class PointQuality(StrEnum):
    """Whether a value may be used."""

    GOOD = "good"
    UNCERTAIN = "uncertain"
    """The controller itself doubts it: shown, and left out of statistics."""
    BAD = "bad"
    """There is no usable value."""
    STALE = "stale"
    """Nobody has vouched for it for too long."""


_NUMBER, _BAD = PointKind.NUMBER, PointQuality.BAD


@dataclass(frozen=True, slots=True)
class Point:
    """One named quantity of a controller. `states` names the values of an enumeration."""

    name: str
    kind: PointKind
    unit: str = ""
    """UCUM code; empty for states and texts."""
    states: Mapping[int, str] = field(default_factory=dict)
    share: Share | None = None
    """As the configuration says; None: as is usual for its kind."""
    every_s: float | None = None
    """Seconds from one reading of it, or sign of no change, to the next; None: only the source knows."""


class Reading(NamedTuple):
    """A value of a point; `value` is None exactly when there is no usable one (quality bad).

    A tuple, for thousands are made each second: making a frozen dataclass takes three times as long.
    """

    point: str
    value: Value | None
    quality: PointQuality
    received_ns: int
    """Monotonic time of receipt."""
    source_us: int | None = None
    """The controller's own time stamp, UTC microseconds; None where it gives none."""
    detail: str = ""
    """Why the quality is not good, in the protocol's words (an OPC UA status code, a Modbus exception)."""


def good_readings(points: Sequence[str], values: Sequence[Value], received_ns: int) -> tuple[Reading, ...]:
    """Good readings of several points at one moment; made together, they take half the time."""
    fields = zip(
        points, values, repeat(PointQuality.GOOD), repeat(received_ns), repeat(None), repeat(""), strict=False
    )
    return tuple(map(_as_reading, fields))


_as_reading: Callable[[Iterable[Any]], Reading] = partial(tuple.__new__, Reading)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a point's value comes from; only for eyes on the gateway, as the raw value may be a text."""

    place: str
    """As the protocol names it: registers with their function, or a node's id."""
    raw: str = ""
    """What stood there before decoding, in hexadecimal."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a controller said at one moment.

    `vouched` names the points known to be unchanged without a new reading: a subscription's session was seen
    alive. Together with the points of `readings` they are fresh as of `received_ns`. `origins` is only called
    where somebody looks.
    """

    received_ns: int
    readings: tuple[Reading, ...]
    vouched: frozenset[str] = frozenset()
    latency_s: float | None = None
    """How long the answer took, where there was a question."""
    origins: Callable[[], Mapping[str, Origin]] = field(default=dict, repr=False, compare=False)


def is_finite_number(reading: Reading) -> bool:
    """Whether a reading of a number is as it should be, as nearly all are; else `believable` makes it so."""
    value = reading.value
    return isinstance(value, float) and math.isfinite(value) and reading.quality is not _BAD


def believable(point: Point, reading: Reading) -> Reading:
    """The reading as its point's kind allows, or a bad one.

    Numbers become finite floats, everything else text or a flag, and there is a value exactly where the
    quality is not bad.
    """
    said, is_bad = reading.value, reading.quality is _BAD
    if said is not None and not is_bad:
        value = _number(said) if point.kind is _NUMBER else _state(said)
        if value is said:
            return reading
        if value is not None:
            return reading._replace(value=value)
    elif said is None and is_bad:
        return reading
    return reading._replace(value=None, quality=_BAD, detail=reading.detail or "no such value")


def _number(value: Value) -> float | None:
    try:
        number = value if isinstance(value, float) else math.nan if isinstance(value, str) else float(value)
    except OverflowError:  # a whole number of hundreds of digits
        return None
    return number if math.isfinite(number) else None


def _state(value: Value) -> str | bool:
    return value if isinstance(value, str | bool) else str(value)
