"""What controllers and meters say: points, and readings of them with quality and times; values only.

A reading's place in time is when it was received, on the monotonic clock; the controller's own time stamp is
kept beside it, for it may be wrong or missing. Nothing here does I/O.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Value = float | int | bool | str
"""Numbers for measured quantities, text for states (their names) and texts, true or false for flags."""


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


@dataclass(frozen=True, slots=True)
class Point:
    """One named quantity of a controller. `states` names the values of an enumeration."""

    name: str
    kind: PointKind
    unit: str = ""
    """UCUM code; empty for states and texts."""
    states: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reading:
    """A value of a point; `value` is None exactly when there is no usable one (quality bad)."""

    point: str
    value: Value | None
    quality: PointQuality
    received_ns: int
    """Monotonic time of receipt."""
    source_us: int | None = None
    """The controller's own time stamp, UTC microseconds; None where it gives none."""
    detail: str = ""
    """Why the quality is not good, in the protocol's words (an OPC UA status code, a Modbus exception)."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a controller said at one moment.

    `vouched` names the points known to be unchanged without a new reading: a subscription's session was seen
    alive. Together with the points of `readings` they are fresh as of `received_ns`.
    """

    received_ns: int
    readings: tuple[Reading, ...]
    vouched: frozenset[str] = frozenset()
