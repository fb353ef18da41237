"""However a stream is cut into chunks, and however many are taken at once, it gives the same records."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
import pytest
from stand_ins import SettableClock
from test_waveform_speed import Controller

from collector.config import MachineFile
from collector.context import Context, ContextSettings
from collector.journal import Journal
from collector.messages import Features, Record, decode
from collector.outbox import Outbox
from collector.samples import Chunk, Loss, LossCause, Run, Samples
from collector.streams.waveform import Waveform

RATE_HZ = 2000.0
NUMBERING = {"seq", "prev"}
LIVE = {"kind": "serial", "port": "/dev/ttyUSB9", "baud": 9600, "format": {"kind": "text"}}


def machine(source: dict[str, Any], **window: Any) -> MachineFile:
    return MachineFile.model_validate(
        {
            "machine": {"name": "mill-1"},
            "tools": [{"number": 3, "teeth": 4}],
            "waveforms": [
                {
                    "name": "spindle",
                    "source": {"rate_hz": RATE_HZ, **source},
                    "channels": [{"name": "x", "unit": "g"}, {"name": "i", "unit": "A"}],
                    "window": window,
                    "features": {"velocity": {"high_hz": 700}, "envelope": {"low_hz": 200, "high_hz": 600}},
                }
            ],
        }
    )


def waveform(journal: Journal, file: MachineFile, **more: Any) -> Waveform:
    return Waveform(file, file.waveforms[0], journal, **more)


def cut(n: int, seed: int) -> Samples:
    """A cut at 6000 /min, not quite steady, with noise, a stuck stretch and a value that is none."""
    time = np.arange(n) / RATE_HZ
    x = np.sin(2 * np.pi * 100 * time) + 0.7 * np.sin(2 * np.pi * 400 * time) * (1 + np.sin(time))
    samples = np.stack((x, x)) + np.random.default_rng(seed).normal(0, 0.1, (2, n))
    samples[0, n // 3 : n // 3 + 90] = 0.125
    samples[1, n // 2] = np.nan
    return samples


def chunks_of(
    samples: Samples,
    sizes: Sequence[int],
    losses: Mapping[int, int],
    began_ns: int,
    *,
    true_hz: float = RATE_HZ,
    late_s: Sequence[float] = (0.0,),
) -> list[Chunk]:
    """Samples in pieces, each arriving when its last one was taken, or later; with losses before some."""
    made: list[Chunk] = []
    at = lost = 0
    for size, late in zip(sizes, cycle(late_s), strict=False):
        missing = losses.get(at)
        lost += missing or 0
        loss = None if missing is None else Loss(LossCause.DEVICE, missing)
        arrived_s = (at + size + lost) / true_hz + late
        run = Run(np.ascontiguousarray(samples[:, at : at + size]), loss)
        made.append(Chunk(run, began_ns + round(arrived_s * 1e9)))
        at += size
    return made


def sizes_of(total: int, most: int, stops: Sequence[int], seed: int) -> list[int]:
    """Sizes of pieces of so many samples, at most `most` each; a piece ends at each stop."""
    random = np.random.default_rng(seed)
    sizes: list[int] = []
    for stop in (*stops, total):
        while (left := stop - sum(sizes)) > 0:
            sizes.append(min(int(random.integers(1, most + 1)), left))
    return sizes


def records(outbox: Outbox) -> list[Record]:
    """What was published since the last call."""
    return [decode(outgoing.message.payload) for outgoing in outbox.take(100_000)]


def same(found: Sequence[Record], expected: Sequence[Record]) -> None:
    """The same records in the same order, but for their numbers."""
    assert [record.model_dump(exclude=NUMBERING) for record in found] == [
        record.model_dump(exclude=NUMBERING) for record in expected
    ]


@pytest.mark.parametrize("window", [{"samples": 64}, {"samples": 128, "overlap": 0.75}, {"samples": 1024}])
@pytest.mark.parametrize("seed", range(2))
async def test_any_cut_into_chunks_gives_the_same_records(
    kernel: SettableClock, journal: Journal, outbox: Outbox, window: dict[str, Any], seed: int
) -> None:
    """A stream whose rate is exact, so that when a chunk arrived tells nothing."""
    samples = cut(9000, seed)
    losses = {2500: 40, 2600: 1, 7003: 900}
    file = machine({"kind": "simulated"}, **window)
    began_ns = kernel.monotonic
    kernel.pass_time(60)
    made: list[list[Record]] = []
    for most, together in ((32, 1), (100, 7), (3000, 1), (800, 1000)):
        # The first sample's time follows from when the first chunk arrived.
        sizes = sizes_of(9000, most, [16, *losses], seed)
        chunks = chunks_of(samples, sizes, losses, began_ns)
        stream = waveform(journal, file)
        for start in range(0, len(chunks), together):
            stream.take(*chunks[start : start + together])
        stream.stop()
        report = stream.report()
        assert report.windows * stream.settings.window.resolve(RATE_HZ)[1] == report.advanced
        made.append(records(outbox))
    assert sum(isinstance(record, Features) for record in made[0]) > 5
    for found in made[1:]:
        same(found, made[0])


async def test_chunks_taken_together_are_placed_as_one_after_the_other(
    kernel: SettableClock, journal: Journal, outbox: Outbox
) -> None:
    """The rate is measured meanwhile: each window keeps the one that was known when it was complete."""
    samples = cut(40_000, 5)
    sizes = [200] * 200
    file = machine(LIVE, samples=128)
    late_s = np.random.default_rng(6).exponential(0.002, len(sizes)).tolist()
    losses = {9000: 25, 30_000: 300}
    chunks = chunks_of(samples, sizes, losses, kernel.monotonic, true_hz=1990.0, late_s=late_s)
    kernel.pass_time(60)
    made: list[list[Record]] = []
    for together in (1, 40, 200):
        stream = waveform(journal, file)
        for start in range(0, len(chunks), together):
            stream.take(*chunks[start : start + together])
        stream.stop()
        made.append(records(outbox))
    for found in made[1:]:
        same(found, made[0])
    windows = [record for record in made[0] if isinstance(record, Features)]
    assert len({record.rate_hz for record in windows}) > 2
    assert len({record.measured_hz for record in windows}) > 5


async def test_windows_taken_together_wait_for_the_speed_like_others(
    kernel: SettableClock, journal: Journal, outbox: Outbox
) -> None:
    """Ten windows of 256 samples in each chunk, at a speed that changes now and then."""
    file = machine({"kind": "simulated"}, samples=256)
    samples = cut(2560 * 6, 2)
    made: list[list[Record]] = []
    for size, together in ((256, 1), (2560, 1), (1280, 4)):
        controller, context, clock = Controller(), Context(), SettableClock()
        context.refer(ContextSettings(), {"plc": controller})
        stream = waveform(journal, file, context=context)
        sizes = sizes_of(2560 * 6, size, range(size, 2560 * 6, size), 0)
        chunks = chunks_of(samples, sizes, {}, clock.monotonic)
        # The histories of the points remember some seconds; the windows are joined before these are over.
        for start in range(0, len(chunks), together):
            stream.take(*chunks[start : start + together])
        for turn in range(20):
            rpm = 6000.0 if turn < 12 else 6600.0
            at_ns = clock.monotonic + round(turn * 0.1e9)
            controller.say(at_ns, spindle_speed=rpm, tool_number=3.0)
        stream.stop()
        made.append(records(outbox))
    for found in made[1:]:
        same(found, made[0])
    speeds = [record.spindle for record in made[0] if isinstance(record, Features)]
    assert {of.rpm for of in speeds if of is not None} == {6000.0, 6600.0}


async def test_a_long_backlog_leaves_others_their_turn(
    kernel: SettableClock, journal: Journal, outbox: Outbox
) -> None:
    """Between two pauses there is one pass of the kernel at most, and what it gave is published."""
    file = machine({"kind": "simulated"}, samples=64, overlap=0.75)
    stream = waveform(journal, file)
    chunks = chunks_of(cut(16_000, 1), [1, 10, 8000, 4, 4000, 3985], {}, kernel.monotonic)
    kernel.pass_time(60)
    steps = [sum(isinstance(record, Features) for record in records(outbox)) for _ in stream.passes(chunks)]
    assert max(steps) == 16
    assert sum(steps) == (16_000 - 64) // 16 + 1
    assert len(steps) < sum(steps) / 10


async def test_a_chunk_alone_leaves_no_window_waiting(
    kernel: SettableClock, journal: Journal, outbox: Outbox
) -> None:
    stream = waveform(journal, machine({"kind": "simulated"}, samples=64))
    for chunk in chunks_of(cut(1000, 1), [10, 54, 1, 200, 735], {}, kernel.monotonic):
        stream.take(chunk)
        complete = stream.clock.end // 64
        assert stream.report().windows == complete


async def test_what_is_complete_is_published_though_its_turn_has_not_come(
    kernel: SettableClock, journal: Journal, outbox: Outbox
) -> None:
    """A stream that is stopped, or described anew, between two passes."""
    stream = waveform(journal, machine({"kind": "simulated"}, samples=64))
    chunks = chunks_of(cut(6400, 1), [6400], {}, kernel.monotonic)
    next(iter(stream.passes(chunks)))
    stream.stop()
    assert stream.report().windows == 100
    made = [record.first for record in records(outbox) if isinstance(record, Features)]
    assert made == [64 * number for number in range(100)]
