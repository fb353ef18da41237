"""A machine tool's OPC UA server that doubts, fails, hangs, dies and comes back, seen at the broker.

Beside it work a meter and an accelerometer of the same machine, which must never notice; and at a third
address something answers that is no OPC UA server.
"""

import asyncio
import contextlib
import json
import signal
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from asyncua import ua
from mill import VIBRATION
from modbus_peers import NetworkPeer
from opcua_server import serving
from servers import Collector, Mosquitto, Subscriber, free_port, until, write_configuration

OVERRIDE = "nsu=http://yourorganisation.org/MachineTool-Example/;i=6070"
"""Where the server has it; the configuration does not say so."""
STALE_AFTER_S = 3.0
"""Three signs of life of the subscription, of which there is one a second."""
DOUBTED = 51.0

CONTROLLERS = """
[[controllers]]
name = "cnc"
publish_every_s = 1
[controllers.source]
kind = "opcua"
url = "opc.tcp://127.0.0.1:{cnc}"
profile = "opc-40501-1"
machine = "SampleMachineTool"
sampling_ms = 50
publishing_ms = 50
timeout_s = 2
silent_after_s = 2
points = [{{ name = "spare", node = "/Bench/spare" }}]

[[controllers]]
name = "meter"
publish_every_s = 1
stale_after_s = 30
[controllers.source]
kind = "modbus-tcp"
host = "127.0.0.1"
port = {meter}
addressing = "pdu"
every_s = 0.1
timeout_s = 20
points = [{{ name = "power", table = "holding", address = 7, type = "u16", unit = "W" }}]

[[controllers]]
name = "odd"
[controllers.source]
kind = "opcua"
url = "opc.tcp://127.0.0.1:{odd}"
timeout_s = 1
points = [{{ name = "clock", node = "i=2258" }}]
"""


