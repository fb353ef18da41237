"""The command line: one file a command group. `main` is the program `collector`.

Exit codes: 0 good, 1 something needs attention or failed, 2 wrong configuration or usage, 3 not running,
130 ended with Ctrl-C.
"""

import io
import os
import signal
import sys
import threading

# Threads of the linear algebra library cost more than they give on windows of this size, and memory.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Ctrl-C during the imports, which take a second, just ends the program; from `main` on it raises.
if (
    threading.current_thread() is threading.main_thread()
    and signal.getsignal(signal.SIGINT) is signal.default_int_handler  # it may be ignored on purpose
):
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from typing import Annotated

import typer

from collector import __version__
from collector.cli import lazily, logs  # noqa: F401 (the log is the first that loads structlog)
from collector.errors import CollectorError
from collector.texts import cli as say

app = typer.Typer(
    name="collector",
    cls=lazily.loaded(
        {
            "run": "collector.cli.daemon",
            "check": "collector.cli.files",
            "test": "collector.cli.ask",
            "status": "collector.cli.ask",
            "demo": "collector.cli.daemon",
            "reload": "collector.cli.ask",
            "share": "collector.cli.share",
            "learn": "collector.cli.learn",
            "scan": "collector.cli.scan",
            "enroll": "collector.cli.enroll",
            "features": "collector.cli.features",
            "browse": "collector.cli.controllers",
            "trust": "collector.cli.controllers",
            "profiles": "collector.cli.controllers",
            "schema": "collector.cli.files",
            "version": "collector.cli.files",
            "group": "collector.cli.group",
            "store": "collector.cli.store",
            "outbox": "collector.cli.outbox",
        }
    ),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def collector(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Collects sensor data of machine tools and publishes features of it over MQTT."""


def main() -> None:
    """Run the command line; whatever goes wrong, a user reads a sentence and never a traceback."""
    try:
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # a terminal that lacks a sign shows a question mark
                stream.reconfigure(errors="replace")
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except CollectorError as error:
        _complain(error)
        sys.exit(error.exit_code)
    except Exception as error:
        if os.environ.get("COLLECTOR_DEBUG"):
            raise
        _complain(CollectorError(say.INTERNAL(kind=type(error).__name__, message=str(error)[:300])))
        sys.exit(1)


def _complain(error: CollectorError) -> None:
    from collector.cli.files import complain  # noqa: PLC0415 (loads the configuration's models)

    complain(error)
