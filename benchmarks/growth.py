"""How the cost of a sample grows: with channels, rate, window length, overlap and features.

The way of a chunk to its record, as in the daemon: placed in time, cut, evaluated, encoded. Nothing is sent.
One thing is changed at a time; the others stay at 3 channels, 25.6 kHz, windows of 4096, full set. A second
table shows what it is worth that windows are evaluated together which are complete at the same time.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from statistics import median
from time import process_time_ns
from typing import Any, Literal

from benchmarks.kernel import FIRST_SET, FULL_SET
from benchmarks.signals import RATE_HZ, cut
from benchmarks.tables import Cell, Column, Table
from collector.clock import SystemClock, UtcClock
from collector.features import FeatureSettings, Kernel, SpeedFeatures, Turning
from collector.messages import Features, Moment, Numbering
from collector.sample_clock import SampleClock
from collector.samples import Channel, Chunk, Run, Signal
from collector.streams.waveform_records import Placed, at_speed, evaluated, placed
from collector.windows import Windows

_ROUNDS, _WARM_UP = 7, 1
_LEAST_SAMPLES = 200_000
_CHUNK_S = 0.1

Together = Literal["alone", "as they come", "in a backlog"]
"""Each window by itself; those of a chunk together; or as many as the kernel takes, since all are there."""


@dataclass(frozen=True)
class Case:
    """What is measured."""

    channels: int = 3
    rate_hz: float = RATE_HZ
    n: int = 4096
    overlap: float = 0.0
    features: FeatureSettings = FULL_SET
    together: Together = "as they come"


_USUAL = Case()
_CASES: dict[str, list[Case]] = {
    "channels": [replace(_USUAL, channels=channels) for channels in (1, 3, 8, 16, 32)],
    "rate Hz": [replace(_USUAL, rate_hz=rate_hz) for rate_hz in (1600.0, 6400.0, 25_600.0, 51_200.0)],
    "samples in a window": [replace(_USUAL, n=n) for n in (256, 1024, 4096, 16_384, 65_536)],
    "overlap": [replace(_USUAL, overlap=overlap) for overlap in (0.0, 0.5, 0.75)],
    "features": [replace(_USUAL, features=features) for features in (FIRST_SET, FULL_SET)],
}
_FIELDS = {"channels": "channels", "rate Hz": "rate_hz", "samples in a window": "n", "overlap": "overlap"}


_TOGETHER: tuple[Together, ...] = ("alone", "as they come", "in a backlog")
_SHARED = [replace(_USUAL, n=n, overlap=overlap) for n in (256, 1024, 4096) for overlap in (0.0, 0.75)]


def tables(_seconds: float) -> Iterable[Table]:
    cases = [(what, case) for what, cases in _CASES.items() for case in cases]
    rows: list[tuple[Cell, ...]] = []
    for (what, case), nanoseconds in zip(cases, _measure([case for _, case in cases]), strict=True):
        value = getattr(case, _FIELDS[what]) if what in _FIELDS else _name(case.features)
        rows.append((what, f"{value}", nanoseconds, 1e9 / nanoseconds / case.rate_hz))
    yield Table(
        "How the cost of a sample grows",
        "nanoseconds of CPU for a sample of one channel, from the chunk to the encoded record, and how many "
        "channels of that rate fill one core; unless told, 3 channels, 25600 Hz, 4096 samples, full set, "
        "without a speed",
        (Column("changed"), Column("to"), Column("ns a sample", 1), Column("channels a core", 1)),
        rows,
    )
    figures = _measure([replace(case, together=how) for case in _SHARED for how in _TOGETHER])
    by_case = zip(_SHARED, zip(*[iter(figures)] * len(_TOGETHER), strict=True), strict=True)
    yield Table(
        "Windows that are complete at the same time",
        "the same, each window alone, those of a chunk of 0.1 s together, and all of a backlog, as many in "
        "one pass as the kernel takes",
        (
            Column("samples"),
            Column("overlap", 2),
            *(Column(how, 1) for how in _TOGETHER),
            Column("alone/backlog", 2),
        ),
        [(f"{case.n}", case.overlap, *of_case, of_case[0] / of_case[-1]) for case, of_case in by_case],
    )


def _measure(cases: Sequence[Case]) -> list[float]:
    """Nanoseconds of CPU for a sample of one channel."""
    ways = [_way(case) for case in cases]
    found: list[list[float]] = [[] for _ in ways]
    for _ in range(_WARM_UP + _ROUNDS):  # all take turns, so that a slow moment meets them all
        for figures, way in zip(found, ways, strict=True):
            figures.append(way())
    return [median(figures[_WARM_UP:]) for figures in found]


def _name(features: FeatureSettings) -> str:
    return "first set" if not features.groups else "full set"


def _way(case: Case) -> Callable[[], float]:
    """What sends samples the whole way, and gives the nanoseconds of CPU for one of one channel."""
    size = max(1, round(case.rate_hz * _CHUNK_S))
    n = max(_LEAST_SAMPLES // case.channels, 3 * case.n)
    samples = cut(case.channels, n - n % size, case.rate_hz)
    channels = tuple(Channel(f"a{axis}", "g", -16, 16) for axis in range(case.channels))
    signal = Signal(channels, case.rate_hz, rate_exact=True)
    hop = round(case.n * (1 - case.overlap))
    clock, windows = SampleClock(signal), Windows(case.channels, case.n, hop)
    kernel, late = Kernel(case.features, channels, case.n, hop), SpeedFeatures(case.features, channels)
    numbering, utc = Numbering("epoch", "boot"), UtcClock(SystemClock())
    arrived_ns = 0

    def way() -> float:
        nonlocal arrived_ns
        chunks = []
        for first in range(0, samples.shape[1], size):
            arrived_ns += round(1e9 * size / case.rate_hz)
            chunks.append(Chunk(Run(samples[:, first : first + size]), arrived_ns))
        start_ns = process_time_ns()
        complete = ([placed(w, clock) for w in windows.push(clock.place(chunk))] for chunk in chunks)
        for some in _grouped(complete, case.together, kernel.at_once):
            values = kernel.compute_all([of.window for of in some], signal.rate_hz)
            for of, of_window in zip(some, values, strict=True):
                made = at_speed(evaluated(of, of_window, signal), late, Turning())
                fields: dict[str, Any] = made.fields
                at = Moment(made.first_ns // 1000, utc.utc_us(made.first_ns), sync=True)
                numbering.message(Features, "topic", at, **fields)
        return (process_time_ns() - start_ns) / samples.size

    return way


def _grouped(
    by_chunk: Iterable[list[Placed]], together: Together, at_once: int
) -> Iterator[Sequence[Placed]]:
    """Windows as they are evaluated."""
    if together == "as they come":
        yield from by_chunk
        return
    every = chain.from_iterable(by_chunk)
    while some := list(islice(every, 1 if together == "alone" else at_once)):
        yield some
