"""The partitions of the records, one for each month; a default one takes what is of no usual time.

With TimescaleDB there are none of ours: it cuts the table by itself.
"""

import re
from collections.abc import Iterable
from typing import Any

import psycopg

from collector.store.months import Month

LOCK = 0x636F6C6C
"""The advisory lock under which tables are made and partitions added or dropped."""

_CHUNK_US = 7 * 24 * 3600 * 1_000_000
_EXPIRED = "CASE WHEN sync THEN t_us ELSE received_us END < %(before_us)s"
_DELETE_EXPIRED = f"""
WITH gone AS (DELETE FROM record WHERE {_EXPIRED} RETURNING run_id, seq), forgotten AS (
    DELETE FROM identity USING gone WHERE identity.run_id = gone.run_id AND identity.seq = gone.seq
)
SELECT count(*) FROM gone
"""
_LACKS = "SELECT to_regclass(%s) IS NULL AND to_regclass('record_default') IS NOT NULL"
_DEFAULT_HAS = "SELECT EXISTS (SELECT FROM record_default WHERE t_us >= %s AND t_us < %s)"
_NAMES = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'record'::regclass"


def with_hypertable(script: str) -> str:
    """The script that makes the tables, with a hypertable of TimescaleDB in place of partitions."""
    make = f"SELECT create_hypertable('record', 't_us', chunk_time_interval => {_CHUNK_US}::bigint);"
    default = "CREATE TABLE record_default PARTITION OF record DEFAULT;"
    return script.replace(" PARTITION BY RANGE (t_us)", "").replace(default, make)


def make_partitions(connection: psycopg.Connection, months: Iterable[Month]) -> None:
    """Make those that are not there, but none of which the default partition has records already."""
    for month in sorted(months):
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
            (lacks,) = _one(connection, _LACKS, (f"record_{month.name}",))
            if lacks and not _one(connection, _DEFAULT_HAS, (month.start_us, month.end_us))[0]:
                connection.execute(
                    f"CREATE TABLE record_{month.name} PARTITION OF record "
                    f"FOR VALUES FROM ({month.start_us}) TO ({month.end_us})"
                )


def delete_before(connection: psycopg.Connection, before_us: int) -> int:
    """Delete records within a transaction: whole months at once, where nothing in them must stay."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
    dropped = sum(_drop(connection, month, before_us) for month in _months(connection))
    (deleted,) = _one(connection, _DELETE_EXPIRED, {"before_us": before_us})
    return int(dropped + deleted)


def _months(connection: psycopg.Connection) -> list[Month]:
    names = [name for (name,) in connection.execute(_NAMES).fetchall()]
    found = (re.fullmatch(r"record_(\d{4})_(\d{2})", name) for name in names)
    return [Month(int(match[1]) * 12 + int(match[2]) - 1) for match in found if match]


def _drop(connection: psycopg.Connection, month: Month, before_us: int) -> int:
    """Drop a month that has nothing to keep; returns how many records went with it."""
    if month.end_us > before_us:
        return 0
    table = f"record_{month.name}"
    counts = f"SELECT count(*) FILTER (WHERE NOT {_EXPIRED}), count(*) FROM {table}"
    keep, records = _one(connection, counts, {"before_us": before_us})
    if keep:
        return 0
    connection.execute(f"DROP TABLE {table}")
    within = (month.start_us, month.end_us)
    connection.execute("DELETE FROM identity WHERE t_us >= %s AND t_us < %s", within)
    return int(records)


def _one(connection: psycopg.Connection, query: str, values: Any) -> tuple[Any, ...]:
    row = connection.execute(query, values).fetchone()
    assert row is not None
    return row
