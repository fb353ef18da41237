"""Looking through a server: which nodes there are, of what type, and what they say at the moment.

It loads asyncua, so it is imported only by the command that browses.
"""

from collections.abc import AsyncIterator, Sequence
from fnmatch import fnmatchcase

from asyncua import ua

from collector.clock import Clock, SystemClock
from collector.points import PointKind
from collector.sources.opcua.address import Path, Step, parse_address, path_text
from collector.sources.opcua.analog import Analog, analogs
from collector.sources.opcua.connection import Connection, connected
from collector.sources.opcua.failures import status_name
from collector.sources.opcua.fragment import Node, slug
from collector.sources.opcua.nodes import OBJECTS, Child, Tree
from collector.sources.opcua.settings import ConnectionSettings
from collector.sources.opcua.values import status_of

_SERVER = ua.NodeId(ua.ObjectIds.Server)
_ENUMERATION = ua.NodeId(ua.ObjectIds.Enumeration)
_NODE_CLASSES = {ua.NodeClass.Object, ua.NodeClass.Variable}
_NUMBERS = {
    ua.VariantType.SByte,
    ua.VariantType.Byte,
    ua.VariantType.Int16,
    ua.VariantType.UInt16,
    ua.VariantType.Int32,
    ua.VariantType.UInt32,
    ua.VariantType.Int64,
    ua.VariantType.UInt64,
    ua.VariantType.Float,
    ua.VariantType.Double,
}
_TOLD_WITH_THE_VALUE = {"EngineeringUnits", "EURange", "InstrumentRange", "EnumStrings", "EnumValues"}
_SHOWN = 80
_TOGETHER = 50


async def browse(
    connection: ConnectionSettings,
    pattern: str = "",
    *,
    start: str = "",
    depth: int = 12,
    limit: int = 5000,
    clock: Clock | None = None,
) -> list[Node]:
    """The nodes below Objects, or below `start`, each once, parents before children; at most `limit`.

    With a pattern only those whose path has it somewhere, whatever the case; `*` and `?` stand for any text
    and any sign. The server's own diagnostics are left out unless `start` leads to them.

    Raises:
        SourceError: the server cannot be reached, or refuses us.
        ValueError: `start` is no node's name.
        LookupError: there is no such node.
    """
    async with connected(connection, clock or SystemClock()) as connection_:
        namespaces = await connection_.namespaces()
        tree = Tree(connection_, namespaces)
        place = parse_address(start) if start else ()
        node: ua.NodeId | None
        if isinstance(place, tuple):
            node, path = await tree.follow(OBJECTS, place), place
        else:
            node, path = tree.node_id(place), ()
        if node is None:
            raise LookupError(start)
        found = [step async for step in _walk(tree, node, path, depth, limit)]
        wanted = [
            (child, path)
            for child, path in found
            if child.name not in _TOLD_WITH_THE_VALUE and _matches(path_text(path), pattern)
        ]
        return await _described(connection_, tree, wanted)


async def _walk(
    tree: Tree, start: ua.NodeId, path: Path, depth: int, limit: int
) -> AsyncIterator[tuple[Child, Path]]:
    """Depth first; the children of one level are asked for together."""
    seen = {start, _SERVER}
    (children,) = await tree.children([start])
    waiting = [(child, path) for child in reversed(children)]
    while waiting and limit:
        child, above = waiting.pop()
        if child.node in seen or child.node_class not in _NODE_CLASSES:
            continue
        seen.add(child.node)
        limit -= 1
        below = (*above, Step(child.name, index=None))
        yield child, below
        if len(below) - len(path) < depth:
            # Those that come next are asked for as well: one request for many is much quicker.
            children, *_ = await tree.children(
                [child.node, *(other.node for other, _ in waiting[-_TOGETHER:])]
            )
            waiting += [(grandchild, below) for grandchild in reversed(children)]


def _matches(path: str, pattern: str) -> bool:
    return not pattern or fnmatchcase(path.lower(), f"*{pattern.lower()}*")


async def _described(connection: Connection, tree: Tree, found: Sequence[tuple[Child, Path]]) -> list[Node]:
    variables = [child.node for child, _ in found if child.node_class is ua.NodeClass.Variable]
    values = dict(zip(variables, await connection.read(variables), strict=True))
    types = await _types(connection, variables)
    numbers = [node for node, value in values.items() if _variant_type(value) in _NUMBERS]
    said = await analogs(connection, tree, numbers)
    enumerations = {
        type_: await _states(connection, tree, type_)
        for type_ in dict.fromkeys(types.values())
        if type_.NamespaceIndex and await tree.is_a(type_, _ENUMERATION)
    }
    nodes = []
    for child, path in found:
        about = Node(path_text(path), _id_text(child.node, tree.namespaces), child.name, len(path) - 1)
        if child.node in values:
            type_ = types[child.node]
            about = _with_value(
                about, values[child.node], said.get(child.node, Analog()), enumerations.get(type_)
            )
        nodes.append(about)
    return nodes


def _with_value(node: Node, data: ua.DataValue, analog: Analog, states: dict[int, str] | None) -> Node:
    status = status_of(data)
    variant = data.Value
    type_ = "" if variant is None or variant.Value is None else variant.VariantType.name
    return Node(
        node.path,
        node.node,
        node.name,
        node.depth,
        type_ + ("[]" if variant is not None and variant.is_array else ""),
        _shown(variant),
        status_name(status) if status >> 30 else "",
        _kind(data, states),
        analog.unit,
        analog.range,
        states or {},
    )


def _kind(data: ua.DataValue, states: dict[int, str] | None) -> PointKind | None:
    if data.Value is not None and data.Value.is_array:
        return None
    match _variant_type(data):
        case ua.VariantType.Boolean:
            return PointKind.STATE
        case ua.VariantType.String | ua.VariantType.LocalizedText:
            return PointKind.TEXT
        case type_ if type_ in _NUMBERS:
            return PointKind.NUMBER if states is None else PointKind.STATE
        case _:
            return None


def _variant_type(data: ua.DataValue) -> ua.VariantType | None:
    return None if data.Value is None else data.Value.VariantType


def _shown(variant: ua.Variant | None) -> str:
    value = None if variant is None else variant.Value
    if isinstance(value, ua.LocalizedText):
        value = value.Text
    return "" if value is None else str(value)[:_SHOWN]


async def _types(connection: Connection, variables: Sequence[ua.NodeId]) -> dict[ua.NodeId, ua.NodeId]:
    answers = await connection.read(variables, ua.AttributeIds.DataType)
    types = (answer.Value.Value if answer.Value is not None else None for answer in answers)
    return {
        node: type_ if isinstance(type_, ua.NodeId) else ua.NodeId()
        for node, type_ in zip(variables, types, strict=True)
    }


async def _states(connection: Connection, tree: Tree, type_: ua.NodeId) -> dict[int, str]:
    """The names of an enumeration's values, from EnumStrings or EnumValues."""
    (children,) = await tree.children([type_])
    named = [child.node for child in children if child.name in {"EnumStrings", "EnumValues"}]
    for answer in await connection.read(named):
        values = answer.Value.Value if answer.Value is not None else None
        if isinstance(values, list):
            return {
                int(getattr(value, "Value", number)): slug(getattr(value, "DisplayName", value).Text or "")
                for number, value in enumerate(values)
            }
    return {}


def _id_text(node: ua.NodeId, namespaces: Sequence[str]) -> str:
    text = str(node.to_string())
    if not node.NamespaceIndex or node.NamespaceIndex >= len(namespaces):
        return text
    return f"nsu={namespaces[node.NamespaceIndex]};{text.partition(';')[2]}"
