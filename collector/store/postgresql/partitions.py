"""Where records lie: cut by their time, so that old ones go at once, and what is of no usual time apart.

They lie in partitions of ours, one for each month, or with TimescaleDB in chunks of a hypertable, which it
makes by itself. It has no default one as partitions have: what is of no usual time has a table of its own
then, and `record` is a view of both.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg

from collector.store.months import Month

LOCK = 0x636F6C6C
"""The advisory lock under which tables are made, and partitions or chunks added or dropped."""

_EXPIRED = "CASE WHEN sync THEN t_us ELSE received_us END < %(before_us)s"
_IS_GONE = "identity.run_id = gone.run_id AND identity.seq = gone.seq"
_HAS_HYPERTABLE = "SELECT to_regclass('record_hypertable') IS NOT NULL"
_LACKS = "SELECT to_regclass(%s) IS NULL"
_DEFAULT_HAS = "SELECT EXISTS (SELECT FROM record_default WHERE t_us >= %s AND t_us < %s)"
_PARTITIONS = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'record'::regclass"
_CHUNKS = """
SELECT format('%I.%I', chunk_schema, chunk_name), range_end_integer FROM timescaledb_information.chunks
WHERE format('%I.%I', hypertable_schema, hypertable_name)::regclass = 'record_hypertable'::regclass
"""


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables that records are written into and deleted from; `record` is what they are read from."""

    usual: str
    other: str

    def of(self, *, usual: bool) -> str:
        """The table for a record whose time is usual, or not."""
        return self.usual if usual else self.other

    @property
    def every(self) -> list[str]:
        """Each of them once."""
        return list(dict.fromkeys((self.usual, self.other)))


_PARTITIONED = Tables("record", "record")
_HYPERTABLE = Tables("record_hypertable", "record_default")


def tables(connection: psycopg.Connection) -> Tables:
    """The tables of a database that is up to date."""
    (hypertable,) = _one(connection, _HAS_HYPERTABLE)
    return _HYPERTABLE if hypertable else _PARTITIONED


def make_partitions(connection: psycopg.Connection, into: Tables, months: Iterable[Month]) -> None:
    """Make those that are not there, but none of which the default partition has records already."""
    if into == _HYPERTABLE:
        return
    for month in sorted(months):
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
            (lacks,) = _one(connection, _LACKS, (f"record_{month.name}",))
            if lacks and not _one(connection, _DEFAULT_HAS, (month.start_us, month.end_us))[0]:
                connection.execute(
                    f"CREATE TABLE record_{month.name} PARTITION OF record "
                    f"FOR VALUES FROM ({month.start_us}) TO ({month.end_us})"
                )


def delete_before(connection: psycopg.Connection, of: Tables, before_us: int) -> int:
    """Delete records within a transaction: whole parts at once, where nothing in them must stay."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
    parts = _chunks(connection) if of == _HYPERTABLE else _months(connection)
    ended = [part for part, end_us in parts if end_us <= before_us]
    if ended:  # nobody adds to a part between looking and dropping
        connection.execute(f"LOCK TABLE ONLY {of.usual} IN SHARE ROW EXCLUSIVE MODE")
    dropped = sum(_drop(connection, part, before_us) for part in ended)
    return dropped + sum(_delete_expired(connection, table, before_us) for table in of.every)


def _months(connection: psycopg.Connection) -> list[tuple[str, int]]:
    """The partitions and when they end, without the default one."""
    names = [name for (name,) in connection.execute(_PARTITIONS).fetchall()]
    found = (re.fullmatch(r"record_(\d{4})_(\d{2})", name) for name in names)
    return [(match[0], Month(int(match[1]) * 12 + int(match[2]) - 1).end_us) for match in found if match]


def _chunks(connection: psycopg.Connection) -> list[tuple[str, int]]:
    """The chunks and when they end."""
    return [(name, end_us) for name, end_us in connection.execute(_CHUNKS).fetchall()]


def _drop(connection: psycopg.Connection, part: str, before_us: int) -> int:
    """Drop a part, unless it has something to keep; returns how many records went with it."""
    counts = f"SELECT count(*) FILTER (WHERE NOT {_EXPIRED}), count(*) FROM {part}"
    keep, records = _one(connection, counts, {"before_us": before_us})
    if keep:
        return 0
    connection.execute(f"DELETE FROM identity USING {part} AS gone WHERE {_IS_GONE}")
    connection.execute(f"DROP TABLE {part}")
    return int(records)


def _delete_expired(connection: psycopg.Connection, table: str, before_us: int) -> int:
    statement = f"""
        WITH gone AS (DELETE FROM {table} WHERE {_EXPIRED} RETURNING run_id, seq),
        forgotten AS (DELETE FROM identity USING gone WHERE {_IS_GONE})
        SELECT count(*) FROM gone
    """
    (deleted,) = _one(connection, statement, {"before_us": before_us})
    return int(deleted)


def _one(connection: psycopg.Connection, query: str, values: Any = ()) -> tuple[Any, ...]:
    row = connection.execute(query, values).fetchone()
    assert row is not None
    return row
