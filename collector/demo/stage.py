"""The demo's stage: folder, broker, shop and daemon, started in order and cleared away at the end."""

import asyncio
import contextlib
import socket
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from collector.clock import monotonic_ns
from collector.demo.accelerometer import running_accelerometer
from collector.demo.broker import running_broker
from collector.demo.configuration import MACHINE, STREAM, TOPICS, Places, write_configuration
from collector.demo.machine_tool import running_machine_tool
from collector.demo.meter import running_meter
from collector.demo.received import Received
from collector.demo.table import show_received
from collector.mqtt import BrokerSettings, Connection
from collector.run import run, stop_on_signals
from collector.texts import cli as say


async def show(seconds: float | None) -> None:
    """Run the demo until its time is over or Ctrl-C."""
    console = Console()
    stop = asyncio.Event()
    with tempfile.TemporaryDirectory(prefix="collector-demo-") as name, stop_on_signals(stop):
        folder = Path(name)
        places = Places(folder / "accelerometer", *_free_ports(3))
        write_configuration(folder, places)
        began_ns = monotonic_ns()
        async with (
            running_machine_tool(places.machine_tool_port, MACHINE, began_ns),
            running_broker(places.broker_port),
            running_meter(places.meter_port, began_ns),
            running_accelerometer(places.accelerometer, began_ns),
        ):
            daemon = asyncio.create_task(run(folder, folder / "state", stop=stop))
            try:
                received = await _watch(console, folder, places.broker_port, seconds, stop, daemon)
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
    watcher = await Connection.open(
        settings, "researcher", on_message=lambda topic, payload, _: received.take(topic, payload)
    )
    try:
        await watcher.subscribe(f"{TOPICS.root}/#")
        console.print(str(say.DEMO_TRY()), style="dim")
        console.print(f"  mosquitto_sub -p {port} -t '{TOPICS.root}/#' -v", highlight=False, soft_wrap=True)
        for command in ("status", "share"):
            console.print(f"  {sys.argv[0]} {command} --config {folder}", highlight=False, soft_wrap=True)
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


def _free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, each another one."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
