"""How many records a second the store takes: its databases alone, and whole ingesters behind a real broker.

References: the same rows written by the bare library in batches of the same size, each durable; and a bare
subscriber of paho's beside the same sender.
"""

import asyncio
import contextlib
import sqlite3
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import paho.mqtt.client as paho
import psycopg
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.postgres import TIMESCALEDB, Cluster
from benchmarks.rig import broker
from benchmarks.tables import Cell, Column, Table
from collector.messages import Features, Message, Moment, Numbering, Topics
from collector.mqtt import Acknowledgement, BrokerSettings, Connection
from collector.store.arrivals import Arrival
from collector.store.settings import PostgresqlSettings, SqliteSettings
from collector.store.sink import RECORD_COLUMNS, open_sink, reading, record_row
from collector.store.sink import Sink as Database
from collector.store.storing import batch_of, store

ROOT = "shopfloor/v1"
_RECORDS, _BATCH, _TURNS = 10_000, 500, 3
_THROUGH = 4_000
_BROKER = ("max_queued_messages 0", "max_inflight_messages 256")
"""Nothing is dropped; and as many under way to each subscriber as `collector group` allows."""
_UNDER_WAY = 200
_LOOK_S = 0.01
_T0_US = 1_790_000_000_000_000
_PROGRAM = str(Path(sys.executable).with_name("collector"))

Sink = SqliteSettings | PostgresqlSettings


def tables(_seconds: float) -> Iterator[Table]:
    """Both tables."""
    cluster = Cluster()
    try:
        cluster.start(durable=True)
        yield _alone(cluster)
        yield _behind_a_broker(cluster)
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


def _behind_a_broker(cluster: Cluster) -> Table:
    made = messages(_THROUGH)
    bare = median(asyncio.run(_through(made, None, 0)) for _ in range(_TURNS))
    rows: list[list[Cell]] = []
    stores = [("SQLite", 1), ("PostgreSQL", 1), ("PostgreSQL", 2), ("PostgreSQL", 3)]
    if TIMESCALEDB:
        stores += [("TimescaleDB", 1), ("TimescaleDB", 2)]
    for name, ingesters in stores:
        rates = []
        for _ in range(_TURNS):
            with _new_database(name, cluster) as settings:
                rates.append(asyncio.run(_through(made, settings, ingesters)))
        rate = median(rates)
        rows.append([name, str(ingesters), rate, bare, rate / bare])
    about = (
        f"{_THROUGH} records of {len(made[0].payload)} bytes from one sender, {_UNDER_WAY} under way, until "
        f"all are in the database, median of {_TURNS}; reference: until a bare subscriber of paho's has "
        "them. Sender, mosquitto and database run on the same computer"
    )
    titles = ("", "ingesters", "records/s", "bare paho, records/s", "ratio")
    return Table("The store behind a broker", about, _columns(titles), rows)


async def _through(made: Sequence[Message], sink: Sink | None, ingesters: int) -> float:
    """Records a second, from the first sent until all have arrived; without a sink at a bare subscriber."""
    with tempfile.TemporaryDirectory() as folder, broker(Path(folder), *_BROKER) as port:
        async with _receiving(Path(folder), port, sink, ingesters) as arrived:
            sending = await Sending.open(port)
            began_s = perf_counter()
            await sending.send(made)
            while arrived() < len(made):  # noqa: ASYNC110 (another process has the event)
                await asyncio.sleep(_LOOK_S)
            took_s = perf_counter() - began_s
            await sending.connection.close()
    return len(made) / took_s


class Sending:
    """A sender that keeps to a number of messages under way."""

    connection: Connection

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(_UNDER_WAY)

    @classmethod
    async def open(cls, port: int) -> "Sending":
        """Connect."""
        sending = cls()
        settings = BrokerSettings(host="127.0.0.1", port=port)
        sending.connection = await Connection.open(settings, "sender", on_acknowledged=sending._acknowledged)
        return sending

    async def send(self, made: Sequence[Message]) -> None:
        """Send all."""
        for message in made:
            await self._room.acquire()
            self.connection.publish(message.topic, message.payload)

    def _acknowledged(self, acknowledgements: Sequence[Acknowledgement]) -> None:
        for _ in acknowledgements:
            self._room.release()


@contextlib.asynccontextmanager
async def _receiving(
    folder: Path, port: int, sink: Sink | None, ingesters: int
) -> AsyncIterator[Callable[[], int]]:
    """Whoever takes the records; yields how many have arrived."""
    if sink is None:
        with _bare_subscriber(port) as count:
            yield count
        return
    open_sink(sink).close()
    async with contextlib.AsyncExitStack() as stack:
        for number in range(ingesters):
            await stack.enter_async_context(_ingester(folder, port, sink, number, alone=ingesters == 1))
        yield partial(_count, sink)


def _count(sink: Sink) -> int:
    with reading(sink) as reader:
        ((number,),) = reader.rows("SELECT count(*) FROM record")
        return int(number)


@contextlib.contextmanager
def _bare_subscriber(port: int) -> Iterator[Callable[[], int]]:
    arrived = 0

    def note(_client: object, _data: object, _message: object) -> None:
        nonlocal arrived
        arrived += 1

    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.on_message = note
    client.connect("127.0.0.1", port)
    client.subscribe(f"{ROOT}/#", qos=1)
    client.loop_start()
    try:
        yield lambda: arrived
    finally:
        client.disconnect()
        client.loop_stop()


@contextlib.asynccontextmanager
async def _ingester(folder: Path, port: int, sink: Sink, number: int, *, alone: bool) -> AsyncIterator[None]:
    place = f'file = "{sink.file}"' if isinstance(sink, SqliteSettings) else f'url = "{sink.url}"'
    group = "" if alone else 'group = "store"\n'
    file = folder / f"store-{number}.toml"
    text = (
        f'[store]\nname = "store-{number}"\n{group}[broker]\nhost = "127.0.0.1"\nport = {port}\n'
        f'[sink]\nkind = "{sink.kind}"\n{place}\n'
    )
    file.write_text(text, encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        _PROGRAM, "store", "serve", "--config", str(file), stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    while b"store.connected" not in (line := await process.stderr.readline()):
        assert line, "it ended"
    try:
        yield
    finally:
        process.terminate()
        await process.communicate()
