"""What came from the broker, read: a record, a gateway's status, or a dead letter with its reason; pure.

Company and gateway are taken from the topic, which the broker's access list has checked, and from nowhere
else. Nothing is refused here that a database could store, and nothing passed on that it could not.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn, get_args

from pydantic import ValidationError

from collector.messages import (
    RECEIPT,
    Alarm,
    Change,
    ClockSet,
    Cut,
    Features,
    Gap,
    Meta,
    Readings,
    Record,
    RecordsLost,
    Restart,
    StateChange,
    Status,
    StreamTopic,
    Utilisation,
    decode,
    parse_topic,
)
from collector.messages.topics import Kind
from collector.settings import NAME

_NAME = re.compile(NAME)
_EPOCH = re.compile(r"[ !#-\[\]-~]{1,100}")
_ENVELOPE = re.compile(
    rb'"epoch"\s*:\s*"(%s)"\s*,\s*"seq"\s*:\s*([1-9][0-9]{0,17})\b' % _EPOCH.pattern.encode()
)
_SUSPICIOUS = re.compile(rb"NaN|Infinity|\\u0000")
"""What Python's and pydantic's readers let pass where the contract says nothing, and databases refuse."""
_LARGEST = 2**63 - 1
_FIRST_YEAR_US, _LAST_YEAR_US = -62_135_596_800_000_000, 253_402_300_799_999_999
"""The years 1 to 9999, which every calendar of every reader knows."""
_MOST_NAME = 100


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message as it came; `received_us` is UTC in microseconds by our clock."""

    topic: str
    payload: bytes
    received_us: int
    retained: bool = False
    """Whether the broker had kept it: when it was sent is not known."""


Sender = tuple[str, str]
"""Company and gateway."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes a record one record, for ever."""

    company: str
    gateway: str
    epoch: str
    seq: int


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record ready for a sink: its bytes as sent, and what of them is looked for.

    `type` tells events and readings apart; `first` is the index of a window's first sample; `content` is the
    description that a meta record brings, as JSON text.
    """

    identity: Identity
    topic: StreamTopic
    type: str | None
    prev: int | None
    t_us: int
    sync: bool
    meta: str | None
    first: int | None
    content: str | None
    arrival: Arrival


@dataclass(frozen=True, slots=True)
class GatewayStatus:
    """How a gateway says it is.

    `heard_us` is when it was heard. Of a status that the broker had kept that is when the gateway says that
    it made it, if its clock was right, and else nobody knows: 0.
    """

    sender: Sender
    arrival: Arrival
    heard_us: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What will never be a record, kept raw; `identity` is None where epoch and seq cannot be read."""

    arrival: Arrival
    reason: str
    detail: str
    sender: Sender | None
    identity: Identity | None


