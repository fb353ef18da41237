"""The order of things: what starts, in which order, what watches it, and how it ends.

How one stream works stands in `streams/`; what the whole gateway is and reports, in `gateway/`.
"""

import asyncio
import contextlib
import itertools
import signal
from collections.abc import Iterator
from pathlib import Path

import structlog

from collector.clock import Clock, SystemClock, UtcClock
from collector.config import Config, ConfigError, load, load_last_good, save_last_good
from collector.control import serving
from collector.errors import CollectorError
from collector.gateway import Gateway
from collector.health import State
from collector.outbox import Outbox
from collector.texts import Sentence
from collector.texts import gateway as say
from collector.watchdog import Watchdog, notify

_LOOK_S = 1.0
_STATUS_EVERY = 10
_FILES_EVERY_S = 10.0
_MARK_EVERY = 60
_FIRST_MARKS = (2, 10, 30)
"""Also marked early on: a run that is cut short after seconds must not be forgotten."""
GOODBYE_S = 3.0

log = structlog.get_logger(__name__)


async def run(folder: Path, state_folder: Path, *, clock: Clock | None = None, stop: asyncio.Event) -> None:
    """Collect by the configuration in `folder` until `stop` is set.

    Raises:
        ConfigError: the configuration is wrong and there is no last good one.
        OutboxError: the outbox's folder cannot be used.
        ControlError: another daemon runs here.
    """
    config, configuration = starting_configuration(folder, state_folder)
    utc = UtcClock(clock or SystemClock())
    outbox = await Outbox.open(config.outbox)
    try:
        gateway = Gateway(config, folder, state_folder, configuration, utc, outbox)
        await gateway.publish_left_accounts()
        async with serving(config.control.socket, gateway), asyncio.TaskGroup() as tasks:
            gateway.start(tasks)
            keeping = [
                tasks.create_task(_keep_house(gateway, outbox)),
                tasks.create_task(_keep_looking_at_host(gateway)),
                tasks.create_task(_keep_marks(gateway)),
                tasks.create_task(_keep_comparing(gateway)),
                tasks.create_task(_reload_on_hangup(gateway)),
            ]
            notify("READY=1")
            log.info("started", epoch=outbox.epoch, sources=len(gateway.streams.by_name))
            await stop.wait()
            notify("STOPPING=1")
            for task in keeping:
                task.cancel()
            await gateway.stop(GOODBYE_S)
    finally:
        await outbox.close()
    log.info("stopped")


def starting_configuration(folder: Path, state_folder: Path) -> tuple[Config, tuple[State, Sentence | None]]:
    """The configuration to start with, and how that is; if the one on disk is refused, the last good one.

    Raises:
        ConfigError: it is wrong and there is no last good one.
    """
    try:
        config = load(folder, to_run=True)
    except ConfigError as error:
        last_good = load_last_good(state_folder)
        if last_good is None:
            raise
        log.warning("configuration.refused", problems=[str(problem) for problem in error.problems])
        return last_good, (State.FAILED, say.ON_LAST_GOOD(count=len(error.problems)))
    unsaved = save_last_good(folder, state_folder)
    return config, (State.DEGRADED if unsaved else State.OK, unsaved)


async def _keep_house(gateway: Gateway, outbox: Outbox) -> None:
    """Once a second: look at everything, feed systemd; now and then publish status. It waits for nothing."""
    watchdog = Watchdog(disk=lambda: outbox.disk_progress)
    turn = 0
    while True:
        gateway.look()
        if turn % _STATUS_EVERY == 0:
            gateway.publish_status()
        stuck = watchdog.look()
        if stuck is not None:
            log.error("watchdog.starved", part=stuck)
        turn += 1
        await asyncio.sleep(_LOOK_S)


async def _keep_looking_at_host(gateway: Gateway) -> None:
    """With every status: read the gateway's own hardware, however long that takes."""
    while True:
        await gateway.look_at_host()
        await asyncio.sleep(_STATUS_EVERY * _LOOK_S)


async def _keep_marks(gateway: Gateway) -> None:
    """Once a minute, and when an account is over, save a mark; however long the disk takes for it."""
    for turn in itertools.count():
        if gateway.accounts_wait or turn in _FIRST_MARKS or turn % _MARK_EVERY == _MARK_EVERY - 1:
            await gateway.save_mark()
        await asyncio.sleep(_LOOK_S)


async def _keep_comparing(gateway: Gateway) -> None:
    """Now and then compare the files on disk with what is in use; however long the disk takes for it."""
    while True:
        await asyncio.sleep(_FILES_EVERY_S)
        await gateway.look_at_files()


async def _reload_on_hangup(gateway: Gateway) -> None:
    """SIGHUP means the same as `collector reload`; what it refuses stands in the log and in the status."""
    loop, hangup = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGHUP, hangup.set)
    try:
        while True:
            await hangup.wait()
            hangup.clear()
            try:
                await gateway.reload()
            except CollectorError as error:
                log.warning("reload.refused", reason=str(error))
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the default would kill us while stopping


@contextlib.contextmanager
def stop_on_signals(stop: asyncio.Event) -> Iterator[None]:
    """Set `stop` on SIGTERM and Ctrl-C while the context lasts."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
