"""`collector store …`: the group's store, for its administrator."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from collector.cli.commands import Commands
from collector.cli.logs import log_to
from collector.cli.screen import print_page
from collector.cli.sentences import asked, print_sentence
from collector.cli.store_pages import show_fleet, show_letters, show_store
from collector.clock import SystemClock
from collector.errors import CollectorError, NotRunningError, UsageError
from collector.local_time import local_minute
from collector.run import stop_on_signals
from collector.store.databases import open_sink, reading
from collector.store.deletion import clock_doubt, cutoffs, expire, newest_us
from collector.store.deletion import withdraw as withdraw_company
from collector.store.fleet import fleet as look_at_fleet
from collector.store.serve import serve as serve_store
from collector.store.settings import DEFAULT_FILE, load_store
from collector.store.sink import Reader
from collector.store.snapshot import Extent, Format
from collector.store.snapshot import export as export_snapshot
from collector.store.status import letters, payload, store_health
from collector.store.stretch import stretch_us, time_us
from collector.texts import store as say
from collector.times import moment

store = typer.Typer(
    cls=Commands,
    help="The group's store: takes the records of every gateway, and keeps each once.",
    no_args_is_help=True,
    add_completion=False,
)

File = Annotated[
    Path,
    typer.Option("--config", "-c", envvar="COLLECTOR_STORE", help="The file store.toml, or its folder."),
]
Json = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@store.command()
def serve(config: File = DEFAULT_FILE) -> None:
    """Take records until stopped (what systemd starts)."""
    settings = load_store(config, to_run=True)
    log_to(sys.stderr.isatty())

    async def until_stopped() -> None:
        stop = asyncio.Event()
        with stop_on_signals(stop):
            await serve_store(settings, stop=stop)

    asyncio.run(until_stopped())


@store.command()
def check(config: File = DEFAULT_FILE) -> None:
    """Tell every mistake in store.toml: line, what was found, what to type instead."""
    load_store(config)
    print_sentence(say.GOOD())


@store.command()
def status(config: File = DEFAULT_FILE, json_: Json = False) -> None:
    """Tell how the store is: its ingesters, how far they are behind, what could not be read.

    Exit code 0: healthy; 1: something needs attention; 3: no ingester is running.
    """
    with reading(load_store(config).sink) as reader:
        health = store_health(reader, _now_us())
    if json_:
        typer.echo(health.model_dump_json(indent=2))
    else:
        print_page(show_store(health))
    raise typer.Exit((1 if health.complaints else 0) if health.running else NotRunningError.exit_code)


@store.command()
def fleet(config: File = DEFAULT_FILE, json_: Json = False) -> None:
    """Tell how every gateway is: silent, late, unsynchronised, outdated, or with rejected records.

    Exit code 0: all are well; 1: one needs attention.
    """
    with reading(load_store(config).sink) as reader:
        gateways = look_at_fleet(reader, _now_us())
    if json_:
        typer.echo("[" + ",\n".join(gateway.model_dump_json() for gateway in gateways) + "]")
    else:
        print_page(show_fleet(gateways, _now_us()))
    raise typer.Exit(1 if any(gateway.complaints for gateway in gateways) else 0)


@store.command("dead-letters")
def dead_letters(
    digest: Annotated[
        str | None, typer.Argument(help="Print the bytes of this one, by the beginning of its name.")
    ] = None,
    config: File = DEFAULT_FILE,
    json_: Json = False,
) -> None:
    """List what came and is no record, with the reason; or print one as it came."""
    with reading(load_store(config).sink) as reader:
        if digest is None:
            found = list(letters(reader))
        elif (raw := payload(reader, digest)) is not None:
            sys.stdout.buffer.write(raw)
            return
        else:
            raise UsageError(say.NO_SUCH_LETTER(digest=digest))
    if json_:
        typer.echo("[" + ",\n".join(letter.model_dump_json() for letter in found) + "]")
    else:
        print_page(show_letters(found, _now_us()))


@store.command()
def export(
    folder: Annotated[Path, typer.Argument(help="Where to write it; must be empty or not there.")],
    start: Annotated[str, typer.Option("--from", help="From this time on, such as 2026-11-01.")],
    end: Annotated[str, typer.Option("--to", help="Up to this time, without it.")],
    company: Annotated[list[str] | None, typer.Option(help="Only of this company; may be repeated.")] = None,
    as_of: Annotated[str | None, typer.Option(help="Only what had come by this time.")] = None,
    form: Annotated[Format, typer.Option("--format", help="Which kind of files.")] = "parquet",
    config: File = DEFAULT_FILE,
) -> None:
    """Write a snapshot that can be cited: the same bytes whenever it is made again."""
    from_us, to_us = stretch_us(start, end)
    until = None if as_of is None else time_us(as_of)
    extent = Extent(from_us, to_us, company or (), until)
    with reading(load_store(config).sink) as reader:
        _must_be_known(reader, extent.companies)
        exported = export_snapshot(reader, extent, folder, form)
    print_sentence(say.EXPORTED(folder=str(folder), records=exported.records, digest=exported.digest))


@store.command()
def prune(config: File = DEFAULT_FILE, yes: Yes = False) -> None:
    """Delete now what is older than store.toml wants it kept; the running store does it once a day."""
    settings = load_store(config)
    now_us = _now_us()
    before = {name: local_minute(moment(t_us)) for name, t_us in cutoffs(settings.retention, now_us).items()}
    if not before:
        raise CollectorError(say.PRUNE_NOTHING())
    with reading(settings.sink) as reader:
        newest = newest_us(reader)
    doubt = clock_doubt(newest, now_us)
    if doubt is not None and yes:
        raise CollectorError(say.PRUNE_DOUBTFUL(**doubt.values))
    if doubt is not None:
        print_sentence(doubt)
    gone = before.get("dead_letters", str(say.FOR_EVER()))
    if "records" in before:
        sure = say.PRUNE_SURE(before=before["records"], letters=gone)
    else:
        sure = say.PRUNE_LETTERS_SURE(letters=gone)
    if not yes and not typer.confirm(asked(sure)):
        raise typer.Exit(1)
    sink = open_sink(settings.sink)
    try:
        deleted = expire(sink, settings.retention, now_us)
    finally:
        sink.close()
    print_sentence(say.PRUNED(records=deleted.records, letters=deleted.dead_letters))


@store.command()
def withdraw(
    company: Annotated[str, typer.Argument(help="The company's name.")],
    config: File = DEFAULT_FILE,
    yes: Yes = False,
) -> None:
    """Delete all data of a company for good; the log keeps that it was done, and by whom."""
    settings = load_store(config)
    with reading(settings.sink) as reader:
        _must_be_known(reader, [company])
    if not yes and typer.prompt(asked(say.WITHDRAW_SURE(company=company))) != company:
        raise CollectorError(say.WITHDRAW_REFUSED())
    sink = open_sink(settings.sink)
    try:
        deleted = withdraw_company(sink, company, _now_us())
    finally:
        sink.close()
    done = say.WITHDRAWN(company=company, records=deleted.records, letters=deleted.dead_letters)
    print_sentence(done)


def _must_be_known(reader: Reader, companies: Sequence[str]) -> None:
    known = sorted({gateway.company for gateway in look_at_fleet(reader, _now_us())}) if companies else []
    for company in companies:
        if company not in known:
            raise UsageError(say.NO_SUCH_COMPANY(company=company, known=", ".join(known) or "—"))


def _now_us() -> int:
    return SystemClock().utc_ns() // 1000
