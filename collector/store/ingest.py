"""From the broker into the database, for as long as the store runs: subscribe, commit, receipt, and again.

The outboxes of the gateways are the memory. So messages are acknowledged to the broker as they come, nothing
is kept from one connection to the next, and whatever ends a connection or a commit just means that some
records are not receipted and will come again. The database is opened before the broker: while it is away,
this ingester takes no share of the records from others.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import structlog

from collector.clock import UtcClock
from collector.errors import BrokerError, CollectorError
from collector.health import State
from collector.mqtt import Connection, reconnect_pauses
from collector.store.arrivals import Arrival
from collector.store.databases import open_sink
from collector.store.deletion import expire_by_itself
from collector.store.receipting import Receipting
from collector.store.report import Progress
from collector.store.settings import StoreFile, StoreSettings
from collector.store.sink import Sink, StoreError
from collector.store.storing import store
from collector.texts import Sentence

_MOST = 1000
"""So many arrivals are committed together at most."""
_GATHER_S = 0.05
"""So long the first of a batch waits for others; under load they gather during the commit before."""
_FULL, _ROOM = 32 << 20, 16 << 20
"""Bytes that wait: when to stop reading from the broker, and when to read again."""
_OVERHEAD = 512
"""Bytes that an arrival takes beside its payload, about."""
_REPORT_S = 5.0
_EXPIRE_S = 24 * 3600.0
_DOUBT_S = 5.0
"""A clock that is doubted is looked at again so soon."""
_FIRST_PAUSE_S = 0.5
_LASTING_S = 10.0
"""After an attempt that lasted so long the pauses begin anew."""

T = TypeVar("T")
InThread = Callable[..., asyncio.Future[Any]]

log = structlog.get_logger(__name__)


async def keep_ingesting(settings: StoreFile, clock: UtcClock, progress: Progress) -> None:
    """Ingest until cancelled; database and broker may come and go."""
    loop = asyncio.get_running_loop()
    longest_s = settings.broker.reconnect_max_s
    pauses = reconnect_pauses(_FIRST_PAUSE_S, longest_s)
    while True:
        began_s = loop.time()
        try:
            await _ingest(settings, clock, progress)
        except CollectorError as error:
            log.warning("store.failed", code=error.sentence.code, reason=str(error))
            progress.condition.change(State.FAILED, error.sentence)
        if loop.time() - began_s >= _LASTING_S:
            pauses = reconnect_pauses(_FIRST_PAUSE_S, longest_s)
        await asyncio.sleep(next(pauses))


async def _ingest(settings: StoreFile, clock: UtcClock, progress: Progress) -> None:
    """One attempt: from an open database to whatever ends it."""
    loop = asyncio.get_running_loop()
    # One thread, so that whatever is asked of the database follows what was asked before, also its end.
    with ThreadPoolExecutor(1, "ThreadPoolExecutor-database") as thread:

        def in_thread(function: Callable[..., T], *values: Any) -> asyncio.Future[T]:
            return loop.run_in_executor(thread, function, *values)

        sink = await in_thread(open_sink, settings.sink)
        try:
            await _from_broker(settings, clock, progress, sink, in_thread)
        except BrokerError as error:
            progress.condition.change(State.FAILED, error.sentence)
            await _report(sink, progress, in_thread)
            raise
        except asyncio.CancelledError:
            progress.stopped = True
            with contextlib.suppress(StoreError):  # it ends all the same
                await _report(sink, progress, in_thread)
            raise
        finally:
            await in_thread(sink.close)


async def _from_broker(
    settings: StoreFile, clock: UtcClock, progress: Progress, sink: Sink, in_thread: InThread
) -> None:
    waiting = Waiting(clock)
    receipting = Receipting(settings.store.root)
    connection = await Connection.open(
        settings.broker,
        settings.broker.client_id or f"store.{settings.store.ingester}",
        on_message=waiting.put,
        on_acknowledged=receipting.acknowledged,
    )
    tasks: set[asyncio.Task[None]] = set()
    try:
        waiting.connection = receipting.connection = connection
        for topic_filter in topic_filters(settings.store):
            await connection.subscribe(topic_filter)
        progress.condition.change(State.OK)
        log.info("store.connected", broker=settings.broker.where)
        tasks.add(asyncio.create_task(_store(settings, waiting, receipting, progress, sink, in_thread)))
        await asyncio.wait({*tasks, connection.lost}, return_when=asyncio.FIRST_COMPLETED)
        for ended in (*(task for task in tasks if task.done()), connection.lost):
            ended.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await connection.close()


async def _store(
    settings: StoreFile,
    waiting: "Waiting",
    receipting: Receipting,
    progress: Progress,
    sink: Sink,
    in_thread: InThread,
) -> None:
    """Commit what waits, batch by batch, and tell the gateways; now and then report and expire."""
    loop = asyncio.get_running_loop()
    report_s = expire_s = loop.time()
    doubt: Sentence | None = None
    while True:
        arrivals = await waiting.take(_REPORT_S)
        if arrivals:
            stored = await in_thread(store, sink, arrivals, settings.store.root)
            progress.committed(stored)
            receipting.send(stored.receipts)
            for letter in stored.letters:
                log.warning("store.dead-letter", topic=letter.arrival.topic, reason=letter.reason)
        if loop.time() >= report_s:
            report_s = loop.time() + _REPORT_S
            progress.waiting = len(waiting)
            reason = receipting.refused or doubt
            progress.condition.change(State.DEGRADED if reason else State.OK, reason)
            await _report(sink, progress, in_thread)
        if loop.time() >= expire_s:
            doubt = await in_thread(_expire, settings, sink, progress, doubt)
            expire_s = loop.time() + (_DOUBT_S if doubt else _EXPIRE_S)


def _expire(settings: StoreFile, sink: Sink, progress: Progress, doubt: Sentence | None) -> Sentence | None:
    now_us = progress.clock.now_us()
    return expire_by_itself(sink, settings.sink, settings.retention, now_us, doubted=doubt is not None)


async def _report(sink: Sink, progress: Progress, in_thread: InThread) -> None:
    report = progress.report()
    await in_thread(sink.report, report.name, report.reported_us, report.model_dump_json())


def topic_filters(settings: StoreSettings) -> tuple[str, str]:
    """The records, of which several ingesters get a share each, and the status of every gateway."""
    share = f"$share/{settings.group}/" if settings.group else ""
    return f"{share}{settings.root}/+/+/+/+/+", f"{settings.root}/+/+/status"


class Waiting:
    """What came and is not in the database; beyond a limit the broker is made to wait."""

    connection: Connection | None = None

    def __init__(self, clock: UtcClock, full: int = _FULL, room: int = _ROOM) -> None:
        self._clock = clock
        self._full = full
        self._room = room
        self._arrivals: deque[Arrival] = deque()
        self._some = asyncio.Event()
        self._paused = False
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._arrivals)

    def put(self, topic: str, payload: bytes, retained: bool) -> None:
        """A message has come; an empty one only takes back what the broker kept of a topic."""
        if not payload:
            return
        self._arrivals.append(Arrival(topic, payload, self._clock.now_us(), retained))
        self.bytes += len(payload) + _OVERHEAD
        self._some.set()
        if self.bytes >= self._full and not self._paused and self.connection is not None:
            self._paused = True
            self.connection.pause_reading()

    async def take(self, timeout_s: float, most: int = _MOST) -> list[Arrival]:
        """The next batch; empty if nothing came for so long."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._some.wait()
        except TimeoutError:
            return []
        if len(self._arrivals) < most:
            await asyncio.sleep(_GATHER_S)
        taken = [self._arrivals.popleft() for _ in range(min(most, len(self._arrivals)))]
        self.bytes -= sum(len(arrival.payload) + _OVERHEAD for arrival in taken)
        if not self._arrivals:
            self._some.clear()
        if self._paused and self.bytes <= self._room and self.connection is not None:
            self._paused = False
            self.connection.resume_reading()
        return taken
