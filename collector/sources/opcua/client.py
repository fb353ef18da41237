"""asyncua's client as this gateway uses it: its names, its patience, and how it looks names up.

It loads asyncua. What is said to a server belongs to connection.py.
"""

import socket

from asyncua import Client

from collector.dialling import Address, first_reached
from collector.sources.opcua.settings import ConnectionSettings

_SESSION_S = 60.0
"""A server frees the session of a gateway that lost power after so long: small controllers have five."""
_OWN_PROBE_S = 86_400.0
"""asyncua's own look at the server is put off: ours knows how patient to be."""


class _ByAddress(Client):  # type: ignore[misc] # asyncua is not checked
    """Connects to an address of the name in the URL; the server is told the URL as it is."""

    async def connect_socket(self) -> None:
        """Connect to the first address that answers."""
        url = self.server_url

        async def connect(address: Address) -> None:
            place = address[-1]
            host, _ = socket.getnameinfo(place, socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)
            await self.uaclient.connect_socket(host, url.port)

        await first_reached(url.hostname, url.port, connect)


def new_client(settings: ConnectionSettings) -> Client:
    """A client for one connection."""
    client = _ByAddress(settings.url, timeout=settings.timeout_s, watchdog_intervall=_OWN_PROBE_S)
    client.name = client.description = "collector"
    client.application_uri = "urn:collector"
    client.product_uri = "urn:collector"
    client.session_timeout = round(1000 * max(_SESSION_S, 10 * settings.timeout_s))
    return client
