"""How many channels a daemon keeps up with in real time on one core, without any loss.

A real `collector run` that is bound to one core plays recordings in real time: streams of 16 channels at
25.6 kHz, full set. Broker and subscriber are not bound. A number of streams is sustained if every window of
the time came to the subscriber, none of the last ones late by more than a second, and no sample was lost.
"""

import asyncio
import json
import os
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from time import time

import numpy as np

from benchmarks.rig import broker, write_configuration
from benchmarks.signals import cut
from benchmarks.tables import Cell, Column, Table
from benchmarks.watched import cpu_s, daemon, first_answer, listening

_CHANNELS, _RATE_HZ, _WINDOW = 16, 25_600, 4096
_WINDOWS = 40
_NUMBERS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
_SETTLE_S, _LATE_S = 4.0, 1.0
_NAMES = ", ".join(f'{{ name = "a{number}", unit = "g" }}' for number in range(_CHANNELS))
_STREAM = """\
[[waveforms]]
name = "s{number}"
source = {{ kind = "replay", file = "{file}", rate_hz = {rate_hz}, repeat = true }}
channels = [{names}]
window = {{ samples = {window} }}
"""


def tables(seconds: float) -> Iterable[Table]:
    rows: list[tuple[Cell, ...]] = []
    for number in _NUMBERS:
        expected, came, lost, late_s, share = _try(number, min(seconds, 20.0))
        good = came >= expected and not lost and late_s <= _LATE_S
        rows.append(
            (number, number * _CHANNELS, expected, came, lost, late_s, 100 * share, "yes" if good else "no")
        )
        if not good:
            break
    yield Table(
        "Channels that one core keeps up with",
        f"streams of {_CHANNELS} channels at {_RATE_HZ} Hz played in real time, windows of {_WINDOW}, "
        "full set; the collector is bound to one core; late is the latest of each stream's last windows",
        (
            *(Column(name) for name in ("streams", "channels", "windows due", "came", "samples lost")),
            Column("late s", 2),
            Column("share of the core %"),
            Column("sustained"),
        ),
        rows,
    )


def _try(number: int, seconds: float) -> tuple[int, int, int, float, float]:
    with tempfile.TemporaryDirectory() as name, broker(Path(name)) as port:
        folder = Path(name)
        file = folder / "cut.npz"
        np.savez(file, samples=cut(_CHANNELS, _WINDOWS * _WINDOW).T.astype(np.float32))
        streams = (
            _STREAM.format(number=i, file=file, rate_hz=_RATE_HZ, names=_NAMES, window=_WINDOW)
            for i in range(number)
        )
        write_configuration(folder, port, "\n".join(streams))
        return asyncio.run(_watch(folder, port, number, seconds))


async def _watch(folder: Path, port: int, number: int, seconds: float) -> tuple[int, int, int, float, float]:
    came: dict[str, int] = defaultdict(int)
    late_s: dict[str, float] = {}
    lost = 0

    def note(topic: str, payload: bytes) -> None:
        nonlocal lost
        if topic.endswith("/features"):
            record = json.loads(payload)
            came[topic] += 1
            lost += record["lost"]
            late_s[topic] = time() - record["t_us"] / 1e6 - record["n"] / record["rate_hz"]

    core = {min(os.sched_getaffinity(0))}
    async with listening(port, note), daemon(folder) as child:
        os.sched_setaffinity(child.pid, core)  # its threads, which come later, are bound too
        await first_answer(folder / "control.sock")
        await asyncio.sleep(_SETTLE_S)
        before, used_s, began_s = sum(came.values()), cpu_s(child.pid), time()
        await asyncio.sleep(seconds)
        took_s = time() - began_s
        windows, share = sum(came.values()) - before, (cpu_s(child.pid) - used_s) / took_s
    due = number * int(took_s * _RATE_HZ / _WINDOW - 1)
    return due, windows, lost, max(late_s.values(), default=float("inf")), share
