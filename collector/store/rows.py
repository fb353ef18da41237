"""The tables of every sink, and the values that go into them."""

import hashlib
from pathlib import Path
from typing import Any

from collector.store.arrivals import DeadLetter, GatewayStatus, StoredRecord
from collector.store.sink import Deleted, Deletion

_SCHEMA = Path(__file__).parent / "schema"

RECORD_COLUMNS = (
    "run_id", "seq", "prev", "stream_id", "kind", "type", "t_us", "sync", "meta", "first", "received_us",
    "payload",
)  # fmt: skip


def record_row(record: StoredRecord, run_id: int, stream_id: int) -> tuple[Any, ...]:
    """The values of `RECORD_COLUMNS`."""
    return (
        run_id,
        record.identity.seq,
        record.prev,
        stream_id,
        record.topic.kind,
        record.type,
        record.t_us,
        record.sync,
        record.meta,
        record.first,
        record.arrival.received_us,
        record.arrival.payload.decode(),
    )


def letter_row(letter: DeadLetter) -> tuple[Any, ...]:
    """The values of a dead letter's columns up to `first_us`, which is `last_us` too."""
    identity = letter.identity
    company, gateway = letter.sender or (None, None)
    return (
        letter_digest(letter),
        letter.arrival.topic,
        letter.arrival.payload,
        letter.reason,
        letter.detail,
        company,
        gateway,
        identity.epoch if identity else None,
        identity.seq if identity else None,
        letter.arrival.received_us,
    )


def status_row(status: GatewayStatus) -> tuple[Any, ...]:
    """The values of a status's columns, and whether the broker had kept it."""
    arrival = status.arrival
    return *status.sender, status.heard_us, arrival.payload.decode(), arrival.retained


def deletion_row(deletion: Deletion, deleted: Deleted) -> tuple[Any, ...]:
    """The values of a logged deletion."""
    return (
        deletion.at_us,
        deletion.who,
        deletion.why,
        deletion.company,
        deletion.before_us,
        deleted.records,
        deleted.dead_letters,
    )


def run_of(record: StoredRecord) -> tuple[str, str, str]:
    """What makes a run of a daemon one run."""
    return record.identity.company, record.identity.gateway, record.identity.epoch


def stream_of(record: StoredRecord) -> tuple[str, str, str, str]:
    """What makes a stream one stream."""
    topic = record.topic
    return topic.company, topic.gateway, topic.machine, topic.stream


def letter_digest(letter: DeadLetter) -> str:
    """By what a dead letter is known again."""
    arrival = letter.arrival
    whole = b"\0".join((arrival.topic.encode(), letter.reason.encode(), arrival.payload))
    return hashlib.sha256(whole).hexdigest()


def migrations(database: str) -> list[str]:
    """The scripts that make the tables, in their order; a database counts those that it has had."""
    files = sorted(_SCHEMA.glob(f"{database}-*.sql"), key=lambda file: int(file.stem.rpartition("-")[2]))
    return [file.read_text(encoding="utf-8") for file in files]
