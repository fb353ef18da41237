"""A real `collector run` with three streams: how soon it answers, what it takes of memory and of a core.

The reference is a process that only imports numpy, paho-mqtt and pydantic. The two are started in turns;
medians are printed. Start-up is wall-clock time, as an operator has it.
"""

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import monotonic

from benchmarks.rig import RATES_HZ, WINDOW, broker, write_configuration
from collector.control import ask
from collector.errors import ControlError
from collector.mqtt import BrokerSettings, Connection

_STARTS = 5
_PATIENCE_S = 30.0
_PROGRAM = str(Path(sys.executable).with_name("collector"))
_BARE = "import numpy, paho.mqtt.client, pydantic; print(flush=True); input()"
_STATUS = "shopfloor/v1/works/gateway-1/status"
_FEATURES = "shopfloor/v1/works/gateway-1/mill-1/at-{rate_hz}/features"


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds from the start of the process until something was there; `cpu_s` is used until `answer_s`."""

    answer_s: float
    cpu_s: float
    status_s: float
    features_s: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Footprint:
    """Resident memory in MiB, now and at most, and the share of one core."""

    now_mib: float
    most_mib: float
    core_share: float


def main(seconds: float) -> None:
    starts, bare = [], []
    for _ in range(_STARTS - 1):
        bare.append(asyncio.run(_start_bare()))
        starts.append(_run_daemon(0.0)[0])
    bare.append(asyncio.run(_start_bare()))
    start, footprint = _run_daemon(seconds)
    starts.append(start)
    _report(starts, footprint, bare, seconds)


def _report(
    starts: list[Start], footprint: Footprint, bare: list[tuple[float, Footprint]], seconds: float
) -> None:
    bare_start_s = median(start_s for start_s, _ in bare)
    bare_now, bare_most = (
        median(getattr(print_, name) for _, print_ in bare) for name in ("now_mib", "most_mib")
    )
    rows: list[tuple[str, float, float | None, str]] = [
        (
            "start to the first answer on the control socket, s",
            median(s.answer_s for s in starts),
            bare_start_s,
            "2",
        ),
        ("   CPU used until then, s", median(s.cpu_s for s in starts), None, ""),
        ("start to the retained status at the broker, s", median(s.status_s for s in starts), None, ""),
    ]
    for number, rate_hz in enumerate(RATES_HZ):
        window_s = WINDOW / rate_hz
        waited_s = median(s.features_s[number] for s in starts)
        name = f"start to the first features at {rate_hz} Hz, s"
        rows.append((name, waited_s, None, f"{window_s + 1:.2f} (window + 1)"))
    rows += [
        (f"resident memory after {seconds:g} s, MiB", footprint.now_mib, bare_now, "75"),
        ("   the most until then, MiB", footprint.most_mib, bare_most, ""),
        ("share of one core, %", 100 * footprint.core_share, None, ""),
    ]
    print(f"\nThe daemon with {len(RATES_HZ)} simulated streams of 3 channels, windows of {WINDOW} samples")
    print("(reference: a process that imports numpy, paho-mqtt and pydantic, until the imports are done)\n")
    print(f"{'':52} {'daemon':>8} {'reference':>10}  aim: at most")
    for name, daemon, reference, aim in rows:
        print(f"{name:52} {daemon:8.2f} {'' if reference is None else format(reference, '.2f'):>10}  {aim}")


def _run_daemon(seconds: float) -> tuple[Start, Footprint]:
    with tempfile.TemporaryDirectory() as name, broker(Path(name)) as port:
        write_configuration(Path(name), port)
        return asyncio.run(_watch_daemon(Path(name), port, seconds))


async def _watch_daemon(folder: Path, port: int, seconds: float) -> tuple[Start, Footprint]:
    """Start the daemon, wait for its first signs of life, and watch it until it is `seconds` old."""
    command = (_PROGRAM, "run", "--config", str(folder), "--state", str(folder / "state"))
    async with asyncio.timeout(_PATIENCE_S + seconds), _arrivals(port) as arrivals:
        started_s = monotonic()
        async with _process(*command) as process:
            await _first_answer(folder / "control.sock")
            answer_s, cpu_s = monotonic() - started_s, _cpu_s(process.pid)
            features_s = [await arrivals.first_s(_FEATURES.format(rate_hz=rate_hz)) for rate_hz in RATES_HZ]
            status_s = await arrivals.first_s(_STATUS)
            settled_s, settled_cpu_s = monotonic(), _cpu_s(process.pid)
            await asyncio.sleep(max(started_s + seconds - settled_s, 0.1))
            core_share = (_cpu_s(process.pid) - settled_cpu_s) / (monotonic() - settled_s)
            footprint = Footprint(*_resident_mib(process.pid), core_share)
    features = tuple(at_s - started_s for at_s in features_s)
    return Start(answer_s, cpu_s, status_s - started_s, features), footprint


async def _start_bare() -> tuple[float, Footprint]:
    started_s = monotonic()
    async with _process(sys.executable, "-c", _BARE) as process, asyncio.timeout(_PATIENCE_S):
        assert process.stdout is not None
        await process.stdout.readline()
        return monotonic() - started_s, Footprint(*_resident_mib(process.pid), 0.0)


@contextlib.asynccontextmanager
async def _process(*command: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A child process, stopped at the end."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.communicate()


async def _first_answer(socket: Path) -> None:
    while True:
        try:
            await ask(socket, {"do": "report"})
        except ControlError:
            await asyncio.sleep(0.005)
        else:
            return


class Arrivals:
    """When the first record came on each topic, as a subscriber sees it."""

    def __init__(self) -> None:
        self._first_s: dict[str, asyncio.Future[float]] = {}

    def note(self, topic: str, _payload: bytes) -> None:
        """A record has come."""
        arrival = self._arrival(topic)
        if not arrival.done():
            arrival.set_result(monotonic())

    async def first_s(self, topic: str) -> float:
        """Wait for the first record on a topic; returns the monotonic time of its arrival."""
        return await self._arrival(topic)

    def _arrival(self, topic: str) -> asyncio.Future[float]:
        if topic not in self._first_s:
            self._first_s[topic] = asyncio.get_running_loop().create_future()
        return self._first_s[topic]


@contextlib.asynccontextmanager
async def _arrivals(port: int) -> AsyncIterator[Arrivals]:
    arrivals = Arrivals()
    settings = BrokerSettings(host="127.0.0.1", port=port)
    connection = await Connection.open(settings, "benchmark", on_message=arrivals.note)
    await connection.subscribe("#")
    try:
        yield arrivals
    finally:
        await connection.close()


def _cpu_s(pid: int) -> float:
    """CPU seconds of a process and all its threads so far."""
    after_name = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


def _resident_mib(pid: int) -> tuple[float, float]:
    """Resident memory of a process, now and at most."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    now, most = (int(fields[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
    return now, most
