"""The store in one file of SQLite: the embedded default, with nothing to install, for one ingester."""

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from collector.store.arrivals import StoredRecord
from collector.store.rows import (
    RECORD_COLUMNS,
    deletion_row,
    letter_row,
    migrations,
    record_row,
    run_of,
    status_row,
    stream_of,
)
from collector.store.sink import (
    Batch,
    Deleted,
    Deletion,
    NoDatabaseError,
    Reader,
    RefusedError,
    StoreError,
    Written,
    conflicting,
)
from collector.texts import store as say

_BUSY_S = 10.0
"""How long to wait for another process, such as an export, to let go of the file."""

_INSERT_RECORD = (
    f"INSERT INTO record ({', '.join(RECORD_COLUMNS)}) VALUES ({', '.join('?' * len(RECORD_COLUMNS))})"
    " ON CONFLICT (run_id, seq) DO NOTHING"
)
_INSERT_META = "INSERT INTO meta VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
_INSERT_LETTER = """
INSERT INTO dead_letter VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10, 1)
ON CONFLICT (digest) DO UPDATE SET last_us = excluded.last_us, times = times + 1
"""
_UPSERT_STATUS = """
INSERT INTO gateway_status VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (company, gateway) DO UPDATE SET payload = excluded.payload,
    received_us = CASE WHEN ?5 THEN received_us ELSE excluded.received_us END
"""


