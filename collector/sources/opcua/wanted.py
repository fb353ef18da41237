"""What is to be read: the points of profile and configuration, and where their nodes are looked for; pure.

Whether a server has them is found in nodes.py.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from collector.points import Point, PointKind
from collector.profiles import load_profile
from collector.sources.opcua.address import NodeName, Path, Step, parse_address
from collector.sources.opcua.settings import OpcuaPointSettings, OpcuaSettings


@dataclass(frozen=True, slots=True)
class Wanted:
    """A point with the places where its node may be: the first that exists is taken."""

    point: Point
    places: tuple[NodeName | Path, ...]
    state_nodes: Mapping[NodeName, int] = field(default_factory=dict)
    """States that are told by the node of the state instead of its number."""
    deadband: float = 0.0
    every_s: float | None = None
    absolute: bool = True
    """Whether its paths lead from Objects, and not from the profile's machine."""
    expected: bool = True
    """Whether its absence is worth telling; not so for what a profile says a machine may have."""


@dataclass(frozen=True, slots=True)
class Group:
    """What each member of a type below a folder has: each spindle its `spindle-1-…`, `spindle-2-…`."""

    name: str
    folder: Path
    type: NodeName
    points: tuple[Wanted, ...]


@dataclass(frozen=True, slots=True)
class Machine:
    """Where machines are found, and by which type."""

    folder: NodeName
    type: NodeName


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile's data, ready for use. Without `machine` all its points have places of their own."""

    machine: Machine | None = None
    points: tuple[Wanted, ...] = ()
    groups: tuple[Group, ...] = ()


def read_profile(name: str | None) -> Profile:
    """The profile of this name; none of its points is expected of every machine."""
    if name is None:
        return Profile()
    data = load_profile(name)
    reader = _Reader(data)
    machine = data.get("machine")
    return Profile(
        machine and Machine(reader.node(machine["folder"]), reader.node(machine["type"])),
        tuple(reader.point(point) for point in data.get("points", ())),
        tuple(
            Group(
                group["name"],
                reader.path(group["folder"]),
                reader.node(group["type"]),
                tuple(reader.point(point) for point in group["points"]),
            )
            for group in data.get("groups", ())
        ),
    )


def adjusted(wanted: Wanted, settings: OpcuaSettings) -> Wanted:
    """A profile's point as the configuration changes it, if it names it too."""
    every_s = period_s(settings, None)
    changes = next((point for point in settings.points if point.name == wanted.point.name), None)
    if changes is None:
        return replace(wanted, point=replace(wanted.point, every_s=every_s))
    every_s = period_s(settings, changes.every_s)
    states = changes.states or wanted.point.states
    kind = changes.point_kind() if changes.kind or changes.states else wanted.point.kind
    unit = changes.unit or wanted.point.unit
    return replace(
        wanted,
        point=Point(wanted.point.name, kind, unit, states, changes.share, every_s),
        places=wanted.places if changes.node is None else (parse_address(changes.node),),
        absolute=wanted.absolute or changes.node is not None,
        deadband=changes.deadband,
        every_s=changes.every_s,
        expected=True,
    )


def known(settings: OpcuaSettings, profile: Profile) -> list[Wanted]:
    """What is read whatever the server has: all that the configuration names, and places by id."""
    fixed = () if profile.machine else profile.points
    named = {point.name for point in settings.points}
    others = [adjusted(wanted, settings) for wanted in fixed if wanted.point.name not in named]
    return [*(_configured(settings, profile, point) for point in settings.points), *others]


def _configured(settings: OpcuaSettings, profile: Profile, point: OpcuaPointSettings) -> Wanted:
    """A point that the configuration names, whether a profile has it or not."""
    wanted = _of_profile(profile, point.name)
    if wanted is not None:
        return adjusted(wanted, settings)
    every_s = period_s(settings, point.every_s)
    return Wanted(
        Point(point.name, point.point_kind(), point.unit, point.states or {}, point.share, every_s),
        () if point.node is None else (parse_address(point.node),),
        deadband=point.deadband,
        every_s=point.every_s,
    )


def _of_profile(profile: Profile, name: str) -> Wanted | None:
    """The profile's point of this name, a member of a group being meant by its number."""
    for wanted in profile.points:
        if wanted.point.name == name:
            return wanted
    for group in profile.groups:
        for wanted in group.points:
            if re.fullmatch(rf"{group.name}-\d+-{wanted.point.name}", name):
                return replace(wanted, point=replace(wanted.point, name=name))
    return None


def sampling_s(settings: OpcuaSettings, every_s: float | None) -> float:
    """How often a point is looked at: by the server where it publishes, by us where we poll."""
    return every_s or settings.sampling_ms / 1000


def period_s(settings: OpcuaSettings, every_s: float | None) -> float:
    """Seconds from one sign of a point to the next: its polling period, or the server's signs of life."""
    looked_s = sampling_s(settings, every_s)
    if settings.mode == "polling":
        return looked_s
    return max(looked_s, settings.publishing_ms / 1000 * heartbeats(settings))


def heartbeats(settings: OpcuaSettings) -> int:
    """After how many publishings without a change the server has to give a sign of life: each second."""
    return max(1, round(1000 / settings.publishing_ms))


class _Reader:
    """Turns a profile's tables into the classes above; `mt:Name` and `mt;i=13` name one of its namespaces."""

    def __init__(self, data: dict[str, Any]) -> None:
        self._uris: dict[str, str] = data.get("namespaces", {})
        self._states: dict[str, list[str] | dict[str, str]] = data.get("states", {})
        self._state_nodes: dict[str, list[list[str]]] = data.get("state_nodes", {})

    def node(self, text: str) -> NodeName:
        namespace, _, identifier = text.partition(";")
        return NodeName(identifier, self._uris[namespace])

    def path(self, text: str) -> Path:
        steps = []
        for part in text.split("/"):
            namespace, separator, name = part.rpartition(":")
            steps.append(Step(name, self._uris[namespace]) if separator else Step(name, index=0))
        return tuple(steps)

    def point(self, data: dict[str, Any]) -> Wanted:
        named = data.get("states")
        kind = PointKind(data.get("kind", "state" if named else "number"))
        states = self._states.get(named, []) if named else []
        numbered = enumerate(states) if isinstance(states, list) else ((int(n), s) for n, s in states.items())
        nodes = enumerate(self._state_nodes.get(named, ()) if named else ())
        places = [parse_address(data["node"])] if "node" in data else map(self.path, data["paths"])
        return Wanted(
            Point(data["name"], kind, data.get("unit", ""), dict(numbered)),
            tuple(places),
            {self.node(node): number for number, several in nodes for node in several},
            absolute="node" in data,
            expected="node" in data,
        )
