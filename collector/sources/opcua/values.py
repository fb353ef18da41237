"""From what a server says of a node to a reading: the status is always looked at, and the type must fit.

It loads asyncua, so it is imported only by what is connected.
"""

import math
from collections.abc import Mapping
from datetime import datetime

from asyncua import ua

from collector.points import Point, PointKind, PointQuality, Reading, Value
from collector.sources.opcua.failures import status_name
from collector.times import utc_us

_SEVERITY = 0xC0000000
_UNCERTAIN = 0x40000000
_INFO_TYPE = 0x0C00
_DATA_VALUE = 0x0400
_OVERFLOW = 0x0080

NO_VALUE = "no value"


def reading_of(
    point: Point,
    data: ua.DataValue,
    received_ns: int,
    state_nodes: Mapping[ua.NodeId, int] | None = None,
) -> Reading:
    """A reading of a point from a value with its status.

    Bad ones have no value; so do those that are null, not finite, or of a type that does not fit the point.
    """
    status = status_of(data)
    source_us = _micros(data.SourceTimestamp)
    severity = status & _SEVERITY
    detail = status_name(status) if severity else ""
    if severity not in {0, _UNCERTAIN}:
        return Reading(point.name, None, PointQuality.BAD, received_ns, source_us, detail)
    variant = data.Value
    try:
        value = _fitting(point, None if variant is None else variant.Value, state_nodes or {})
    except ValueError as error:
        return Reading(point.name, None, PointQuality.BAD, received_ns, source_us, detail or str(error))
    quality = PointQuality.UNCERTAIN if severity else PointQuality.GOOD
    return Reading(point.name, value, quality, received_ns, source_us, detail)


def status_of(data: ua.DataValue) -> int:
    """The status code of a value; a server may leave it out where it is good."""
    return 0 if data.StatusCode is None else int(data.StatusCode.value)


def overflowed(data: ua.DataValue) -> bool:
    """Whether the server's queue was full before this value: others are lost (OPC 10000-4, 7.39.1)."""
    status = status_of(data)
    return status & _INFO_TYPE == _DATA_VALUE and bool(status & _OVERFLOW)


def _fitting(point: Point, value: object, state_nodes: Mapping[ua.NodeId, int]) -> Value:
    """The value as the point's kind wants it.

    Raises:
        ValueError: it is not of that kind, with what it is instead.
    """
    if value is None:
        raise ValueError(NO_VALUE)
    match point.kind:
        case PointKind.NUMBER:
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ValueError(f"{_named(value)}, not a number")  # noqa: TRY004 (as in _text)
            if not math.isfinite(value):
                raise ValueError("not finite")
            return value
        case PointKind.STATE:
            return _state(point.states, value, state_nodes)
        case PointKind.TEXT:
            return _text(value)


def _state(states: Mapping[int, str], value: object, state_nodes: Mapping[ua.NodeId, int]) -> Value:
    if isinstance(value, ua.NodeId):
        if value.is_null():
            raise ValueError(NO_VALUE)
        if value not in state_nodes:
            raise ValueError("an unknown state")
        value = state_nodes[value]
    if isinstance(value, bool | int):
        unnamed: Value = value if isinstance(value, bool) else int(value)
        return states.get(int(value), unnamed)
    # A text is a state only if it is one of those that were named: free texts are private.
    text = _text(value)
    for name in states.values():
        if text.casefold() == name.casefold():
            return name
    raise ValueError("a text, not a state")


def _text(value: object) -> str:
    text = value.Text if isinstance(value, ua.LocalizedText) else value
    if text is None:
        raise ValueError(NO_VALUE)
    if not isinstance(text, str):
        raise ValueError(f"{_named(value)}, not a text")  # noqa: TRY004 (the server's value, no argument)
    return text


def _named(value: object) -> str:
    """What a value is; never the value itself, for that may be private."""
    match value:
        case bool():
            return "a flag"
        case str() | ua.LocalizedText():
            return "a text"
        case list():
            return "an array"
        case int() | float():
            return "a number"
        case _:
            return "something else"


def _micros(stamp: datetime | None) -> int | None:
    return None if stamp is None else utc_us(stamp)
