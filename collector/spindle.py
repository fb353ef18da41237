"""Which points tell the spindle's speed and its tool, and what they told of a window; pure.

What the speed is needed for is in features/synchronous.py.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import Field

from collector.features import TOLERANCE, Reason, Turning
from collector.messages import ContextNumber, ContextState
from collector.points import Point, PointKind, PointQuality
from collector.settings import PointPath, Settings

_PER_MINUTE = frozenset({"/min", "1/min", "{rev}/min"})
_PER_SECOND = frozenset({"/s", "1/s", "Hz"})
_STANDSTILL_HZ = 1 / 60
_TOOL = re.compile(r"(.*-)?tool(-(number|no|id))?")

Context = Mapping[str, ContextNumber | ContextState]


class SpindleSettings(Settings):
    """Which points of the machine's controllers tell how its spindle turns."""

    speed: PointPath | None = Field(default=None, examples=["plc/spindle-speed"])
    """The actual speed; without it, the only point in 1/min whose name has "speed" in it."""
    tool: PointPath | None = Field(default=None, examples=["plc/tool-number"])
    """The number of the tool in the spindle; without it, the only point called tool or tool-number."""


@dataclass(frozen=True, slots=True)
class SpindlePoints:
    """The points that were chosen, as `controller/point`; None where there is none, or none for certain."""

    speed: str | None = None
    tool: str | None = None


def spindle_points(settings: SpindleSettings, points: Mapping[str, Point]) -> SpindlePoints:
    """The configured points as far as they are there, or those that must be meant."""
    speed = settings.speed or _only(path for path, point in points.items() if _is_speed(point))
    tool = settings.tool or _only(path for path, point in points.items() if _TOOL.fullmatch(point.name))
    return SpindlePoints(speed if speed in points else None, tool if tool in points else None)


def turning(context: Context, points: SpindlePoints, teeth: Mapping[int, int | None]) -> Turning:
    """How the spindle turned during a window.

    Args:
        context: what the window was joined with.
        points: which of it are speed and tool.
        teeth: cutting edges by the tool's number.
    """
    rotation_hz, speed_reason = _rotation_hz(context, points.speed)
    if speed_reason is not None:
        return Turning(speed_reason=speed_reason, teeth_reason=speed_reason)
    tool = _tool(context.get(points.tool or ""))
    edges = None if tool is None else teeth.get(tool)
    if edges is not None:
        return Turning(rotation_hz, tool, edges)
    return Turning(
        rotation_hz, tool, teeth_reason=Reason.TOOL_UNKNOWN if tool is None else Reason.TEETH_UNKNOWN
    )


def _rotation_hz(context: Context, path: str | None) -> tuple[float | None, Reason | None]:
    """Turns a second in the middle of what was said, or why that may not be used."""
    if path is None:
        return None, Reason.SPEED_NOT_CONFIGURED
    said = context.get(path)
    if isinstance(said, ContextNumber) and said.quality is PointQuality.STALE and said.last is not None:
        return None, Reason.SPEED_STALE
    if (
        not isinstance(said, ContextNumber)
        or said.quality is not PointQuality.GOOD
        or said.min is None
        or said.max is None
    ):
        return None, Reason.SPEED_UNKNOWN
    per_second = 1.0 if said.unit in _PER_SECOND else 1 / 60
    low, high = sorted((said.min * per_second, said.max * per_second))
    middle = abs(low + high) / 2
    if max(abs(low), abs(high)) < _STANDSTILL_HZ:
        return None, Reason.STANDSTILL
    if high - low > TOLERANCE * middle:
        return None, Reason.SPEED_VARIES
    return middle, None


def _tool(said: ContextNumber | ContextState | None) -> int | None:
    """The number of the tool that was there from the window's beginning to its end; None if unknown."""
    if said is None or said.quality is not PointQuality.GOOD:
        return None
    match said:
        case ContextNumber(last=float(number), changes=0) if (
            said.min == said.max == number and number.is_integer()
        ):
            return int(number)
        case ContextState(last=str(name), changes=0) if name.isascii() and name.isdecimal():
            return int(name)
    return None


def _is_speed(point: Point) -> bool:
    return (
        point.kind is PointKind.NUMBER
        and point.unit in _PER_MINUTE
        and "speed" in point.name
        and "override" not in point.name
    )


def _only(paths: Iterator[str]) -> str | None:
    """The path, if there is just one."""
    found = list(paths)
    return found[0] if len(found) == 1 else None
