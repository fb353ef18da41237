"""CPU time of a Modbus device's values to the broker, and how fast it is read, against a bare pymodbus loop.

50 float32 in 100 contiguous registers. They take turns, each some seconds while the others rest:

    bare       pymodbus alone: a request, and its registers unpacked to floats
    source     our source alone, to its readings (flat out only)
    collector  the controller with all that the daemon does for it: connection, readings, histories, a summary
               of each second, its record, outbox and publisher, until the PUBACK of the last one

Device and broker are other processes; what is measured is the process of these.
"""

import asyncio
import struct
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager
from statistics import median
from time import monotonic

from pymodbus.client import AsyncModbusTcpClient

from benchmarks.collecting import Stopwatch, Work, collecting
from benchmarks.modbus_server import VALUES
from benchmarks.rig import server
from benchmarks.tables import Column, Table
from benchmarks.watched import watch_daemon
from collector.sources import describe_controller_source
from collector.sources.source import PointSource

_ROUNDS, _WARM_UP = 9, 1
_PERIOD_S, _AT_ONCE_S = 0.1, 1e-6
_ROUND_S, _FLAT_OUT_S = 3, 1
_READINGS = "shopfloor/v1/works/gateway-1/mill-1/meter/readings"
_UNPACK = struct.Struct(f">{VALUES}f").unpack
_PACK = struct.Struct(f">{2 * VALUES}H").pack

_CONTROLLER = """\
[[controllers]]
name = "meter"
publish_every_s = 1

[controllers.source]
kind = "modbus-tcp"
host = "127.0.0.1"
port = {port}
addressing = "pdu"
every_s = {every_s:.6f}
points = [
{points}
]
"""
_POINT = '  {{ name = "p{number}", table = "holding", address = {address}, type = "f32" }},'


def tables(seconds: float) -> Iterable[Table]:
    with server("benchmarks.modbus_server") as port:
        yield asyncio.run(_at_10_hz(port))
        yield asyncio.run(_flat_out(port))
        _, footprint = watch_daemon(_controller(port, _PERIOD_S), [_READINGS], seconds)
    yield Table(
        f"The daemon with a Modbus device of {VALUES} values at {1 / _PERIOD_S:g} Hz",
        "a real `collector run` with this device alone, and a summary each second",
        (Column(""), Column("daemon", 2)),
        footprint.rows(seconds),
    )


async def _at_10_hz(port: int) -> Table:
    bare, collected = [], []
    async with _connected(port) as client, collecting(_controller(port, _PERIOD_S)) as collector:
        for _ in range(_WARM_UP + _ROUNDS):
            bare.append(await _read_at_a_pace(client))
            collected.append(await collector.collect(_ROUND_S))
    bare_us, collected_us = (
        median(work.us_a_value for work in works[_WARM_UP:]) for works in (bare, collected)
    )
    return Table(
        f"{VALUES} values of a Modbus device at {1 / _PERIOD_S:g} Hz, statistics to the broker",
        "microseconds of CPU for a value; the aim is a ratio of at most 1.6",
        (Column("bare pymodbus", 2), Column("collector", 2), Column("ratio", 2)),
        [(bare_us, collected_us, collected_us / bare_us)],
    )


async def _flat_out(port: int) -> Table:
    bare, read, collected = [], [], []
    async with _connected(port) as client, collecting(_controller(port, _AT_ONCE_S)) as collector:
        source = describe_controller_source(collector.controller.settings.source)
        for _ in range(_WARM_UP + _ROUNDS):
            bare.append(await _read_flat_out(client))
            read.append(await _arrive_flat_out(source))
            collected.append(await collector.collect(_FLAT_OUT_S))
    rows = []
    for what, works in (("bare pymodbus", bare), ("source", read), ("collector", collected)):
        rate = median(work.values / VALUES / work.wall_s for work in works[_WARM_UP:])
        rows.append((what, rate, VALUES * median(work.us_a_value for work in works[_WARM_UP:])))
    return Table(
        f"{VALUES} values of a Modbus device, as fast as it answers",
        "requests a second on the wall, and CPU of each; the aim is a part of at least 0.8 of the bare loop",
        (Column(""), Column("reads/s"), Column("CPU us"), Column("part", 2)),
        [(*row, row[1] / rows[0][1]) for row in rows],
    )


async def _read(client: AsyncModbusTcpClient) -> tuple[float, ...]:
    reply = await client.read_holding_registers(0, count=2 * VALUES)
    return _UNPACK(_PACK(*reply.registers))


async def _read_at_a_pace(client: AsyncModbusTcpClient) -> Work:
    values, due_s, watch = 0, monotonic(), Stopwatch()
    for _ in range(round(_ROUND_S / _PERIOD_S)):
        values += len(await _read(client))
        due_s += _PERIOD_S
        await asyncio.sleep(due_s - monotonic())
    return watch.work(values)


async def _read_flat_out(client: AsyncModbusTcpClient) -> Work:
    values, end_s, watch = 0, monotonic() + _FLAT_OUT_S, Stopwatch()
    while monotonic() < end_s:
        values += len(await _read(client))
    return watch.work(values)


async def _arrive_flat_out(source: PointSource) -> Work:
    values, watch = 0, None
    async with aclosing(source.arrivals()) as arrivals:
        async for arrival in arrivals:
            if watch is None:  # connected
                watch, end_s = Stopwatch(), monotonic() + _FLAT_OUT_S
                continue
            values += len(arrival.readings)
            if monotonic() >= end_s:
                return watch.work(values)
    raise AssertionError("a live source does not end")


@asynccontextmanager
async def _connected(port: int) -> AsyncIterator[AsyncModbusTcpClient]:
    client = AsyncModbusTcpClient("127.0.0.1", port=port)
    await client.connect()
    try:
        yield client
    finally:
        client.close()


def _controller(port: int, every_s: float) -> str:
    points = "\n".join(_POINT.format(number=number, address=2 * number) for number in range(VALUES))
    return _CONTROLLER.format(port=port, every_s=every_s, points=points)
