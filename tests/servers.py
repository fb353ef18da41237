"""Real servers and programs that tests start: mosquitto, mosquitto_sub, the collector, pseudo-terminals."""

import asyncio
import atexit
import contextlib
import itertools
import json
import os
import signal
import socket
import sys
import tty
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from collector.control import ask
from collector.errors import ControlError
from collector.mqtt import BrokerSettings
from collector.store.settings import PostgresqlSettings, SqliteSettings

PROGRAM = Path(sys.executable).with_name("collector")
PATIENCE_S = 120.0
"""How long a test waits for what is to happen before it calls it missing.

A machine that is busy may need a while only to start a program; when all is well, nothing waits so long.
"""


_FIRST_PORT, _BLOCK, _BLOCKS = 10_000, 200, 110
"""All below those that the system gives to outgoing connections."""


def _own_ports() -> Iterator[int]:
    """Ports that this process alone gives out, over and over.

    Whoever is bound to the name of a block has it; the kernel takes the name back when the process ends.
    """
    owner = socket.socket(socket.AF_UNIX)
    for number in range(_BLOCKS):
        with contextlib.suppress(OSError):  # another one's
            owner.bind(f"\0collector-test-ports-{number}")
            atexit.register(owner.close)
            first = _FIRST_PORT + number * _BLOCK
            return itertools.cycle(range(first, first + _BLOCK))
    raise AssertionError("all blocks of ports are taken")


_PORTS = _own_ports()
"""Taken before any test, for some look for sockets that one leaves open."""


def free_port() -> int:
    """A port that nobody listens on, nor comes to before all others were given out."""
    while True:
        port = next(_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


async def until(true: Callable[[], Any] | Callable[[], Awaitable[Any]], timeout_s: float = PATIENCE_S) -> Any:
    """Wait for something to become true, and return it; what takes longer is looked at less often."""
    pause_s = 0.001
    async with asyncio.timeout(timeout_s):
        while True:
            value = true()
            if asyncio.iscoroutine(value):
                value = await value
            if value:
                return value
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, 0.02)


class Process:
    """A child process whose output can be read while it runs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, *command: str | Path, **environment: str) -> "Process":
        """Start a command; standard error joins standard output."""
        return cls(
            await asyncio.create_subprocess_exec(
                *map(str, command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                limit=1 << 22,
                env=os.environ | environment,
            )
        )

    async def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, wait, and return the exit code."""
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(number)
        return await self.ended()

    async def ended(self) -> int:
        """Wait until it ends by itself, and return the exit code."""
        code = await asyncio.wait_for(self.process.wait(), 20)
        await self._reading
        # The transport's pipes are closed by the loop one step later.
        await asyncio.sleep(0)
        return code

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.lines.append(line.decode(errors="replace").rstrip("\n"))


class Mosquitto:
    """A broker on a loopback port; extra configuration lines may follow the listener."""

    def __init__(self, folder: Path, *lines: str, port: int | None = None) -> None:
        self.port = port or free_port()
        self._file = folder / f"mosquitto-{self.port}.conf"
        self._lines = lines or ("allow_anonymous true",)
        self.process: Process | None = None

    async def start(self) -> None:
        """Start it and wait until it answers: between listening and that it takes a SIGTERM for nothing."""
        user = ["user root"] if os.geteuid() == 0 else []
        text = [*user, f"listener {self.port} 127.0.0.1", *self._lines, "max_queued_messages 100000"]
        self._file.write_text("\n".join(text) + "\n", encoding="utf-8")
        program = "/usr/sbin/mosquitto" if Path("/usr/sbin/mosquitto").exists() else "mosquitto"
        self.process = await Process.start(program, "-c", self._file)
        await until(self._answers)

    async def kill(self) -> None:
        """Pull the plug."""
        assert self.process is not None
        await self.process.end(signal.SIGKILL)

    async def stop(self) -> None:
        """End it."""
        if self.process is not None:
            await self.process.end()

    def reload(self) -> None:
        """Let it read its access list again."""
        assert self.process is not None
        self.process.process.send_signal(signal.SIGHUP)

    async def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(bytes(16))  # neither MQTT nor TLS, and long enough to tell: it closes the connection
            with contextlib.suppress(ConnectionError):
                await reader.read()
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
            return True
        assert self.process is not None
        assert self.process.process.returncode is None, self.process.lines
        return False


StartBroker = Callable[..., Awaitable[Mosquitto]]
"""Starts a mosquitto with some lines of configuration."""


