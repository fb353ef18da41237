"""One MQTT connection on asyncio: a paho client that is used once and thrown away.

Reads every reason code, since on MQTT 5 a refused publish otherwise looks like a success. What is sent, when,
and what happens after a loss is the caller's business.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from pydantic import Field

from collector.errors import BrokerError
from collector.settings import CredentialPath, PositiveFinite, Settings, credential_path
from collector.texts import broker as say

_CONNACK_TIMEOUT_S = 20.0
_CONNECT_TIMEOUT_S = 10.0


class TlsSettings(Settings):
    """TLS to the broker; without `ca_file` the system's authorities are trusted."""

    ca_file: CredentialPath | None = None
    """The certificate authority that signed the broker's certificate (PEM)."""
    cert_file: CredentialPath | None = None
    """This gateway's own certificate (PEM), with `key_file`."""
    key_file: CredentialPath | None = None
    """The private key of `cert_file` (PEM, no passphrase)."""


class BrokerSettings(Settings):
    """The MQTT broker of the study group."""

    host: str = Field(min_length=1)
    """The broker's name or address, without port."""
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """8883 with TLS, 1883 without, unless given."""
    protocol: Literal["mqtt5", "mqtt311"] = "mqtt5"
    """The version of MQTT that the broker speaks."""
    user: str | None = None
    """The user's name at the broker, with `password_file`."""
    password_file: CredentialPath | None = None
    """A file that holds the password alone. `credential:NAME` names a systemd credential."""
    client_id: str | None = None
    """Given by the broker's administrator; else made of company and gateway."""
    keepalive_s: Annotated[int, Field(ge=5, le=3600)] = 30
    """The broker takes the gateway for lost when it hears nothing for one and a half times as long."""
    tls: TlsSettings | None = None
    """Leave the table out for a connection without TLS."""
    in_flight: Annotated[int, Field(ge=1, le=1000)] = 64
    """The most records sent and not yet acknowledged."""
    reconnect_max_s: PositiveFinite = 60.0
    """The longest pause between two attempts to connect."""

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return self.host, self.port or (8883 if self.tls else 1883)


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes, retained, when this connection dies."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """The broker's answer to one publish; `refusal` is None when it took the message."""

    mid: int
    refusal: str | None


