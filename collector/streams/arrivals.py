"""What a controller says, taken as it comes until that ends, fails, or is silent for too long."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog

from collector.errors import SourceError
from collector.points import Arrival
from collector.sources.source import PointSource
from collector.texts import points as say

_CONNECT_WAIT_S = 30.0
"""To connect and to say something first, a source gets so much more than its limit of silence."""
_TOGETHER_S = 1.0
"""What arrives within this time shares one timeout: setting one for every arrival would cost too much."""
_GRACE_S = 3.0
"""We wait so much longer than the source does: one that notices its own silence can tell more about it, and
has to close its connection first."""
_CLOSE_WAIT_S = 5.0

log = structlog.get_logger(__name__)


async def take_arrivals(source: PointSource, take: Callable[[Arrival], None]) -> None:
    """Connect, and take what the source says; returns when a recording has ended.

    Raises:
        SourceError: it failed, was silent for too long, or ended though it is live.
    """
    wait_s = source.silent_after_s + _GRACE_S
    async with _letting_go(source.arrivals()) as arriving:
        going_on = await _take_some(arriving, take, wait_s + _CONNECT_WAIT_S, 0.0)
        while going_on:
            going_on = await _take_some(arriving, take, wait_s, _TOGETHER_S)
    if source.origin == "live":
        raise SourceError(say.ENDED())


async def _take_some(
    arriving: AsyncGenerator[Arrival, None], take: Callable[[Arrival], None], wait_s: float, for_s: float
) -> bool:
    """Take what comes in `for_s`, or the next that comes at all; tells whether there may be more.

    A limit to each single wait would take longer than what is waited for, so many share one.

    Raises:
        SourceError: nothing came for `wait_s` (and up to `for_s`).
    """
    loop = asyncio.get_running_loop()
    end_s = loop.time() + for_s
    try:
        async with asyncio.timeout(wait_s + for_s) as limit:
            async for arrival in arriving:
                take(arrival)
                if loop.time() >= end_s:
                    return True
    except TimeoutError:
        if not limit.expired():
            raise
        raise SourceError(say.SILENT(seconds=round(wait_s, 1))) from None
    return False


@asynccontextmanager
async def _letting_go(
    arriving: AsyncGenerator[Arrival, None],
) -> AsyncIterator[AsyncGenerator[Arrival, None]]:
    """Close it at the end, but do not wait long for that."""
    try:
        yield arriving
    finally:
        try:
            async with asyncio.timeout(_CLOSE_WAIT_S):
                await arriving.aclose()
        except TimeoutError:
            log.warning("source.abandoned", waited_s=_CLOSE_WAIT_S)
