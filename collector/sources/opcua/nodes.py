"""From names to nodes: the tree of a server, looked at through its references, by URIs and types.

Everything is looked up again after every connecting, for a server's indices and nodes may have changed.
It loads asyncua, so it is imported only by what is connected.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from asyncua import ua

from collector.errors import SourceError
from collector.points import Point
from collector.sources.opcua.address import NodeName, Path
from collector.sources.opcua.connection import Connection
from collector.sources.opcua.settings import OpcuaSettings
from collector.sources.opcua.wanted import Group, Machine, Profile, Wanted, adjusted, known
from collector.texts import opcua as say

OBJECTS = ua.NodeId(ua.ObjectIds.ObjectsFolder)
_SERVER = ua.NodeId(ua.ObjectIds.Server)
_NOT_FOUND = "BadNodeIdUnknown"
_SEARCH_DEPTH = 4
"""Machines that stand in no Machines folder are looked for so many levels below Objects."""

_FORWARD = ua.BrowseDescription(
    BrowseDirection=ua.BrowseDirection.Forward,
    ReferenceTypeId=ua.NodeId(ua.ObjectIds.HierarchicalReferences),
    IncludeSubtypes=True,
    NodeClassMask=0,
    ResultMask=ua.BrowseResultMask.All,
)
_SUPERTYPE = ua.BrowseDescription(
    BrowseDirection=ua.BrowseDirection.Inverse,
    ReferenceTypeId=ua.NodeId(ua.ObjectIds.HasSubtype),
    IncludeSubtypes=True,
    NodeClassMask=0,
    ResultMask=ua.BrowseResultMask.None_,
)


@dataclass(frozen=True, slots=True)
class Child:
    """What a reference leads to."""

    node: ua.NodeId
    namespace: int
    name: str
    display: str
    node_class: ua.NodeClass
    type: ua.NodeId


@dataclass(frozen=True, slots=True)
class Located:
    """A point and its node on this server; None with the reason where there is none."""

    wanted: Wanted
    node: ua.NodeId | None
    state_nodes: dict[ua.NodeId, int]
    reason: str = ""

    @property
    def point(self) -> Point:
        """The point."""
        return self.wanted.point


class Tree:
    """A server's nodes as seen at one time; what was looked at once is remembered."""

    def __init__(self, connection: Connection, namespaces: Sequence[str]) -> None:
        self.namespaces = namespaces
        self._connection = connection
        self._children: dict[ua.NodeId, tuple[Child, ...]] = {}
        self._supertypes: dict[ua.NodeId, ua.NodeId | None] = {}

    def node_id(self, name: NodeName) -> ua.NodeId | None:
        """The id of a named node; None if the server does not have its namespace."""
        index = name.index
        if name.uri is not None:
            if name.uri not in self.namespaces:
                return None
            index = self.namespaces.index(name.uri)
        return ua.NodeId.from_string(f"ns={index};{name.identifier}")

    async def children(self, nodes: Sequence[ua.NodeId]) -> list[tuple[Child, ...]]:
        """What nodes hold, each child once.

        Raises:
            SourceError: the server cannot be reached.
        """
        unseen = list(dict.fromkeys(node for node in nodes if node not in self._children))
        for node, references in zip(unseen, await self._connection.browse(unseen, _FORWARD), strict=True):
            found = {child.node: child for child in map(self._child, references) if child is not None}
            self._children[node] = tuple(found.values())
        return [self._children[node] for node in nodes]

    async def follow(self, start: ua.NodeId, path: Path) -> ua.NodeId:
        """The node at the end of a path.

        Raises:
            LookupError: there is none, or several, with the step that is to blame.
            SourceError: the server cannot be reached.
        """
        node = start
        for step in path:
            index = step.index
            if step.uri is not None:
                if step.uri not in self.namespaces:
                    raise LookupError(f"no namespace {step.uri}")
                index = self.namespaces.index(step.uri)
            (children,) = await self.children([node])
            named = [child for child in children if child.name == step.name]
            found = [child.node for child in named if index is None or child.namespace == index]
            if len(found) != 1:
                raise LookupError(f"{'several' if found else 'no'} {step.name}")
            node = found[0]
        return node

    async def is_a(self, type_: ua.NodeId, wanted: ua.NodeId) -> bool:
        """Whether a type is another one or derived from it."""
        at: ua.NodeId | None = type_
        seen: set[ua.NodeId] = set()
        while at is not None and not at.is_null() and at not in seen:
            if at == wanted:
                return True
            seen.add(at)
            at = await self._supertype(at)
        return False

    async def of_type(self, folder: ua.NodeId, wanted: ua.NodeId) -> list[Child]:
        """A folder's children of a type, in the natural order of their names."""
        (children,) = await self.children([folder])
        return sorted([child for child in children if await self.is_a(child.type, wanted)], key=_natural)

    async def _supertype(self, type_: ua.NodeId) -> ua.NodeId | None:
        if type_ not in self._supertypes:
            (references,) = await self._connection.browse([type_], _SUPERTYPE)
            self._supertypes[type_] = self._local(references[0].NodeId) if references else None
        return self._supertypes[type_]

    def _child(self, reference: ua.ReferenceDescription) -> Child | None:
        node = self._local(reference.NodeId)
        if node is None:
            return None
        return Child(
            node,
            reference.BrowseName.NamespaceIndex,
            reference.BrowseName.Name or "",
            reference.DisplayName.Text or "",
            ua.NodeClass(reference.NodeClass),
            self._local(reference.TypeDefinition) or ua.NodeId(),
        )

    def _local(self, node: ua.ExpandedNodeId) -> ua.NodeId | None:
        """The id on this server; None for a node of another one."""
        if getattr(node, "ServerIndex", 0):
            return None
        index, uri = node.NamespaceIndex, getattr(node, "NamespaceUri", None)
        if uri:
            if uri not in self.namespaces:
                return None
            index = self.namespaces.index(uri)
        return ua.NodeId(node.Identifier, index, node.NodeIdType)


