"""The bytes to the broker: how many writes they take, and when they leave. A real pair of sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from collector.mqtt.wire import Wire

Ends = tuple[Wire, socket.socket]


@pytest.fixture
async def ends() -> AsyncIterator[Ends]:
    """A wire, and the socket at its other end, which never waits."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    _, wire = await asyncio.get_running_loop().create_connection(
        lambda: Wire(lambda: None, lambda _: None), sock=ours
    )
    yield wire, theirs
    await wire.end()
    theirs.close()


async def test_what_is_sent_in_a_block_leaves_at_its_end(ends: Ends) -> None:
    wire, theirs = ends
    with wire:
        wire.send(b"one")
        with wire:
            wire.send(b"two")
        with pytest.raises(BlockingIOError):
            theirs.recv(100)
    assert theirs.recv(100) == b"onetwo"


async def test_what_is_sent_outside_of_one_leaves_in_the_next_turn(ends: Ends) -> None:
    wire, theirs = ends
    wire.send(b"one")
    wire.send(b"two")
    with pytest.raises(BlockingIOError):
        theirs.recv(100)
    await asyncio.sleep(0)
    assert theirs.recv(100) == b"onetwo"


async def test_a_block_that_fails_sends_what_it_has(ends: Ends) -> None:
    wire, theirs = ends

    def fail() -> None:
        with wire:
            wire.send(b"one")
            raise ValueError("a mistake of ours")

    with pytest.raises(ValueError, match="of ours"):
        fail()
    assert theirs.recv(100) == b"one"
