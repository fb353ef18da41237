"""What paho's client makes of the bytes that a broker answers to a publish."""

from typing import Any

import pytest
from paho.mqtt.enums import MQTTErrorCode

from collector.mqtt.client import SUCCESS, PahoClient, new_client
from collector.mqtt.settings import BrokerSettings
from collector.mqtt.wire import Wire

CONNACK = {"mqtt5": b"\x20\x03\x00\x00\x00", "mqtt311": b"\x20\x02\x00\x00"}


class Answered:
    """A client whose broker accepted it, and has answered its only publish."""

    def __init__(self, protocol: str, puback: bytes) -> None:
        self.reasons: list[Any] = []
        self.outcome = MQTTErrorCode.MQTT_ERR_SUCCESS
        settings = BrokerSettings.model_validate({"host": "127.0.0.1", "protocol": protocol})
        self.client: PahoClient = new_client(settings, "gateway", None, None)
        self.client.wire = Wire(self._read, lambda _: None)
        self.client.on_publish = lambda _client, _data, mid, reason, _properties: self.reasons.append(
            (mid, reason)
        )
        self.client.greet(settings)
        self.client.wire.data_received(CONNACK[protocol])
        self.mid = self.client.publish("t", b"payload", qos=1).mid
        assert self.mid == 1
        self.client.wire.data_received(puback)

    def _read(self) -> None:
        self.outcome = self.client.loop_read()


@pytest.mark.parametrize(
    ("protocol", "puback"),
    [
        ("mqtt311", b"\x40\x02\x00\x01"),
        ("mqtt5", b"\x40\x02\x00\x01"),
        ("mqtt5", b"\x40\x03\x00\x01\x00"),
        ("mqtt5", b"\x40\x03\x00\x01\x10"),  # nobody subscribes
    ],
)
async def test_the_usual_answer_is_read_without_tables_of_all_others(protocol: str, puback: bytes) -> None:
    answered = Answered(protocol, puback)
    assert answered.outcome is MQTTErrorCode.MQTT_ERR_SUCCESS
    ((mid, reason),) = answered.reasons
    assert mid == 1
    assert reason is SUCCESS
    assert not reason.is_failure
    assert not answered.client.want_write()
    answered.client.wire.data_received(puback)  # once more: it was let go of
    assert len(answered.reasons) == 1


@pytest.mark.parametrize(
    ("puback", "reason"),
    [
        (b"\x40\x03\x00\x01\x87", 0x87),  # not authorised
        (b"\x40\x04\x00\x01\x87\x00", 0x87),
        (b"\x40\x04\x00\x01\x00\x00", 0x00),  # said at length
    ],
)
async def test_any_other_answer_is_read_by_paho(puback: bytes, reason: int) -> None:
    answered = Answered("mqtt5", puback)
    assert [(mid, found.value) for mid, found in answered.reasons] == [(1, reason)]


@pytest.mark.parametrize(
    ("protocol", "puback"),
    [("mqtt311", b"\x40\x03\x00\x01\x00"), ("mqtt311", b"\x40\x01\x00"), ("mqtt5", b"\x40\x01\x00")],
)
async def test_an_answer_of_a_wrong_length_is_an_error(protocol: str, puback: bytes) -> None:
    answered = Answered(protocol, puback)
    assert answered.outcome is MQTTErrorCode.MQTT_ERR_PROTOCOL
    assert not answered.reasons
