"""Watching a source for some seconds, for `collector test`: what it delivers, in plain figures.

Points are shown as they are, whether they are shared or not: it is for eyes on the gateway.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from contextlib import aclosing

import numpy as np

from collector.clock import monotonic_ns
from collector.health import PointSeen, PointTestReport, TestReport
from collector.points import Arrival, Origin, Point, Reading, believable
from collector.sample_clock import SampleClock
from collector.samples import Block, Chunk, Signal
from collector.sharing import share_of
from collector.sources.reader import Reading as ReaderFigures
from collector.sources.reader import read_chunks
from collector.sources.source import PointSource, WaveformSource
from collector.texts import number

_SHOWN = 3


class Observation:
    """Sums over what a source delivers; keeps only the last few samples."""

    def __init__(self, signal: Signal) -> None:
        channels = len(signal.channels)
        self._signal = signal
        self._began_ns = monotonic_ns()
        self._first_ns = self._last_ns = 0
        self._first_n = self._n = self._lost = 0
        self._sum, self._squares = np.zeros(channels), np.zeros(channels)
        self._least, self._greatest = np.full(channels, np.inf), np.full(channels, -np.inf)
        self._last = np.empty((channels, 0))

    def add(self, chunk: Chunk, block: Block) -> None:
        """Take what has just arrived."""
        samples = block.samples
        if not self._n:
            self._first_ns, self._first_n = chunk.arrived_ns, samples.shape[1]
        self._last_ns = chunk.arrived_ns
        self._n += samples.shape[1]
        self._lost += block.gap.lost if block.gap else 0
        self._sum += samples.sum(axis=1)
        self._squares += np.einsum("cn,cn->c", samples, samples)
        self._least = np.minimum(self._least, samples.min(axis=1))
        self._greatest = np.maximum(self._greatest, samples.max(axis=1))
        self._last = np.concatenate((self._last, samples), axis=1)[:, -_SHOWN:]

    def report(self, bad_bytes: int, measured_hz: float | None, *, through_daemon: bool) -> TestReport | None:
        """The figures; None when nothing arrived. Without a measured rate a rough one is told."""
        if not self._n:
            return None
        elapsed_s = (self._last_ns - self._first_ns) / 1e9
        mean = self._sum / self._n
        return TestReport(
            seconds=(monotonic_ns() - self._began_ns) / 1e9,
            samples=self._n,
            rate_hz=measured_hz or ((self._n - self._first_n) / elapsed_s if elapsed_s else None),
            nominal_hz=self._signal.rate_hz,
            lost=self._lost,
            bad_bytes=bad_bytes,
            channels=[channel.name for channel in self._signal.channels],
            units=[channel.unit for channel in self._signal.channels],
            mean=mean.tolist(),
            rms=np.sqrt(np.maximum(self._squares / self._n - mean * mean, 0.0)).tolist(),
            least=self._least.tolist(),
            greatest=self._greatest.tolist(),
            last=self._last.T.tolist(),
            through_daemon=through_daemon,
        )


async def observe(source: WaveformSource, seconds: float, silent_after_s: float) -> TestReport | None:
    """Open a source that nobody holds and watch it; None when nothing arrived.

    Raises:
        SourceError: it cannot be opened or understood, with what to do.
    """
    observation, clock, reading = Observation(source.signal), SampleClock(source.signal), ReaderFigures()
    async with aclosing(read_chunks(source, silent_after_s, reading)) as arriving:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                async for chunks in arriving:
                    for chunk in chunks:
                        observation.add(chunk, clock.place(chunk))
    return observation.report(reading.bad_bytes, clock.measured_hz, through_daemon=False)


class PointObservation:
    """What every point of a controller said last, and how often.

    `before` is what points had said before it began: it is shown of those that are only vouched for since.
    """

    def __init__(self, source: PointSource, before: Mapping[str, Reading] | None = None) -> None:
        self._source = source
        self._before = before or {}
        self._began_ns = monotonic_ns()
        self._arrivals = 0
        self._count: dict[str, int] = {}
        self._last: dict[str, Reading] = {}
        self._vouched_ns: dict[str, int] = {}
        self._within: dict[str, Arrival] = {}

    @property
    def heard(self) -> bool:
        """Whether any point was heard of."""
        return bool(self._vouched_ns)

    def add(self, arrival: Arrival) -> None:
        """Take what has just arrived."""
        self._arrivals += 1
        for reading in arrival.readings:
            self._count[reading.point] = self._count.get(reading.point, 0) + 1
            self._last[reading.point] = reading
            self._within[reading.point] = arrival
            self._vouched_ns[reading.point] = reading.received_ns
        for name in arrival.vouched:
            self._vouched_ns[name] = arrival.received_ns
            self._within.setdefault(name, arrival)
            if name in self._before:
                self._last.setdefault(name, self._before[name])

    def report(self, *, through_daemon: bool) -> PointTestReport | None:
        """The figures; None when no point was heard of."""
        if not self.heard:
            return None
        return PointTestReport(
            seconds=(monotonic_ns() - self._began_ns) / 1e9,
            arrivals=self._arrivals,
            points=[self._seen(point) for point in self._source.points],
            through_daemon=through_daemon,
        )

    def _seen(self, point: Point) -> PointSeen:
        said = self._last.get(point.name)
        reading = None if said is None else believable(point, said)
        vouched_ns = self._vouched_ns.get(point.name)
        arrival = self._within.get(point.name)
        origins = {} if arrival is None else arrival.origins()
        origin = origins.get(point.name, Origin(""))
        return PointSeen(
            name=point.name,
            kind=point.kind.value,
            unit=point.unit,
            share=share_of(point),
            value="" if reading is None or reading.value is None else _shown(reading.value),
            quality="" if reading is None else reading.quality.value,
            detail="" if reading is None else reading.detail,
            readings=self._count.get(point.name, 0),
            age_s=None if vouched_ns is None else (monotonic_ns() - vouched_ns) / 1e9,
            place=origin.place,
            raw=origin.raw,
            latency_s=None if arrival is None else arrival.latency_s,
        )


async def observe_points(source: PointSource, seconds: float) -> PointTestReport | None:
    """Connect to a controller that nobody holds and watch it from its first word on; None when none came.

    Raises:
        SourceError: it cannot be reached or understood, with what to do.
    """
    observation = PointObservation(source)
    async with aclosing(source.arrivals()) as arriving:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds + source.silent_after_s) as limit:
                async for arrival in arriving:
                    if not observation.heard:  # connecting takes its time, and fails with a reason
                        limit.reschedule(asyncio.get_running_loop().time() + seconds)
                    observation.add(arrival)
    return observation.report(through_daemon=False)


def _shown(value: float | str | bool) -> str:
    return number(value, 6) if isinstance(value, float) else str(value)
