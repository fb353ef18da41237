"""Staying at a source for ever: whatever ends an attempt, expected or not, another follows after a pause.

What an attempt does, and what is shown of it, belongs to the stream.
"""

import asyncio
import random
import traceback
from collections.abc import Awaitable, Callable

import structlog

from collector.errors import SourceError
from collector.texts import Sentence

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0

log = structlog.get_logger(__name__)


async def keep_trying(
    name: str,
    attempt: Callable[[], Awaitable[None]],
    *,
    progress: Callable[[], int],
    unexpected: Callable[[Exception | asyncio.CancelledError], Sentence],
    failed: Callable[[Sentence, float], None],
    trying_again: Callable[[], None],
    first_pause_s: float = FIRST_PAUSE_S,
    longest_pause_s: float = LONGEST_PAUSE_S,
) -> None:
    """Repeat an attempt until it ends by itself; pauses double, spread at random, while none is any good.

    `progress` grows as long as an attempt is any good; `unexpected` finds the words for an exception that is
    no `SourceError`; `failed` is told what happened and how many seconds the pause is.
    """
    pause_s = first_pause_s
    while True:
        before = progress()
        try:
            await attempt()
        except SourceError as error:
            failure = error.sentence
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Nobody wanted us to end: a library has let one of its own cancelled futures through.
            log_unexpected(name, error)
            failure = unexpected(error)
        except Exception as error:  # noqa: BLE001 (libraries raise anything on odd devices; it stops this source only)
            log_unexpected(name, error)
            failure = unexpected(error)
        else:
            return
        if progress() > before:
            pause_s = first_pause_s
        wait_s = pause_s * random.uniform(0.5, 1.0)  # noqa: S311 (spreads retries)
        failed(failure, wait_s)
        await asyncio.sleep(wait_s)
        trying_again()
        pause_s = min(2 * pause_s, longest_pause_s)


def contained(name: str, step: Callable[[], None], failed: Callable[[Exception], None]) -> None:
    """Take a step on behalf of the gateway, whose other parts must not end with this one."""
    try:
        step()
    except Exception as error:  # noqa: BLE001 (what a value may cause concerns this part alone)
        log_unexpected(name, error)
        failed(error)


def log_unexpected(name: str, error: BaseException) -> None:
    """Log where it happened, but neither its words nor any variable: they may hold what must not leave."""
    frames = traceback.extract_tb(error.__traceback__)
    where = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    log.error("source.unexpected", source=name, kind=type(error).__name__, where=where)
