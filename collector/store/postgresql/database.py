"""What the store does in PostgreSQL: a batch, a report, a deletion, each in one transaction.

Records lie in partitions by time, so the one key that holds over all of them is a table of its own: whoever
inserts an identity first has the record, and everybody else waits for that and sees it. Numbers, identities
and dead letters are inserted in the order of their keys, so that no two ingesters ever wait for each other.
"""

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, cast

from psycopg import errors

from collector.store.arrivals import StoredRecord
from collector.store.months import Month, month_of, usual
from collector.store.postgresql.connection import connect, translated
from collector.store.postgresql.partitions import LOCK, Tables, delete_before, make_partitions, tables
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
from collector.store.settings import PostgresqlSettings
from collector.store.sink import Batch, Deleted, Deletion, StoreError, Written, conflicting
from collector.texts import store as say

_LOCK_COMPANY = "SELECT pg_advisory_xact_lock(%s, hashtext(%s))"
_SHARE_COMPANY = "SELECT pg_advisory_xact_lock_shared(%s, hashtext(%s))"
_INSERT_RUN = "INSERT INTO run (company, gateway, epoch) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
_SELECT_RUN = "SELECT id FROM run WHERE company = %s AND gateway = %s AND epoch = %s"
_INSERT_STREAM = (
    "INSERT INTO stream (company, gateway, machine, stream) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING"
)
_SELECT_STREAM = "SELECT id FROM stream WHERE company = %s AND gateway = %s AND machine = %s AND stream = %s"
_INSERT_IDENTITY = """
INSERT INTO identity
SELECT * FROM unnest(%s::integer[], %s::bigint[], %s::bigint[], %s::bytea[]) ORDER BY 1, 2
ON CONFLICT DO NOTHING RETURNING run_id, seq
"""
_SELECT_DIGESTS = """
SELECT run_id, seq, digest FROM identity
JOIN unnest(%s::integer[], %s::bigint[]) AS wanted (run_id, seq) USING (run_id, seq)
"""
_COPY = f"COPY {{table}} ({', '.join(RECORD_COLUMNS)}) FROM STDIN"
_INSERT_META = "INSERT INTO meta VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING"
_INSERT_LETTER = """
INSERT INTO dead_letter VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 1)
ON CONFLICT (digest) DO UPDATE SET last_us = excluded.last_us, times = dead_letter.times + 1
"""
_UPSERT_STATUS = """
INSERT INTO gateway_status VALUES (%s, %s, %s, %s)
ON CONFLICT (company, gateway) DO UPDATE SET payload = excluded.payload,
    received_us = CASE WHEN %s THEN gateway_status.received_us ELSE excluded.received_us END
WHERE gateway_status.received_us <= %s
"""
_UPSERT_REPORT = """
INSERT INTO ingester VALUES (%s, %s, %s)
ON CONFLICT (name) DO UPDATE SET reported_us = excluded.reported_us, report = excluded.report
"""


