"""Bad ways to a broker: a proxy that stalls and sees what passes, servers that say nothing or nonsense."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator

CONNECT, PUBLISH, PUBACK = 0x10, 0x30, 0x40


class Proxy:
    """A TCP proxy to a broker on a loopback port, which notes what it was sent and what it acknowledged.

    What is noted belongs to MQTT 5, QoS 1 and JSON payloads.
    """

    def __init__(self, broker_port: int, piece_bytes: int = 1 << 16) -> None:
        self.port = 0
        self.most_unacknowledged = 0
        self.acknowledged: list[bytes] = []
        """The payloads that the broker took, with success."""
        self.published: list[tuple[str, bytes]] = []
        """Topic and payload of everything that it was sent."""
        self.connections = 0
        self._broker_port = broker_port
        self._piece_bytes = piece_bytes
        self._flowing = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Proxy"]:
        """Serve on `port` meanwhile."""
        self._flowing.set()
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await server.wait_closed()

    def stall(self) -> None:
        """From now on nothing passes on the connections there are; new ones flow."""
        self._flowing.clear()
        self._flowing = asyncio.Event()
        self._flowing.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            await self._join(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # the broker is down, or the test over
        finally:
            await _closed(writer)
            self._tasks.discard(task)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        flowing = self._flowing
        broker_reader, broker_writer = await asyncio.open_connection("127.0.0.1", self._broker_port)
        waiting: dict[int, bytes] = {}
        there = asyncio.create_task(self._pass(reader, broker_writer, flowing, waiting))
        back = asyncio.create_task(self._pass(broker_reader, writer, flowing, waiting))
        try:
            await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (there, back):
                task.cancel()
            await asyncio.gather(there, back, return_exceptions=True)
            await _closed(broker_writer)

    async def _pass(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        flowing: asyncio.Event,
        waiting: dict[int, bytes],
    ) -> None:
        unparsed = bytearray()
        while data := await reader.read(self._piece_bytes):
            await flowing.wait()
            unparsed += data
            for head, body in packets(unparsed):
                self._note(head & 0xF0, body, waiting)
            writer.write(data)
            await writer.drain()

    def _note(self, kind: int, body: bytes, waiting: dict[int, bytes]) -> None:
        if kind == PUBLISH:
            topic, mid, payload = published(body)
            waiting[mid] = payload
            self.published.append((topic, payload))
            self.most_unacknowledged = max(self.most_unacknowledged, len(waiting))
        elif kind == PUBACK:
            payload = waiting.pop(int.from_bytes(body[:2]))
            if len(body) == 2 or body[2] < 0x80:
                self.acknowledged.append(payload)


def published(body: bytes) -> tuple[str, int, bytes]:
    """Topic, message id and payload of a PUBLISH with QoS 1 and a JSON payload, or an empty one."""
    end = 2 + int.from_bytes(body[:2])
    _, brace, rest = body[end + 2 :].partition(b"{")
    return body[2:end].decode(), int.from_bytes(body[end : end + 2]), brace + rest


def packets(unparsed: bytearray) -> Iterator[tuple[int, bytes]]:
    """Take whole MQTT packets off the front: the first byte, and what follows the length."""
    while len(unparsed) >= 2:
        size = shift = 0
        start = 1
        while True:
            if start >= len(unparsed):
                return
            size |= (unparsed[start] & 0x7F) << shift
            shift += 7
            start += 1
            if not unparsed[start - 1] & 0x80:
                break
        if len(unparsed) < start + size:
            return
        packet = unparsed[0], bytes(unparsed[start : start + size])
        del unparsed[: start + size]
        yield packet


class ScriptedBroker:
    """A broker for one gateway, MQTT 5, that answers each publish as the test wants.

    `answer` gives the reason code for a topic and payload, or None: not yet.
    """

    def __init__(self, answer: Callable[[str, bytes], int | None]) -> None:
        self.port = 0
        self.published: list[tuple[str, bytes]] = []
        self.retained: list[bool] = []
        """Which of these are to be kept."""
        self._answer = answer
        self._unanswered: list[int] = []
        self._writer: asyncio.StreamWriter | None = None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["ScriptedBroker"]:
        """Serve on `port` meanwhile; the client has to leave before the end."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield self

    def answer_backwards(self, reason: int = 0) -> None:
        """Answer what has not been answered, the last first, and everything twice."""
        for mid in reversed(self._unanswered):
            self._acknowledge(mid, reason)
            self._acknowledge(mid, reason)
        self._unanswered.clear()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        unparsed = bytearray()
        while data := await reader.read(1 << 16):
            unparsed += data
            for head, body in packets(unparsed):
                if head & 0xF0 == PUBLISH:
                    self.retained.append(bool(head & 1))
                    self._take(*published(body))
                elif head == CONNECT:
                    writer.write(b"\x20\x03\x00\x00\x00")
        await _closed(writer)

    def _take(self, topic: str, mid: int, payload: bytes) -> None:
        self.published.append((topic, payload))
        reason = self._answer(topic, payload)
        if reason is None:
            self._unanswered.append(mid)
        else:
            self._acknowledge(mid, reason)

    def _acknowledge(self, mid: int, reason: int) -> None:
        assert self._writer is not None
        self._writer.write(bytes([PUBACK, 4]) + mid.to_bytes(2) + bytes([reason, 0]))


class OddServer:
    """A TCP server that answers the first bytes of every connection with the same bytes, or never."""

    def __init__(self, answer: bytes = b"", *, close: bool = False) -> None:
        self.port = 0
        self.connected = asyncio.Event()
        self.left = asyncio.Event()
        """The last client has closed its connection."""
        self.connections = 0
        self._answer = answer
        self._close = close

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["OddServer"]:
        """Serve on `port` meanwhile."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield self
            if self.connections:
                await asyncio.wait_for(self.left.wait(), 5)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.left.clear()
        self.connected.set()
        with contextlib.suppress(ConnectionError):
            await reader.read(1 << 16)
            writer.write(self._answer)
            while not self._close and await reader.read(1 << 16):
                pass
        await _closed(writer)
        self.left.set()


@contextlib.contextmanager
def unanswering_port() -> Iterator[int]:
    """A port where connecting takes for ever: nobody accepts, and the queue of those who wait is full."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        port: int = server.getsockname()[1]
        yield port


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
