"""One MQTT connection on asyncio: a paho client that is used once and thrown away.

Reads every reason code, since on MQTT 5 a refused publish otherwise looks like a success. TCP and TLS are
done before paho is given the wire; it never connects, reconnects or queues by itself.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from collector.clock import today
from collector.dialling import dial
from collector.errors import BrokerError
from collector.mqtt.client import LATE, PahoClient, Will, new_client
from collector.mqtt.credentials import Credentials, read_credentials
from collector.mqtt.expiry import Ends, end_of
from collector.mqtt.failures import cannot_connect, closed, disconnected, explained, not_understood, refused
from collector.mqtt.settings import BrokerSettings
from collector.mqtt.wire import Wire
from collector.texts import broker as say

_KEEPALIVE_LOOK_S = 1.0
_PUBLISH_OVERHEAD_BYTES = 32
"""The most that a PUBLISH has beside topic and payload, as we send it."""


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """How long to wait for what, in seconds."""

    dial_s: float = 10.0
    """For a TCP connection to each of the broker's addresses."""
    answer_s: float = 20.0
    """For the TLS handshake and the broker's answer to CONNECT."""
    goodbye_s: float = 2.0
    """For the last bytes to be taken."""


class Acknowledgement(NamedTuple):
    """The broker's answer to one publish; `refusal` is None when it took the message."""

    mid: int
    refusal: str | None


