"""`collector store …`: the group's store, for its administrator."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from collector.cli.files import complain
from collector.cli.logs import log_to
from collector.run import stop_on_signals
from collector.store.serve import serve as serve_store
from collector.store.settings import DEFAULT_FILE, StoreFile, load_store
from collector.texts import store as say
from collector.toml.problems import ConfigError

app = typer.Typer()

File = Annotated[
    Path,
    typer.Option("--config", "-c", envvar="COLLECTOR_STORE", help="The file store.toml, or its folder."),
]


@app.command()
def serve(config: File = DEFAULT_FILE) -> None:
    """Take records until stopped (what systemd starts)."""
    settings = _load(config)
    log_to(sys.stderr.isatty())

    async def until_stopped() -> None:
        stop = asyncio.Event()
        with stop_on_signals(stop):
            await serve_store(settings, stop=stop)

    asyncio.run(until_stopped())


@app.command()
def check(config: File = DEFAULT_FILE) -> None:
    """Tell every mistake in store.toml: line, what was found, what to type instead."""
    _load(config)
    typer.echo(str(say.GOOD()))


def _load(file: Path) -> StoreFile:
    try:
        return load_store(file)
    except ConfigError as error:
        complain(error)
        raise typer.Exit(2) from None
