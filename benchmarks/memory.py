"""Whether the daemon's memory stays flat at full rate, and how large it is.

A real `collector run` with a simulated stream of 16 channels at 25.6 kHz, full set, and a broker that
confirms. `--seconds 600` makes it ten minutes; without it, the table shows a shorter stretch of the same.
"""

import asyncio
import tempfile
from collections.abc import Iterable
from pathlib import Path
from time import monotonic

from benchmarks.rig import broker, write_configuration
from benchmarks.tables import Column, Table
from benchmarks.watched import cpu_s, daemon, first_answer, resident_mib

_CHANNELS, _RATE_HZ, _WINDOW = 16, 25_600, 4096
_PARTS = 8
_NAMES = ", ".join(f'{{ name = "a{number}", unit = "g" }}' for number in range(_CHANNELS))
_STREAM = f"""\
[[waveforms]]
name = "spindle"
source = {{ kind = "simulated", rate_hz = {_RATE_HZ} }}
channels = [{_NAMES}]
window = {{ samples = {_WINDOW} }}
"""


def tables(seconds: float) -> Iterable[Table]:
    with tempfile.TemporaryDirectory() as name, broker(Path(name)) as port:
        write_configuration(Path(name), port, _STREAM)
        rows = asyncio.run(_watch(Path(name), seconds))
    yield Table(
        f"Memory of the daemon over {seconds:g} s at full rate",
        f"a simulated stream of {_CHANNELS} channels at {_RATE_HZ} Hz, windows of {_WINDOW} samples, full "
        "set; most of the share of a core is the simulation",
        (
            Column("after s"),
            Column("resident MiB", 1),
            Column("the most MiB", 1),
            Column("share of a core %"),
        ),
        rows,
    )


async def _watch(folder: Path, seconds: float) -> list[tuple[float, float, float, float]]:
    rows = []
    async with daemon(folder) as child:
        await first_answer(folder / "control.sock")
        began_s, used_s = monotonic(), cpu_s(child.pid)
        for part in range(1, _PARTS + 1):
            await asyncio.sleep(began_s + part * seconds / _PARTS - monotonic())
            age_s = monotonic() - began_s
            rows.append((age_s, *resident_mib(child.pid), 100 * (cpu_s(child.pid) - used_s) / age_s))
    return rows
