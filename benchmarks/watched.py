"""A real `collector run` as it looks from outside: when it says what, its memory, and its share of a core.

Times are on the wall, as an operator has them.
"""

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from benchmarks.rig import broker, write_configuration
from collector.control import ask
from collector.errors import ControlError
from collector.mqtt import BrokerSettings, Connection

_PATIENCE_S = 60.0
_PROGRAM = str(Path(sys.executable).with_name("collector"))


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds from the start of the process until something was there; `cpu_s` is used until `answer_s`."""

    answer_s: float
    cpu_s: float
    first_s: Sequence[float]
    """Until the first record on each topic."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """Resident memory in MiB, now and at most, and the share of one core."""

    now_mib: float
    most_mib: float
    core_share: float

    def rows(self, seconds: float) -> list[tuple[str, float]]:
        """For a table."""
        return [
            (f"resident memory after {seconds:g} s, MiB", self.now_mib),
            ("the most until then, MiB", self.most_mib),
            ("share of one core, %", 100 * self.core_share),
        ]


def watch_daemon(streams: str, topics: Sequence[str], seconds: float) -> tuple[Start, Footprint]:
    """Run a daemon with these streams of a machine for some seconds, and until each topic had a record."""
    with tempfile.TemporaryDirectory() as name, broker(Path(name)) as port:
        write_configuration(Path(name), port, streams)
        return asyncio.run(_watch(Path(name), port, topics, seconds))


def watch_start(*command: str) -> tuple[float, Footprint]:
    """Run a command until it prints its first line: how many seconds it took, and what it takes of memory."""
    return asyncio.run(_watch_start(*command))


async def _watch(folder: Path, port: int, topics: Sequence[str], seconds: float) -> tuple[Start, Footprint]:
    arrivals = Arrivals()
    async with asyncio.timeout(_PATIENCE_S + seconds), listening(port, arrivals.note):
        started_s = monotonic()
        async with daemon(folder) as child:
            await first_answer(folder / "control.sock")
            answer_s, used_s = monotonic() - started_s, cpu_s(child.pid)
            first_s = [await arrivals.first_s(topic) - started_s for topic in topics]
            settled_s, settled_cpu_s = monotonic(), cpu_s(child.pid)
            await asyncio.sleep(max(started_s + seconds - settled_s, 0.1))
            core_share = (cpu_s(child.pid) - settled_cpu_s) / (monotonic() - settled_s)
            footprint = Footprint(*resident_mib(child.pid), core_share)
    return Start(answer_s, used_s, first_s), footprint


async def _watch_start(*command: str) -> tuple[float, Footprint]:
    started_s = monotonic()
    async with process(*command) as child, asyncio.timeout(_PATIENCE_S):
        assert child.stdout is not None
        await child.stdout.readline()
        return monotonic() - started_s, Footprint(*resident_mib(child.pid), 0.0)


@contextlib.asynccontextmanager
async def process(*command: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A child process, stopped at the end."""
    child = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield child
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.terminate()
        await child.communicate()


async def first_answer(socket: Path) -> None:
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
async def listening(port: int, note: Callable[[str, bytes], None]) -> AsyncIterator[None]:
    """Have every record noted, with its topic, as a subscriber gets it."""
    settings = BrokerSettings(host="127.0.0.1", port=port)
    connection = await Connection.open(
        settings, "benchmark", on_message=lambda topic, payload, _: note(topic, payload)
    )
    await connection.subscribe("#")
    try:
        yield
    finally:
        await connection.close()


def daemon(folder: Path) -> contextlib.AbstractAsyncContextManager[asyncio.subprocess.Process]:
    """A real `collector run` of a configuration, stopped at the end."""
    return process(_PROGRAM, "run", "--config", str(folder), "--state", str(folder / "state"))


def cpu_s(pid: int) -> float:
    """CPU seconds of a process and all its threads so far."""
    after_name = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


def family_cpu_s(pid: int) -> float:
    """CPU seconds of a process with all its children, also those that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    ended_s = (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")
    total_s = cpu_s(pid) + ended_s
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split():
        with contextlib.suppress(FileNotFoundError):
            total_s += cpu_s(int(child))
    return total_s


def resident_mib(pid: int) -> tuple[float, float]:
    """Resident memory of a process, now and at most."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    now, most = (int(fields[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
    return now, most
