"""One connection to an OPC UA server: opened with a fresh client, only ever read from, closed for good.

It loads asyncua, so it is imported only where needed. asyncua's own reconnecting is not used: after a server
that hung and came back it says "connected" and delivers nothing.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator, Sequence

from asyncua import Client, ua
from asyncua.crypto import security_policies, uacrypto

from collector.clock import Clock
from collector.errors import SourceError
from collector.sources.opcua import certificates
from collector.sources.opcua.client import new_client
from collector.sources.opcua.failures import translated
from collector.sources.opcua.identity import identify
from collector.sources.opcua.settings import ConnectionSettings
from collector.texts import opcua as say

logging.getLogger("asyncua").setLevel(logging.CRITICAL + 1)  # what it would say is in health, in our words

_MODES = {
    "none": ua.MessageSecurityMode.None_,
    "sign": ua.MessageSecurityMode.Sign,
    "sign-and-encrypt": ua.MessageSecurityMode.SignAndEncrypt,
}
_BASIC = security_policies.SecurityPolicyBasic256Sha256.URI
_NONE = security_policies.SecurityPolicyNone.URI
_TOGETHER = 100
"""Nodes in one request: servers have limits, and this is below those of common controllers."""
_GOODBYE_S = 2.0
_HASTY_S = 0.2


class Connection:
    """An open session; offers nothing but reading, browsing and subscribing."""

    def __init__(self, client: Client, settings: ConnectionSettings, own_fingerprint: str) -> None:
        self.settings = settings
        self.session = client.uaclient.session
        self.hung = False
        """Whether the server is known to hang, so that a goodbye is not waited for."""
        self._client = client
        self._own_fingerprint = own_fingerprint

    @contextlib.contextmanager
    def translated(self) -> Iterator[None]:
        """Turn what the library and the network raise into a `SourceError`."""
        with translated(self.settings, self._own_fingerprint):
            yield

    async def read(
        self, nodes: Sequence[ua.NodeId], attribute: ua.AttributeIds = ua.AttributeIds.Value
    ) -> list[ua.DataValue]:
        """Read an attribute of nodes, from the device itself; in their order.

        Raises:
            SourceError: the server cannot be reached or refuses; a single bad node is no error.
        """
        values: list[ua.DataValue] = []
        for some in _portions(nodes):
            wanted = [ua.ReadValueId(NodeId=node, AttributeId=attribute) for node in some]
            parameters = ua.ReadParameters(
                MaxAge=0.0, TimestampsToReturn=ua.TimestampsToReturn.Source, NodesToRead=wanted
            )
            with self.translated():
                answered = await self.session.read(parameters)
            if len(answered) != len(some):
                reason = f"{len(answered)} values for {len(some)} nodes"
                raise SourceError(say.NOT_UNDERSTOOD(url=self.settings.url, reason=reason))
            values += answered
        return values

    async def browse(
        self, nodes: Sequence[ua.NodeId], description: ua.BrowseDescription
    ) -> list[list[ua.ReferenceDescription]]:
        """The references of nodes, as `description` wants them; in their order, all of them.

        Raises:
            SourceError: the server cannot be reached or refuses; a node that is not there has no references.
        """
        found: list[list[ua.ReferenceDescription]] = []
        for some in _portions(nodes):
            wanted = [_of_node(description, node) for node in some]
            parameters = ua.BrowseParameters(NodesToBrowse=wanted)
            with self.translated():
                results = await self.session.browse(parameters)
                for result in results:
                    references = list(result.References or ())
                    while result.ContinuationPoint:
                        more = ua.BrowseNextParameters(ContinuationPoints=[result.ContinuationPoint])
                        (result,) = await self.session.browse_next(more)  # noqa: PLW2901 (the same, continued)
                        references += result.References or ()
                    found.append(references)
        return found

    async def namespaces(self) -> list[str]:
        """The URIs of the server's namespaces, by index.

        Raises:
            SourceError: the server cannot be reached or refuses.
        """
        (value,) = await self.read([ua.NodeId(ua.ObjectIds.Server_NamespaceArray)])
        uris = value.Value.Value if value.Value is not None else None
        return list(uris) if isinstance(uris, list) else []

    async def close(self) -> None:
        """Say goodbye if the server listens, and leave nothing behind; never raises but when cancelled."""
        publishing = self.session._publish_task
        try:
            async with asyncio.timeout(_HASTY_S if self.hung else _GOODBYE_S):
                await self._client.disconnect()
        except TimeoutError:  # it hangs; it will miss us
            self._client.disconnect_socket()
        if publishing is not None:  # asyncua forgets it where the connection was lost
            publishing.cancel()
            await asyncio.wait([publishing])


@contextlib.asynccontextmanager
async def connected(settings: ConnectionSettings, clock: Clock) -> AsyncIterator[Connection]:
    """A connection for as long as the block lasts.

    Raises:
        SourceError: the server cannot be reached, refuses us, or is not the one that is trusted.
    """
    client = new_client(settings)
    own_fingerprint = ""
    if settings.security != "none" or settings.user is not None:
        served, plain_password = await _offer(settings)
        trusted = certificates.pinned(settings.url, settings.certificate_folder)
        refusal = certificates.refusal(settings.url, served, trusted, clock)
        if refusal is not None:
            raise SourceError(refusal)
        if plain_password and settings.user is not None:
            raise SourceError(say.PASSWORD_IN_CLEAR(url=settings.url))
        if settings.security == "none":
            client.security_policy.peer_certificate = served  # the password is encrypted for it alone
        else:
            own_fingerprint = await _secure(client, settings, served, clock)
    identify(client, settings)
    with translated(settings, own_fingerprint):
        try:
            await client.connect(auto_reconnect=False)
        except BaseException:  # asyncua keeps the socket if it is cancelled here
            client.disconnect_socket()
            raise
    connection = Connection(client, settings, own_fingerprint)
    try:
        yield connection
    finally:
        await connection.close()


async def server_certificate(settings: ConnectionSettings) -> tuple[bytes, str]:
    """The certificate that a server shows (DER) and its fingerprint, for staff to compare; trusts nothing.

    Raises:
        SourceError: the server cannot be reached, or has none.
    """
    endpoints = await _endpoints(settings)
    for endpoint in sorted(endpoints, key=lambda endpoint: endpoint.SecurityPolicyUri != _BASIC):
        if endpoint.ServerCertificate:
            der = _first(settings, endpoint.ServerCertificate)
            return der, certificates.fingerprint(der)
    raise SourceError(say.NO_CERTIFICATE(url=settings.url))


async def _endpoints(settings: ConnectionSettings) -> list[ua.EndpointDescription]:
    with translated(settings):
        return list(await new_client(settings).connect_and_get_server_endpoints())


async def _offer(settings: ConnectionSettings) -> tuple[bytes, bool]:
    """What the server shows for our kind of connection, and whether a password would go in clear."""
    endpoints = await _endpoints(settings)
    mode = _MODES[settings.security]
    policy = _NONE if settings.security == "none" else _BASIC
    fitting = [
        endpoint
        for endpoint in endpoints
        if endpoint.SecurityMode == mode and endpoint.SecurityPolicyUri == policy
    ]
    if not fitting:
        names = {mode: name for name, mode in _MODES.items()}
        offered = {names.get(endpoint.SecurityMode, "?") for endpoint in endpoints}
        raise SourceError(
            say.NO_ENDPOINT(url=settings.url, security=settings.security, offered=", ".join(sorted(offered)))
        )
    if not fitting[0].ServerCertificate:
        raise SourceError(say.NO_CERTIFICATE(url=settings.url))
    tokens = [
        token for token in fitting[0].UserIdentityTokens or () if token.TokenType == ua.UserTokenType.UserName
    ]
    in_clear = any((token.SecurityPolicyUri or policy) == _NONE for token in tokens)
    return _first(
        settings, fitting[0].ServerCertificate
    ), in_clear and settings.security != "sign-and-encrypt"


def _first(settings: ConnectionSettings, chain: bytes) -> bytes:
    """The server's own certificate, where it sends those of its issuers behind it."""
    try:
        return bytes(uacrypto.der_from_x509(uacrypto.x509_from_der(chain)))
    except (ValueError, IndexError) as error:
        raise SourceError(say.CERTIFICATE_UNREADABLE(url=settings.url, reason=str(error))) from error


