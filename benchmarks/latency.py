"""From the end of a window to the subscriber: how long a record takes, with and without a context join.

A real `collector run` reads a serial port (a pseudo-terminal) to which this process writes lines of text in
real time, and knows when it wrote which. What is in it: the reader's waiting for more bytes (up to 100 ms are
handed over at once), the features, the join (a period of the controller), the way through the broker.
"""

import asyncio
import contextlib
import json
import os
import tempfile
import tty
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import quantiles
from time import time

from benchmarks.rig import broker, server, write_configuration
from benchmarks.signals import cut
from benchmarks.tables import Cell, Column, Table
from benchmarks.watched import daemon, first_answer, listening

_WINDOW, _RATE_HZ, _OVERLAP = 1024, 6400, 0.5
_LEAST = 20
_FIRST_S = 5.0
"""Windows of the first seconds are left out: the program is still starting."""
_OPENING_S = 2.0
_STEP_S = 0.005

_STREAM = """\
[[waveforms]]
name = "spindle"
channels = [{{ name = "x", unit = "g" }}, {{ name = "y", unit = "g" }}, {{ name = "z", unit = "g" }}]
window = {{ samples = {window}, overlap = {overlap} }}

[waveforms.source]
kind = "serial"
port = "{port}"
baud = 921600
rate_hz = {rate_hz}
format = {{ kind = "text" }}
"""
_CONTROLLER = """
[[controllers]]
name = "plc"

[controllers.source]
kind = "modbus-tcp"
host = "127.0.0.1"
port = {port}
addressing = "pdu"
every_s = {every_s}
points = [
    {{ name = "spindle-speed", table = "holding", address = 0, type = "f32", unit = "/min" }},
    {{ name = "tool", table = "holding", address = 2, type = "f32" }},
]
"""


def tables(seconds: float) -> Iterable[Table]:
    rows = [("without a controller", *_quantiles("", seconds))]
    with server("benchmarks.modbus_server") as port:
        for every_s in (0.1, 0.5):
            controller = _CONTROLLER.format(port=port, every_s=every_s)
            rows.append((f"joined, controller read every {every_s:g} s", *_quantiles(controller, seconds)))
    yield Table(
        "From the end of a window to the subscriber",
        f"milliseconds on the wall; windows of {_WINDOW} samples at {_RATE_HZ} Hz and 3 channels, full set, "
        "broker and subscriber on this computer",
        (Column(""), Column("windows"), Column("p50"), Column("p99"), Column("most")),
        rows,
    )


def _quantiles(controller: str, seconds: float) -> tuple[Cell, ...]:
    with tempfile.TemporaryDirectory() as name, broker(Path(name)) as port, _terminal() as (master, device):
        stream = _STREAM.format(port=device, rate_hz=_RATE_HZ, window=_WINDOW, overlap=_OVERLAP)
        write_configuration(Path(name), port, stream + controller)
        delays = asyncio.run(_watch(Path(name), port, master, seconds))
    if len(delays) < _LEAST:
        return len(delays), None, None, None
    cuts = quantiles(delays, n=100, method="inclusive")
    return len(delays), cuts[49], cuts[98], max(delays)


@contextlib.contextmanager
def _terminal() -> Iterator[tuple[int, str]]:
    """A pseudo-terminal: our end, and the name of the device's."""
    master, slave = os.openpty()
    tty.setraw(master)
    tty.setraw(slave)
    try:
        yield master, os.ttyname(slave)
    finally:
        os.close(master)
        os.close(slave)


async def _watch(folder: Path, port: int, master: int, seconds: float) -> list[float]:
    written: list[tuple[int, float]] = []  # so many lines were there at this time
    delays: list[float] = []

    def note(topic: str, payload: bytes) -> None:
        now_s = time()
        if topic.endswith("/features"):
            record = json.loads(payload)
            last = record["first"] + record["n"]
            ended_s = written[bisect_left(written, (last, 0.0))][1]
            if ended_s - written[0][1] > _FIRST_S:
                delays.append(1e3 * (now_s - ended_s))

    async with listening(port, note), daemon(folder):
        await first_answer(folder / "control.sock")
        await asyncio.sleep(_OPENING_S)  # until the port is open: the first line that it reads is the first
        await _write(master, _FIRST_S + seconds, written)
    return delays


async def _write(master: int, seconds: float, written: list[tuple[int, float]]) -> None:
    """Write lines in real time, and note how many there were when."""
    samples = cut(3, 4 * _RATE_HZ, float(_RATE_HZ)).T.tolist()
    lines = [f"{x:.4f} {y:.4f} {z:.4f}\n".encode() for x, y, z in samples]
    began_s, done = time(), 0
    while time() - began_s < seconds:
        due = int((time() - began_s) * _RATE_HZ)
        block = b"".join(lines[number % len(lines)] for number in range(done, due))
        done = due
        os.write(master, block)
        written.append((done, time()))
        await asyncio.sleep(_STEP_S)
