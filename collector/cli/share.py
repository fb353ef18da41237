"""The command that tells what leaves: share."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text as Line

from collector.cli.ask import ask_daemon
from collector.cli.files import DEFAULT_FOLDER, Folder
from collector.cli.names import includes
from collector.cli.screen import print_page, screen
from collector.cli.sentences import print_sentence
from collector.config import load
from collector.disclosure import Disclosure, Sent, disclosures
from collector.errors import ControlError, UsageError
from collector.points import Point
from collector.texts import Sentence
from collector.texts import sharing as say

_WIDE = 140
"""Characters that the four columns need; with fewer, each would be a few words wide and many lines long."""
_PATH = re.compile(r"([^.\[]+)(\[\d+\])?(\.[^.\[]+)?(.*)")
_POINTS: TypeAdapter[dict[str, list[Point]]] = TypeAdapter(dict[str, list[Point]])


def share(
    stream: Annotated[
        str | None, typer.Argument(help="machine/stream, or a machine; without it, all of them.")
    ] = None,
    config: Folder = DEFAULT_FOLDER,
    all_: Annotated[bool, typer.Option("--all", help="Every field in a line of its own.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Tell exactly what each stream sends, and why; fields that leave for the same reason in one line.

    It tells of the configuration on disk; points that were found on a controller are asked of the running
    collector.
    """
    loaded = load(config)
    every = list(disclosures(loaded, _found(loaded.control.socket)))
    chosen = [disclosure for disclosure in every if includes(stream, disclosure.name)]
    if not chosen:
        known = ", ".join(disclosure.name for disclosure in every if disclosure.name)
        raise UsageError(say.NO_SUCH_STREAM(name=str(stream), known=known))
    if json_:
        typer.echo(json.dumps([_as_json(disclosure) for disclosure in chosen], indent=2, ensure_ascii=False))
        return
    width = screen().width
    for disclosure in chosen:
        told = disclosure.sent if all_ else shortened(disclosure.sent)
        print_page(page(disclosure.name, disclosure.topic, told, width))
    if not all_:
        print_sentence(say.EVERY_FIELD(stream=stream or chosen[0].name))
    if stream is None:
        print_sentence(say.NOTHING_ELSE())


def shortened(every: Iterable[Sent]) -> Iterator[Sent]:
    """The same in fewer lines: what is sent alike, for the same reason, is put together.

    Values of meta are told together for each of its tables.
    """
    alike: dict[tuple[str, str, str], list[Sent]] = {}
    for one in every:
        what = str(one.what) if isinstance(one.what, Sentence) else _parts(one.fields[0])[0]
        alike.setdefault((one.record, what, str(one.why)), []).append(one)
    for sent in alike.values():
        if isinstance(sent[0].what, str):
            yield _told_together(sent)
        else:
            yield replace(sent[0], fields=tuple(field for one in sent for field in one.fields))


def _told_together(leaves: list[Sent]) -> Sent:
    """The values of one table of meta: those of an entry after each other, then those of the next entry."""
    fields: list[str] = []
    entries: dict[str, list[str]] = {}
    for leaf in leaves:
        table, index, name, rest = _parts(leaf.fields[0])
        fields.append(f"{table}{'[]' if index else ''}{name}")
        entries.setdefault(index, []).append(f"{rest}={leaf.what}" if rest else str(leaf.what))
    told = "; ".join(map(", ".join, entries.values()))
    return replace(leaves[0], fields=tuple(dict.fromkeys(fields)), what=told)


def _parts(path: str) -> tuple[str, str, str, str]:
    """`points[3].states.0` in its parts: table, number of the entry, key with its point, what is below."""
    found = _PATH.fullmatch(path)
    assert found
    table, index, name, rest = (part or "" for part in found.groups())
    return table, index, name, rest.lstrip(".")


def _found(socket: Any) -> Mapping[str, Sequence[Point]]:
    """The points that the running collector knows; none where it is not running."""
    try:
        return _POINTS.validate_python(ask_daemon(socket, {"do": "points"}))
    except ControlError:
        return {}


def page(name: str, topic: str, told: Iterable[Sent], width: int) -> RenderableType:
    """What one stream sends: a table, or paragraphs on a terminal that is too narrow for its columns."""
    head = say.HEAD(name=name, topic=topic) if name else say.GATEWAY_HEAD(topic=topic)
    body = _table(told) if width >= _WIDE else _paragraphs(told)
    return Group(Line(str(head), "bold"), Padding(body, (0, 0, 1, 2)))


def _table(told: Iterable[Sent]) -> RenderableType:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for heading in (say.RECORD, say.FIELD, say.SENT, say.WHY):
        table.add_column(str(heading()), overflow="fold")
    for sent in told:
        table.add_row(sent.record, Line(_listed(sent.fields)), _what(sent), Line(str(sent.why)))
    return table


def _paragraphs(told: Iterable[Sent]) -> RenderableType:
    lines: list[RenderableType] = []
    for record, of_record in groupby(told, lambda sent: sent.record):
        lines.append(Line(record, "bold"))
        for sent in of_record:
            lines.append(Padding(Line(_listed(sent.fields), overflow="fold"), (0, 0, 0, 2)))
            reason = Line.assemble(_what(sent), (f" — {sent.why}", "dim"), overflow="fold")
            lines.append(Padding(reason, (0, 0, 0, 6)))
    return Group(*lines)


def _what(sent: Sent) -> Line:
    return Line(str(sent.what), "green" if _is(sent.what, say.NOTHING()) else "")


def _listed(fields: tuple[str, ...]) -> str:
    """Fields in one line; what they have in common at their beginning and end is said once."""
    ends: dict[str, list[str]] = {}
    for field in fields:
        before, _, name = field.rpartition(".")
        ends.setdefault(before, []).append(name)
    names = next(iter(ends.values()))
    if "" in ends or any(other != names for other in ends.values()):
        return ", ".join(fields)
    return ".".join(part for part in (_listed_once(list(ends)), _braced(names)) if part)


def _listed_once(befores: list[str]) -> str:
    if len(befores) == 1:
        return befores[0]
    table, _, _ = befores[0].partition(".")
    if any(before.partition(".")[0] != table for before in befores):
        return _braced(befores)
    return f"{table}.{_braced([before.removeprefix(f'{table}.') for before in befores])}"


def _braced(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{{{', '.join(names)}}}"


def _is(what: Sentence | str, sentence: Sentence) -> bool:
    return isinstance(what, Sentence) and what.code == sentence.code


def _as_json(disclosure: Disclosure) -> dict[str, Any]:
    return {
        "name": disclosure.name,
        "topic": disclosure.topic,
        "sent": [
            {"record": sent.record, "fields": sent.fields, "what": str(sent.what), "why": str(sent.why)}
            for sent in disclosure.sent
        ],
    }
