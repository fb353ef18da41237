"""The bytes to and from the broker: to asyncio a protocol, to paho the socket that it reads and writes.

asyncio does TCP and TLS: it waits, buffers, and tells the true reason of an end. Nothing here knows MQTT.
"""

import asyncio
from collections.abc import Callable


class Wire(asyncio.Protocol):
    """One connection; `ended` is done once it is closed for good."""

    def __init__(self, on_bytes: Callable[[], None], on_end: Callable[[Exception | None], None]) -> None:
        self._on_bytes = on_bytes
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._received = b""
        self._taken = 0
        """How much of it paho has read."""
        self._unwritten = bytearray()
        """What was sent within this step of the event loop: many small packets go out as one."""
        self._together = 0
        """How many blocks are open, at whose end goes out what is sent meanwhile."""
        self._transport: asyncio.Transport | None = None
        self.ended: asyncio.Future[None] = self._loop.create_future()

    @property
    def unread(self) -> bool:
        """Whether bytes wait to be read."""
        return self._taken < len(self._received)

    def __enter__(self) -> None:
        """Gather what is sent in this block; it goes out at once when the block ends."""
        self._together += 1

    def __exit__(self, *_: object) -> None:
        self._together -= 1
        if not self._together:
            self._write()

    async def end(self) -> None:
        """Close at once, whatever is still to be written."""
        if self._transport is not None:
            self._transport.abort()
            await asyncio.wait({self.ended})

    def pause_reading(self) -> None:
        """Leave what comes to the system's buffers, and so to the broker."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read again."""
        if self._transport is not None:
            self._transport.resume_reading()

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        self._received, self._taken = self._received[self._taken :] + data, 0
        with self:
            self._on_bytes()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed; without an error the broker or we did it."""
        self._transport = None
        if not self.ended.done():
            self.ended.set_result(None)
        self._on_end(exc)

    # paho's side

    def recv(self, buffer_size: int) -> bytes:
        """Take bytes.

        Raises:
            BlockingIOError: there is none now.
        """
        data = self._received[self._taken : self._taken + buffer_size]
        if not data:
            raise BlockingIOError
        self._taken += len(data)
        return data

    def send(self, buffer: bytes | bytearray) -> int:
        """Give bytes, all of which are taken; too late they go nowhere, and the end is told soon."""
        if not self._unwritten and not self._together:
            self._loop.call_soon(self._write)
        self._unwritten += buffer
        return len(buffer)

    def _write(self) -> None:
        data, self._unwritten = self._unwritten, bytearray()
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """Close once everything is written."""
        self._received = b""
        self._write()
        if self._transport is not None:
            self._transport.close()

    def fileno(self) -> int:
        """None that could be waited on."""
        return -1

    def setblocking(self, flag: bool) -> None:
        """It never blocks."""
