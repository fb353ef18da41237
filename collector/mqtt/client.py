"""paho's client over a wire that is open already: it speaks MQTT, and leaves connecting and waiting to us."""

from dataclasses import dataclass
from functools import cache
from typing import Literal

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from collector.mqtt.settings import BrokerSettings
from collector.mqtt.wire import Wire

SUCCESS = ReasonCode(PacketTypes.PUBACK)
"""A publish was taken, whether anybody subscribes to it or not."""
_NO_PROPERTIES = Properties(PacketTypes.PUBACK)  # type: ignore[no-untyped-call]
_TAKEN = {
    MQTTProtocolVersion.MQTTv311: (b"",),
    MQTTProtocolVersion.MQTTv5: (b"", b"\x00", b"\x10"),  # nothing more; success; nobody subscribes
}
"""What follows the number of a publish that was taken."""


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes, retained, when this connection dies."""

    topic: str
    payload: bytes


class PahoClient(paho.Client):
    """A paho client over a wire that is open already."""

    wire: Wire

    def greet(self, settings: BrokerSettings) -> None:
        """Send CONNECT; on a new session, since the outbox is the memory."""
        host, port = settings.address
        if settings.protocol == "mqtt5":
            self.connect(host, port, settings.keepalive_s, clean_start=True)
        else:
            self.connect(host, port, settings.keepalive_s)

    def _create_socket(self) -> Wire:
        return self.wire

    def _handle_pubackcomp(self, cmd: Literal["PUBACK", "PUBCOMP"]) -> MQTTErrorCode:
        """Let go of a publish that was taken; paho reads any other answer.

        Of this one, the usual one, it would make tables of all reasons and properties that there are, which
        takes as long as sending the record does.
        """
        number, rest = self._in_packet["packet"][:2], self._in_packet["packet"][2:]
        if len(number) < 2 or rest not in _TAKEN[self._protocol]:
            return super()._handle_pubackcomp(cmd)
        mid = int.from_bytes(number, "big")
        with self._out_message_mutex:
            if mid in self._out_messages:
                return self._do_on_publish(mid, SUCCESS, _NO_PROPERTIES)
        return MQTTErrorCode.MQTT_ERR_SUCCESS


class _Late(Properties):
    """The properties of a publish that comes late; packed once, since a backlog has many of them."""

    def __init__(self) -> None:
        super().__init__(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        self.UserProperty = ("late", "1")

    @cache  # noqa: B019 (there is one)
    def pack(self) -> bytes:
        """As bytes."""
        return bytes(super().pack())  # type: ignore[no-untyped-call]


LATE = _Late()
"""On MQTT 5: with a record that comes out of the backlog."""


def new_client(
    settings: BrokerSettings, client_id: str, password: str | None, will: Will | None
) -> PahoClient:
    """A client that never reconnects or queues by itself."""
    five = settings.protocol == "mqtt5"
    client = PahoClient(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        clean_session=None if five else True,
        protocol=MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311,
        reconnect_on_failure=False,
    )
    client.max_inflight_messages_set(0)  # the caller keeps to `in_flight`; paho must not queue
    if settings.user is not None:
        client.username_pw_set(settings.user, password)
    if will is not None:
        client.will_set(will.topic, will.payload, qos=1, retain=True)
    return client
