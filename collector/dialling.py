"""From a name to a connected TCP socket. What is said over it stands elsewhere.

Whatever connects by name does it here: asyncio would look names up in its few worker threads, and some
devices whose name server is dead would keep all of them from everybody else.
"""

import asyncio
import contextlib
import ipaddress
import re
import socket
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

Address = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]
"""As `getaddrinfo` gives it."""
_NUMBERS = re.compile(r"[0-9]+(\.[0-9]*){2,}")
"""An address, right or not; 10.1 is a short one that the system knows."""
_IN_NO_NAME = re.compile(r"[\s/@:,;]")
_Connected = TypeVar("_Connected")


def may_be_host(text: str) -> bool:
    """Whether a text may be a computer's name or address, and no more than that, such as one with a port.

    Names are not judged further: in a factory some have signs that no registrar would take.
    """
    if text.count(":") > 1:
        parse: Callable[[str], object] = ipaddress.IPv6Address
    elif _NUMBERS.fullmatch(text):
        parse = ipaddress.IPv4Address
    else:
        return bool(text) and not _IN_NO_NAME.search(text)
    try:
        parse(text)
    except ValueError:
        return False
    return True


async def dial(host: str, port: int, timeout_s: float) -> socket.socket:
    """A non-blocking TCP connection to the first address of `host` that answers within `timeout_s`.

    Raises:
        OSError: the name has no address (socket.gaierror), or none answers.
        ValueError: no name can look like this.
    """
    loop = asyncio.get_running_loop()

    async def connect(address: Address) -> socket.socket:
        family, kind, protocol, _, place = address
        dialled = socket.socket(family, kind, protocol)
        dialled.setblocking(False)
        try:
            async with asyncio.timeout(timeout_s):
                await loop.sock_connect(dialled, place)
        except BaseException:
            dialled.close()
            raise
        return dialled

    return await first_reached(host, port, connect)


async def first_reached(
    host: str, port: int, connect: Callable[[Address], Awaitable[_Connected]]
) -> _Connected:
    """What `connect` gives for the first address of `host` at which it raises no OSError.

    Raises:
        OSError: the name has no address (socket.gaierror), or `connect` raised it for the last one.
        ValueError: no name can look like this.
    """
    failure: OSError | None = None
    for address in await _look_up(host, port):
        try:
            return await connect(address)
        except OSError as error:  # TimeoutError is one
            failure = error
    raise failure or socket.gaierror(socket.EAI_NONAME, "no address")


async def _look_up(host: str, port: int) -> Sequence[Address]:
    """The addresses of a name.

    In a thread of its own: it may take half a minute without a network. Nobody else shall wait for it, nor
    the end of the program, as it would for a thread of asyncio's.
    """
    loop = asyncio.get_running_loop()
    found: asyncio.Future[Sequence[Address]] = loop.create_future()

    def tell(addresses: Sequence[Address], error: Exception | None) -> None:
        if found.done():
            return  # nobody waits any more
        if error is None:
            found.set_result(addresses)
        else:
            found.set_exception(error)

    def look_up() -> None:
        addresses: Sequence[Address] = ()
        failure: Exception | None = None
        try:
            addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, ValueError) as error:
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(tell, addresses, failure)

    threading.Thread(target=look_up, name="name-lookup", daemon=True).start()
    return await found
