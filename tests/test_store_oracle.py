"""The oracle: whatever is killed whenever, the database has what the gateways had stored, once.

Two companies with a gateway `gw1` each, the group's broker with its certificates and rules, and a store. What
each gateway had stored it wrote down itself (feeder.py). Gateways, broker, ingesters and PostgreSQL are
killed at random, ingesters are stopped until the broker's queues overflow, and one gateway makes more than
its outbox may keep, so that it has losses to declare.

COLLECTOR_ORACLE_RECORDS sets how many records one of them makes (default 2500), COLLECTOR_ORACLE_SEED which
accidents happen.
"""

import asyncio
import contextlib
import hashlib
import os
import random
import signal
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from feeder import FeederSettings
from groups import Group
from servers import Process, Store, until, write_store

from benchmarks.postgres import Cluster
from collector.messages import RecordsLost, decode
from collector.mqtt import BrokerSettings
from collector.outbox import OutboxSettings
from collector.store.databases import reading
from collector.store.settings import PostgresqlSettings, SqliteSettings
from collector.store.sink import Reader

RECORDS = int(os.environ.get("COLLECTOR_ORACLE_RECORDS", "2500"))
SEED = int(os.environ.get("COLLECTOR_ORACLE_SEED", "1"))
PATIENCE_S = 120 + RECORDS / 100
COMPANIES = ("works", "rival")
QUEUE, IN_FLIGHT = (60, 20) if RECORDS < 20_000 else (500, 256)
"""Messages that the broker keeps for an ingester that does not keep up, and that are under way to it."""
BURST, CHANNELS = 9000, 16
"""More than 16 MiB, which one gateway makes while it may keep no more."""

Record = tuple[str, int]
"""Epoch and seq."""


@dataclass(slots=True)
class Truth:
    """What a gateway wrote down."""

    made: dict[Record, str] = field(default_factory=dict)
    """By record the digest of its bytes."""
    stored: dict[str, int] = field(default_factory=dict)
    """By epoch up to where they were on the disk."""
    drained: bool = False


def read_truth(file: Path) -> Truth:
    truth = Truth()
    for line in file.read_text().splitlines():
        match line.split():
            case ["record", epoch, seq, digest]:
                truth.made[epoch, int(seq)] = digest
            case ["stored", epoch, seq]:
                truth.stored[epoch] = int(seq)
            case ["drained"]:
                truth.drained = True
    return truth


class Gateway:
    """A feeder that is started again whenever it was killed."""

    def __init__(self, folder: Path, company: str, broker: BrokerSettings, records: int, burst: int) -> None:
        self.company = company
        self.wanted = records
        self.truth_file = folder / f"{company}.truth"
        self.process: Process | None = None
        self._file = folder / f"{company}.json"
        settings = FeederSettings(
            broker=broker.model_copy(update={"reconnect_max_s": 0.5}),
            outbox=OutboxSettings(
                directory=folder / company, delivery="store", receipt_hold_s=1, max_mib=16 if burst else 256
            ),
            company=company,
            root="shopfloor/v1",
            truth=self.truth_file,
            records=records,
            channels=CHANNELS if burst else 1,
            burst=burst,
            pause_s=min(0.1, 400 / RECORDS),
        )
        self._file.write_text(settings.model_dump_json())

    async def start(self) -> None:
        self.process = await Process.start(
            sys.executable, Path(__file__).with_name("feeder.py"), self._file, COLLECTOR_LOG="error"
        )

    def truth(self) -> Truth:
        return read_truth(self.truth_file) if self.truth_file.exists() else Truth()


