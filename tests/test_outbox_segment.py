"""Segments: what is written comes back, and damage costs the damaged record and nothing else."""

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.messages import Message
from collector.outbox.segment import (
    HEADER_BYTES,
    RECORD_MAGIC,
    Damage,
    Found,
    SegmentName,
    decode_record,
    encode_header,
    encode_record,
    parse_name,
    record_bytes,
    scan,
)

NAME = SegmentName(7, "000003-0a1b2c3d")

messages = st.builds(
    Message,
    epoch=st.just(NAME.epoch),
    seq=st.integers(0, 2**64 - 1),
    topic=st.text(st.characters(codec="utf-8"), max_size=30),
    payload=st.one_of(st.binary(max_size=300), st.just(RECORD_MAGIC * 9)),
    t_us=st.integers(-(2**63), 2**63 - 1),
    sync=st.booleans(),
    retain=st.booleans(),
)


def segment_of(records: list[Message], name: SegmentName = NAME) -> tuple[bytes, list[int]]:
    """A segment's bytes, and the offset of every record."""
    data = encode_header(name)
    offsets = []
    for message in records:
        offsets.append(len(data))
        data += encode_record(message, name.seed, len(data))
    return data, offsets


def recovered(data: bytes) -> tuple[list[Message], list[Damage]]:
    """What a scan finds, decoded."""
    name, places = scan(data, NAME)
    good, damages = [], []
    for place in places:
        if isinstance(place, Damage):
            damages.append(place)
            continue
        message = decode_record(data, place.offset, name, place.offset)
        assert message is not None
        assert place == Found(place.offset, place.end, message.seq, message.t_us, message.sync, message.topic)
        good.append(message)
    return good, damages


@given(st.lists(messages, max_size=8))
def test_what_is_written_is_found(records: list[Message]) -> None:
    data, _ = segment_of(records)
    assert recovered(data) == (records, [])
    assert len(data) == HEADER_BYTES + sum(map(record_bytes, records))


@given(st.lists(messages, min_size=1, max_size=8), st.data())
@settings(max_examples=200)
def test_flipped_bits_cost_only_the_records_they_hit(records: list[Message], data: st.DataObject) -> None:
    whole, offsets = segment_of(records)
    bits = data.draw(st.sets(st.integers(0, len(whole) * 8 - 1), min_size=1, max_size=4))
    damaged = bytearray(whole)
    for bit in bits:
        damaged[bit // 8] ^= 1 << bit % 8
    ends = [*offsets[1:], len(whole)]
    hit = {
        number
        for number, (start, end) in enumerate(zip(offsets, ends, strict=True))
        if any(start <= bit // 8 < end for bit in bits)
    }

    good, damages = recovered(bytes(damaged))

    assert good == [message for number, message in enumerate(records) if number not in hit]
    assert damages
    assert sum(damage.records or 0 for damage in damages) <= len(hit)


@given(st.lists(messages, min_size=1, max_size=6), st.data())
def test_torn_tail_costs_only_the_torn_records(records: list[Message], data: st.DataObject) -> None:
    whole, offsets = segment_of(records)
    cut = data.draw(st.integers(0, len(whole)))
    filler = data.draw(st.sampled_from([b"", bytes(100)]))

    good, damages = recovered(whole[:cut] + filler)

    ends = [*offsets[1:], len(whole)]
    assert good == [message for message, end in zip(records, ends, strict=True) if end <= cut]
    torn = cut not in (0, HEADER_BYTES, *ends)
    assert bool(damages) == (torn or bool(filler))


def test_record_inside_a_damaged_payload_is_not_taken_for_one() -> None:
    """Neither a copy of a record of this segment, nor one of another segment at the same offset."""
    inner = Message(NAME.epoch, 9, "t", b"inner", 0, sync=True)
    start = HEADER_BYTES
    offset = start + record_bytes(Message(NAME.epoch, 1, "t", b"", 0, sync=True))
    other = SegmentName(8, NAME.epoch)
    for embedded in (encode_record(inner, NAME.seed, start), encode_record(inner, other.seed, offset)):
        outer = Message(NAME.epoch, 1, "t", embedded, 0, sync=True)
        last = Message(NAME.epoch, 2, "t", b"last", 0, sync=True)
        data, _ = segment_of([outer, last])
        damaged = bytearray(data)
        damaged[start + 12] ^= 1
        assert recovered(bytes(damaged)) == ([last], [Damage(start, start + record_bytes(outer), 1)])


def test_damaged_header_costs_no_record() -> None:
    message = Message(NAME.epoch, 1, "t", b"x", 0, sync=True)
    data, _ = segment_of([message])
    for position in range(HEADER_BYTES):
        damaged = bytearray(data)
        damaged[position] ^= 0x10
        assert recovered(bytes(damaged)) == ([message], [Damage(0, HEADER_BYTES, 0)])


def test_renamed_segment_is_read_by_its_header() -> None:
    name = SegmentName(99, "000042-ffffffff")
    message = Message(name.epoch, 1, "t", b"x", 0, sync=True)
    data, _ = segment_of([message], name)
    assert recovered(data) == ([message], [])


def test_names() -> None:
    assert parse_name(NAME.file) == NAME
    assert NAME.file < SegmentName(8, "000002-00000000").file
    assert parse_name("delivered.note") is None
    assert parse_name(NAME.file + ".corrupt") is None
