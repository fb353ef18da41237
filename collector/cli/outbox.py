"""`collector outbox`: what waits to be delivered; a copy of it that anybody can read; and giving it up."""

import base64
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from collector.cli.ask import ask_daemon, socket_of
from collector.cli.commands import Commands
from collector.cli.files import DEFAULT_FOLDER, Folder
from collector.cli.outbox_page import show_outbox
from collector.cli.screen import print_page
from collector.cli.sentences import asked, print_sentence
from collector.config import load_outbox
from collector.errors import CollectorError, NotRunningError
from collector.health import OutboxReport
from collector.messages import Message
from collector.outbox import OutboxSettings, Reading, purge_folder
from collector.texts import cli as say

outbox = typer.Typer(
    name="outbox",
    cls=Commands,
    help="Tell what waits to be delivered; `export` copies it, `purge` gives it up.",
    invoke_without_command=True,
    add_completion=False,
)

_PATIENCE_S = 60.0


@outbox.callback()
def show(
    context: typer.Context,
    config: Folder = DEFAULT_FOLDER,
    json_: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Tell what waits to be delivered, whether the collector runs or not."""
    if context.invoked_subcommand is not None:
        return
    settings = load_outbox(config)
    reading = Reading(settings.directory)
    answer = _ask(config, {"do": "report"})
    report = None if answer is None else OutboxReport.model_validate(answer["outbox"])
    if json_:
        typer.echo(
            json.dumps(
                {
                    "running": report is not None,
                    "delivery": settings.delivery,
                    "daemon": None if report is None else report.model_dump(mode="json"),
                    "epochs": [asdict(waiting) for waiting in reading.epochs],
                    "losses": [asdict(loss) for loss in reading.losses],
                },
                indent=2,
            )
        )
    else:
        print_page(show_outbox(settings, report, reading.epochs, reading.losses))


@outbox.command()
def export(
    file: Annotated[Path, typer.Argument(help="The file to write; it must not be there yet.")],
    config: Folder = DEFAULT_FOLDER,
) -> None:
    """Copy what waits into a file, a JSON object on each line: topic, and the record as it would be sent."""
    settings = load_outbox(config)
    _ask(config, {"do": "store-outbox"})  # what is in memory is on disk now
    count = 0
    try:
        with file.open("xb") as opened:
            for message in Reading(settings.directory).messages():
                opened.write(_line(message))
                count += 1
    except FileExistsError:
        raise CollectorError(say.EXPORT_EXISTS(file=str(file))) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise CollectorError(say.EXPORT_UNWRITABLE(file=str(file), reason=reason)) from error
    print_sentence(say.EXPORTED(records=f"{count:,}", file=str(file)))


@outbox.command()
def purge(
    config: Folder = DEFAULT_FOLDER,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Give up what waits, for good. That is published as a loss, with cause `purged`."""
    settings = load_outbox(config)
    if not yes and not typer.confirm(asked(say.PURGE_SURE())):
        raise CollectorError(say.PURGE_CANCELLED())
    records = _ask(config, {"do": "purge-outbox"})
    if records is None:
        records = _purge_here(settings)
    print_sentence(say.PURGED(records=f"{records:,}") if records else say.PURGED_NOTHING())


def _purge_here(settings: OutboxSettings) -> int:
    """Give up what is in the folder, which no daemon uses."""
    if not settings.directory.exists():
        return 0
    if settings.directory.stat().st_uid != os.geteuid():  # files of another owner would keep the daemon out
        raise CollectorError(say.PURGE_OTHER_USER(path=str(settings.directory)))
    return purge_folder(settings)


def _line(message: Message) -> bytes:
    """A record for a file; its own bytes are in it as they are, where they are JSON on one line."""
    topic = json.dumps(message.topic, ensure_ascii=False).encode()
    try:
        json.loads(message.payload)
        if b"\n" not in message.payload and b"\r" not in message.payload:
            return b'{"topic": %s, "record": %s}\n' % (topic, message.payload)
    except ValueError:
        pass
    return b'{"topic": %s, "base64": "%s"}\n' % (topic, base64.b64encode(message.payload))


def _ask(folder: Path, request: dict[str, Any]) -> Any:
    """The running daemon's answer; None where it is not running."""
    try:
        return ask_daemon(socket_of(folder), request, _PATIENCE_S)
    except NotRunningError:
        return None
