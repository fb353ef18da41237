"""CPU time of a window's whole way, against the bare kernel and against `json.dumps` + a bare publish.

Three things take turns, window by window, so that a slow moment and cold caches meet all of them:

    kernel      `Kernel.compute` alone
    pipeline    from chunks entering `SampleClock.place` until the broker's PUBACK has let go of the record in
                the outbox: clock, windows, kernel, record, journal, outbox and publisher, the real objects
    dumps+paho  `json.dumps` of the same record, and a QoS 1 publish of the same bytes with a bare paho
                client, driven by its own `loop()` in this thread until the PUBACK is there

Not in it: making the samples, and the handover from the reader thread. The daemon's share of a core has both.
"""

import asyncio
import json
import logging
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import process_time_ns
from typing import Any

import numpy as np
import paho.mqtt.client as paho
import structlog
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from benchmarks.delivery import WatchedOutbox, delivering
from benchmarks.rig import STREAMS, WINDOW, broker, write_configuration
from benchmarks.tables import Cell, Column, Table
from collector.config import Config, WaveformSettings, load
from collector.features import Kernel
from collector.journal import Journal
from collector.samples import Chunk, Run, Samples
from collector.sources import describe_source
from collector.sources.pacing import Pace
from collector.sources.serial import SerialSettings, TextFormat
from collector.sources.simulated import SimulatedSettings
from collector.streams.waveform import Waveform

_REPETITIONS = 30
_WARM_UP = 3
_WINDOWS = 8
"""Windows in a repetition: its figures are their means."""
_WHAT = ("kernel", "pipeline", "dumps+paho")


