"""The command that tells what leaves: share."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text as Line

from collector.cli.files import DEFAULT_FOLDER, Folder, complain
from collector.cli.screen import print_page, print_sentence
from collector.config import ConfigError, load
from collector.control import ask
from collector.disclosure import Disclosure, disclosures
from collector.errors import CollectorError, ControlError
from collector.points import Point
from collector.texts import Sentence
from collector.texts import sharing as say

_POINTS: TypeAdapter[dict[str, list[Point]]] = TypeAdapter(dict[str, list[Point]])


def share(
    stream: Annotated[str | None, typer.Argument(help="machine/stream; without it, all of them.")] = None,
    config: Folder = DEFAULT_FOLDER,
    json_: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Tell exactly what each stream sends, field by field, and why.

    It tells of the configuration on disk; points that were found on a controller are asked of the running
    collector.
    """
    try:
        loaded = load(config)
    except ConfigError as error:
        complain(error)
        raise typer.Exit(2) from None
    all_ = list(disclosures(loaded, _found(loaded.control.socket)))
    chosen = [disclosure for disclosure in all_ if stream is None or disclosure.name == stream]
    if not chosen:
        known = ", ".join(disclosure.name for disclosure in all_ if disclosure.name)
        raise CollectorError(say.NO_SUCH_STREAM(name=str(stream), known=known))
    if json_:
        typer.echo(json.dumps([_as_json(disclosure) for disclosure in chosen], indent=2, ensure_ascii=False))
        return
    for disclosure in chosen:
        print_page(_page(disclosure))
    if stream is None:
        print_sentence(say.NOTHING_ELSE())


def _found(socket: Any) -> Mapping[str, Sequence[Point]]:
    """The points that the running collector knows; none where it is not running."""
    try:
        return _POINTS.validate_python(asyncio.run(ask(socket, {"do": "points"})))
    except ControlError:
        return {}


def _page(disclosure: Disclosure) -> RenderableType:
    head = (
        say.HEAD(name=disclosure.name, topic=disclosure.topic)
        if disclosure.name
        else say.GATEWAY_HEAD(topic=disclosure.topic)
    )
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for heading in (say.RECORD, say.FIELD, say.SENT, say.WHY):
        table.add_column(str(heading()), overflow="fold")
    for sent in disclosure.sent:
        what = Line(str(sent.what), "green" if _is(sent.what, say.NOTHING()) else "")
        table.add_row(sent.record, Line(_listed(sent.fields)), what, Line(str(sent.why)))
    return Group(Line(str(head), "bold"), Padding(table, (0, 0, 1, 2)))


def _listed(fields: tuple[str, ...]) -> str:
    """Fields in one line; what they begin with is said once."""
    before = fields[0].rpartition(".")[0]
    if len(fields) == 1 or not before or any(field.rpartition(".")[0] != before for field in fields):
        return ", ".join(fields)
    return f"{before}.{{{', '.join(field.removeprefix(f'{before}.') for field in fields)}}}"


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
