"""The order of things in `collector store serve`: what starts, what systemd is told, how it ends."""

import asyncio

import structlog

from collector.clock import SystemClock, UtcClock
from collector.store.ingest import keep_ingesting
from collector.store.report import Progress
from collector.store.settings import StoreFile
from collector.watchdog import Watchdog, notify

_LOOK_S = 1.0

log = structlog.get_logger(__name__)


async def serve(settings: StoreFile, *, stop: asyncio.Event) -> None:
    """Ingest until `stop` is set."""
    clock = UtcClock(SystemClock())
    progress = Progress.begin(settings.store.ingester, settings.broker.where, clock)
    log.info("started", ingester=progress.name, sink=settings.sink.kind)
    async with asyncio.TaskGroup() as tasks:
        keeping = [
            tasks.create_task(keep_ingesting(settings, clock, progress)),
            tasks.create_task(_feed_watchdog(clock)),
        ]
        notify("READY=1")
        await stop.wait()
        notify("STOPPING=1")
        for task in keeping:
            task.cancel()
    log.info("stopped", stored=progress.stored)


async def _feed_watchdog(clock: UtcClock) -> None:
    watchdog = Watchdog()
    while True:
        clock.look()
        watchdog.look()
        await asyncio.sleep(_LOOK_S)
