"""From the end of a window to the subscriber: how long a record takes, with and without a context join.

A real `collector run` with one simulated stream, a broker and a subscriber, all on this computer, so that one
clock tells all times. What is in it: waiting for the chunk that completes the window (sources hand over what
came in up to 100 ms), the features, the join (a period of the controller), the way through the broker.
"""

import asyncio
import json
import tempfile
from collections.abc import Iterable
from pathlib import Path
from statistics import quantiles
from time import time

from benchmarks.rig import broker, server, write_configuration
from benchmarks.tables import Cell, Column, Table
from benchmarks.watched import daemon, listening

_WINDOW, _RATE_HZ, _OVERLAP = 4096, 25_600, 0.5
_LEAST = 20
_FIRST_S = 5.0
"""Windows of the first seconds are left out: the program is still starting."""

_STREAM = f"""\
[[waveforms]]
name = "spindle"
source = {{ kind = "simulated", rate_hz = {_RATE_HZ} }}
channels = [{{ name = "x", unit = "g" }}, {{ name = "y", unit = "g" }}, {{ name = "z", unit = "g" }}]
window = {{ samples = {_WINDOW}, overlap = {_OVERLAP} }}
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
    rows = [("without a controller", *_quantiles(_STREAM, seconds))]
    with server("benchmarks.modbus_server") as port:
        for every_s in (0.1, 0.5):
            streams = _STREAM + _CONTROLLER.format(port=port, every_s=every_s)
            rows.append((f"joined, controller read every {every_s:g} s", *_quantiles(streams, seconds)))
    yield Table(
        "From the end of a window to the subscriber",
        f"milliseconds on the wall; windows of {_WINDOW} samples at {_RATE_HZ} Hz, full set, broker and "
        "subscriber on this computer",
        (Column(""), Column("windows"), Column("p50"), Column("p99"), Column("most")),
        rows,
    )


def _quantiles(streams: str, seconds: float) -> tuple[Cell, ...]:
    with tempfile.TemporaryDirectory() as name, broker(Path(name)) as port:
        write_configuration(Path(name), port, streams)
        delays = asyncio.run(_watch(Path(name), port, seconds))
    if len(delays) < _LEAST:
        return len(delays), None, None, None
    cuts = quantiles(delays, n=100, method="inclusive")
    return len(delays), cuts[49], cuts[98], max(delays)


async def _watch(folder: Path, port: int, seconds: float) -> list[float]:
    delays: list[float] = []
    began_s = 0.0

    def note(topic: str, payload: bytes) -> None:
        nonlocal began_s
        if not topic.endswith("/features"):
            return
        now_s = time()
        began_s = began_s or now_s
        if now_s - began_s > _FIRST_S:
            record = json.loads(payload)
            ended_s = record["t_us"] / 1e6 + (record["n"] - 1) / record["rate_hz"]
            delays.append(1e3 * (now_s - ended_s))

    async with listening(port, note), daemon(folder):
        await asyncio.sleep(_FIRST_S + seconds)
    return delays
