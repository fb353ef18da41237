"""The demo's stage: folder, broker, machine and daemon, started in order and cleared away at the end."""

import asyncio
import contextlib
import socket
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

from rich.console import Console

from collector.demo.broker import running_broker
from collector.demo.machine import NOMINAL_HZ, SCALE_G, SYNC, running_machine
from collector.demo.table import Received, show_received
from collector.messages import Topics
from collector.mqtt import BrokerSettings, Connection
from collector.run import run, stop_on_signals
from collector.texts import cli as say

TOPICS = Topics("shopfloor/v1", "demo-works", "gw1")
MACHINE, STREAM = "mill-1", "spindle"
_BAND_EDGES_HZ = (10, 25, 63, 90, 110, 160, 250, 350, 450, 630, 780)

_GATEWAY_TOML = """\
[gateway]
company = "{company}"
name = "{gateway}"

[broker]
host = "127.0.0.1"
port = {port}
protocol = "mqtt311"

[outbox]
directory = "outbox"

[control]
socket = "control.sock"
"""

_MACHINE_TOML = """\
[machine]
name = "{machine}"
maker = "simulated"
type = "milling"

[[tools]]
number = 1
diameter_mm = 10
teeth = 4

[[waveforms]]
name = "{stream}"
channels = [
  {{ name = "x", unit = "g", axis = "x" }},
  {{ name = "y", unit = "g", axis = "y" }},
  {{ name = "z", unit = "g", axis = "z" }},
]
window = {{ samples = 1024, overlap = 0.5 }}
features = {{ peaks = 2, bands = [{bands}] }}
sensor = {{ model = "pseudo-terminal", range = "±16 g", mounting_place = "spindle housing" }}

[waveforms.source]
kind = "serial"
port = "{port}"
baud = 921600
rate_hz = {rate}

[waveforms.source.format]
kind = "binary"
sync = "{sync}"
counter = "u16"
values = "i16"
scale = {scale}
checksum = "crc16-modbus"
"""


async def show(seconds: float | None) -> None:
    """Run the demo until its time is over or Ctrl-C."""
    console = Console()
    stop = asyncio.Event()
    with tempfile.TemporaryDirectory(prefix="collector-demo-") as name, stop_on_signals(stop):
        folder = Path(name)
        broker_port, sensor = _free_port(), folder / "accelerometer"
        _write_configuration(folder, broker_port, sensor)
        async with running_broker(broker_port), running_machine(sensor):
            daemon = asyncio.create_task(run(folder, folder / "state", stop=stop))
            try:
                received = await _watch(console, folder, broker_port, seconds, stop, daemon)
            finally:
                stop.set()
                await daemon
    console.print(str(say.DEMO_END(records=received.records)))


async def _watch(
    console: Console,
    folder: Path,
    port: int,
    seconds: float | None,
    stop: asyncio.Event,
    daemon: asyncio.Task[None],
) -> Received:
    """Subscribe as any researcher would, and show what comes until the end."""
    received = Received(TOPICS.of(MACHINE, STREAM, "features"))
    settings = BrokerSettings(host="127.0.0.1", port=port, protocol="mqtt311")
    watcher = await Connection.open(settings, "researcher", on_message=received.take)
    try:
        await watcher.subscribe(f"{TOPICS.root}/#")
        console.print(str(say.DEMO_TRY()), style="dim")
        console.print(f"  mosquitto_sub -p {port} -t '{TOPICS.root}/#' -v", highlight=False, soft_wrap=True)
        console.print(str(say.DEMO_STATUS()), style="dim")
        console.print(f"  {sys.argv[0]} status --config {folder}", highlight=False, soft_wrap=True)
        showing = asyncio.create_task(show_received(console, received))
        stopped = asyncio.create_task(stop.wait())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.wait({showing, stopped, daemon}, return_when=asyncio.FIRST_COMPLETED)
        for task in (showing, stopped):
            task.cancel()
        await asyncio.gather(showing, stopped, return_exceptions=True)
    finally:
        await watcher.close()
    return received


def _write_configuration(folder: Path, broker_port: int, sensor: Path) -> None:
    bands = ", ".join(f"{{ low_hz = {low}, high_hz = {high} }}" for low, high in pairwise(_BAND_EDGES_HZ))
    gateway = _GATEWAY_TOML.format(company=TOPICS.company, gateway=TOPICS.gateway, port=broker_port)
    machine = _MACHINE_TOML.format(
        machine=MACHINE,
        stream=STREAM,
        bands=bands,
        port=sensor,
        rate=NOMINAL_HZ,
        sync=SYNC.hex(),
        scale=SCALE_G,
    )
    (folder / "collector.toml").write_text(gateway, encoding="utf-8")
    (folder / "machines").mkdir()
    (folder / "machines" / f"{MACHINE}.toml").write_text(machine, encoding="utf-8")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