class Connection:
    """An open connection; `lost` ends with a BrokerError once it is gone."""

    in_flight: int
    """The most publishes that may be unacknowledged at a time: ours or the broker's limit."""
    ends: Ends = Ends()
    """When the certificates that it was made with end."""
    max_packet_bytes: int | None = None
    """The longest packet that the broker takes, where it sets a limit."""

    def __init__(
        self,
        client: PahoClient,
        settings: BrokerSettings,
        limits: TimeLimits,
        on_acknowledged: Callable[[Sequence[Acknowledgement]], None],
        on_message: Callable[[str, bytes, bool], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._client = client
        self._settings = settings
        self._limits = limits
        self._on_acknowledged = on_acknowledged
        self._on_message = on_message
        self._acknowledged: list[Acknowledgement] = []
        self._messages: list[tuple[str, bytes, bool]] = []
        self._subscribing: dict[int, asyncio.Future[ReasonCode]] = {}
        """By message id: the broker's answer to come."""
        self._accepted: asyncio.Future[None] = self._loop.create_future()
        self._wire = Wire(self._read, self._ended)
        self._misc: asyncio.TimerHandle | None = None
        self.in_flight = settings.in_flight
        self.lost: asyncio.Future[None] = self._loop.create_future()
        client.wire = self._wire
        client.on_connect = self._answered
        client.on_disconnect = self._disconnected
        client.on_publish = self._published
        client.on_message = self._received
        client.on_subscribe = self._subscribed

    @classmethod
    async def open(
        cls,
        settings: BrokerSettings,
        client_id: str,
        *,
        will: Will | None = None,
        limits: TimeLimits = TimeLimits(),
        on_acknowledged: Callable[[Sequence[Acknowledgement]], None] = lambda _: None,
        on_message: Callable[[str, bytes, bool], None] = lambda _topic, _payload, _retained: None,
    ) -> Self:
        """Connect and wait until the broker has accepted us.

        `on_message` is given topic, payload, and whether the broker had kept it since who knows when.

        Raises:
            BrokerError: it cannot be reached or refuses us, with what to do.
        """
        credentials = await asyncio.to_thread(read_credentials, settings)
        client = new_client(settings, client_id, credentials.password, will)
        connection = cls(client, settings, limits, on_acknowledged, on_message)
        try:
            await connection._connect(credentials)
        except BrokerError as error:
            await connection._release()
            raise explained(error, credentials.until, today()) from error
        except BaseException:
            await connection._release()
            raise
        return connection

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, late: bool = False) -> int:
        """Send with QoS 1; the acknowledgement comes later under the returned message id.

        Raises:
            BrokerError: the connection is gone.
        """
        if self.lost.done():
            self.lost.result()
        properties = LATE if late and self._settings.protocol == "mqtt5" else None
        sent = self._client.publish(topic, payload, qos=1, retain=retain, properties=properties)
        if sent.rc is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            # The id is still taken: the broker has not acknowledged what it was sent 65,535 publishes ago.
            self._lose(BrokerError(say.CONNECTION_LOST(reason=paho.error_string(sent.rc))))
            self.lost.result()
        return sent.mid

    @property
    def together(self) -> AbstractContextManager[None]:
        """A block in which publishes are gathered: they go out as one, without another turn of the loop."""
        return self._wire

    def takes(self, size_bytes: int) -> bool:
        """Whether a publish, of so many bytes of topic and payload, is short enough for the broker.

        A longer one would end the connection.
        """
        return self.max_packet_bytes is None or size_bytes + _PUBLISH_OVERHEAD_BYTES <= self.max_packet_bytes

    async def subscribe(self, topic_filter: str) -> None:
        """Ask for a topic filter with QoS 1, and wait until the broker has granted it.

        Raises:
            BrokerError: it refuses, or the connection is gone.
        """
        if self.lost.done():
            self.lost.result()
        _, mid = self._client.subscribe(topic_filter, qos=1)
        assert mid is not None  # the wire takes everything
        granted = self._subscribing[mid] = self._loop.create_future()
        try:
            await asyncio.wait(
                {granted, self.lost}, timeout=self._limits.answer_s, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            del self._subscribing[mid]
        if self.lost.done():
            self.lost.result()
        if not granted.done():
            raise BrokerError(say.NO_ANSWER(where=self._settings.where, seconds=self._limits.answer_s))
        if (reason := granted.result()).is_failure:
            raise BrokerError(say.SUBSCRIBE_REFUSED(topic=topic_filter, reason=str(reason)))

    def pause_reading(self) -> None:
        """Take nothing more until `resume_reading`; the broker drops what its queue cannot hold."""
        self._wire.pause_reading()

    def resume_reading(self) -> None:
        """Take messages again."""
        self._wire.resume_reading()

    async def close(self) -> None:
        """Say goodbye, so that the will is not published, and give everything back."""
        try:
            if not self.lost.done():
                self._client.disconnect()
                await asyncio.wait({self._wire.ended}, timeout=self._limits.goodbye_s)
        finally:
            await self._release()

    async def _connect(self, credentials: Credentials) -> None:
        host, port = self._settings.address
        where = self._settings.where
        try:
            dialled = await dial(host, port, self._limits.dial_s)
        except (OSError, ValueError) as error:
            raise cannot_connect(error, where) from error
        try:
            async with asyncio.timeout(self._limits.answer_s):
                name = host if credentials.tls is not None else None
                transport, _ = await self._loop.create_connection(
                    lambda: self._wire, sock=dialled, ssl=credentials.tls, server_hostname=name
                )
                self.ends = Ends(credentials.until, end_of(transport.get_extra_info("peercert")))
                self._client.greet(self._settings)
                await asyncio.wait({self._accepted, self.lost}, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            raise BrokerError(say.NO_ANSWER(where=where, seconds=self._limits.answer_s)) from None
        except (OSError, ValueError) as error:
            raise cannot_connect(error, where) from error
        (self._accepted if self._accepted.done() else self.lost).result()
        self._keep_alive()

    async def _release(self) -> None:
        if self._misc is not None:
            self._misc.cancel()
        for future in (self.lost, self._accepted):
            if not future.done():
                future.cancel()
            elif not future.cancelled():
                future.exception()  # seen: whoever waits has it already
        await self._wire.end()

    def _read(self) -> None:
        """Let paho read what has come, and hand on what it was."""
        while self._wire.unread and not self.lost.done():
            self._step(self._client.loop_read)
        acknowledged, self._acknowledged = self._acknowledged, []
        messages, self._messages = self._messages, []
        if acknowledged:
            self._on_acknowledged(acknowledged)
        for message in messages:
            self._on_message(*message)

    def _keep_alive(self) -> None:
        self._step(self._client.loop_misc)
        if not self.lost.done():
            self._misc = self._loop.call_later(_KEEPALIVE_LOOK_S, self._keep_alive)

    def _step(self, step: Callable[[], MQTTErrorCode]) -> None:
        """Run one step of paho; what goes wrong in it ends this connection only."""
        try:
            outcome = step()
        except Exception:  # noqa: BLE001 (paho raises many kinds on malformed input)
            self._lose(not_understood(self._settings))
            return
        if outcome is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._lose(BrokerError(say.CONNECTION_LOST(reason=paho.error_string(outcome))))

    def _lose(self, error: BrokerError) -> None:
        self._wire.close()
        if not self.lost.done():
            self.lost.set_exception(error)

    def _ended(self, error: Exception | None) -> None:
        """The wire is closed: by us, the broker, the network, or a bug in a callback, which is passed on."""
        if self.lost.done():
            return
        if error is not None and not isinstance(error, OSError):
            self.lost.set_exception(error)
            return
        settings = self._settings
        accepted = self._accepted.done()
        self._lose(closed(error, settings.where, tls=settings.tls is not None, answered=accepted))

    def _answered(
        self, _client: paho.Client, _data: Any, _flags: Any, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if self._accepted.done():
            return
        if reason.is_failure:
            self._accepted.set_exception(refused(reason, self._settings))
            return
        self.in_flight = min(self.in_flight, getattr(properties, "ReceiveMaximum", self.in_flight))
        self.max_packet_bytes = getattr(properties, "MaximumPacketSize", None)
        self._accepted.set_result(None)

    def _disconnected(
        self,
        _client: paho.Client,
        _data: Any,
        flags: paho.DisconnectFlags,
        reason: ReasonCode,
        _properties: Any,
    ) -> None:
        by_broker = flags.is_disconnect_packet_from_server
        self._lose(disconnected(reason, self._settings, by_broker=by_broker))

    def _published(
        self, _client: paho.Client, _data: Any, mid: int, reason: ReasonCode, _properties: Any
    ) -> None:
        self._acknowledged.append(Acknowledgement(mid, str(reason) if reason.is_failure else None))

    def _subscribed(
        self, _client: paho.Client, _data: Any, mid: int, reasons: list[ReasonCode], _properties: Any
    ) -> None:
        granted = self._subscribing.get(mid)
        if granted is not None and not granted.done():
            granted.set_result(reasons[0])

    def _received(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        self._messages.append((message.topic, bytes(message.payload), message.retain))