async def _secure(client: Client, settings: ConnectionSettings, served: bytes, clock: Clock) -> str:
    """Encrypt for the trusted certificate, with our own; gives our fingerprint."""
    own = await asyncio.to_thread(certificates.own_certificate, settings.certificate_folder, clock)
    client.application_uri = own.application_uri
    await client.set_security(
        security_policies.SecurityPolicyBasic256Sha256,
        uacrypto.CertProperties(own.der, "der"),
        uacrypto.CertProperties(own.key_pem, "pem"),
        server_certificate=uacrypto.CertProperties(served, "der"),
        mode=_MODES[settings.security],
    )
    return certificates.fingerprint(own.der)


def _of_node(description: ua.BrowseDescription, node: ua.NodeId) -> ua.BrowseDescription:
    return ua.BrowseDescription(
        NodeId=node,
        BrowseDirection=description.BrowseDirection,
        ReferenceTypeId=description.ReferenceTypeId,
        IncludeSubtypes=description.IncludeSubtypes,
        NodeClassMask=description.NodeClassMask,
        ResultMask=description.ResultMask,
    )


def _portions(nodes: Sequence[ua.NodeId]) -> Iterator[Sequence[ua.NodeId]]:
    for start in range(0, len(nodes), _TOGETHER):
        yield nodes[start : start + _TOGETHER]
