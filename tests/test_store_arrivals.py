"""What comes from the broker is read as a record, a status, or a dead letter; nothing makes that fail."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_records import ROOT, Gateway, arrival

from collector.gateway.status import offline_status
from collector.messages import Message
from collector.store.arrivals import Arrival, DeadLetter, GatewayStatus, Identity, StoredRecord, read
from collector.store.receipts import receipts


def changed(message: Message, **fields: Any) -> Arrival:
    """A message with other fields."""
    return Arrival(message.topic, json.dumps(json.loads(message.payload) | fields).encode(), 1)


def letter(came: Arrival) -> DeadLetter:
    found = read(came, ROOT)
    assert isinstance(found, DeadLetter), found
    return found


@pytest.mark.parametrize("message", Gateway().everything(), ids=lambda message: message.topic)
def test_every_kind_of_record_is_read(message: Message) -> None:
    found = read(arrival(message), ROOT)
    assert isinstance(found, StoredRecord)
    record = json.loads(message.payload)
    assert found.identity == Identity("works", "gw1", message.epoch, message.seq)
    assert (found.t_us, found.sync, found.meta, found.prev) == (
        message.t_us,
        message.sync,
        record["meta"],
        record["prev"],
    )
    assert found.type == record.get("event", record.get("reading"))
    assert found.first == record.get("first")
    assert (found.content is not None) == (record["kind"] == "meta")


def test_company_and_gateway_are_those_of_the_topic() -> None:
    message = Gateway().features()
    moved = message._replace(topic=message.topic.replace("works/gw1", "rival/gw9"))
    found = read(changed(moved, company="works", gateway="gw1"), ROOT)
    assert isinstance(found, StoredRecord)
    assert found.identity == Identity("rival", "gw9", message.epoch, message.seq)


def test_a_status_is_no_record() -> None:
    payload = offline_status("000001-aaaaaaaa").model_dump_json().encode()
    found = read(Arrival(f"{ROOT}/works/gw1/status", payload, 1), ROOT)
    assert isinstance(found, GatewayStatus)
    assert found.sender == ("works", "gw1")
    assert letter(Arrival(f"{ROOT}/works/gw1/status", b"{}", 1)).identity is None


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"kind": "gossip"}, "unreadable"),
        ({"v": 2}, "unreadable"),
        ({"channels": {"x": {"rms": "a lot"}}}, "unreadable"),
        ({"kind": "event", "event": "alarm", "code": "a.b", "text": "", "active": True}, "kind"),
        ({"t_us": 10**17 * 4}, "range"),
        ({"seq": 0}, "range"),
        ({"seq": 2**63}, "range"),
        ({"first": -(2**70)}, "range"),
        ({"epoch": ""}, "range"),
        ({"meta": "x" * 101}, "range"),
        ({"quality": ["a\0b"]}, "unreadable"),
    ],
)
def test_what_is_no_record_is_a_dead_letter_with_its_reason(fields: dict[str, Any], reason: str) -> None:
    assert letter(changed(Gateway().features(), **fields)).reason == reason


def test_a_description_needs_its_hash() -> None:
    assert letter(changed(Gateway().meta(), meta=None)).reason == "unreadable"


def test_numbers_that_are_none_are_refused_wherever_they_stand() -> None:
    message = Gateway().meta()
    for constant in (b"NaN", b"Infinity", b"-Infinity"):
        odd = message.payload.replace(b'"nominal_hz":6400.0', b'"nominal_hz":' + constant)
        assert odd != message.payload
        assert letter(Arrival(message.topic, odd, 1)).reason == "unreadable"
    named = message.payload.replace(b'"kind":"simulated"', rb'"kind":"NaN \\u0000"')
    assert isinstance(read(Arrival(message.topic, named, 1), ROOT), StoredRecord)


@pytest.mark.parametrize(
    "payload",
    [
        b'{"v":1,"epoch":"000001-aaaaaaaa","seq":7,"broken',
        b'{"kind":"features","context":{"plc/epoch":{"last":1}},"v":1,"epoch":"000001-aaaaaaaa","seq":7,"t',
        b'{"seq":7,"epoch":"000001-aaaaaaaa"}',
        b'{"epoch" : "000001-aaaaaaaa" , "seq" : 7}',
    ],
)
def test_epoch_and_seq_are_found_in_what_cannot_be_read(payload: bytes) -> None:
    found = letter(Arrival(f"{ROOT}/works/gw1/mill-1/spindle/features", payload, 1))
    assert found.identity == Identity("works", "gw1", "000001-aaaaaaaa", 7)
    ((sender, receipt),) = receipts([], [found])
    assert sender == ("works", "gw1")
    assert [(rejected.seq, rejected.reason) for rejected in receipt.rejected] == [(7, "unreadable")]


@pytest.mark.parametrize(
    "payload", [b"", b"[]", b"\xff\xfe", b'{"epoch":"x","seq":true}', b'{"seq":7}', b"[" * 10**5]
)
def test_without_them_there_is_nothing_to_receipt(payload: bytes) -> None:
    found = letter(Arrival(f"{ROOT}/works/gw1/mill-1/spindle/features", payload, 1))
    assert found.identity is None
    assert receipts([], [found]) == []


@pytest.mark.parametrize(
    "topic",
    [
        "elsewhere/v1/works/gw1/mill-1/spindle/features",
        f"{ROOT}/receipt/works/gw1/spindle/features",
        f"{ROOT}/Works/gw1/mill-1/spindle/features",
        f"{ROOT}/works/gw1/mill 1/spindle/features",
        f"{ROOT}/works/gw1/mill-1/spindle/gossip",
        f"{ROOT}/works/{'g' * 101}/mill-1/spindle/features",
    ],
)
def test_odd_topics(topic: str) -> None:
    assert letter(Arrival(topic, Gateway().features().payload, 1)).reason == "topic"


@settings(deadline=None)
@given(
    which=st.integers(0, 6),
    cuts=st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 3), st.binary(max_size=4)), min_size=1, max_size=4
    ),
)
def test_nothing_makes_reading_fail(which: int, cuts: list[tuple[float, int, bytes]]) -> None:
    message = Gateway().everything()[which]
    payload = message.payload
    for place, removed, inserted in cuts:
        at = round(place * len(payload))
        payload = payload[:at] + inserted + payload[at + removed :]
    found = read(Arrival(message.topic, payload, 1), ROOT)
    if isinstance(found, DeadLetter):
        assert found.detail.isprintable()
        receipts([], [found])
    else:
        assert json.loads(payload)