async def locate(connection: Connection, settings: OpcuaSettings, profile: Profile) -> list[Located]:
    """Find the nodes of everything that is to be read; a missing node is the trouble of its point alone.

    Raises:
        SourceError: the server cannot be reached, or has no machine for the profile.
    """
    tree = Tree(connection, await connection.namespaces())
    located = []
    if profile.machine is None:
        located = [await _locate(tree, OBJECTS, adjusted(wanted, settings)) for wanted in profile.points]
    else:
        machine = await _machine(tree, connection, settings, profile.machine)
        located = [await _locate(tree, machine, adjusted(wanted, settings)) for wanted in profile.points]
        for group in profile.groups:
            located += await _members(tree, machine, group, settings)
    named = {item.point.name for item in located}
    others = [wanted for wanted in known(settings, profile) if wanted.point.name not in named]
    located += [await _locate(tree, OBJECTS, wanted) for wanted in others]
    return [item for item in located if item.node is not None or item.wanted.expected]


async def _machine(
    tree: Tree, connection: Connection, settings: OpcuaSettings, machine: Machine
) -> ua.NodeId:
    url = settings.url
    type_, folder = tree.node_id(machine.type), tree.node_id(machine.folder)
    found: list[Child] = []
    if type_ is not None:
        found = await tree.of_type(folder, type_) if folder is not None else []
        found = found or await _search(tree, type_)
    if not found:
        raise SourceError(say.NO_MACHINE(url=url, profile=str(settings.profile)))
    names = ", ".join(child.name for child in found)
    if settings.machine is None:
        if len(found) > 1:
            raise SourceError(say.SEVERAL_MACHINES(url=url, machines=names, first=found[0].name))
        return found[0].node
    for child in found:
        if settings.machine in {child.name, child.display}:
            return child.node
    raise SourceError(say.OTHER_MACHINE(url=url, machine=settings.machine, machines=names))


async def _search(tree: Tree, type_: ua.NodeId) -> list[Child]:
    """Everything of a type near Objects, each once whatever ways lead to it."""
    level, seen, found = [OBJECTS], {OBJECTS, _SERVER}, []
    for _ in range(_SEARCH_DEPTH):
        below = {child.node: child for children in await tree.children(level) for child in children}
        new = [child for node, child in below.items() if node not in seen]
        seen.update(child.node for child in new)
        found += [child for child in new if await tree.is_a(child.type, type_)]
        level = [child.node for child in new if child.node_class is ua.NodeClass.Object]
    return sorted(found, key=_natural)


async def _members(tree: Tree, machine: ua.NodeId, group: Group, settings: OpcuaSettings) -> list[Located]:
    type_ = tree.node_id(group.type)
    try:
        folder = await tree.follow(machine, group.folder)
    except LookupError:
        return []
    members = await tree.of_type(folder, type_) if type_ is not None else []
    located = []
    for number, member in enumerate(members, 1):
        for wanted in group.points:
            point = replace(wanted.point, name=f"{group.name}-{number}-{wanted.point.name}")
            located.append(await _locate(tree, member.node, adjusted(replace(wanted, point=point), settings)))
    return located


async def _locate(tree: Tree, start: ua.NodeId, wanted: Wanted) -> Located:
    """The first place of a point that exists; a place by id is taken at its word, reading it will tell."""
    states = {tree.node_id(name): number for name, number in wanted.state_nodes.items()}
    state_nodes = {node: number for node, number in states.items() if node is not None}
    reason = _NOT_FOUND
    for place in wanted.places:
        if isinstance(place, NodeName):
            node = tree.node_id(place)
            if node is not None:
                return Located(wanted, node, state_nodes)
            reason = f"no namespace {place.uri}"
            continue
        try:
            node = await tree.follow(OBJECTS if wanted.absolute else start, place)
        except LookupError as error:
            reason = str(error)
            continue
        return Located(wanted, node, state_nodes)
    return Located(wanted, None, state_nodes, reason)


def _natural(child: Child) -> list[tuple[int, str]]:
    """spindle2 comes before spindle10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", child.name)]
