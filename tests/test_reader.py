"""The reader thread: order, a full queue, errors, silence, and that it always ends."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

import numpy as np
import pytest
from structlog.testing import capture_logs

from collector.errors import SourceError
from collector.samples import Channel, Chunk, Loss, LossCause, Run, Signal
from collector.sources.reader import Reading, read_chunks
from collector.texts import sources as say

Step = Sequence[Run] | None | Callable[[], Sequence[Run]]


@dataclass
class Script:
    """A source whose device gives what a script says, then ends; its own opening may fail."""

    steps: Sequence[Step] = ()
    waits: bool = False
    silent_after_s: float | None = None
    fails: Exception | None = None
    bad: int = 0
    origin: str = "live"
    signal: Signal = field(default_factory=lambda: Signal((Channel("x", "g"),), 100.0))
    closed: threading.Event = field(default_factory=threading.Event)

    def open(self) -> "Performance":
        if self.fails:
            raise self.fails
        return Performance(self, iter(self.steps))


@dataclass
class Performance:
    script: Script
    steps: Iterator[Step]

    def read(self) -> Sequence[Run] | None:
        step = next(self.steps, None)
        return step() if callable(step) else step

    def bad_bytes(self) -> int:
        return self.script.bad

    def close(self) -> None:
        self.script.closed.set()


def run(*values: float, loss: Loss | None = None) -> Run:
    return Run(np.array([values]), loss)


def raising(error: Exception) -> Callable[[], Sequence[Run]]:
    def step() -> Sequence[Run]:
        raise error

    return step


def silent(times: int) -> list[Step]:
    """A device that is there and gives nothing."""
    never = threading.Event()

    def step() -> Sequence[Run]:
        never.wait(0.02)
        return ()

    return [step] * times


async def collect(script: Script, **options: object) -> list[Chunk]:
    async with aclosing(read_chunks(script, **options)) as arriving:  # type: ignore[arg-type]
        return [chunk async for chunks in arriving for chunk in chunks]


async def test_everything_in_order_with_its_arrival() -> None:
    times = iter(range(1000, 2000, 10))
    script = Script([[run(1), run(2, 3)], [], [run(4)]])
    chunks = await collect(script, monotonic_ns=lambda: next(times))
    assert [(c.run.samples.tolist(), c.arrived_ns) for c in chunks] == [
        ([[1]], 1000),
        ([[2, 3]], 1000),
        ([[4]], 1020),
    ]
    assert script.closed.is_set()


async def test_a_source_that_waits_loses_nothing() -> None:
    script = Script([[run(i), run(i + 0.5)] for i in range(300)], waits=True)
    chunks = await collect(script, queue_chunks=3)
    assert [c.run.samples[0, 0] for c in chunks] == [i / 2 for i in range(600)]


async def test_a_full_queue_drops_and_declares() -> None:
    taken, dropped = threading.Event(), threading.Event()

    def all_dropped() -> Sequence[Run]:
        dropped.set()
        taken.wait(10)
        return ()

    script = Script(
        [
            [run(0)],
            [run(1)],
            [run(2, 2, 2), run(3, 3, loss=Loss(LossCause.DEVICE, 5, modulus=256))],
            [run(4, 4)],
            all_dropped,
            [run(5, loss=Loss(LossCause.GARBAGE, 2, estimated=True))],
            [run(6)],
        ]
    )
    reading, got = Reading(), []
    async with aclosing(read_chunks(script, None, reading, queue_chunks=2)) as arriving:
        loop = asyncio.get_running_loop()
        filled = loop.run_in_executor(None, dropped.wait, 10)
        first = asyncio.ensure_future(anext(arriving))
        await asyncio.sleep(0)  # starts the thread; then this loop stands still until the queue is full
        dropped.wait(10)
        got += await first
        await filled
        taken.set()
        async for chunks in arriving:
            got += chunks
    assert [chunk.run.samples.tolist() for chunk in got] == [[[0]], [[1]], [[5]], [[6]]]
    overrun = Loss(LossCause.OVERRUN, 3 + 5 + 2 + 2 + 2, modulus=256, estimated=True)
    assert [chunk.run.loss for chunk in got] == [None, None, overrun, None]
    assert reading.overrun_samples == 7


async def test_errors_reach_the_consumer_after_the_samples() -> None:
    error = SourceError(say.VANISHED(port="p"))
    async with aclosing(read_chunks(Script([[run(1)], raising(error)]))) as arriving:
        assert len(await anext(arriving)) == 1
        with pytest.raises(SourceError) as caught:
            await anext(arriving)
    assert caught.value is error


@pytest.mark.parametrize("script", [Script([raising(KeyError("odd"))]), Script(fails=KeyError("odd"))])
async def test_unexpected_errors_too(script: Script) -> None:
    with pytest.raises(KeyError, match="odd"):
        await collect(script)


async def test_silence_is_an_error() -> None:
    script = Script([[run(1)], *silent(500)])
    with pytest.raises(SourceError) as caught:
        await collect(script, silent_after_s=0.05)
    assert caught.value.sentence.code == "source.silent"
    assert script.closed.is_set()


async def test_closing_stops_the_thread() -> None:
    script = Script([[run(1)], *silent(500)])
    async with aclosing(read_chunks(script)) as arriving:
        await anext(arriving)
    assert script.closed.is_set()


async def test_closing_stops_a_thread_that_waits_for_room() -> None:
    script = Script([[run(i)] for i in range(1000)], waits=True)
    async with aclosing(read_chunks(script, queue_chunks=2)) as arriving:
        await anext(arriving)
    assert script.closed.is_set()


async def test_cancelling_stops_the_thread() -> None:
    script = Script([[run(1)], *silent(500)])
    task = asyncio.ensure_future(collect(script))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert script.closed.wait(5)


async def test_a_thread_stuck_in_the_system_is_left_behind_and_logged() -> None:
    stuck, release = threading.Event(), threading.Event()

    def step() -> Sequence[Run]:
        stuck.set()
        release.wait(10)
        return ()

    script = Script([[run(1)], step])
    with capture_logs() as logs:
        async with aclosing(read_chunks(script, stop_wait_s=0.05)) as arriving:
            await anext(arriving)
            await asyncio.to_thread(stuck.wait, 10)
    assert [entry["event"] for entry in logs] == ["reader.abandoned"]
    assert not script.closed.is_set()
    release.set()
    assert script.closed.wait(5)


async def test_bad_bytes_add_up_over_openings() -> None:
    reading = Reading()
    await collect(Script([[run(1)], [run(2)]], bad=7), reading=reading)
    await collect(Script([[run(1)]], bad=4), reading=reading)
    assert reading.bad_bytes == 11
    assert not reading.is_open
