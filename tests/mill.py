"""The machine of several end-to-end tests: a simulated accelerometer, and a PLC behind a real Modbus server.

Its pieces of TOML are put together by the tests, and written by `servers.write_configuration`.
"""

import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
from servers import Collector, Subscriber

VIBRATION = """\
channels = [{ name = "x", unit = "g" }]
window = { samples = 256 }
source = { kind = "simulated", rate_hz = 3200 }
"""
WINDOW_S = 255 / 3200
"""From the first sample of a window to its last."""

PERIOD_S, TIMEOUT_S = 0.1, 0.5
"""How often the PLC is asked, and how long an answer may take."""
SPEED_AND_CURRENT = """\
  { name = "speed", table = "holding", address = 0, type = "f32", unit = "/min" },
  { name = "current", table = "holding", address = 2, type = "f32", unit = "A" },
"""


def plc_toml(port: int, points: str) -> str:
    """The PLC in the machine's file, with these points."""
    return f"""
[[controllers]]
name = "plc"
publish_every_s = 1

[controllers.source]
kind = "modbus-tcp"
host = "127.0.0.1"
port = {port}
addressing = "pdu"
every_s = {PERIOD_S}
timeout_s = {TIMEOUT_S}
points = [
{points}]
"""


def floats(value: float) -> list[int]:
    """The two registers of a number."""
    return list(struct.unpack(">HH", struct.pack(">f", value)))


def letters(text: str) -> list[int]:
    """The eight registers of a text."""
    return list(struct.unpack(">8H", text.encode().ljust(16, b"\0")))


class Plc:
    """A real Modbus server with these holding registers, which the test may set."""

    def __init__(self, port: int, registers: list[int]) -> None:
        block = [SimData(0, values=registers, datatype=DataType.REGISTERS)]
        bits = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
        self._server = ModbusTcpServer(
            SimDevice(1, simdata=(bits, bits, block, block)), address=("127.0.0.1", port)
        )

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Plc"]:
        """Serve meanwhile."""
        await self._server.serve_forever(background=True)
        try:
            yield self
        finally:
            await self._server.shutdown()  # type: ignore[no-untyped-call]

    async def set(self, address: int, words: list[int]) -> None:
        """Write holding registers from inside, as the machine itself does."""
        await self._server.async_setValues(1, 16, address, words)


def contexts(subscriber: Subscriber, point: str) -> list[dict[str, Any]]:
    """What the windows said of a point, with the window's monotonic ends in seconds."""
    return [
        record["context"][point]
        | {
            "from_s": record["mono_us"] / 1e6,
            "to_s": record["mono_us"] / 1e6 + WINDOW_S,
            "seq": record["seq"],
        }
        for record in subscriber.records("features")
        if point in record["context"]
    ]


def last_of(found: list[dict[str, Any]], quality: str) -> dict[str, Any] | None:
    """The newest of these, if it is of this quality."""
    return found[-1] if found and found[-1]["quality"] == quality else None


async def source(collector: Collector, name: str) -> dict[str, Any]:
    """How a source is; empty while the collector does not answer."""
    report = await collector.report()
    return dict(report["sources"][name]) if report else {}
