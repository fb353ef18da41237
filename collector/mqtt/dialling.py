"""From a name to a connected TCP socket. What is said over it stands elsewhere."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Sequence
from typing import Any

_Address = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]


async def dial(host: str, port: int, timeout_s: float) -> socket.socket:
    """A non-blocking TCP connection to the first address of `host` that answers within `timeout_s`.

    Raises:
        OSError: the name has no address (socket.gaierror), or none answers.
        ValueError: no name can look like this.
    """
    loop = asyncio.get_running_loop()
    addresses = await _look_up(host, port)
    failure: OSError | None = None
    for family, kind, protocol, _, address in addresses:
        dialled = socket.socket(family, kind, protocol)
        dialled.setblocking(False)
        try:
            async with asyncio.timeout(timeout_s):
                await loop.sock_connect(dialled, address)
        except OSError as error:  # TimeoutError is one
            dialled.close()
            failure = error
        except BaseException:
            dialled.close()
            raise
        else:
            return dialled
    raise failure or socket.gaierror(socket.EAI_NONAME, "no address")


async def _look_up(host: str, port: int) -> Sequence[_Address]:
    """The addresses of a name.

    In a thread of its own: it may take half a minute without a network, and the end of the program shall not
    wait for it as it would for a thread of asyncio's.
    """
    loop = asyncio.get_running_loop()
    found: asyncio.Future[Sequence[_Address]] = loop.create_future()

    def tell(addresses: Sequence[_Address], error: Exception | None) -> None:
        if found.done():
            return  # nobody waits any more
        if error is None:
            found.set_result(addresses)
        else:
            found.set_exception(error)

    def look_up() -> None:
        addresses: Sequence[_Address] = ()
        failure: Exception | None = None
        try:
            addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, ValueError) as error:
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(tell, addresses, failure)

    threading.Thread(target=look_up, name="broker-name", daemon=True).start()
    return await found
