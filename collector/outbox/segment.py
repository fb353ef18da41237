"""A segment file's bytes: encoding, and scanning past damage. Pure: no file is opened here.

    segment  header, then records without padding
    header   magic 8s, version u16, number u64, epoch 32s (ASCII, zero-filled), crc32 of all before it
    record   magic 4s, body length u32, crc32, body
    body     seq u64, t_us i64, flags u8 (1 sync, 2 retain), topic length u16, topic UTF-8, payload

All integers are little-endian. A record's CRC also covers its segment's name and its own offset, so that
bytes of another segment, or a record inside another's payload, are never taken for a record of this one.
The file's name repeats what the header says, so that a damaged header costs no record.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from collector.messages import Message

_HEADER = struct.Struct("<8sHQ32s")
_CRC = struct.Struct("<I")
_RECORD = struct.Struct("<4sII")
_PLACE = struct.Struct("<QI")
_BODY = struct.Struct("<QqBH")
_FILE_NAME = re.compile(r"(\d{10})\.(\d{6,}-[0-9a-f]{8})\.log")

HEADER_MAGIC = b"\xf7outbox\n"
RECORD_MAGIC = b"\xf5\xc1R\xff"
"""Not valid UTF-8, so that no topic and no JSON text contains it."""
VERSION = 1
HEADER_BYTES = _HEADER.size + _CRC.size

_SYNC, _RETAIN = 1, 2


@dataclass(frozen=True, slots=True)
class SegmentName:
    """A segment's place in the order of segments, and the epoch of all its records."""

    number: int
    epoch: str
    seed: int = field(init=False, repr=False, compare=False)
    """What the CRC of every record starts from."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", zlib.crc32(self.file.encode()))

    @property
    def file(self) -> str:
        """The file's name; names sort in the order of writing."""
        return f"{self.number:010d}.{self.epoch}.log"


def parse_name(file: str) -> SegmentName | None:
    """Read a file name; None where it is no segment's."""
    match = _FILE_NAME.fullmatch(file)
    return SegmentName(int(match[1]), match[2]) if match else None


@dataclass(frozen=True, slots=True)
class Found:
    """A whole record at `offset`, without its payload."""

    offset: int
    end: int
    seq: int
    t_us: int
    sync: bool
    topic: str


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes `start` to `end` are no record; `records` says how many were there, where that can be told."""

    start: int
    end: int
    records: int | None
    seq: int | None = None
    """Which record it was, where that is known."""


def encode_header(name: SegmentName) -> bytes:
    """Encode the first bytes of a segment."""
    header = _HEADER.pack(HEADER_MAGIC, VERSION, name.number, name.epoch.encode("ascii"))
    return header + _CRC.pack(zlib.crc32(header))


def record_bytes(message: Message) -> int:
    """How many bytes a record takes in a segment."""
    return _RECORD.size + _BODY.size + len(message.topic.encode()) + len(message.payload)


def encode_record(message: Message, seed: int, offset: int) -> bytes:
    """Encode a record for one place of one segment."""
    topic = message.topic.encode()
    flags = _SYNC * message.sync | _RETAIN * message.retain
    body = _BODY.pack(message.seq, message.t_us, flags, len(topic)) + topic + message.payload
    crc = zlib.crc32(body, zlib.crc32(_PLACE.pack(offset, len(body)), seed))
    return _RECORD.pack(RECORD_MAGIC, len(body), crc) + body


def decode_record(data: bytes, position: int, name: SegmentName, offset: int) -> Message | None:
    """Decode the record at `position` of `data`, which is `offset` of its segment; None where damaged."""
    end = _whole_record(memoryview(data), position, name.seed, offset)
    if end is None:
        return None
    seq, t_us, flags, topic_bytes = _BODY.unpack_from(data, position + _RECORD.size)
    start = position + _RECORD.size + _BODY.size
    topic = data[start : start + topic_bytes].decode()
    payload = data[start + topic_bytes : end]
    return Message(name.epoch, seq, topic, payload, t_us, bool(flags & _SYNC), bool(flags & _RETAIN))


def scan(data: bytes, named: SegmentName) -> tuple[SegmentName, Iterator[Found | Damage]]:
    """Find every whole record of a segment's bytes, and the damage between them, in order.

    `named` is what the file's name says; the returned name is the header's where that is whole. A segment of
    another format version is one single damage.
    """
    head = data[: _HEADER.size]
    whole = len(data) >= HEADER_BYTES and _CRC.unpack_from(data, _HEADER.size)[0] == zlib.crc32(head)
    if not whole:
        return named, _scan_records(data, named, header_damaged=len(data) > 0)
    magic, version, number, epoch = _HEADER.unpack(head)
    if (magic, version) != (HEADER_MAGIC, VERSION):
        return named, iter([Damage(0, len(data), None)])
    name = SegmentName(number, epoch.rstrip(b"\0").decode("ascii"))
    return name, _scan_records(data, name, header_damaged=False)


def _scan_records(data: bytes, name: SegmentName, *, header_damaged: bool) -> Iterator[Found | Damage]:
    view, seed = memoryview(data), name.seed
    if header_damaged:
        yield Damage(0, min(HEADER_BYTES, len(data)), 0)
    good_until = position = HEADER_BYTES
    while position < len(data):
        end = _whole_record(view, position, seed, position)
        if end is None:
            # Damage may lie anywhere, also in the length: only another whole record tells where it ends.
            found = data.find(RECORD_MAGIC, position + 1)
            position = len(data) if found < 0 else found
            continue
        if position > good_until:
            yield Damage(good_until, position, _records_in(data, good_until, position))
        seq, t_us, flags, topic_bytes = _BODY.unpack_from(data, position + _RECORD.size)
        start = position + _RECORD.size + _BODY.size
        topic = data[start : start + topic_bytes].decode()
        yield Found(position, end, seq, t_us, bool(flags & _SYNC), topic)
        good_until = position = end
    if good_until < len(data):
        yield Damage(good_until, len(data), _records_in(data, good_until, len(data)))


def _whole_record(view: memoryview, position: int, seed: int, offset: int) -> int | None:
    """The position after the record, or None where there is no whole record."""
    if position + _RECORD.size > len(view):
        return None
    magic, length, crc = _RECORD.unpack_from(view, position)
    start = position + _RECORD.size
    if magic != RECORD_MAGIC or length < _BODY.size or start + length > len(view):
        return None
    end: int = start + length
    if zlib.crc32(view[start:end], zlib.crc32(_PLACE.pack(offset, length), seed)) != crc:
        return None
    return end


def _records_in(data: bytes, start: int, end: int) -> int | None:
    """1 where the damaged bytes are as long as their record says, else None."""
    if start + _RECORD.size > end:
        return None
    magic, length, _ = _RECORD.unpack_from(data, start)
    return 1 if magic == RECORD_MAGIC and start + _RECORD.size + length == end else None
