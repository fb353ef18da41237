"""The store behind a real broker: whole ingesters, from the first record to the last receipt.

Reference: a bare subscriber of paho's beside the same sender. What each process uses is measured too: here
they share a computer, and elsewhere they need not.
"""

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.postgres import TIMESCALEDB, Cluster
from benchmarks.rig import broker_process
from benchmarks.tables import Cell, Column, Table
from benchmarks.watched import cpu_s, family_cpu_s
from collector.messages import Message, Receipt, Topics
from collector.mqtt import Acknowledgement, BrokerSettings, Connection
from collector.store.databases import open_sink, reading
from collector.store.settings import PostgresqlSettings, SqliteSettings

ROOT = "shopfloor/v1"
_TURNS = 3
_BROKER = ("max_queued_messages 0", "max_inflight_messages 256")
"""Nothing is dropped; and as many under way to each subscriber as `collector group` allows."""
_UNDER_WAY = 200
_LOOK_S = 0.01
_RECEIPTS = Topics(ROOT, "works", "+").receipt
_PROGRAM = str(Path(sys.executable).with_name("collector"))

Sink = SqliteSettings | PostgresqlSettings
NewDatabase = Callable[[str, Cluster], AbstractContextManager[Sink]]


def behind_a_broker(cluster: Cluster, made: Sequence[Message], new_database: NewDatabase) -> Table:
    """Every way of taking these records, some times each."""
    bare = [asyncio.run(_through(made, None, 0, cluster)) for _ in range(_TURNS)]
    bare_rate = median(way.rate for way in bare)
    rows: list[list[Cell]] = [
        ["bare paho", "", bare_rate, 1.0, None, median(way.broker_us for way in bare), None, None]
    ]
    stores = [("SQLite", 1), ("PostgreSQL", 1), ("PostgreSQL", 2), ("PostgreSQL", 3)]
    if TIMESCALEDB:
        stores += [("TimescaleDB", 1), ("TimescaleDB", 2)]
    for name, ingesters in stores:
        ways = []
        for _ in range(_TURNS):
            with new_database(name, cluster) as settings:
                ways.append(asyncio.run(_through(made, settings, ingesters, cluster)))
        rate = median(way.rate for way in ways)
        ingesting_us, broker_us, database_us = (
            median(costs)
            for costs in zip(*((w.ingesters_us, w.broker_us, w.database_us) for w in ways), strict=True)
        )
        elsewhere = None if name == "SQLite" else database_us
        costs = (ingesting_us, broker_us, elsewhere, 1e6 / ingesting_us)
        rows.append([name, str(ingesters), rate, rate / bare_rate, *costs])
    about = (
        f"{len(made)} records of {len(made[0].payload)} bytes from one sender, {_UNDER_WAY} under way, until "
        f"all have their receipt, median of {_TURNS}; reference: until a bare subscriber of paho's has them. "
        "Sender, mosquitto, ingesters and database run on the same computer. CPU is what each of them used "
        "for a record, all ingesters together; with processors enough a core takes as many records a second "
        "as the last column says, and another ingester as many again, until broker or database fills its own"
    )
    titles = (
        "",
        "ingesters",
        "records/s",
        "ratio",
        "ingesters, us CPU",
        "broker, us CPU",
        "database, us CPU",
        "records/s of an ingester's core",
    )
    return Table(
        "The store behind a broker",
        about,
        [Column(title, 2 if title == "ratio" else 0) for title in titles],
        rows,
    )


@dataclass(frozen=True, slots=True)
class _Way:
    """Records a second, and microseconds of CPU for each."""

    rate: float
    ingesters_us: float
    broker_us: float
    database_us: float


async def _through(made: Sequence[Message], sink: Sink | None, ingesters: int, cluster: Cluster) -> _Way:
    """From the first record sent until all have their receipt; without a sink, at a bare subscriber."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with broker_process(folder, *_BROKER) as (port, broker_pid):
            async with _receiving(folder, port, sink, ingesters) as receiving:
                sending = await Sending.open(port)

                def used_s() -> tuple[float, float, float]:
                    return sum(map(cpu_s, receiving.pids)), cpu_s(broker_pid), family_cpu_s(cluster.pid)

                before_s, began_s = used_s(), perf_counter()
                await sending.send(made)
                while (receiving.arrived or sending.receipted)() < len(made):  # noqa: ASYNC110 (no event)
                    await asyncio.sleep(_LOOK_S)
                took_s, after_s = perf_counter() - began_s, used_s()
                await sending.connection.close()
    if sink is not None:
        assert _count(sink) == len(made)
    costs = (1e6 * (after - before) / len(made) for before, after in zip(before_s, after_s, strict=True))
    return _Way(len(made) / took_s, *costs)


class Sending:
    """A sender that keeps to a number of messages under way, and counts what has its receipt."""

    connection: Connection

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(_UNDER_WAY)
        self._receipted: set[tuple[str, int]] = set()

    @classmethod
    async def open(cls, port: int) -> "Sending":
        """Connect."""
        sending = cls()
        sending.connection = await Connection.open(
            BrokerSettings(host="127.0.0.1", port=port),
            "sender",
            on_acknowledged=sending._acknowledged,
            on_message=sending._received,
        )
        await sending.connection.subscribe(_RECEIPTS)
        return sending

    async def send(self, made: Sequence[Message]) -> None:
        """Send all."""
        for message in made:
            await self._room.acquire()
            self.connection.publish(message.topic, message.payload)

    def receipted(self) -> int:
        """How many have their receipt."""
        return len(self._receipted)

    def _acknowledged(self, acknowledgements: Sequence[Acknowledgement]) -> None:
        for _ in acknowledgements:
            self._room.release()

    def _received(self, topic: str, payload: bytes, _retained: bool) -> None:
        for first_seq, last_seq in Receipt.model_validate_json(payload).stored:
            self._receipted.update((topic, seq) for seq in range(first_seq, last_seq + 1))


@dataclass(frozen=True, slots=True)
class _Receiving:
    """Processes that take records; `arrived` counts them where no receipts are written."""

    pids: Sequence[int] = ()
    arrived: Callable[[], int] | None = None


@contextlib.asynccontextmanager
async def _receiving(folder: Path, port: int, sink: Sink | None, ingesters: int) -> AsyncIterator[_Receiving]:
    """Whoever takes the records."""
    if sink is None:
        with _bare_subscriber(port) as count:
            yield _Receiving(arrived=count)
        return
    open_sink(sink).close()
    async with contextlib.AsyncExitStack() as stack:
        yield _Receiving(
            [
                await stack.enter_async_context(_ingester(folder, port, sink, number, alone=ingesters == 1))
                for number in range(ingesters)
            ]
        )


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
async def _ingester(folder: Path, port: int, sink: Sink, number: int, *, alone: bool) -> AsyncIterator[int]:
    """A real ingester; yields its process."""
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
        yield process.pid
    finally:
        process.terminate()
        await process.communicate()
