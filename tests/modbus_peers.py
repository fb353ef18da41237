"""Modbus devices for tests that follow a script: over TCP, and on a pseudo-terminal as on a serial line.

They build their frames by themselves, byte for byte, so that they can be as wrong as real devices.
"""

import asyncio
import contextlib
import os
import struct
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from servers import free_port, serial_port

Framing = Literal["tcp", "rtu"]
CLOSE = "close"
Step = bytes | float | str
"""Bytes to send, seconds to wait, or `CLOSE`."""


@dataclass(frozen=True, slots=True)
class Query:
    """A request as a device sees it."""

    unit: int
    function: int
    first: int
    count: int
    transaction: int
    framing: Framing
    at_s: float

    def frame(
        self,
        body: bytes,
        *,
        unit: int | None = None,
        function: int | None = None,
        transaction: int | None = None,
        protocol: int = 0,
    ) -> bytes:
        """A frame that answers this, except for what is said to differ."""
        pdu = bytes([self.unit if unit is None else unit, self.function if function is None else function])
        pdu += body
        if self.framing == "rtu":
            return pdu + crc16(pdu)
        number = self.transaction if transaction is None else transaction
        return struct.pack(">HHH", number, protocol, len(pdu)) + pdu

    def values(self, registers: Sequence[int]) -> bytes:
        """The body of a reply with these registers."""
        return bytes([2 * len(registers)]) + struct.pack(f">{len(registers)}H", *registers)

    def exception(self, code: int) -> bytes:
        """A Modbus exception."""
        return self.frame(bytes([code]), function=self.function | 0x80)


def crc16(data: bytes) -> bytes:
    """The checksum of Modbus RTU, low byte first."""
    crc = 0xFFFF
    for octet in data:
        crc ^= octet
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return struct.pack("<H", crc)


def its_address(query: Query) -> list[Step]:
    """A good reply: each register holds its own address, so that a value tells what it answers."""
    return [query.frame(query.values([(query.first + i) & 0xFFFF for i in range(query.count)]))]


Script = Callable[[Query], Sequence[Step]]


class Peer:
    """What devices of both kinds share: the script, and what they were asked."""

    def __init__(self, framing: Framing, script: Script) -> None:
        self.framing: Framing = framing
        self.script = script
        self.queries: list[Query] = []
        self.functions: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def _received(self, data: bytearray, send: Callable[[bytes], None], close: Callable[[], None]) -> None:
        """Take whole requests out of what was received, and follow the script for each."""
        length = 8 if self.framing == "rtu" else 12
        while len(data) >= length:
            request = bytes(data[:length])
            del data[:length]
            transaction = 0 if self.framing == "rtu" else int.from_bytes(request[:2], "big")
            assert self.framing == "tcp" or request[-2:] == crc16(request[:-2])
            body = request[:6] if self.framing == "rtu" else request[6:]
            unit, function, first, count = struct.unpack(">BBHH", body)
            now_s = asyncio.get_running_loop().time()
            query = Query(unit, function, first, count, transaction, self.framing, now_s)
            self.queries.append(query)
            self.functions.add(function)
            task = asyncio.create_task(self._play(self.script(query), send, close))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _play(
        self, steps: Sequence[Step], send: Callable[[bytes], None], close: Callable[[], None]
    ) -> None:
        for step in steps:
            if isinstance(step, float):
                await asyncio.sleep(step)
            elif isinstance(step, bytes):
                send(step)
            else:
                close()

    async def _end(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class NetworkPeer(Peer):
    """A device with a TCP port; `rtu` makes it a converter with a serial line behind it."""

    def __init__(self, framing: Framing = "tcp", script: Script = its_address) -> None:
        super().__init__(framing, script)
        self.port = free_port()
        self.connections = 0
        self._writers: set[asyncio.StreamWriter] = set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["NetworkPeer"]:
        """Serve on `port` meanwhile; may be repeated."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        try:
            yield self
        finally:
            server.close()
            await self._end()
            for writer in list(self._writers):
                writer.transport.abort()
            await server.wait_closed()
            await asyncio.sleep(0)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        data = bytearray()
        with contextlib.suppress(ConnectionError):
            while received := await reader.read(1024):
                data += received
                self._received(data, writer.write, writer.close)
        self._writers.discard(writer)
        writer.close()


class SerialPeer(Peer):
    """Devices on a serial line, which is a pseudo-terminal behind the name `port`."""

    framing: Framing = "rtu"

    def __init__(self, port: Path, script: Script = its_address) -> None:
        super().__init__("rtu", script)
        self.port = port

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["SerialPeer"]:
        """Be plugged in meanwhile; may be repeated."""
        async with serial_port(self.port) as ours:
            os.set_blocking(ours, False)
            loop = asyncio.get_running_loop()
            data = bytearray()

            def send(reply: bytes) -> None:
                os.write(ours, reply)

            def readable() -> None:
                data.extend(os.read(ours, 1024))
                self._received(data, send, lambda: None)

            loop.add_reader(ours, readable)
            try:
                yield self
            finally:
                loop.remove_reader(ours)
                await self._end()