class BareClient:
    """What one would write without this project: paho alone, a publish and a wait for its PUBACK."""

    def __init__(self, port: int) -> None:
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_publish = self._on_publish
        self._confirmed = 0
        self._client.connect("127.0.0.1", port)
        while not self._client.is_connected():
            self._client.loop(1.0)

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish with QoS 1 and wait until the broker has acknowledged it."""
        before = self._confirmed
        self._client.publish(topic, payload, qos=1)
        while self._confirmed == before:
            self._client.loop(1.0)

    def close(self) -> None:
        """Say goodbye."""
        self._client.disconnect()

    def _on_publish(self, *_: Any) -> None:
        self._confirmed += 1


class Recording:
    """The same samples again and again, cut into chunks as a source in real time does."""

    def __init__(self, settings: WaveformSettings) -> None:
        assert isinstance(settings.source, SimulatedSettings)
        self.rate_hz = settings.source.rate_hz
        self.block = Pace(self.rate_hz, 1.0).block
        self.samples = _samples(settings, 8 * WINDOW)
        self.chunks: deque[Chunk] = deque()
        self._made = 0

    def prepare(self) -> None:
        """Have enough chunks for one more window."""
        while len(self.chunks) * self.block < WINDOW + self.block:
            start = self._made % (self.samples.shape[1] - self.block)
            self._made += self.block
            samples = self.samples[:, start : start + self.block].copy()
            self.chunks.append(Chunk(Run(samples), round(1e9 * self._made / self.rate_hz)))


@dataclass
class Stream:
    """One stream under test, and its figures: microseconds for a window, one a repetition."""

    origin: str
    recording: Recording
    waveform: Waveform
    kernel: Kernel
    figures: dict[str, list[float]] = field(default_factory=lambda: {what: [] for what in _WHAT})


@dataclass
class Bench:
    """Everything that is measured, ready."""

    outbox: WatchedOutbox
    client: BareClient
    streams: list[Stream]


def tables(_seconds: float) -> Iterable[Table]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory() as name, broker(Path(name)) as port:
        write_configuration(Path(name), port, STREAMS)
        streams, payload_bytes = asyncio.run(_measure(load(Path(name)), port))
    yield Table(
        "A window's whole way",
        f"microseconds of CPU for a window of 3 x {WINDOW} samples, whose record has {payload_bytes} bytes; "
        "the ratio is (pipeline - kernel) / (dumps+paho), the aim at most 2",
        (
            Column("stream"),
            Column("rate Hz"),
            Column("chunks", 1),
            *(Column(what) for what in _WHAT),
            Column("ratio", 2),
        ),
        [_row(stream) for stream in streams],
    )


def _row(stream: Stream) -> tuple[Cell, ...]:
    kernel, pipeline, reference = (median(values[_WARM_UP:]) for values in stream.figures.values())
    recording = stream.recording
    chunks, ratio = WINDOW / recording.block, (pipeline - kernel) / reference
    return (stream.origin, recording.rate_hz, chunks, kernel, pipeline, reference, ratio)


async def _measure(config: Config, port: int) -> tuple[list[Stream], int]:
    async with _bench(config, port) as bench:
        for repetition in range(_WARM_UP + _REPETITIONS):
            for stream in bench.streams:
                total_ns = dict.fromkeys(_WHAT, 0)
                for turn in range(_WINDOWS):
                    first = (repetition + turn) % len(_WHAT)
                    for what in _WHAT[first:] + _WHAT[:first]:
                        total_ns[what] += await _MEASURES[what](bench, stream)
                for what, values in stream.figures.items():
                    values.append(total_ns[what] / _WINDOWS / 1000)
        assert bench.outbox.last is not None
        return bench.streams, len(bench.outbox.last.payload)


async def _kernel(_: Bench, stream: Stream) -> int:
    window = stream.recording.samples[:, :WINDOW].copy()
    start_ns = process_time_ns()
    stream.kernel.compute(window, stream.recording.rate_hz)
    return process_time_ns() - start_ns


async def _pipeline(bench: Bench, stream: Stream) -> int:
    stream.recording.prepare()
    chunks, before = stream.recording.chunks, bench.outbox.last
    start_ns = process_time_ns()
    while bench.outbox.last is before:
        stream.waveform.take(chunks.popleft())
    await bench.outbox.all_confirmed.wait()
    return process_time_ns() - start_ns


async def _dumps_and_paho(bench: Bench, _: Stream) -> int:
    assert bench.outbox.last is not None
    payload = bench.outbox.last.payload
    record = json.loads(payload)
    start_ns = process_time_ns()
    json.dumps(record)
    bench.client.publish("reference", payload)
    return process_time_ns() - start_ns


_MEASURES = dict(zip(_WHAT, (_kernel, _pipeline, _dumps_and_paho), strict=True))


@asynccontextmanager
async def _bench(config: Config, port: int) -> AsyncIterator[Bench]:
    async with delivering(config) as delivery:
        client = BareClient(port)
        try:
            streams = [
                _stream(origin, config, settings, delivery.journal)
                for origin in ("simulated", "live")
                for settings in config.machines[0].waveforms
            ]
            await delivery.outbox.all_confirmed.wait()
            yield Bench(delivery.outbox, client, streams)
        finally:
            client.close()


def _stream(origin: str, config: Config, settings: WaveformSettings, journal: Journal) -> Stream:
    """A stream whose rate is known (simulated), or is measured all the time as that of a device (live)."""
    recording = Recording(settings)
    if origin == "live":
        device = SerialSettings(
            kind="serial",
            port="/dev/none",
            baud=921_600,
            rate_hz=recording.rate_hz,
            format=TextFormat(kind="text"),
        )
        settings = settings.model_copy(update={"name": f"live-{settings.name}", "source": device})
    waveform = Waveform(config.machines[0], settings, journal)
    kernel = Kernel(settings.features, waveform.source.signal.channels, WINDOW)
    return Stream(origin, recording, waveform, kernel)


def _samples(settings: WaveformSettings, n: int) -> Samples:
    """The first samples of a simulated stream, as fast as they can be made."""
    quick = settings.source.model_copy(update={"speed": "max"})
    device = describe_source(quick, settings.signal_channels()).open()
    pieces: list[Samples] = []
    while sum(piece.shape[1] for piece in pieces) < n:
        pieces += [run.samples for run in device.read() or ()]
    return np.concatenate(pieces, axis=1)[:, :n]
