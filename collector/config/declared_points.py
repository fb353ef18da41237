"""The points of a machine's controllers as far as they are known before anything is connected; pure."""

from collections.abc import Mapping, Set
from dataclasses import dataclass

from collector.points import Point


@dataclass(frozen=True, slots=True)
class DeclaredPoints:
    """The points by `controller/point`, and the controllers that may have more of them than these."""

    points: Mapping[str, Point]
    open_ended: Set[str]

    def rule_out(self, path: str) -> bool:
        """Whether there can be no such point, whatever a controller turns out to have."""
        return path not in self.points and path.partition("/")[0] not in self.open_ended
