"""The wire contract: what is encoded decodes to the same, and the documents are up to date."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from stand_ins import SettableClock

from collector.clock import UtcClock
from collector.messages import (
    Features,
    MetaContent,
    Moment,
    Numbering,
    Receipt,
    Rejected,
    Restart,
    StreamTopic,
    Topics,
    asyncapi,
    decode,
    meta_hash,
    moment,
    parse_topic,
    seq_ranges,
)
from collector.samples import RateState

TOPICS = Topics("shopfloor/v1", "works", "gw1")
FIELDS: dict[str, Any] = {
    "first": 0,
    "n": 4,
    "hop": 4,
    "rate_hz": 1000.0,
    "rate_state": RateState.MEASURED,
    "measured_hz": 999.5,
    "lost": 0,
    "clipped": 0,
    "quality": [],
}


def test_envelope_numbers_records_and_links_each_topic() -> None:
    numbering = Numbering("000001-ab", "boot")
    made = [
        json.loads(numbering.message(Restart, topic, Moment(5, 7, True), **RESTART).payload)
        for topic in ("a", "b", "a")
    ]
    assert [(r["seq"], r["prev"]) for r in made] == [(1, None), (2, None), (3, 1)]
    assert numbering.last_seq == 3
    assert made[0]["t_us"] == 7
    assert made[0]["t"] == "1970-01-01T00:00:00.000007Z"
    assert made[0]["mono_us"] == 5


RESTART: dict[str, Any] = {"version": "1", "previous_epoch": None, "last_seq": None}

finite = st.floats(allow_nan=False, allow_infinity=False)


@given(st.dictionaries(st.sampled_from(["rms", "peak", "crest"]), st.one_of(st.none(), finite)))
def test_features_survive_the_wire_exactly(values: dict[str, float | None]) -> None:
    peak = {"hz": 1.5, "amplitude": 2.5, "prominence": 0.5}
    channel = {**values, "band_rms": {"10-100": 0.1}, "peaks": [peak], "clipped": 0}
    more: dict[str, Any] = {
        "nulls": {"velocity_rms": "stretch-open"},
        "spindle": {"rpm": 6000.0, "refined_rpm": 6001.5, "tool": 3, "teeth": None},
        "velocity": {"low_hz": 10.0, "high_hz": 375.0, "n": 1000},
    }
    message = Numbering("e", "b").message(
        Features, "t", Moment(1, 2, False), meta="m", channels={"x": channel}, **FIELDS, **more
    )
    back = decode(message.payload)
    assert isinstance(back, Features)
    assert back.model_dump()["channels"]["x"] == channel
    assert json.loads(back.model_dump_json()) == json.loads(message.payload)
    assert b"NaN" not in message.payload


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_number_that_is_not_finite_never_reaches_the_wire(bad: float) -> None:
    numbering = Numbering("e", "b")
    message = numbering.message(Features, "t", Moment(1, 2, True), channels={"x": {"rms": bad}}, **FIELDS)
    assert json.loads(message.payload)["channels"]["x"]["rms"] is None


def test_records_other_than_features_are_checked_before_they_are_numbered() -> None:
    numbering = Numbering("e", "b")
    with pytest.raises(ValidationError):
        numbering.message(Restart, "t", Moment(1, 2, True), version=7)
    assert numbering.last_seq == 0


def test_microseconds_stay_integers_that_javascript_can_hold() -> None:
    clock = UtcClock(SettableClock())
    at = moment(clock, clock.monotonic_ns())
    assert at.t_us < 2**53
    assert isinstance(at.t_us, int)


def test_topics() -> None:
    topic = TOPICS.of("mill-1", "spindle", "features")
    assert topic == "shopfloor/v1/works/gw1/mill-1/spindle/features"
    assert parse_topic(topic, "shopfloor/v1") == StreamTopic("works", "gw1", "mill-1", "spindle", "features")
    assert parse_topic(TOPICS.status, "shopfloor/v1") is None
    assert parse_topic(topic, "other") is None
    assert parse_topic(topic.replace("features", "secrets"), "shopfloor/v1") is None


@given(st.sets(st.integers(1, 60)))
def test_receipts_name_exactly_what_they_mean(seqs: set[int]) -> None:
    ranges = seq_ranges(seqs)
    assert [seq for first, last in ranges for seq in range(first, last + 1)] == sorted(seqs)
    assert all(after[0] > before[1] + 1 for before, after in pairwise(ranges))
    receipt = Receipt(epoch="000001-ab", stored=ranges, rejected=[Rejected(seq=61, reason="undecodable")])
    assert Receipt.model_validate_json(receipt.model_dump_json()) == receipt


def test_receipts_stand_where_no_company_writes() -> None:
    assert TOPICS.receipt == "shopfloor/v1/receipt/works/gw1"
    assert parse_topic(TOPICS.receipt, "shopfloor/v1") is None


def test_meta_hash_depends_on_the_content_alone() -> None:
    content = {"version": "1", "machine": {"a": 1, "b": 2}, "tools": [], "source": {}, "sensor": {}}
    rest: dict[str, Any] = {"channels": [], "window": {}, "features": {}, "flags": []}
    one = meta_hash(MetaContent(**content, **rest))
    turned = meta_hash(MetaContent(**{**content, "machine": {"b": 2, "a": 1}}, **rest))
    other = meta_hash(MetaContent(**{**content, "machine": {"a": 1, "b": 3}}, **rest))
    assert one == turned != other
    assert len(one) == 16


def test_the_asyncapi_document_is_up_to_date() -> None:
    document = Path(__file__).parent.parent / "docs" / "asyncapi.json"
    assert json.loads(document.read_text(encoding="utf-8")) == asyncapi(), (
        "make it anew: collector schema wire > docs/asyncapi.json"
    )
