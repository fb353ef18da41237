"""Where records are kept: what a sink must be able to do, and what is given to it.

A sink stores each record once by its identity, and never changes one. SQLite and PostgreSQL have the same
tables and views as far as a reader can see, so that queries stand once, in `:name` style, for both. What goes
into the tables is in rows.py, and which database it is in databases.py.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from collector.errors import CollectorError
from collector.store.arrivals import DeadLetter, GatewayStatus, StoredRecord


class StoreError(CollectorError):
    """The database cannot be used now; it is tried again later."""


class NoDatabaseError(StoreError):
    """There is none yet: no ingester has ever run."""

    exit_code = 3


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


def conflicting(record: StoredRecord) -> DeadLetter:
    """A record whose identity another one has already."""
    sender = record.topic.company, record.topic.gateway
    detail = f"another record has epoch {record.identity.epoch} and seq {record.identity.seq}"
    return DeadLetter(record.arrival, "conflict", detail, sender, record.identity)
