"""The nodes that are being read, each once however many points it has, and how each point last was.

It loads asyncua, so it is imported only by what is connected.
"""

from collections.abc import Iterable, Sequence

from asyncua import ua

from collector.points import Arrival, Origin, PointQuality, Reading
from collector.sources.opcua.handover import Losses
from collector.sources.opcua.nodes import Located
from collector.sources.opcua.values import overflowed, reading_of


class Sampled:
    """Nodes and their points, and which of these have a value that stands until another comes."""

    def __init__(self, losses: Losses) -> None:
        self._losses = losses
        self._points: dict[ua.NodeId, list[Located]] = {}
        self._standing: set[str] = set()

    @property
    def nodes(self) -> list[ua.NodeId]:
        """Every node, once."""
        return list(self._points)

    def points(self, node: ua.NodeId) -> list[Located]:
        """The points of a node."""
        return self._points.get(node, [])

    def add(self, node: ua.NodeId, points: Iterable[Located]) -> None:
        """Read a node from now on."""
        self._points[node] = list(points)

    def drop(self, node: ua.NodeId) -> list[Located]:
        """Read it no more; gives the points that lose it."""
        points = self._points.pop(node, [])
        self._standing.difference_update(item.point.name for item in points)
        return points

    def readings(self, node: ua.NodeId, data: ua.DataValue, received_ns: int) -> list[Reading]:
        """What a value of a node says of its points."""
        self._losses.at_server += overflowed(data)
        readings = [
            reading_of(item.point, data, received_ns, item.state_nodes) for item in self._points.get(node, ())
        ]
        for reading in readings:
            if reading.quality is PointQuality.BAD:
                self._standing.discard(reading.point)
            else:
                self._standing.add(reading.point)
        return readings

    def arrival(
        self, nodes: Sequence[ua.NodeId], values: Sequence[ua.DataValue], asked_ns: int, received_ns: int
    ) -> Arrival:
        """What the answer to a reading of nodes says."""
        said = zip(nodes, values, strict=True)
        readings = tuple(one for node, value in said for one in self.readings(node, value, received_ns))
        latency_s = (received_ns - asked_ns) / 1e9
        return Arrival(received_ns, readings, latency_s=latency_s, origins=self.origins)

    def origins(self) -> dict[str, Origin]:
        """The node of each point."""
        return {
            item.point.name: Origin(node.to_string())
            for node, items in self._points.items()
            for item in items
        }

    def unchanged(self, readings: Iterable[Reading]) -> frozenset[str]:
        """The points that have a value and are not among these readings."""
        return frozenset(self._standing.difference(reading.point for reading in readings))


def bad(item: Located, received_ns: int, detail: str) -> Reading:
    """A point without a value."""
    return Reading(item.point.name, None, PointQuality.BAD, received_ns, detail=detail)