class Scene:
    """All that can have an accident."""

    def __init__(
        self, group: Group, gateways: list[Gateway], stores: list[Store], cluster: Cluster | None
    ) -> None:
        self.group, self.gateways, self.stores, self.cluster = group, gateways, stores, cluster
        self._overflowed = False
        self.accidents: Counter[str] = Counter()

    async def start_broker(self) -> None:
        await self.group.start(f"max_queued_messages {QUEUE}", f"max_inflight_messages {IN_FLIGHT}")

    async def kill(self, process: Process | None) -> None:
        assert process is not None
        if process.process.returncode is None:
            await process.end(signal.SIGKILL)

    async def kill_gateway(self, chance: random.Random) -> None:
        gateway = chance.choice(self.gateways)
        if not gateway.truth().drained:
            await self.kill(gateway.process)
            await asyncio.sleep(chance.uniform(0, 0.3))
            await gateway.start()

    async def kill_broker(self, chance: random.Random) -> None:
        self.has_overflowed()  # its log goes with it
        await self.kill(self.group.broker)
        await asyncio.sleep(chance.uniform(0, 0.5))
        await self.start_broker()

    async def kill_ingester(self, chance: random.Random) -> None:
        store = chance.choice(self.stores)
        await self.kill(store.process)
        await asyncio.sleep(chance.uniform(0, 0.3))
        await store.start()

    async def stop_ingesters(self, chance: random.Random) -> None:
        """They are there, but take nothing; at the first time until one of the broker's queues runs over."""
        for number in (signal.SIGSTOP, signal.SIGCONT):
            for store in self.stores:
                assert store.process is not None
                with contextlib.suppress(ProcessLookupError):
                    store.process.process.send_signal(number)
            if number is signal.SIGSTOP:
                await asyncio.sleep(chance.uniform(1, 2))
                await until(self.has_overflowed, PATIENCE_S)

    async def kill_database(self, chance: random.Random) -> None:
        assert self.cluster is not None
        await asyncio.to_thread(self.cluster.kill)
        await asyncio.sleep(chance.uniform(0, 0.3))
        await asyncio.to_thread(self.cluster.start)

    def has_overflowed(self) -> bool:
        """Whether a queue of the broker has run over at any time."""
        assert self.group.broker is not None
        self._overflowed |= any("being dropped" in line for line in self.group.broker.lines)
        return self._overflowed

    def ingesters_connected(self) -> bool:
        """Whether all of them have been."""
        processes = (store.process for store in self.stores)
        return all(
            process is not None and any("store.connected" in line for line in process.lines)
            for process in processes
        )

    async def accidents_until(self, over: Callable[[], bool]) -> None:
        chance = random.Random(SEED)
        kinds: list[Callable[[random.Random], Awaitable[None]]] = [
            self.stop_ingesters,
            self.kill_gateway,
            self.kill_broker,
            self.kill_ingester,
        ]
        if self.cluster is not None:
            kinds.append(self.kill_database)
        turn = 0
        while not over() or turn < len(kinds):
            accident = kinds[turn] if turn < len(kinds) else chance.choice(kinds)
            await accident(chance)
            self.accidents[accident.__name__] += 1
            turn += 1
            await asyncio.sleep(chance.uniform(0.3, 1.5))