class Postgresql:
    """A `Sink`. May be used from one thread at a time."""

    def __init__(self, settings: PostgresqlSettings) -> None:
        self._where = settings.url
        self._runs: dict[tuple[str, ...], int] = {}
        self._streams: dict[tuple[str, ...], int] = {}
        self._months: set[Month] = set()
        self._connection = connect(settings)
        try:
            with translated(self._where):
                self._tables = self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def write(self, batch: Batch) -> Written:
        """Store a batch; it is durable when this returns."""
        with translated(self._where):
            wanted = {month_of(record.t_us) for record in batch.records if _usual(record)}
            make_partitions(self._connection, self._tables, wanted - self._months)
            self._months |= wanted
            try:
                return self._write(batch)
            except errors.ForeignKeyViolation:  # a company was withdrawn: its runs have no number now
                return self._write(batch)

    def report(self, ingester: str, at_us: int, report: str) -> None:
        """Keep how an ingester is."""
        with translated(self._where):
            self._connection.execute(_UPSERT_REPORT, (ingester, at_us, report))

    def delete_company(self, deletion: Deletion) -> Deleted:
        """Delete a company."""
        company = (deletion.company,)
        with translated(self._where), self._transaction():
            # Who is just storing something of it comes to an end first, and nobody begins.
            self._connection.execute(_LOCK_COMPANY, (LOCK, deletion.company))
            runs = self._connection.execute("SELECT id FROM run WHERE company = %s FOR UPDATE", company)
            ids = [run for (run,) in runs.fetchall()]
            records = sum(
                self._delete(f"DELETE FROM {table} WHERE run_id = ANY(%s)", (ids,))
                for table in self._tables.every
            )
            self._delete("DELETE FROM run WHERE id = ANY(%s)", (ids,))
            self._delete("DELETE FROM stream WHERE company = %s", company)
            self._delete("DELETE FROM gateway_status WHERE company = %s", company)
            letters = self._delete("DELETE FROM dead_letter WHERE company = %s", company)
            return self._logged(deletion, Deleted(records, letters))

    def delete_records(self, deletion: Deletion) -> Deleted:
        """Delete old records: whole months at once, where nothing in them must stay."""
        with translated(self._where), self._transaction():
            self._months.clear()
            records = delete_before(self._connection, self._tables, cast("int", deletion.before_us))
            return self._logged(deletion, Deleted(records, 0))

    def delete_letters(self, deletion: Deletion) -> Deleted:
        """Delete old dead letters."""
        with translated(self._where), self._transaction():
            letters = self._delete("DELETE FROM dead_letter WHERE last_us < %s", (deletion.before_us,))
            return self._logged(deletion, Deleted(0, letters))

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _prepare(self) -> Tables:
        """Bring the tables up to date; one ingester at a time."""
        with self._connection.transaction():
            self._connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
            self._connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version integer NOT NULL)")
            (done,) = self._one("SELECT coalesce(max(version), 0) FROM schema_version")
            scripts = migrations("postgresql")
            if done > len(scripts):
                raise StoreError(say.NEWER_SCHEMA(where=self._where))
            for version, script in enumerate(scripts[done:], done + 1):
                self._connection.execute(script)
                self._connection.execute("INSERT INTO schema_version VALUES (%s)", (version,))
            return tables(self._connection)

    def _write(self, batch: Batch) -> Written:
        with self._transaction():
            self._learn(batch)
            rows = [self._row(record) for record in batch.records]
            fresh, conflicts = self._insert_identities(batch.records, rows)
            added = [
                (self._tables.of(usual=_usual(record)), row)
                for record, row in zip(batch.records, rows, strict=True)
                if row[:2] in fresh
            ]
            for table in sorted({table for table, _ in added}):
                with self._connection.cursor().copy(_COPY.format(table=table)) as copy:
                    for where, row in added:
                        if where == table:
                            copy.write_row(row)
            letters = [*batch.letters, *map(conflicting, conflicts)]
            with self._connection.cursor() as cursor:
                cursor.executemany(_INSERT_META, self._metas(batch.records))
                cursor.executemany(
                    _INSERT_LETTER,
                    sorted((*(row := letter_row(letter)), row[-1]) for letter in letters),
                )
                cursor.executemany(_UPSERT_STATUS, self._statuses(batch))
        return Written(len(fresh), letters[len(batch.letters) :])

    def _insert_identities(
        self, records: Sequence[StoredRecord], rows: Sequence[tuple[Any, ...]]
    ) -> tuple[set[tuple[int, int]], list[StoredRecord]]:
        """The keys (run, seq) that were not there, and the records whose key has another digest."""
        if not records:
            return set(), []
        keys = [row[:2] for row in rows]
        digests = [hashlib.sha256(record.arrival.payload).digest()[:16] for record in records]
        columns = ([key[0] for key in keys], [key[1] for key in keys])
        times = [record.t_us for record in records]
        fresh = set(self._connection.execute(_INSERT_IDENTITY, (*columns, times, digests)).fetchall())
        if len(fresh) == len(keys):
            return fresh, []
        there = {
            (run, seq): bytes(digest)
            for run, seq, digest in self._connection.execute(_SELECT_DIGESTS, columns).fetchall()
        }
        judged = zip(records, keys, digests, strict=True)
        return fresh, [record for record, key, digest in judged if there.get(key, digest) != digest]

    def _learn(self, batch: Batch) -> None:
        """Find or give the numbers of runs and streams.

        A run that is gone is told by a foreign key. No such key guards the streams of a run that is new, and
        its company may have been withdrawn: they are found anew, and stay until the end of this transaction.
        """
        runs = {run_of(record) for record in batch.records}
        streams = {stream_of(record) for record in batch.records}
        for company in sorted({company for company, *_ in runs - self._runs.keys()}):
            self._connection.execute(_SHARE_COMPANY, (LOCK, company))
            self._streams.clear()
        for known, wanted, insert, select in (
            (self._runs, runs, _INSERT_RUN, _SELECT_RUN),
            (self._streams, streams, _INSERT_STREAM, _SELECT_STREAM),
        ):
            for key in sorted(wanted - known.keys()):
                self._connection.execute(insert, key)
                (known[key],) = self._one(select, key)

    def _row(self, record: StoredRecord) -> tuple[Any, ...]:
        return record_row(record, self._runs[run_of(record)], self._streams[stream_of(record)])

    def _metas(self, records: Sequence[StoredRecord]) -> list[tuple[Any, ...]]:
        return sorted(
            (self._streams[stream_of(record)], record.meta, record.t_us, record.content)
            for record in records
            if record.content is not None
        )

    def _statuses(self, batch: Batch) -> list[tuple[Any, ...]]:
        return sorted((*status_row(status), status.arrival.received_us) for status in batch.statuses)

    def _one(self, query: str, values: Any = ()) -> tuple[Any, ...]:
        row = self._connection.execute(query, values).fetchone()
        assert row is not None
        return row

    def _delete(self, statement: str, values: tuple[Any, ...]) -> int:
        return self._connection.execute(statement, values).rowcount

    def _logged(self, deletion: Deletion, deleted: Deleted) -> Deleted:
        self._connection.execute(
            "INSERT INTO deletion VALUES (%s, %s, %s, %s, %s, %s, %s)",
            deletion_row(deletion, deleted),
        )
        return deleted

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        """All of it or nothing; numbers that were learnt within are forgotten with it."""
        try:
            with self._connection.transaction():
                yield
        except BaseException:
            self._runs.clear()
            self._streams.clear()
            raise


def _usual(record: StoredRecord) -> bool:
    return usual(month_of(record.t_us), record.arrival.received_us)
