"""Which points tell the spindle's speed and tool, and when what they told may be used."""

from typing import Any

import pytest

from collector.features import Reason
from collector.messages import ContextNumber, ContextState
from collector.points import Point, PointKind, PointQuality
from collector.spindle import SpindlePoints, SpindleSettings, spindle_points, turning

POINTS = SpindlePoints("plc/spindle-speed", "plc/tool")
TEETH = {1: 4, 2: None}


def number(low: float | None, high: float | None = None, *, unit: str = "/min", **more: Any) -> ContextNumber:
    high = low if high is None else high
    facts = {
        "quality": PointQuality.GOOD,
        "changes": 0,
        "changed_s": 1.0,
        "vouched_s": 0.1,
        "source_us": None,
        "offset_us": None,
        "last": high,
        "min": low,
        "max": high,
        "unit": unit,
    }
    return ContextNumber(**(facts | more))


def text(last: str | bool | None, **more: Any) -> ContextState:
    facts = number(1.0).model_dump(exclude={"kind", "min", "max", "unit"})
    return ContextState(kind="text", **(facts | {"last": last} | more))


def point(name: str, unit: str = "", kind: PointKind = PointKind.NUMBER) -> Point:
    return Point(name, kind, unit)


def test_the_only_points_that_can_be_meant_are_found() -> None:
    points = {
        "plc/spindle-1-speed": point("spindle-1-speed", "/min"),
        "plc/spindle-1-speed-override": point("spindle-1-speed-override", "%"),
        "plc/feed-speed": point("feed-speed", "mm/min"),
        "plc/speed-state": point("speed-state", kind=PointKind.STATE),
        "plc/tool-number": point("tool-number"),
        "plc/tool-life": point("tool-life", "min"),
    }
    assert spindle_points(SpindleSettings(), points) == SpindlePoints(
        "plc/spindle-1-speed", "plc/tool-number"
    )
    two = points | {"plc/spindle-2-speed": point("spindle-2-speed", "/min"), "plc/tool": point("tool")}
    assert spindle_points(SpindleSettings(), two) == SpindlePoints()
    chosen = SpindleSettings(speed="plc/spindle-2-speed", tool="plc/tool")
    assert spindle_points(chosen, two) == SpindlePoints("plc/spindle-2-speed", "plc/tool")
    assert spindle_points(chosen, points) == SpindlePoints(), "what is not there tells nothing"


def test_a_steady_speed_and_a_known_tool() -> None:
    found = turning(
        {"plc/spindle-speed": number(5990, 6010), "plc/tool": number(1.0, unit="")}, POINTS, TEETH
    )
    assert found.rotation_hz == pytest.approx(100.0)
    assert (found.tool, found.teeth) == (1, 4)
    assert (found.speed_reason, found.teeth_reason) == (None, None)
    backwards = turning({"plc/spindle-speed": number(-6000), "plc/tool": text("1")}, POINTS, TEETH)
    assert (backwards.rotation_hz, backwards.teeth) == (100.0, 4)
    per_second = turning({"plc/spindle-speed": number(80, unit="/s")}, POINTS, TEETH)
    assert per_second.rotation_hz == 80.0


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (None, Reason.SPEED_UNKNOWN),
        (text("6000"), Reason.SPEED_UNKNOWN),
        (number(6000, quality=PointQuality.STALE), Reason.SPEED_STALE),
        (number(6000, quality=PointQuality.STALE, last=None), Reason.SPEED_UNKNOWN),
        (number(6000, quality=PointQuality.UNCERTAIN), Reason.SPEED_UNKNOWN),
        (number(6000, quality=PointQuality.BAD, last=None), Reason.SPEED_UNKNOWN),
        (number(None, last=6000.0), Reason.SPEED_UNKNOWN),
        (number(6000, 6061), Reason.SPEED_VARIES),
        (number(-6000, 6000), Reason.SPEED_VARIES),
        (number(0, 6000), Reason.SPEED_VARIES),
        (number(0), Reason.STANDSTILL),
        (number(-0.5, 0.5), Reason.STANDSTILL),
    ],
)
def test_a_speed_that_may_not_be_used_has_its_reason(said: Any, reason: Reason) -> None:
    context = {} if said is None else {"plc/spindle-speed": said}
    found = turning(context | {"plc/tool": number(1.0)}, POINTS, TEETH)
    assert (found.rotation_hz, found.teeth) == (None, None)
    assert (found.speed_reason, found.teeth_reason) == (reason, reason)


def test_a_machine_without_a_speed_says_so() -> None:
    found = turning({"plc/spindle-speed": number(6000)}, SpindlePoints(), TEETH)
    assert found.speed_reason is Reason.SPEED_NOT_CONFIGURED


@pytest.mark.parametrize(
    ("said", "tool", "reason"),
    [
        (None, None, Reason.TOOL_UNKNOWN),
        (number(1, 2), None, Reason.TOOL_UNKNOWN),
        (number(1.5), None, Reason.TOOL_UNKNOWN),
        (number(1, quality=PointQuality.STALE), None, Reason.TOOL_UNKNOWN),
        (text("1", changes=1), None, Reason.TOOL_UNKNOWN),
        (text("1", changes=None), None, Reason.TOOL_UNKNOWN),
        (number(1.0, unit="", changes=1), None, Reason.TOOL_UNKNOWN),  # the one before was stale
        (text("T1"), None, Reason.TOOL_UNKNOWN),
        (text("²"), None, Reason.TOOL_UNKNOWN),
        (text(last=True), None, Reason.TOOL_UNKNOWN),
        (number(2), 2, Reason.TEETH_UNKNOWN),
        (number(3), 3, Reason.TEETH_UNKNOWN),
    ],
)
def test_teeth_that_are_not_known_have_their_reason(said: Any, tool: int | None, reason: Reason) -> None:
    context = {} if said is None else {"plc/tool": said}
    found = turning(context | {"plc/spindle-speed": number(6000)}, POINTS, TEETH)
    assert (found.rotation_hz, found.tool, found.teeth) == (100.0, tool, None)
    assert (found.speed_reason, found.teeth_reason) == (None, reason)
