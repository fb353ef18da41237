"""What a server says of its numbers: their unit (EngineeringUnits) and their range (EURange).

It loads asyncua, so it is imported only by what is connected.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from asyncua import ua

from collector.sources.opcua.connection import Connection
from collector.sources.opcua.nodes import Tree

_UCUM = {
    "P1": "%",
    "RPM": "/min",
    "AMP": "A",
    "4K": "mA",
    "VLT": "V",
    "WTT": "W",
    "KWT": "kW",
    "KWH": "kW.h",
    "CEL": "Cel",
    "HTZ": "Hz",
    "MMT": "mm",
    "MTR": "m",
    "MMM": "mm/min",
    "C16": "mm/s",
    "2X": "m/min",
    "MTS": "m/s",
    "NU": "N.m",
    "NEW": "N",
    "BAR": "bar",
    "SEC": "s",
    "MIN": "min",
    "HUR": "h",
    "DD": "deg",
}
"""UCUM by the unit's UNECE Recommendation 20 code, of which an OPC UA unit's number is made."""


@dataclass(frozen=True, slots=True)
class Analog:
    """Unit (UCUM, empty if unknown) and range of a number."""

    unit: str = ""
    range: tuple[float, float] | None = None


async def analogs(connection: Connection, tree: Tree, nodes: Sequence[ua.NodeId]) -> dict[ua.NodeId, Analog]:
    """What the server says of these nodes; only those of which it says something.

    Raises:
        SourceError: the server cannot be reached.
    """
    properties: list[tuple[ua.NodeId, ua.NodeId]] = []
    for node, children in zip(nodes, await tree.children(nodes), strict=True):
        properties += [
            (node, child.node)
            for child in children
            if child.namespace == 0 and child.name in {"EURange", "EngineeringUnits"}
        ]
    found: dict[ua.NodeId, Analog] = {}
    values = await connection.read([property_ for _, property_ in properties])
    for (node, _), value in zip(properties, values, strict=True):
        before = found.get(node, Analog())
        match value.Value.Value if value.Value is not None else None:
            case ua.Range(Low=low, High=high):
                found[node] = Analog(before.unit, (float(low), float(high)))
            case ua.EUInformation(UnitId=number):
                found[node] = Analog(_UCUM.get(_code(number), ""), before.range)
    return found


def _code(unit_id: int) -> str:
    """The letters of a unit's code, one in each byte of its number."""
    return unit_id.to_bytes(4, "big", signed=True).lstrip(b"\0").decode("ascii", "replace")
