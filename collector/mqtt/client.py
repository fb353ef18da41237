"""paho's client over a wire that is open already: it speaks MQTT, and leaves connecting and waiting to us."""

from dataclasses import dataclass
from functools import cache

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from collector.mqtt.settings import BrokerSettings
from collector.mqtt.wire import Wire


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
