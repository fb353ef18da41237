"""The one thread of a fast device: it opens, reads, closes, and hands over through a bounded queue.

What samples mean, when to open again, and health belong to the consumer.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, replace

import structlog

from collector.clock import monotonic_ns as clock_monotonic_ns
from collector.errors import SourceError
from collector.samples import Chunk, Loss, LossCause, Run
from collector.sources.source import WaveformSource
from collector.texts import sources as say

_OPEN_WAIT_S = 10.0
_GRACE_S = 1.0
"""A device that knows why it is silent says so first."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Reading:
    """What the reader thread tells beside samples, over all openings; written by it, read by anyone."""

    is_open: bool = False
    bad_bytes: int = 0
    """Bytes that were part of no valid sample."""
    overrun_samples: int = 0
    """Samples dropped because the queue was full."""


async def read_chunks(
    source: WaveformSource,
    silent_after_s: float | None = None,
    reading: Reading | None = None,
    *,
    queue_chunks: int = 256,
    stop_wait_s: float = 2.0,
    monotonic_ns: Callable[[], int] = clock_monotonic_ns,
) -> AsyncGenerator[list[Chunk], None]:
    """Open the source and yield what arrives, all that is there at once; ends with the recording.

    Close it (`contextlib.aclosing`) to stop the thread. Where the source cannot wait for us, chunks that find
    `queue_chunks` waiting are dropped, and the next one carries their loss.

    Raises:
        SourceError: the device cannot be opened or read, or gave nothing for `silent_after_s`.
        Exception: whatever else ended the thread, as it was raised there.
    """
    handover = _Handover(queue_chunks, source.waits, reading or Reading())
    thread = threading.Thread(
        target=_read, args=(source, handover, monotonic_ns), name=f"reader-{source.origin}", daemon=True
    )
    thread.start()
    wait_s = None if silent_after_s is None else silent_after_s + _GRACE_S + _OPEN_WAIT_S
    try:
        while not handover.is_drained():
            try:
                async with asyncio.timeout(wait_s):
                    chunks = await handover.take()
            except TimeoutError:
                raise SourceError(say.SILENT(seconds=silent_after_s or 0.0)) from None
            if chunks:
                yield chunks
                wait_s = None if silent_after_s is None else silent_after_s + _GRACE_S
        if handover.error is not None:
            raise handover.error
    finally:
        handover.stop()
        try:
            async with asyncio.timeout(stop_wait_s):
                await handover.ended.wait()
            thread.join()
        except TimeoutError:
            log.warning("reader.abandoned", thread=thread.name, waited_s=stop_wait_s)


class _Handover:
    """The bounded queue between the thread, which puts, and the event loop, which takes."""

    def __init__(self, limit: int, waits: bool, reading: Reading) -> None:
        self.reading = reading
        self.ended = asyncio.Event()
        self.error: Exception | None = None
        self._loop = asyncio.get_running_loop()
        self._limit = limit
        self._waits = waits
        self._arrived = asyncio.Event()
        self._chunks: list[Chunk] = []
        self._stopped = False
        self._loss: Loss | None = None
        self._room = threading.Condition()

    # On the thread

    @property
    def stopped(self) -> bool:
        """Whether nobody wants more."""
        return self._stopped

    def put(self, chunks: Sequence[Chunk]) -> None:
        """Hand over chunks; where the queue is full, wait if the source can, else drop them and note it."""
        with self._room:
            for chunk in chunks:
                if self._waits:
                    if len(self._chunks) >= self._limit:
                        self._wake(self._arrived)
                        self._room.wait_for(lambda: self._stopped or len(self._chunks) < self._limit)
                    self._chunks.append(chunk)
                elif len(self._chunks) < self._limit:
                    self._chunks.append(_after(self._loss, chunk))
                    self._loss = None
                else:
                    dropped = chunk.run.samples.shape[1]
                    self._loss = _overrun(self._loss, chunk.run.loss, dropped)
                    self.reading.overrun_samples += dropped
        if chunks:
            self._wake(self._arrived)

    def end(self, error: Exception | None) -> None:
        """Say that the thread has nothing more to do."""
        self.error = error
        self._wake(self.ended)
        self._wake(self._arrived)

    def _wake(self, event: asyncio.Event) -> None:
        try:
            self._loop.call_soon_threadsafe(event.set)
        except RuntimeError:  # the loop is gone, and with it everybody who waited
            self._stopped = True

    # On the event loop

    async def take(self) -> list[Chunk]:
        """Wait for chunks and take all that are there; empty only at the end."""
        await self._arrived.wait()
        with self._room:
            chunks, self._chunks = self._chunks, []
            if not self.ended.is_set():
                self._arrived.clear()
            self._room.notify()
        return chunks

    def is_drained(self) -> bool:
        """Whether the thread has ended and everything was taken."""
        return self.ended.is_set() and not self._chunks

    def stop(self) -> None:
        """Tell the thread that nobody wants more."""
        with self._room:
            self._stopped = True
            self._room.notify()


def _read(source: WaveformSource, handover: _Handover, monotonic_ns: Callable[[], int]) -> None:
    """The thread's whole life."""
    error: Exception | None = None
    reading = handover.reading
    try:
        device = source.open()
        reading.is_open, bad_before = True, reading.bad_bytes
        try:
            while not handover.stopped:
                runs = device.read()
                arrived_ns = monotonic_ns()
                reading.bad_bytes = bad_before + device.bad_bytes()
                if runs is None:
                    break
                handover.put([Chunk(run, arrived_ns) for run in runs])
        finally:
            reading.is_open = False
            device.close()
    except Exception as caught:  # noqa: BLE001 (a thread has no caller; its consumer raises this again)
        error = caught
    handover.end(error)


def _after(loss: Loss | None, chunk: Chunk) -> Chunk:
    """The chunk, with what was dropped before it added to its own loss."""
    if loss is None:
        return chunk
    return replace(chunk, run=Run(chunk.run.samples, _overrun(loss, chunk.run.loss, 0)))


def _overrun(before: Loss | None, own: Loss | None, dropped: int) -> Loss:
    """One loss of what was dropped and of the losses that it hid."""
    hidden = [loss for loss in (before, own) if loss is not None]
    counts = [loss.samples for loss in hidden if loss.samples is not None]
    return Loss(
        LossCause.OVERRUN,
        dropped + sum(counts) if len(counts) == len(hidden) else None,
        modulus=next((loss.modulus for loss in hidden if loss.modulus), None),
        estimated=any(loss.estimated for loss in hidden),
    )