@contextlib.asynccontextmanager
async def talking_nonsense(port: int) -> AsyncIterator[None]:
    """A server that begins as OPC UA does and goes on with what means nothing."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await reader.read(1000)
            writer.write(b"ACKF" + struct.pack("<6I", 28, 0, 65535, 65535, 0, 0))
            await reader.read(1000)
            writer.write(b"OPNF" + struct.pack("<I", 72) + b"\xff\x7f\0\x01" * 16)
            await reader.read(1000)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()
        await server.wait_closed()


class Seen:
    """What a stranger at the broker has been told."""

    def __init__(self, subscriber: Subscriber, collector: Collector) -> None:
        self._subscriber = subscriber
        self._collector = collector

    @property
    def windows(self) -> list[dict[str, Any]]:
        """All features records."""
        return self._subscriber.records("features")

    def summaries(self, controller: str) -> list[dict[str, Any]]:
        """All summaries of a controller."""
        topic = f"mill-1/{controller}/readings"
        found = [json.loads(payload) for at, payload in self._subscriber.raw if at.endswith(topic)]
        return [record for record in found if record["reading"] == "summary"]

    async def until(self, path: str, quality: str, last: Any) -> dict[str, Any]:
        """Wait until the newest window says this of a point."""

        def look() -> dict[str, Any] | None:
            windows = self.windows
            context = windows[-1]["context"].get(path) if windows else None
            if context is None or (context["quality"], context["last"]) != (quality, last):
                return None
            return dict(context)

        return dict(await until(look))

    async def source(self, name: str, state: str) -> dict[str, Any]:
        """Wait until a source is in this state, and return its report."""

        async def look() -> dict[str, Any] | None:
            report = await self._collector.report()
            source = report["sources"][f"mill-1/{name}"] if report else {}
            return dict(source) if source.get("state") == state else None

        return dict(await until(look))


async def test_whatever_becomes_of_a_server_nothing_wrong_is_good_and_nobody_else_notices(
    shared: Path, broker: Mosquitto, collector: Collector
) -> None:
    ports = {name: free_port() for name in ("cnc", "odd")}
    async with NetworkPeer().running() as meter, talking_nonsense(ports["odd"]):
        controllers = CONTROLLERS.format(meter=meter.port, **ports)
        write_configuration(collector.folder, broker.port, VIBRATION + controllers)
        subscriber = await Subscriber.start(broker.port)
        seen = Seen(subscriber, collector)
        with serving(ports["cnc"], node_sets=str(shared / "nodesets")) as server:
            await collector.start()
            # Found by type and browse path alone.
            await seen.until("cnc/spindle-1-override", "good", 95.0)
            await seen.until("cnc/channel-1-state", "good", "active")
            await seen.until("cnc/program-state", "good", "running")
            await seen.until("meter/power", "good", 7.0)

            await asyncio.to_thread(
                server.write, OVERRIDE, DOUBTED, status=ua.StatusCodes.UncertainSensorNotAccurate
            )
            await seen.until("cnc/spindle-1-override", "uncertain", DOUBTED)
            await asyncio.to_thread(server.write, OVERRIDE, DOUBTED, status=ua.StatusCodes.BadSensorFailure)
            await seen.until("cnc/spindle-1-override", "bad", None)
            await asyncio.to_thread(server.write, OVERRIDE, 60.0)
            await seen.until("cnc/spindle-1-override", "good", 60.0)

            await asyncio.to_thread(server.delete, "nsu=urn:collector:bench;s=spare")
            await seen.until("cnc/spare", "bad", None)
            await seen.until("cnc/spindle-1-override", "good", 60.0)
            degraded = await seen.source("cnc", "degraded")
            assert (degraded["bad"], degraded["reason"]["code"]) == (1, "source.points.bad")
            await asyncio.to_thread(server.create, "spare", 8.0)
            await seen.until("cnc/spare", "good", 8.0)

            server.signal(signal.SIGSTOP)
            hung = await seen.source("cnc", "failed")
            assert hung["reason"]["code"] == "source.opcua.silent"
            assert hung["reason"]["advice"]
            stale = await seen.until("cnc/spindle-1-override", "stale", 60.0)
            assert stale["vouched_s"] > STALE_AFTER_S
            server.signal(signal.SIGCONT)
            await seen.source("cnc", "ok")
            await seen.until("cnc/spindle-1-override", "good", 60.0)

            await asyncio.to_thread(server.end)
            await seen.source("cnc", "failed")
            await seen.until("cnc/spindle-1-override", "stale", 60.0)
            server.description["shift"] = 5
            await asyncio.to_thread(server.start)  # the meter is served by our loop
            await seen.until("cnc/spindle-1-override", "good", 95.0)
            await seen.until("cnc/program-state", "good", "running")

            odd = await seen.source("odd", "failed")
            assert odd["reason"]["advice"]
            for name in ("meter", "spindle"):
                beside = await seen.source(name, "ok")
                assert (beside["reopened"], beside["lost"]) == (0, 0), name
            await collector.end()
        await until(lambda: subscriber.records("status")[-1]["state"] == "stopped")
    windows, powers, machine = seen.windows, seen.summaries("meter"), seen.summaries("cnc")
    await subscriber.end()

    # The others: every window, every answer.
    assert [window["first"] for window in windows] == [256 * index for index in range(len(windows))]
    said = [window["context"]["meter/power"] for window in windows if "meter/power" in window["context"]]
    assert {point["last"] for point in said if point["quality"] == "good"} == {7.0}
    heard = [summary["points"]["power"] for summary in powers]
    assert all((power["bad"], power["stale"], power["uncertain"]) == (0, 0, 0) for power in heard)
    assert sum(power["count"] for power in heard) > len(heard)
    # The machine: what is called good was vouched for lately, and what was doubted is in no figure.
    overrides = [
        window["context"]["cnc/spindle-1-override"]
        for window in windows
        if "cnc/spindle-1-override" in window["context"]
    ]
    assert all(point["vouched_s"] <= STALE_AFTER_S for point in overrides if point["quality"] == "good")
    assert {point["last"] for point in overrides if point["quality"] == "good"} == {95.0, 60.0}
    points = [summary["points"] for summary in machine]
    figures = [point["spindle-1-override"] for point in points if "spindle-1-override" in point]
    for figure in (*overrides, *figures):
        assert {figure["min"], figure["max"]} <= {95.0, 60.0, None}
    assert any(figure["uncertain"] for figure in figures)
    assert any(figure["bad"] for figure in figures)
    assert any(figure["coverage"] == 0 for figure in figures)
