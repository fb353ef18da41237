"""From a real broker into both databases: receipts, dead letters, and what happens when something is away."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from deliveries import delivering
from servers import Mosquitto, Store, Subscriber, free_port, until, write_store
from store_records import ROOT, T0_US, Gateway, arrival, now_us

from benchmarks.postgres import Cluster
from collector.clock import SystemClock, UtcClock
from collector.gateway.status import offline_status
from collector.messages import Topics
from collector.mqtt import BrokerSettings, Connection
from collector.outbox import OutboxSettings
from collector.store.databases import open_sink, reading
from collector.store.ingest import Waiting
from collector.store.report import IngesterReport
from collector.store.settings import PostgresqlSettings, SqliteSettings
from collector.store.storing import store as keep
from collector.texts import Text
from collector.texts.broker import NOT_LISTENING
from collector.texts.store import CLOCK_AHEAD, RECEIPT_REFUSED

SinkSettings = SqliteSettings | PostgresqlSettings
DAY_US = 24 * 3600 * 1_000_000
RECEIPTS = Topics(ROOT, "works", "gw1").receipt


@pytest_asyncio.fixture
async def store(tmp_path: Path, broker: Mosquitto, sink_settings: SinkSettings) -> AsyncIterator[Store]:
    """A store that serves."""
    write_store(tmp_path / "store.toml", broker.port, sink_settings)
    started = Store(tmp_path / "store.toml")
    await started.start()
    yield started
    await started.end()


def stored(sink: SinkSettings) -> set[int]:
    with contextlib.suppress(Exception), reading(sink) as reader:
        return {seq for (seq,) in reader.rows("SELECT seq FROM record")}
    return set()


async def connected(store: Store, times: int = 1) -> None:
    """Wait until the store has subscribed at the broker, for the first time or again."""
    assert store.process is not None
    lines = store.process.lines
    await until(lambda: sum("store.connected" in line for line in lines) == times)


def outbox_settings(folder: Path) -> OutboxSettings:
    given = OutboxSettings(directory=folder / "outbox", commit_interval_s=0.2, delivery="store")
    return given.model_copy(update={"receipt_hold_s": 0.4})


async def test_an_unreadable_record_is_a_dead_letter_and_not_sent_for_ever(
    tmp_path: Path, broker: Mosquitto, sink_settings: SinkSettings, store: Store
) -> None:
    await connected(store)
    subscriber = await Subscriber.start(broker.port)
    async with delivering(outbox_settings(tmp_path)) as delivery:
        delivery.append(3)  # numbered, but no record of the contract
        gateway = Gateway(epoch=delivery.outbox.epoch)
        for message in [gateway.features() for _ in range(5)][3:]:
            delivery.outbox.append(message)
        delivery.start(broker.port, receipts=RECEIPTS)
        delivery.publisher.withdraw(gateway.meta().topic)  # nor is an empty message a letter
        await until(lambda: delivery.pending == 0)
        assert delivery.outbox.state().rejected == 3
        assert dict(delivery.outbox.state().rejected_reasons) == {"unreadable": 3}
    with reading(sink_settings) as reader:
        letters = list(reader.rows("SELECT epoch, seq, reason FROM dead_letter ORDER BY seq"))
    assert letters == [(delivery.outbox.epoch, seq, "unreadable") for seq in (1, 2, 3)]
    assert stored(sink_settings) == {4, 5}
    await subscriber.end()


async def test_a_lost_receipt_is_sent_again(
    tmp_path: Path, broker: Mosquitto, sink_settings: SinkSettings, store: Store
) -> None:
    await connected(store)
    async with delivering(outbox_settings(tmp_path)) as delivery:
        gateway = Gateway(epoch=delivery.outbox.epoch)
        for _ in range(20):
            delivery.outbox.append(gateway.features())
        delivery.start(broker.port, receipts=f"{RECEIPTS}/lost")
        await until(lambda: stored(sink_settings) == set(range(1, 21)))
        assert delivery.pending == 20
        await delivery.end()
        delivery.start(broker.port, receipts=RECEIPTS)
        await until(lambda: delivery.pending == 0)
    assert stored(sink_settings) == set(range(1, 21))


async def test_the_broker_is_away_at_first_and_again_later(
    tmp_path: Path, sink_settings: SinkSettings
) -> None:
    broker = Mosquitto(tmp_path, port=free_port())
    write_store(tmp_path / "store.toml", broker.port, sink_settings)
    store = Store(tmp_path / "store.toml")
    await store.start()
    assert store.process is not None
    await until(lambda: any("broker.not-listening" in line for line in store.process.lines))
    code, page = await status(store, sink_settings, NOT_LISTENING, "Nothing answers at")
    assert code == 1
    gateway = Gateway()
    for times, expected in ((1, 5), (2, 10)):
        await broker.start()
        await connected(store, times)
        connection = await Connection.open(BrokerSettings(host="127.0.0.1", port=broker.port), "gateway")
        for _ in range(5):
            message = gateway.features()
            connection.publish(message.topic, message.payload)
        await until(lambda expected=expected: len(stored(sink_settings)) == expected)
        await connection.close()
        if times == 1:
            await broker.kill()
    await status(store, sink_settings, None, "everything is working")
    assert await store.end() == 0
    await broker.stop()
    code, page = await store.ask("status")
    assert code == 3, page
    assert "stopped" in page


async def status(store: Store, sink: SinkSettings, reason: Text | None, words: str) -> tuple[int, str]:
    """Exit code and page of `status` once it says these words; it is asked when such a reason is reported."""

    def reasons() -> list[str | None]:
        with contextlib.suppress(Exception):  # nothing is stored yet
            return [report.reason.code if report.reason else None for report in reports(sink)]
        return []

    async def said() -> tuple[int, str] | None:
        if reasons() != [reason and reason.code]:
            return None
        code, page = await store.ask("status")
        return (code, page) if words in page else None

    code, page = await until(said)
    return code, page


def reports(sink: SinkSettings) -> list[IngesterReport]:
    with reading(sink) as reader:
        rows = list(reader.rows("SELECT CAST(report AS text) FROM ingester"))
    return [IngesterReport.model_validate_json(report) for (report,) in rows]


async def test_the_database_is_away_at_first_and_again_later(tmp_path: Path, broker: Mosquitto) -> None:
    cluster = await asyncio.to_thread(Cluster)
    sink = PostgresqlSettings(kind="postgresql", url=cluster.url("postgres"))
    write_store(tmp_path / "store.toml", broker.port, sink)
    store = Store(tmp_path / "store.toml")
    await store.start()
    assert store.process is not None
    await until(lambda: any("store.postgresql.failed" in line for line in store.process.lines))
    subscriber = await Subscriber.start(broker.port)
    try:
        async with delivering(outbox_settings(tmp_path)) as delivery:
            gateway = Gateway(epoch=delivery.outbox.epoch)
            delivery.start(broker.port, receipts=RECEIPTS)
            for turn in (1, 2):
                for _ in range(10):
                    delivery.outbox.append(gateway.features())
                await until(lambda: len(subscriber.records("features")) >= 10)
                assert delivery.pending == 10, "the broker has them, the store has not"
                await asyncio.to_thread(cluster.start)
                await until(lambda: delivery.pending == 0)
                assert stored(sink) == set(range(1, 10 * turn + 1))
                await asyncio.to_thread(cluster.kill)
    finally:
        await subscriber.end()
        await store.end()
        cluster.remove()


async def test_ingesters_share_the_records_and_one_takes_over(
    tmp_path: Path, broker: Mosquitto, cluster: Cluster
) -> None:
    sink = PostgresqlSettings(kind="postgresql", url=cluster.new_database())
    stores = []
    for name in ("a", "b"):
        write_store(tmp_path / f"{name}.toml", broker.port, sink, store=f'name = "{name}"\ngroup = "store"')
        stores.append(Store(tmp_path / f"{name}.toml"))
        await stores[-1].start()
        await connected(stores[-1])
    connection = await Connection.open(BrokerSettings(host="127.0.0.1", port=broker.port), "gateway")
    gateway = Gateway()

    async def publish(total: int) -> None:
        for _ in range(100):
            message = gateway.features()
            connection.publish(message.topic, message.payload)
        await until(lambda: len(stored(sink)) == total)

    await publish(100)
    shares = await until(lambda: reported(sink, 100))
    assert all(share > 20 for share in shares), "both had a part in it"
    await stores[0].end(signal.SIGKILL)
    await publish(200)
    await connection.close()
    await stores[1].end()


def reported(sink: SinkSettings, total: int) -> list[int] | None:
    """How many records each ingester has stored, once they have said so."""
    shares = [report.stored for report in reports(sink)]
    return shares if sum(shares) == total else None


async def test_a_broker_that_refuses_receipts_shows_in_the_status(
    tmp_path: Path, broker: Mosquitto, sink_settings: SinkSettings
) -> None:
    rules = tmp_path / "rules"
    rules.write_text(f"topic read #\ntopic write {ROOT}/works/#\n")
    rules.chmod(0o600)
    guarded = Mosquitto(tmp_path, "allow_anonymous true", f"acl_file {rules}")
    await guarded.start()
    write_store(tmp_path / "store.toml", guarded.port, sink_settings)
    store = Store(tmp_path / "store.toml")
    await store.start()
    await connected(store)
    connection = await Connection.open(BrokerSettings(host="127.0.0.1", port=guarded.port), "gateway")
    message = Gateway().features()
    connection.publish(message.topic, message.payload)
    code, page = await status(store, sink_settings, RECEIPT_REFUSED, "refuses receipts")
    assert code == 1, page
    await connection.close()
    await store.end()
    await guarded.stop()


async def test_a_status_that_the_broker_had_kept_is_known_for_one(
    tmp_path: Path, broker: Mosquitto, sink_settings: SinkSettings
) -> None:
    """When the store first comes, and when it comes back."""
    connection = await Connection.open(BrokerSettings(host="127.0.0.1", port=broker.port), "gateway")
    write_store(tmp_path / "store.toml", broker.port, sink_settings)
    store = Store(tmp_path / "store.toml")

    def say(state: str) -> str:
        said = offline_status("1").model_copy(update={"state": state, "sync": True, "t_us": T0_US})
        connection.publish(f"{ROOT}/works/gw1/status", said.model_dump_json().encode(), retain=True)
        return said.model_dump_json()

    async def heard(said: str) -> int:
        def there() -> int | None:
            with contextlib.suppress(Exception), reading(sink_settings) as reader:
                query = "SELECT received_us, CAST(payload AS text) FROM gateway_status"
                ((received_us, payload),) = reader.rows(query)
                return int(received_us) if payload == said else None
            return None

        return int(await until(there))

    said = say("healthy")
    await store.start()
    assert await heard(said) == T0_US
    heard_us = await heard(say("degraded"))
    assert heard_us > T0_US
    await store.end()
    said = say("healthy")
    await store.start()
    assert await heard(said) == heard_us
    await store.end()
    await connection.close()


async def test_a_flood_is_taken_no_faster_than_it_is_stored(broker: Mosquitto) -> None:
    waiting = Waiting(UtcClock(SystemClock()), full=200_000, room=50_000)
    settings = BrokerSettings(host="127.0.0.1", port=broker.port)
    ingester = await Connection.open(settings, "ingester", on_message=waiting.put)
    waiting.connection = ingester
    await ingester.subscribe("flood")
    sender = await Connection.open(settings, "sender")
    for number in range(2000):
        sender.publish("flood", b"%d" % number + b"x" * 2000)
    most = 0
    taken: list[bytes] = []
    while len(taken) < 2000:
        most = max(most, waiting.bytes)
        taken += [arrival.payload for arrival in await waiting.take(20, most=10)]
    assert [int(payload.rstrip(b"x")) for payload in taken] == list(range(2000))
    assert most < 200_000 + 2 * (256 << 10), "about one reading of the socket more than the limit"
    await sender.close()
    await ingester.close()


async def test_a_clock_far_ahead_of_all_records_deletes_nothing_and_shows_in_the_status(
    tmp_path: Path, broker: Mosquitto, sink_settings: SinkSettings
) -> None:
    """As after a jump of the clock: all that there is looks old. With new records all is well again."""
    gateway, now = Gateway(), now_us()
    with contextlib.closing(open_sink(sink_settings)) as sink:
        keep(sink, [arrival(gateway.features(now - days * DAY_US)) for days in (80, 51, 50)], ROOT)
    write_store(tmp_path / "store.toml", broker.port, sink_settings)
    with (tmp_path / "store.toml").open("a") as file:
        file.write("[retention]\nrecords_days = 20\n")
    store = Store(tmp_path / "store.toml")
    await store.start()
    code, page = await status(store, sink_settings, CLOCK_AHEAD, "but the newest record is from")
    assert code == 1
    assert "timedatectl" in page
    assert stored(sink_settings) == {2, 3}, "counted back from the newest record"
    connection = await Connection.open(BrokerSettings(host="127.0.0.1", port=broker.port), "gateway")
    message = gateway.features(now)
    connection.publish(message.topic, message.payload)
    await until(lambda: stored(sink_settings) == {4})
    await status(store, sink_settings, None, "everything is working")
    await connection.close()
    await store.end()
