"""Where records are kept: what a sink must be able to do, and what is given to it.

A sink stores each record once by its identity, and never changes one. SQLite and PostgreSQL have the same
tables and views as far as a reader can see, so that queries stand once, in `:name` style, for both.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from collector.errors import CollectorError
from collector.store.arrivals import DeadLetter, GatewayStatus, StoredRecord
from collector.store.settings import PostgresqlSettings, SqliteSettings
from collector.texts import store as say

SCHEMA = Path(__file__).parent / "schema"


class StoreError(CollectorError):
    """The database cannot be used now; it is tried again later."""


class RefusedError(Exception):
    """The database refuses what it was given, however often it is tried."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What is stored together or not at all; no two of the records have the same identity."""

    records: Sequence[StoredRecord] = ()
    letters: Sequence[DeadLetter] = ()
    statuses: Sequence[GatewayStatus] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a batch: `conflicts` were there already with other bytes, and are dead letters now."""

    fresh: int
    conflicts: Sequence[DeadLetter] = ()


@dataclass(frozen=True, slots=True)
class Deleted:
    """How much was deleted."""

    records: int
    dead_letters: int


@dataclass(frozen=True, slots=True)
class Deletion:
    """What is to be deleted, as it is logged: a company, or all before a time."""

    at_us: int
    who: str
    why: str
    company: str | None = None
    before_us: int | None = None


class Reader(Protocol):
    """One view of the database that does not change while it is read."""

    def rows(self, query: str, **values: Any) -> Iterator[tuple[Any, ...]]:
        """The rows of a query with `:name` places."""


class Sink(Protocol):
    """A database. Every method may raise StoreError."""

    def write(self, batch: Batch) -> Written:
        """Store a batch in one transaction, durably; records that are there already are left alone.

        Raises:
            RefusedError: the database will never take it as it is.
        """

    def report(self, ingester: str, at_us: int, report: str) -> None:
        """Keep how an ingester is, as JSON."""

    def delete_company(self, deletion: Deletion) -> Deleted:
        """Delete all that there is of a company, and log it."""

    def delete_records(self, deletion: Deletion) -> Deleted:
        """Delete records from before a time, and log it; where the clock was not set, by when they came."""

    def delete_letters(self, deletion: Deletion) -> Deleted:
        """Delete dead letters that last came before a time, and log it."""

    def close(self) -> None:
        """Give everything back."""


def open_sink(settings: SqliteSettings | PostgresqlSettings) -> Sink:
    """Open a database, and bring its tables up to date.

    Raises:
        StoreError: it cannot be used.
    """
    if isinstance(settings, SqliteSettings):
        from collector.store.sqlite import Sqlite  # noqa: PLC0415 (only what is configured)

        return Sqlite(settings.file)
    opened: Sink = _postgresql().Postgresql(settings)
    return opened


def reading(settings: SqliteSettings | PostgresqlSettings) -> AbstractContextManager[Reader]:
    """Read a database while the context lasts; the right to read is enough.

    Raises:
        StoreError: it cannot be read.
    """
    if isinstance(settings, SqliteSettings):
        from collector.store import sqlite  # noqa: PLC0415 (only what is configured)

        return sqlite.reading(settings.file)
    opened: AbstractContextManager[Reader] = _postgresql().reading(settings)
    return opened


def _postgresql() -> Any:
    try:
        from collector.store import postgresql  # noqa: PLC0415 (psycopg is an extra)
    except ImportError as error:
        raise StoreError(say.POSTGRESQL_MISSING()) from error
    return postgresql


def migrations(database: str) -> list[str]:
    """The scripts that make the tables, in their order; a database counts those that it has had."""
    files = sorted(SCHEMA.glob(f"{database}-*.sql"), key=lambda file: int(file.stem.rpartition("-")[2]))
    return [file.read_text(encoding="utf-8") for file in files]


def letter_digest(letter: DeadLetter) -> str:
    """By what a dead letter is known again."""
    arrival = letter.arrival
    whole = b"\0".join((arrival.topic.encode(), letter.reason.encode(), arrival.payload))
    return hashlib.sha256(whole).hexdigest()


def conflicting(record: StoredRecord) -> DeadLetter:
    """A record whose identity another one has already."""
    sender = record.topic.company, record.topic.gateway
    detail = f"another record has epoch {record.identity.epoch} and seq {record.identity.seq}"
    return DeadLetter(record.arrival, "conflict", detail, sender, record.identity)


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