class Sqlite:
    """A `Sink`. May be used from one thread at a time."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._runs: dict[tuple[str, ...], int] = {}
        self._streams: dict[tuple[str, ...], int] = {}
        self._version: int | None = None
        """Of the database, when the numbers were last good: it changes when another process writes."""
        with _translated(file):
            file.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                file, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
            )
            try:
                self._prepare()
            except BaseException:
                self._connection.close()
                raise

    def write(self, batch: Batch) -> Written:
        """Store a batch; with `synchronous = FULL` it is on the disk when this returns."""
        with self._transaction():
            rows = [record_row(record, self._run(record), self._stream(record)) for record in batch.records]
            before = self._connection.total_changes
            self._connection.executemany(_INSERT_RECORD, rows)
            fresh = self._connection.total_changes - before
            conflicts = [] if fresh == len(rows) else self._conflicts(batch.records, rows)
            self._connection.executemany(
                _INSERT_META,
                [
                    (self._stream(record), record.meta, record.t_us, record.content)
                    for record in batch.records
                    if record.content is not None
                ],
            )
            letters = [*batch.letters, *map(conflicting, conflicts)]
            self._connection.executemany(_INSERT_LETTER, map(letter_row, letters))
            self._connection.executemany(_UPSERT_STATUS, map(status_row, batch.statuses))
        return Written(fresh, letters[len(batch.letters) :])

    def report(self, ingester: str, at_us: int, report: str) -> None:
        """Keep how an ingester is."""
        with self._transaction():
            self._connection.execute(
                "INSERT INTO ingester VALUES (?, ?, ?) ON CONFLICT (name)"
                " DO UPDATE SET reported_us = excluded.reported_us, report = excluded.report",
                (ingester, at_us, report),
            )

    def delete_company(self, deletion: Deletion) -> Deleted:
        """Delete a company."""
        with self._transaction():
            company = (deletion.company,)
            records = self._delete(
                "DELETE FROM record WHERE run_id IN (SELECT id FROM run WHERE company = ?)", company
            )
            letters = self._delete("DELETE FROM dead_letter WHERE company = ?", company)
            for table in ("run", "stream", "gateway_status"):
                self._delete(f"DELETE FROM {table} WHERE company = ?", company)
            self._forget_numbers()
            return self._logged(deletion, Deleted(records, letters))

    def delete_records(self, deletion: Deletion) -> Deleted:
        """Delete old records."""
        with self._transaction():
            before_us = deletion.before_us
            records = self._delete(
                "DELETE FROM record WHERE CASE WHEN sync THEN t_us ELSE received_us END < ?", (before_us,)
            )
            return self._logged(deletion, Deleted(records, 0))

    def delete_letters(self, deletion: Deletion) -> Deleted:
        """Delete old dead letters."""
        with self._transaction():
            letters = self._delete("DELETE FROM dead_letter WHERE last_us < ?", (deletion.before_us,))
            return self._logged(deletion, Deleted(0, letters))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _prepare(self) -> None:
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._connection.execute("PRAGMA secure_delete = ON")
        scripts = migrations("sqlite")
        (done,) = self._connection.execute("PRAGMA user_version").fetchone()
        if done > len(scripts):
            raise StoreError(say.NEWER_SCHEMA(where=str(self._file)))
        for number, script in enumerate(scripts[done:], done + 1):
            self._connection.executescript(f"BEGIN; {script}; PRAGMA user_version = {number}; COMMIT")

    def _run(self, record: StoredRecord) -> int:
        return self._number(self._runs, "run (company, gateway, epoch)", run_of(record))

    def _stream(self, record: StoredRecord) -> int:
        return self._number(self._streams, "stream (company, gateway, machine, stream)", stream_of(record))

    def _number(self, known: dict[tuple[str, ...], int], key_of: str, key: tuple[str, ...]) -> int:
        if key not in known:
            table, _, columns = key_of.partition(" ")
            places = f"({', '.join('?' * len(key))})"
            self._connection.execute(f"INSERT INTO {key_of} VALUES {places} ON CONFLICT DO NOTHING", key)
            (known[key],) = self._connection.execute(
                f"SELECT id FROM {table} WHERE {columns} = {places}", key
            ).fetchone()
        return known[key]

    def _conflicts(
        self, records: Sequence[StoredRecord], rows: Sequence[tuple[Any, ...]]
    ) -> list[StoredRecord]:
        """The records in whose place others are."""
        query = "SELECT payload FROM record WHERE run_id = ? AND seq = ?"
        there = (self._connection.execute(query, row[:2]).fetchone()[0] for row in rows)
        return [record for record, row, stored in zip(records, rows, there, strict=True) if stored != row[-1]]

    def _delete(self, statement: str, values: tuple[Any, ...]) -> int:
        return self._connection.execute(statement, values).rowcount

    def _logged(self, deletion: Deletion, deleted: Deleted) -> Deleted:
        self._connection.execute(
            "INSERT INTO deletion VALUES (?, ?, ?, ?, ?, ?, ?)",
            deletion_row(deletion, deleted),
        )
        return deleted

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        """All of it or nothing; numbers that were learnt within are forgotten with it.

        They are also forgotten when another process has written: it may have deleted a company, and the
        number of a row that is gone is given to the next one, whose ever it is.
        """
        with _translated(self._file):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                (version,) = self._connection.execute("PRAGMA data_version").fetchone()
                if version != self._version:
                    self._forget_numbers()
                    self._version = version
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                self._forget_numbers()
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _forget_numbers(self) -> None:
        self._runs.clear()
        self._streams.clear()


@contextlib.contextmanager
def reading(file: Path) -> Iterator[Reader]:
    """Read what is there; one state is seen, and no writing delayed.

    Raises:
        StoreError: it cannot be read.
    """
    with _translated(file):
        if not file.exists():
            raise NoDatabaseError(say.SQLITE_MISSING(file=str(file)))
        connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_S)
    with contextlib.closing(connection):
        with _translated(file):
            connection.execute("BEGIN")
        yield _Reader(connection, file)


class _Reader:
    def __init__(self, connection: sqlite3.Connection, file: Path) -> None:
        self._connection = connection
        self._file = file

    def rows(self, query: str, **values: Any) -> Iterator[tuple[Any, ...]]:
        """The rows of a query."""
        with _translated(self._file):
            yield from self._connection.execute(query, values)


@contextlib.contextmanager
def _translated(file: Path) -> Iterator[None]:
    try:
        yield
    except (
        sqlite3.DataError,
        sqlite3.IntegrityError,
        sqlite3.InterfaceError,
        OverflowError,
        UnicodeError,
    ) as error:
        raise RefusedError(str(error)) from error
    except (sqlite3.Error, OSError) as error:
        raise StoreError(say.SQLITE_FAILED(file=str(file), reason=str(error))) from error
