"""How many records a second the store takes: its databases alone here, whole ingesters in ingest.py.

Reference: the same rows written by the bare library in batches of the same size, each durable.
"""

import contextlib
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import psycopg

from benchmarks.ingest import ROOT, Sink, behind_a_broker
from benchmarks.postgres import TIMESCALEDB, Cluster
from benchmarks.tables import Cell, Column, Table
from collector.messages import Features, Message, Moment, Numbering, Topics
from collector.store.arrivals import Arrival
from collector.store.databases import open_sink
from collector.store.rows import RECORD_COLUMNS, record_row
from collector.store.settings import PostgresqlSettings, SqliteSettings
from collector.store.sink import Sink as Database
from collector.store.storing import batch_of, store

_RECORDS, _BATCH, _TURNS = 10_000, 500, 3
_THROUGH = 4_000
_T0_US = 1_790_000_000_000_000


def tables(_seconds: float) -> Iterator[Table]:
    """Both tables."""
    cluster = Cluster()
    try:
        cluster.start(durable=True)
        yield _alone(cluster)
        yield behind_a_broker(cluster, messages(_THROUGH), _new_database)
    finally:
        cluster.remove()


def messages(count: int, gateways: int = 4) -> list[Message]:
    """Windows of three channels, in turns of several gateways; some 1.6 kB each."""
    names = ("mean", "rms", "peak", "p2p", "crest", "kurtosis", "skewness")
    made = []
    for gateway in range(gateways):
        numbering = Numbering("000001-aaaaaaaa", "boot")
        topic = Topics(ROOT, "works", f"gw{gateway}").of("mill-1", "spindle", "features")
        for n in range(count // gateways):
            values: dict[str, Any] = dict.fromkeys(names, 0.123456789 + n)
            values["band_rms"] = {"10-100": 0.1234567 * n, "100-300": 0.2345678, "300-700": 0.3456789}
            values["peaks"] = [{"hz": 99.123456 + peak, "amplitude": 0.01234567} for peak in range(5)]
            made.append(
                numbering.message(
                    Features,
                    topic,
                    Moment(n, _T0_US + 80_000 * n, sync=True),
                    meta="0123456789abcdef",
                    first=512 * n,
                    n=512,
                    hop=512,
                    rate_hz=6400.0,
                    rate_state="measured",
                    measured_hz=6400.0,
                    lost=0,
                    clipped=0,
                    quality=[],
                    channels=dict.fromkeys("xyz", values),
                )
            )
    return sorted(made, key=lambda message: message.seq)


def _alone(cluster: Cluster) -> Table:
    came = [Arrival(m.topic, m.payload, _T0_US) for m in messages(_RECORDS)]
    read_s = median(_seconds(lambda part: batch_of(part, ROOT), came) for _ in range(_TURNS))
    bares = {"SQLite": _bare_sqlite, "PostgreSQL": _bare_postgresql}
    if TIMESCALEDB:
        bares["TimescaleDB"] = _bare_postgresql
    times: dict[str, list[tuple[float, float, float]]] = {name: [] for name in bares}
    for _ in range(_TURNS):
        for name, bare in bares.items():
            with _new_database(name, cluster) as settings, contextlib.closing(open_sink(settings)) as sink:
                ours = partial(_store, sink)
                first_s, again_s = _seconds(ours, came), _seconds(ours, came)
            with _new_database(name, cluster) as settings, bare(settings) as write:
                times[name].append((first_s, again_s, _seconds(write, came)))
    rows: list[list[Cell]] = []
    for name, of in times.items():
        first, again, reference = (_RECORDS / median(column) for column in zip(*of, strict=True))
        rows.append([name, first, reference, first / reference, again])
    about = (
        f"{_RECORDS} records of {len(came[0].payload)} bytes, {_BATCH} in a batch, median of {_TURNS}; "
        "reference: the same records, read likewise, by executemany or COPY of the bare library into one "
        f"table with the same key, each batch durable. Reading alone: {_RECORDS / read_s:.0f} a second"
    )
    titles = ("", "records/s", "bare library, records/s", "ratio", "sent again, records/s")
    return Table("The store's databases", about, _columns(titles), rows)


@contextlib.contextmanager
def _new_database(name: str, cluster: Cluster) -> Iterator[Sink]:
    with tempfile.TemporaryDirectory() as folder:
        if name == "SQLite":
            yield SqliteSettings(file=Path(folder) / "store.sqlite")
        else:
            url = cluster.new_database(timescaledb=name == "TimescaleDB")
            yield PostgresqlSettings(kind="postgresql", url=url)


def _store(sink: Database, part: Sequence[Arrival]) -> None:
    store(sink, part, ROOT)


def _seconds(write: Callable[[Sequence[Arrival]], object], came: Sequence[Arrival]) -> float:
    """How long it takes to write all of it in batches."""
    began_s = perf_counter()
    for start in range(0, len(came), _BATCH):
        write(came[start : start + _BATCH])
    return perf_counter() - began_s


def _columns(titles: Sequence[str]) -> list[Column]:
    return [Column(title, 2 if title == "ratio" else 0) for title in titles]


_TABLE = """
CREATE TABLE record (
    run_id integer, seq bigint, prev bigint, stream_id integer, kind text, type text, t_us bigint,
    sync boolean, meta text, first bigint, received_us bigint, payload text, PRIMARY KEY (run_id, seq)
)
"""


def _rows(came: Sequence[Arrival]) -> list[tuple[Any, ...]]:
    return [record_row(r, hash(r.topic.gateway) % 2**31, 1) for r in batch_of(came, ROOT).records]


@contextlib.contextmanager
def _bare_sqlite(settings: Sink) -> Iterator[Callable[[Sequence[Arrival]], object]]:
    assert isinstance(settings, SqliteSettings)
    insert = f"INSERT INTO record VALUES ({', '.join('?' * len(RECORD_COLUMNS))})"
    with contextlib.closing(sqlite3.connect(settings.file)) as connection:
        connection.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; {_TABLE}")

        def write(part: Sequence[Arrival]) -> None:
            with connection:
                connection.executemany(insert, _rows(part))

        yield write


@contextlib.contextmanager
def _bare_postgresql(settings: Sink) -> Iterator[Callable[[Sequence[Arrival]], object]]:
    assert isinstance(settings, PostgresqlSettings)
    with psycopg.connect(settings.url, autocommit=True) as connection:
        connection.execute(_TABLE)

        def write(part: Sequence[Arrival]) -> None:
            with connection.cursor().copy("COPY record FROM STDIN") as copy:
                for row in _rows(part):
                    copy.write_row(row)

        yield write
