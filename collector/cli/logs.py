"""What goes to standard error while a command runs for long: events with fields."""

import logging
import sys

# Where rich is installed structlog loads it, for tracebacks that nobody is shown here: 4 MiB, and a tenth of
# the daemon's start.
sys.modules.setdefault("rich", None)  # type: ignore[arg-type]
import structlog  # noqa: E402
from structlog.tracebacks import ExceptionDictTransformer  # noqa: E402

if sys.modules["rich"] is None:
    del sys.modules["rich"]


def log_to(readable: bool, level: int = logging.INFO) -> None:
    """Log events to standard error: readable lines on a terminal, JSON for the journal."""
    # Never with local variables: they may hold names of programs and tools, which stay on the machine.
    tracebacks = structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
    renderer = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if readable
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    processors: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if not readable:
        processors.append(tracebacks)
    structlog.configure(
        processors=[*processors, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