@contextlib.asynccontextmanager
async def scene(
    folder: Path, sink: SqliteSettings | PostgresqlSettings, ingesters: int, cluster: Cluster | None
) -> AsyncIterator[Scene]:
    """One gateway with its burst and the ingesters run; `play` starts the rest: the broker is away first."""
    group = Group(folder)
    gateways = [
        Gateway(folder, "works", group.gateway("works"), RECORDS, 0),
        Gateway(folder, "rival", group.gateway("rival"), RECORDS // 20 + BURST, BURST),
    ]
    stores = []
    for number in range(1, ingesters + 1):
        file = folder / f"store-{number}.toml"
        shared = 'group = "store"' if ingesters > 1 else ""
        names = f'name = "store-{number}"\n{shared}'
        write_store(file, group.ingester(f"store-{number}"), sink, store=names)
        stores.append(Store(file))
    played = Scene(group, gateways, stores, cluster)
    try:
        await gateways[1].start()
        for store in stores:
            await store.start()
        yield played
    finally:
        for process in (*(g.process for g in gateways), *(s.process for s in stores), group.broker):
            if process is not None:
                await process.end(signal.SIGKILL)


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    """A server that may be killed."""
    server = Cluster()
    server.start()
    yield server
    server.remove()


async def test_two_ingesters_into_postgresql(tmp_path: Path, own_cluster: Cluster) -> None:
    sink = PostgresqlSettings(kind="postgresql", url=own_cluster.new_database())
    async with scene(tmp_path, sink, 2, own_cluster) as played:
        await play(played)
        check(played, sink)


async def test_one_ingester_into_sqlite(tmp_path: Path) -> None:
    sink = SqliteSettings(file=tmp_path / "store.sqlite")
    async with scene(tmp_path, sink, 1, None) as played:
        await play(played)
        check(played, sink)


async def play(played: Scene) -> None:
    """Accidents as long as records are made; then all of them come to rest."""
    rival = played.gateways[1]
    await until(lambda: rival.truth().stored, PATIENCE_S)  # the burst is over
    await played.start_broker()
    await until(played.ingesters_connected, PATIENCE_S)
    await played.gateways[0].start()

    def all_made() -> bool:
        truths = (gateway.truth() for gateway in played.gateways)
        return all(
            len(truth.made) >= gateway.wanted for truth, gateway in zip(truths, played.gateways, strict=True)
        )

    await asyncio.wait_for(played.accidents_until(all_made), PATIENCE_S)
    await until(lambda: all(gateway.truth().drained for gateway in played.gateways), PATIENCE_S)


def check(played: Scene, sink: SqliteSettings | PostgresqlSettings) -> None:
    """What the database has is what the gateways had stored, or had declared lost."""
    assert played.has_overflowed(), "no queue has run over"
    with reading(sink) as reader:
        assert list(reader.rows("SELECT reason, topic, detail FROM dead_letter")) == []
        for gateway in played.gateways:
            there = stored_of(reader, gateway.company)
            truth, lost = gateway.truth(), declared_lost(reader, gateway.company)
            assert there.items() <= truth.made.items(), "nothing forged, nothing of another, no byte changed"
            for epoch, last_seq in truth.stored.items():
                missing = {seq for seq in range(1, last_seq + 1) if (epoch, seq) not in there}
                assert missing <= lost[epoch].within, f"{epoch}: missing, and not declared"
            gone = truth.made.keys() - there.keys()
            for epoch, of_epoch in lost.items():
                named = {seq for seq in of_epoch.within if (epoch, seq) in gone}
                came = sum((epoch, seq) in there for seq in of_epoch.within)  # dropped on its way
                assert len(named) <= of_epoch.records <= len(named) + came, f"{epoch}: not declared once"
        assert declared_lost(reader, "rival"), "the burst was more than the outbox may keep"
        assert not declared_lost(reader, "works")
        made, there_are, declared = (
            sum(map(count, played.gateways))
            for count in (
                lambda g: len(g.truth().made),
                lambda g: len(stored_of(reader, g.company)),
                lambda g: sum(lost.records for lost in declared_lost(reader, g.company).values()),
            )
        )
    happened = ", ".join(f"{name} {count}" for name, count in played.accidents.items())
    print(f"{made} made, {there_are} in the database, {declared} declared lost; {happened}")  # noqa: T201


def stored_of(reader: Reader, company: str) -> dict[Record, str]:
    """What the database has of a company: the digests of its records."""
    query = "SELECT epoch, seq, CAST(payload AS text) FROM records WHERE company = :company"
    there: dict[Record, str] = {}
    for epoch, seq, payload in reader.rows(query, company=company):
        assert (epoch, seq) not in there, "twice"
        there[epoch, seq] = hashlib.sha256(payload.encode()).hexdigest()
    return there


@dataclass(slots=True)
class Lost:
    """What was declared lost of an epoch."""

    records: int = 0
    within: set[int] = field(default_factory=set)


def declared_lost(reader: Reader, company: str) -> defaultdict[str, Lost]:
    """By epoch, from the events in the database."""
    lost: defaultdict[str, Lost] = defaultdict(Lost)
    query = "SELECT CAST(payload AS text) FROM records WHERE company = :company AND type = 'records-lost'"
    for (payload,) in reader.rows(query, company=company):
        event = decode(payload.encode())
        assert isinstance(event, RecordsLost)
        assert event.lost_epoch is not None
        assert event.first_seq is not None
        assert event.last_seq is not None
        of_epoch = lost[event.lost_epoch]
        of_epoch.records += event.records or 0
        of_epoch.within |= set(range(event.first_seq, event.last_seq + 1))
    return lost
