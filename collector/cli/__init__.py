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

# Ctrl-C during the imports below, which take a second, just ends the program; from `main` on it raises.
if (
    threading.current_thread() is threading.main_thread()
    and signal.getsignal(signal.SIGINT) is signal.default_int_handler  # it may be ignored on purpose
):
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import typer

from collector.cli import (
    ask,
    controllers,
    daemon,
    enroll,
    features,
    files,
    lazily,
    learn,
    outbox,
    scan,
    share,
)
from collector.errors import CollectorError, UsageError
from collector.texts import cli as say

app = typer.Typer(
    name="collector",
    help="Collects sensor data of machine tools and publishes features of it over MQTT.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

for command in (
    daemon.run,
    files.check,
    ask.test,
    ask.status,
    daemon.demo,
    ask.reload,
    share.share,
    learn.learn,
    scan.scan,
    enroll.enroll,
    features.features,
    controllers.browse,
    controllers.trust,
    controllers.profiles,
    files.schema,
    files.version,
):
    app.command()(command)
for name, help_ in (
    ("group", "Run the group: who belongs to it, certificates, and the broker."),
    ("store", "The group's store: takes the records of every gateway, and keeps each once."),
):
    lazy = lazily.loaded(f"collector.cli.{name}")
    app.add_typer(typer.Typer(help=help_, cls=lazy, no_args_is_help=True), name=name)
app.add_typer(outbox.outbox)


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
        files.complain(error)
        sys.exit(2 if isinstance(error, UsageError) else 1)
    except Exception as error:
        if os.environ.get("COLLECTOR_DEBUG"):
            raise
        files.complain(CollectorError(say.INTERNAL(kind=type(error).__name__, message=str(error)[:300])))
        sys.exit(1)
