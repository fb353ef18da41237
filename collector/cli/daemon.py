"""Commands that collect: run, and demo."""

import asyncio
import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from collector.cli.files import DEFAULT_FOLDER, Folder
from collector.cli.logs import log_to
from collector.errors import CollectorError
from collector.run import run as run_daemon
from collector.run import stop_on_signals
from collector.texts import cli as say

StateFolder = Annotated[
    Path,
    typer.Option(
        "--state", envvar="STATE_DIRECTORY", help="Where the last good configuration is kept between runs."
    ),
]


def run(config: Folder = DEFAULT_FOLDER, state: StateFolder = Path("/var/lib/collector")) -> None:
    """Collect until stopped (what systemd starts)."""
    log_to(sys.stderr.isatty())

    async def until_stopped() -> None:
        stop = asyncio.Event()
        with stop_on_signals(stop):
            await run_daemon(config, state, stop=stop)

    asyncio.run(until_stopped())


def demo(
    seconds: Annotated[
        float | None, typer.Option(help="End after so many seconds; else with Ctrl-C.")
    ] = None,
) -> None:
    """Show the whole thing at work here: a broker, a simulated shop, the collector, a live table."""
    try:
        import amqtt  # noqa: F401, PLC0415 (an extra, and heavy)
    except ImportError:
        raise CollectorError(say.DEMO_INSTALL()) from None
    from collector.demo.stage import show  # noqa: PLC0415 (heavy)

    log_to(readable=True, level=logging.ERROR)
    asyncio.run(show(seconds))
