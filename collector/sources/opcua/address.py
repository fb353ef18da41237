"""How a configuration names a node: by id, by id with a namespace URI, or by a path below Objects; pure.

What a name leads to on a server is found in nodes.py.
"""

import re
from dataclasses import dataclass

_ID = re.compile(r"(?:ns=(?P<index>\d+);|nsu=(?P<uri>[^;]+);)?(?P<identifier>(?P<kind>[isgb])=.+)", re.DOTALL)
_GUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_STEP = re.compile(r"(?:nsu=(?P<uri>[^;]+);|(?P<index>\d+):)?(?P<name>(?:&.|[^/&])+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class NodeName:
    """A node by its id: `identifier` is as in `i=2258` or `s=/Channel/State/progStatus`.

    The namespace is a URI, or else the index that the server happens to use.
    """

    identifier: str
    uri: str | None = None
    index: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One name of a path; without URI and index it is found in any namespace."""

    name: str
    uri: str | None = None
    index: int | None = None


Path = tuple[Step, ...]


def parse_address(text: str) -> NodeName | Path:
    """Read a node's name.

    An id is `ns=2;s=name`, `nsu=http://example.org/;i=12` or `i=2258`. A path from Objects is
    `/Machines/mill/FeedOverride`; a step may begin with `nsu=URI;` or `2:`, and `&` goes before a slash that
    is part of a name.

    Raises:
        ValueError: it is neither.
    """
    if text.startswith("/"):
        return _path(text)
    found = _ID.fullmatch(text)
    if found is None or not _valid(found["kind"], found["identifier"][2:]):
        raise ValueError(text)
    return NodeName(found["identifier"], found["uri"], int(found["index"] or 0))


def _valid(kind: str, value: str) -> bool:
    match kind:
        case "i":
            return value.isascii() and value.isdigit() and int(value) < 1 << 32
        case "g":
            return _GUID.fullmatch(value) is not None
        case _:
            return True


def _path(text: str) -> Path:
    steps, at = [], 0
    while at < len(text):
        found = _STEP.match(text, at + 1) if text[at] == "/" else None
        if found is None:
            raise ValueError(text)
        name = re.sub(r"&(.)", r"\1", found["name"], flags=re.DOTALL)
        steps.append(Step(name, found["uri"], None if found["index"] is None else int(found["index"])))
        at = found.end()
    return tuple(steps)


def path_text(steps: Path) -> str:
    """The path as `parse_address` reads it."""
    return "".join(f"/{_namespace(step)}{_escaped(step.name)}" for step in steps)


def _escaped(name: str) -> str:
    return name.replace("&", "&&").replace("/", "&/")


def _namespace(step: Step) -> str:
    if step.uri is not None:
        return f"nsu={step.uri};"
    return "" if step.index is None else f"{step.index}:"
