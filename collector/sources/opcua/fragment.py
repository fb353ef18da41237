"""What browsing found, and the piece of a machine file that reads it, ready to be pasted; pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from collector.points import PointKind
from collector.sources.opcua.settings import ConnectionSettings
from collector.toml.text import comment, quoted

_NAME_LENGTH = 64


@dataclass(frozen=True, slots=True)
class Node:
    """One node of a server's tree; `kind` is None where it can be no point, such as an object."""

    path: str
    """From Objects, as a configuration may name it."""
    node: str
    """Its id, with the URI of its namespace."""
    name: str
    depth: int
    type: str = ""
    """Of its value, as the server calls it."""
    value: str = ""
    status: str = ""
    """Why its value is not good; empty for good ones."""
    kind: PointKind | None = None
    unit: str = ""
    range: tuple[float, float] | None = None
    states: Mapping[int, str] = field(default_factory=dict)


def toml_fragment(nodes: Sequence[Node], connection: ConnectionSettings, name: str = "controller") -> str:
    """A `[[controllers]]` table that reads those of the nodes that can be points.

    Secrets are not in it: only the names of their files.
    """
    lines = ["[[controllers]]", f"name = {quoted(name)}", "", "[controllers.source]", 'kind = "opcua"']
    # A machine's file may have told more than how to connect, such as the points that it has.
    how = set(ConnectionSettings.model_fields)
    told = connection.model_dump(mode="json", exclude_defaults=True, include=how)
    lines += [f"{key} = {quoted(value)}" for key, value in told.items()]
    usable = [node for node in nodes if node.kind is not None]
    for node, point in zip(usable, _names(usable), strict=True):
        lines += ["", *_point(node, point)]
    return "\n".join(lines) + "\n"


def slug(text: str) -> str:
    """A name as topics and configurations want it: `FeedOverride` becomes `feed-override`."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", text)
    return re.sub(r"[^a-z0-9]+", "-", parted.lower()).strip("-")[:_NAME_LENGTH].strip("-") or "node"


def _point(node: Node, name: str) -> Iterator[str]:
    where = f"{node.path} = {node.value}" if node.value else node.path
    yield comment(where)
    yield "[[controllers.source.points]]"
    yield f"name = {quoted(name)}"
    yield f"node = {quoted(node.node)}"
    if node.states:
        named = ", ".join(f"{number} = {quoted(state)}" for number, state in node.states.items())
        yield f"states = {{ {named} }}"
    elif node.kind is not PointKind.NUMBER:
        yield f"kind = {quoted(str(node.kind))}"
    if node.unit:
        yield f"unit = {quoted(node.unit)}"
    elif node.kind is PointKind.NUMBER:
        yield comment("The server tells no unit. Take the # away and type it; that of a speed is /min.")
        yield comment('unit = "/min"')


def _names(nodes: Sequence[Node]) -> list[str]:
    """A name for each node, all different: its own, with the one above it or a number if need be."""
    own = [slug(node.name) for node in nodes]
    longer = [slug("-".join(node.path.split("/")[-2:])) for node in nodes]
    chosen = [own[i] if own.count(own[i]) == 1 else longer[i] for i in range(len(nodes))]
    taken: set[str] = set()
    names = []
    for choice in chosen:
        name, number = choice, 2
        while name in taken:
            name = f"{choice[: _NAME_LENGTH - 5]}-{number}"
            number += 1
        taken.add(name)
        names.append(name)
    return names