class Connection:
    """An open connection; `lost` ends with a BrokerError once it is gone."""

    def __init__(
        self,
        client: paho.Client,
        in_flight: int,
        on_acknowledged: Callable[[Sequence[Acknowledgement]], None],
        on_message: Callable[[str, bytes], None],
    ) -> None:
        self._client = client
        self._on_acknowledged = on_acknowledged
        self._loop = asyncio.get_running_loop()
        self._acknowledged: list[Acknowledgement] = []
        self._connected: asyncio.Future[None] = self._loop.create_future()
        self._socket: Any = None
        self._misc: asyncio.TimerHandle | None = None
        self.in_flight = in_flight
        self.lost: asyncio.Future[None] = self._loop.create_future()
        client.on_connect = self._answered
        client.on_disconnect = self._disconnected
        client.on_publish = self._published
        client.on_message = lambda _client, _data, message: on_message(message.topic, bytes(message.payload))

    @classmethod
    async def open(
        cls,
        settings: BrokerSettings,
        client_id: str,
        *,
        will: Will | None = None,
        on_acknowledged: Callable[[Sequence[Acknowledgement]], None] = lambda _: None,
        on_message: Callable[[str, bytes], None] = lambda _topic, _payload: None,
    ) -> Self:
        """Connect and wait until the broker has accepted us.

        Raises:
            BrokerError: it cannot be reached or refuses us, with what to do.
        """
        client = await asyncio.to_thread(_client, settings, client_id, will)
        connection = cls(client, settings.in_flight, on_acknowledged, on_message)
        try:
            await connection._connect(settings)
        except BaseException:
            connection._release()
            raise
        return connection

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, late: bool = False) -> int:
        """Send with QoS 1; the acknowledgement comes later under the returned message id."""
        properties = None
        if late and self._client.protocol == MQTTProtocolVersion.MQTTv5:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.UserProperty = ("late", "1")
        return self._client.publish(topic, payload, qos=1, retain=retain, properties=properties).mid

    def subscribe(self, topic_filter: str) -> None:
        """Ask for a topic filter with QoS 1."""
        self._client.subscribe(topic_filter, qos=1)

    async def close(self, *, flush_s: float = 2.0) -> None:
        """Say goodbye, so that the will is not published, and give everything back."""
        if not self.lost.done():
            self._client.disconnect()
            with contextlib.suppress(TimeoutError, BrokerError):
                async with asyncio.timeout(flush_s):
                    await asyncio.shield(self.lost)
        self._release()

    async def _connect(self, settings: BrokerSettings) -> None:
        host, port = settings.address
        where = f"{host}:{port}"
        try:
            # In a thread: DNS and the TLS handshake block.
            await asyncio.to_thread(_open_socket, self._client, settings)
        except (OSError, ValueError) as error:
            raise _cannot_connect(error, where) from error
        self._attach()
        try:
            async with asyncio.timeout(_CONNACK_TIMEOUT_S):
                await asyncio.wait({self._connected, self.lost}, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            raise BrokerError(say.NO_ANSWER(where=where, seconds=_CONNACK_TIMEOUT_S)) from None
        if self._connected.done():
            self._connected.result()
        else:
            self.lost.result()

    def _attach(self) -> None:
        self._socket = self._client.socket()
        if self._socket is None:
            raise BrokerError(say.CONNECTION_LOST(reason="closed"))
        self._client.on_socket_register_write = self._wants_to_write
        self._client.on_socket_unregister_write = self._has_written
        self._client.on_socket_close = lambda *_: self._detach()
        self._loop.add_reader(self._socket, self._readable)
        if self._client.want_write():
            self._loop.add_writer(self._socket, self._writable)
        self._keep_alive()

    def _wants_to_write(self, _client: paho.Client, _data: Any, _socket: Any) -> None:
        if self._socket is not None:
            self._loop.add_writer(self._socket, self._writable)

    def _has_written(self, _client: paho.Client, _data: Any, _socket: Any) -> None:
        if self._socket is not None:
            self._loop.remove_writer(self._socket)

    def _detach(self) -> None:
        """Forget the socket before paho closes it: its number may be reused at once."""
        if self._socket is not None and self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
        self._socket = None

    def _release(self) -> None:
        if self._misc is not None:
            self._misc.cancel()
        self._detach()
        left_over = self._client.socket()
        if left_over is not None:
            left_over.close()
        for future in (self.lost, self._connected):
            if not future.done():
                future.cancel()
            elif not future.cancelled():
                future.exception()  # seen: whoever waits has it already

    def _readable(self) -> None:
        self._guarded(self._client.loop_read)
        while isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
            self._guarded(self._client.loop_read)
        if self._acknowledged:
            done, self._acknowledged = self._acknowledged, []
            self._on_acknowledged(done)

    def _writable(self) -> None:
        self._guarded(self._client.loop_write)

    def _keep_alive(self) -> None:
        self._guarded(self._client.loop_misc)
        if not self.lost.done():
            self._misc = self._loop.call_later(1.0, self._keep_alive)

    def _guarded(self, step: Callable[[], MQTTErrorCode]) -> None:
        """Run one step of paho; what goes wrong in it ends this connection only."""
        try:
            outcome = step()
        except Exception as error:  # noqa: BLE001 (paho raises many kinds on malformed input)
            self._lose(f"{type(error).__name__}: {error}")
            return
        if outcome is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._lose(paho.error_string(outcome))

    def _lose(self, reason: str) -> None:
        self._detach()
        if not self.lost.done():
            self.lost.set_exception(BrokerError(say.CONNECTION_LOST(reason=reason)))

    def _answered(
        self, _client: paho.Client, _data: Any, _flags: Any, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if self._connected.done():
            return
        if reason.is_failure:
            self._connected.set_exception(BrokerError(say.REFUSED(reason=str(reason))))
            return
        receive_maximum = getattr(properties, "ReceiveMaximum", None)
        if receive_maximum is not None:
            self.in_flight = min(self.in_flight, receive_maximum)
        self._connected.set_result(None)

    def _disconnected(
        self, _client: paho.Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any
    ) -> None:
        self._lose(str(reason))

    def _published(
        self, _client: paho.Client, _data: Any, mid: int, reason: ReasonCode, _properties: Any
    ) -> None:
        self._acknowledged.append(Acknowledgement(mid, str(reason) if reason.is_failure else None))


def _client(settings: BrokerSettings, client_id: str, will: Will | None) -> paho.Client:
    """A paho client that never reconnects or queues by itself."""
    five = settings.protocol == "mqtt5"
    client = paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        clean_session=None if five else True,
        protocol=MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311,
        reconnect_on_failure=False,
    )
    client.connect_timeout = _CONNECT_TIMEOUT_S
    client.max_inflight_messages_set(0)  # the caller keeps to `in_flight`; paho must not queue
    if settings.user is not None:
        client.username_pw_set(settings.user, _password(settings.password_file))
    if settings.tls is not None:
        client.tls_set_context(_tls_context(settings.tls))
    if will is not None:
        client.will_set(will.topic, will.payload, qos=1, retain=True)
    return client


def _open_socket(client: paho.Client, settings: BrokerSettings) -> None:
    host, port = settings.address
    if settings.protocol == "mqtt5":
        client.connect(host, port, settings.keepalive_s, clean_start=True)
    else:
        client.connect(host, port, settings.keepalive_s)


def _password(path: CredentialPath | None) -> str | None:
    if path is None:
        return None
    try:
        return credential_path(path).read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise BrokerError(say.SECRET_UNREADABLE(file=path, reason=str(error))) from error


def _tls_context(settings: TlsSettings) -> ssl.SSLContext:
    """A context that checks the broker's certificate and name, TLS 1.2 or later."""

    def existing(path: CredentialPath | None) -> str | None:
        if path is None:
            return None
        file = credential_path(path)
        if not file.is_file():
            raise BrokerError(say.SECRET_UNREADABLE(file=path, reason="not found"))
        return str(file)

    try:
        context = ssl.create_default_context(cafile=existing(settings.ca_file))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if settings.cert_file is not None:
            context.load_cert_chain(
                str(existing(settings.cert_file)), existing(settings.key_file), password=""
            )
    except (OSError, ssl.SSLError) as error:
        raise BrokerError(say.TLS_FILES(reason=str(error))) from error
    return context


def _cannot_connect(error: OSError | ValueError, where: str) -> BrokerError:
    """Say what a failed connection attempt means for an operator."""
    match error:
        case ssl.SSLCertVerificationError():
            return BrokerError(say.CERTIFICATE_REJECTED(where=where, reason=error.verify_message))
        case ssl.SSLError():
            return BrokerError(say.TLS_FAILED(where=where, reason=str(error.reason or error)))
        case socket.gaierror():
            return BrokerError(say.HOST_UNKNOWN(where=where))
        case ConnectionRefusedError():
            return BrokerError(say.NOT_LISTENING(where=where))
        case TimeoutError():
            return BrokerError(say.UNREACHABLE(where=where, reason="timeout"))
        case _:
            return BrokerError(say.UNREACHABLE(where=where, reason=str(error)))
