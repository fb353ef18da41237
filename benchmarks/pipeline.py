"""CPU time of a window's whole way, against the bare kernel and against `json.dumps` + a bare publish.

Three things take turns, window by window, so that a slow moment of the machine and a cold cache meet all:

    kernel      `Kernel.compute` alone
    pipeline    from chunks entering `SampleClock.place` until the broker's PUBACK has let go of the record in the
                outbox: clock, windows, kernel, record, journal, outbox, publisher, with the real objects
    reference   `json.dumps` of the same record, and a QoS 1 publish of the same bytes with a bare paho client,
                driven by its own `loop()` in this thread until the PUBACK is there

Left out: making the samples, and the handover from the reader thread (the daemon's share of a core has both in it).
"""

import asyncio
import json
import tempfile
from collections.abc import Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from statistics import median
from time import process_time_ns
from typing import Any, AsyncIterator

import numpy as np
import paho.mqtt.client as paho
import structlog
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from benchmarks.rig import WINDOW, broker, write_configuration
from collector.clock import SystemClock, UtcClock, boot_id
from collector.config import Config, MachineFile, WaveformSettings, load
from collector.features import Kernel
from collector.journal import Journal
from collector.messages import Message, Topics
from collector.mqtt import Will
from collector.outbox import Outbox
from collector.publish import Publisher
from collector.samples import Chunk, Run, Samples
from collector.sources import describe_source
from collector.sources.pacing import Pace
from collector.sources.serial import BinaryFormat, SerialSettings
from collector.waveform import Waveform

_REPETITIONS = 30
_WARM_UP = 3
_WINDOWS = 8
"""Windows in a repetition: its figures are their means."""


class WatchedOutbox(Outbox):
    """An outbox that shows the last record, and tells when all of them are confirmed."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.all_confirmed = asyncio.Event()
        self.last: Message | None = None
        self._unconfirmed = 0

    def append(self, message: Message) -> None:
        """Take a record."""
        super().append(message)
        self.last = message
        self._unconfirmed += 1
        self.all_confirmed.clear()

    def confirm(self, epoch: str, seq: int) -> None:
        """Let go of a record."""
        super().confirm(epoch, seq)
        self._unconfirmed -= 1
        if not self._unconfirmed:
            self.all_confirmed.set()


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


@dataclass
class Stream:
    """One stream under test, and its figures in microseconds for a window, one a repetition."""

    origin: str
    rate_hz: float
    waveform: Waveform
    kernel: Kernel
    chunks: Iterator[Chunk]
    samples: Samples
    figures: dict[str, list[float]] = field(
        default_factory=lambda: {"kernel": [], "pipeline": [], "reference": []}
    )


@dataclass
class Bench:
    """Everything that is measured, ready."""

    outbox: WatchedOutbox
    client: BareClient
    streams: list[Stream]


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with tempfile.TemporaryDirectory() as name, broker(Path(name)) as port:
        write_configuration(Path(name), port)
        streams, payload_bytes = asyncio.run(_measure(load(Path(name)), port))
    print(f"\nA window's whole way: microseconds of CPU for a window of 3 x {WINDOW} samples")
    print(f"(a record has {payload_bytes} bytes; the aim for the ratio is at most 2)\n")
    print(
        f"{'stream':>10} {'Hz':>7} {'chunks':>7} {'kernel':>7} {'pipeline':>9} {'dumps+paho':>11}"
        f" {'(pipeline-kernel)/(dumps+paho)':>31}"
    )
    for stream in streams:
        kernel, pipeline, reference = (median(values[_WARM_UP:]) for values in stream.figures.values())
        print(
            f"{stream.origin:>10} {stream.rate_hz:7.0f} {WINDOW / _block(stream.rate_hz):7.1f} {kernel:7.0f}"
            f" {pipeline:9.0f} {reference:11.0f} {(pipeline - kernel) / reference:31.2f}"
        )


async def _measure(config: Config, port: int) -> tuple[list[Stream], int]:
    async with _bench(config, port) as bench:
        for repetition in range(_WARM_UP + _REPETITIONS):
            for stream in bench.streams:
                totals = dict.fromkeys(stream.figures, 0)
                for turn in range(_WINDOWS):
                    order = list(totals)
                    first = (repetition + turn) % len(order)
                    for what in order[first:] + order[:first]:
                        totals[what] += await _MEASURES[what](bench, stream)
                for what, total_ns in totals.items():
                    stream.figures[what].append(total_ns / _WINDOWS / 1000)
        assert bench.outbox.last is not None
        return bench.streams, len(bench.outbox.last.payload)


async def _kernel(_bench: Bench, stream: Stream) -> int:
    window = stream.samples[:, :WINDOW].copy()
    start_ns = process_time_ns()
    stream.kernel.compute(window, stream.rate_hz)
    return process_time_ns() - start_ns


async def _pipeline(bench: Bench, stream: Stream) -> int:
    before = bench.outbox.last
    chunks = [next(stream.chunks) for _ in range(2 + WINDOW // _block(stream.rate_hz))]
    used = 0
    start_ns = process_time_ns()
    while bench.outbox.last is before:
        stream.waveform.take(chunks[used])
        used += 1
    await bench.outbox.all_confirmed.wait()
    total_ns = process_time_ns() - start_ns
    stream.chunks = _chain(chunks[used:], stream.chunks)
    return total_ns


async def _reference(bench: Bench, _stream: Stream) -> int:
    assert bench.outbox.last is not None
    payload = bench.outbox.last.payload
    record = json.loads(payload)
    start_ns = process_time_ns()
    json.dumps(record)
    bench.client.publish("reference", payload)
    return process_time_ns() - start_ns


_MEASURES = {"kernel": _kernel, "pipeline": _pipeline, "reference": _reference}