class Subscriber:
    """A stranger's mosquitto_sub; stdbuf makes it print each line at once into our pipe.

    It takes any number of messages at a time: what waits for a slow one in the broker would die with it.
    """

    def __init__(self, process: Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, port: int, topic: str = "shopfloor/v1/#", *options: str) -> "Subscriber":
        """Subscribe with MQTT 5 and wait until the broker granted it."""
        command = (
            "stdbuf",
            "-oL",
            "mosquitto_sub",
            "-p",
            str(port),
            "-V",
            "5",
            "-q",
            "1",
            "-d",
            *("-D", "connect", "receive-maximum", "65535"),
            "-t",
            topic,
            *options,
        )
        process = await Process.start(*command, "-F", "RECORD %t %r %P|%p")
        subscriber = cls(process)
        await until(lambda: any("Subscribed" in line for line in process.lines))
        return subscriber

    @property
    def raw(self) -> list[tuple[str, str]]:
        """Topic and payload text of everything received."""
        found = []
        for line in self._process.lines:
            if line.startswith("RECORD "):
                head, _, payload = line.partition("|")
                found.append((head.split(" ")[1], payload))
        return found

    @property
    def late(self) -> int:
        """How many messages carried the user property `late`."""
        return sum("late:1" in line.partition("|")[0] for line in self._process.lines)

    def records(self, kind: str) -> list[dict[str, Any]]:
        """The decoded records of one kind of topic."""
        return [json.loads(payload) for topic, payload in self.raw if topic.endswith(f"/{kind}") if payload]

    async def end(self) -> None:
        """Stop subscribing."""
        await self._process.end()


class Collector:
    """A `collector run` of a configuration folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: Process | None = None

    async def start(self) -> None:
        """Start it, without waiting."""
        self.process = await Process.start(
            PROGRAM, "run", "--config", self.folder, "--state", self.folder / "state"
        )

    async def ask(self, *command: str) -> tuple[int, str]:
        """Run another command of the CLI against it: exit code and output."""
        process = await Process.start(PROGRAM, *command, "--config", self.folder)
        code = await asyncio.wait_for(process.process.wait(), PATIENCE_S)
        await process.end()
        return code, "\n".join(process.lines)

    @contextlib.contextmanager
    def halted(self) -> Iterator[None]:
        """It does nothing meanwhile, so that whoever listens is there before it goes on."""
        assert self.process is not None
        self.process.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.process.send_signal(signal.SIGCONT)

    async def report(self) -> dict[str, Any] | None:
        """What the control socket says (as `collector status --json` does); None while it is not running."""
        try:
            return dict(await ask(self.folder / "control.sock", {"do": "report"}))
        except ControlError:
            return None

    async def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Stop it."""
        assert self.process is not None
        return await self.process.end(number)


class Store:
    """A `collector store serve` of a store.toml."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.process: Process | None = None

    async def start(self) -> None:
        """Start it, without waiting."""
        self.process = await Process.start(PROGRAM, "store", "serve", "--config", self.file)

    async def ask(self, *command: str) -> tuple[int, str]:
        """Run another command of `collector store` with the same file: exit code and output."""
        process = await Process.start(PROGRAM, "store", *command, "--config", self.file)
        code = await asyncio.wait_for(process.process.wait(), PATIENCE_S)
        await process.end()
        return code, "\n".join(process.lines)

    async def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Stop it."""
        assert self.process is not None
        return await self.process.end(number)


def write_store(
    file: Path, broker: int | BrokerSettings, sink: SqliteSettings | PostgresqlSettings, *, store: str = ""
) -> None:
    """A store.toml for a broker, or a port on loopback that lets everybody in, and a database."""
    settings = broker if isinstance(broker, BrokerSettings) else BrokerSettings(host="127.0.0.1", port=broker)
    place = f'file = "{sink.file}"' if isinstance(sink, SqliteSettings) else f'url = "{sink.url}"'
    lines = [
        f"[store]\n{store}",
        f'[broker]\nhost = "{settings.host}"\nport = {settings.port}\nreconnect_max_s = 1',
        f'[sink]\nkind = "{sink.kind}"\n{place}',
    ]
    if settings.tls is not None:
        lines.append("[broker.tls]")
        lines += [f'{key} = "{path}"' for key, path in settings.tls.model_dump().items()]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


@contextlib.asynccontextmanager
async def serial_port(link: Path) -> AsyncIterator[int]:
    """A pseudo-terminal behind a stable name; yields our side's descriptor.

    The name goes with it, as a device's does: the next pseudo-terminal, of whatever test, has its number.
    """
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    link.unlink(missing_ok=True)
    link.symlink_to(os.ttyname(theirs))
    try:
        yield ours
    finally:
        link.unlink()
        os.close(theirs)
        os.close(ours)


async def send(descriptor: int, data: bytes) -> None:
    """Write everything, waiting while nobody reads."""
    view = memoryview(data)
    while view:
        os.set_blocking(descriptor, False)
        try:
            view = view[os.write(descriptor, view) :]
        except BlockingIOError:
            await asyncio.sleep(0.002)


def write_configuration(
    folder: Path, port: int, waveform: str, *, broker: str = "", outbox: str = ""
) -> None:
    """A gateway with one machine `mill-1` and one waveform given as TOML."""
    (folder / "machines").mkdir(exist_ok=True)
    (folder / "collector.toml").write_text(
        f"""\
[gateway]
company = "works"
name = "gw1"

[broker]
host = "127.0.0.1"
port = {port}
reconnect_max_s = 2
{broker}

[outbox]
directory = "outbox"
{outbox}

[control]
socket = "control.sock"
""",
        encoding="utf-8",
    )
    (folder / "machines" / "mill-1.toml").write_text(
        f'[machine]\nname = "mill-1"\n\n[[waveforms]]\nname = "spindle"\n{waveform}', encoding="utf-8"
    )