class UnreadableError(Exception):
    """Why something is no record: a stable code, and for people what exactly."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = printable(detail)


def read(arrival: Arrival, root: str) -> StoredRecord | GatewayStatus | DeadLetter:
    """Read what came on a topic below `root`."""
    sender = _sender(arrival.topic, root)
    if sender is None:
        return DeadLetter(arrival, "topic", printable(arrival.topic), None, None)
    try:
        if arrival.topic == f"{root}/{sender[0]}/{sender[1]}/status":
            return _status(arrival, sender)
        return _record(arrival, sender, root)
    except UnreadableError as error:
        identity = _identity_of(arrival.payload, sender)
        return DeadLetter(arrival, error.reason, error.detail, sender, identity)


def printable(text: str) -> str:
    """The beginning of a text, without what terminals and databases stumble over."""
    return "".join(sign if sign.isprintable() else "?" for sign in text[:200])


def _sender(topic: str, root: str) -> Sender | None:
    if not topic.startswith(f"{root}/"):
        return None
    company, *rest = topic.removeprefix(f"{root}/").split("/")
    if company == RECEIPT or not rest or not all(_is_name(name) for name in (company, rest[0])):
        return None
    return company, rest[0]


def _is_name(name: str) -> bool:
    return len(name) <= _MOST_NAME and _NAME.fullmatch(name) is not None


def _record(arrival: Arrival, sender: Sender, root: str) -> StoredRecord:
    topic = parse_topic(arrival.topic, root)
    if topic is None or not _is_name(topic.machine) or not _is_name(topic.stream):
        raise UnreadableError("topic", arrival.topic)
    _refuse_what_databases_refuse(arrival.payload)
    try:
        record = decode(arrival.payload)
    except ValidationError as error:
        raise UnreadableError("unreadable", _told(error)) from None
    if record.kind != topic.kind:
        raise UnreadableError("kind", f"{record.kind} on a topic of {topic.kind}")
    identity = Identity(*sender, record.epoch, record.seq)
    first = record.first if isinstance(record, Features | Gap) else None
    _check_range(record, first)
    if isinstance(record, Meta) and record.meta is None:
        raise UnreadableError("unreadable", "a description without its hash")
    content = _content(arrival.payload) if isinstance(record, Meta) else None
    return StoredRecord(
        identity=identity,
        topic=topic,
        type=_type(record),
        prev=record.prev,
        t_us=record.t_us,
        sync=record.sync,
        meta=record.meta,
        first=first,
        content=content,
        arrival=arrival,
    )


def _status(arrival: Arrival, sender: Sender) -> GatewayStatus:
    _refuse_what_databases_refuse(arrival.payload)
    try:
        status = Status.model_validate_json(arrival.payload)
    except ValidationError as error:
        raise UnreadableError("unreadable", _told(error)) from None
    said_us = status.t_us if status.sync and status.t_us is not None else 0
    heard_us = min(max(said_us, 0), arrival.received_us) if arrival.retained else arrival.received_us
    return GatewayStatus(sender, arrival, heard_us)


def _type(record: Record) -> str | None:
    match record:
        case Readings() | Change() | Utilisation() | Cut():
            return record.reading
        case Gap() | Restart() | ClockSet() | RecordsLost() | Alarm() | StateChange():
            return record.event
        case Features() | Meta():
            return None


def _check_range(record: Record, first: int | None) -> None:
    numbers = (record.seq, record.prev or 0, first or 0)
    within = record.seq >= 1 and all(-_LARGEST <= number <= _LARGEST for number in numbers)
    if not within or not _FIRST_YEAR_US <= record.t_us <= _LAST_YEAR_US:
        raise UnreadableError(
            "range", f"seq {record.seq}, prev {record.prev}, first {first}, t_us {record.t_us}"
        )
    for name in (record.epoch, record.meta or "-"):
        if not 1 <= len(name) <= _MOST_NAME:
            raise UnreadableError("range", f"epoch {record.epoch[:_MOST_NAME]!r}, meta {record.meta!r:.100}")


def _content(payload: bytes) -> str:
    """The description as it was sent, with fields that this version does not know."""
    return json.dumps(json.loads(payload)["content"], ensure_ascii=False)


def _refuse_what_databases_refuse(payload: bytes) -> None:
    if _SUSPICIOUS.search(payload) is None:
        return
    try:
        text = json.dumps(json.loads(payload, parse_constant=_refuse_constant), ensure_ascii=False)
    except (ValueError, RecursionError) as error:
        raise UnreadableError("unreadable", str(error)) from None
    if "\\u0000" in text.replace("\\\\", ""):
        raise UnreadableError("unreadable", "a text holds the character 0")


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _identity_of(payload: bytes, sender: Sender) -> Identity | None:
    """Epoch and seq of what is no record, so that it can be receipted as rejected and is not sent again."""
    found = _envelope_of_json(payload)
    if found is None:
        match = _ENVELOPE.search(payload)
        found = (match[1].decode("ascii"), int(match[2])) if match else None
    if found is None:
        return None
    epoch, seq = found
    return Identity(*sender, epoch, seq)


def _envelope_of_json(payload: bytes) -> tuple[str, int] | None:
    try:
        value: Any = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    match value:
        case {"epoch": str(epoch), "seq": int(seq)} if not isinstance(seq, bool):
            return (epoch, seq) if _EPOCH.fullmatch(epoch) and 1 <= seq <= _LARGEST else None
    return None


def _told(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['msg']}" if place else first["msg"]


assert set(get_args(Kind)) == {"meta", "features", "readings", "event"}
