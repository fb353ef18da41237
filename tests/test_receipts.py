"""Delivery up to the store over a real broker: what is receipted is let go of, all the rest is sent again."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from deliveries import MILL, ROOT, STATUS, Delivery, Guarded, delivering
from servers import Mosquitto, Process, until
from structlog.testing import capture_logs

from benchmarks.receipt_writer import Key, receipts
from collector.health import State
from collector.messages import Topics
from collector.mqtt import BrokerSettings, Connection
from collector.outbox import OutboxSettings

RECEIPT = Topics("shopfloor/v1", "works", "gw1").receipt
BOTH = pytest.mark.parametrize("protocol", ["mqtt5", "mqtt311"])


@pytest_asyncio.fixture
async def delivery(tmp_path: Path) -> AsyncIterator[Delivery]:
    given = OutboxSettings(directory=tmp_path / "outbox", commit_interval_s=0.2, delivery="store")
    async with delivering(given.model_copy(update={"receipt_hold_s": 0.4})) as delivery:
        yield delivery


@contextlib.asynccontextmanager
async def writing_receipts(port: int, payload: bytes) -> AsyncIterator[None]:
    """Somebody has written this on the topic of receipts."""
    connection = await Connection.open(BrokerSettings(host="127.0.0.1", port=port), "somebody")
    connection.publish(RECEIPT, payload)
    yield
    await connection.close()


@BOTH
async def test_what_is_receipted_leaves_the_outbox_and_no_trace_on_disk(
    delivery: Delivery, broker: Mosquitto, tmp_path: Path, protocol: str
) -> None:
    async with receipts(broker.port) as store:
        delivery.start(broker.port, receipts=RECEIPT, protocol=protocol)
        for _ in range(50):
            delivery.append(10)
            await asyncio.sleep(0.01)
        await until(lambda: delivery.pending == 0)
        assert sorted(seq for _, seq in store.copies) == delivery.appended
    assert delivery.publisher.confirmed >= len(delivery.appended)
    await until(lambda: not list((tmp_path / "outbox").glob("*.log")))


@BOTH
async def test_a_store_that_was_down_gets_everything(
    delivery: Delivery, broker: Mosquitto, protocol: str
) -> None:
    async with receipts(broker.port) as store:
        store.deaf = True
        delivery.start(broker.port, receipts=RECEIPT, protocol=protocol)
        delivery.append(600)
        await until(lambda: delivery.outbox.state().awaiting > 0)
        await until(lambda: delivery.outbox.state().uncommitted == 0)
        assert delivery.pending == 600
        assert delivery.publisher.condition.state is State.OK
        store.deaf = False
        await until(lambda: delivery.pending == 0)
        assert sorted(seq for _, seq in store.copies) == delivery.appended


async def test_receipts_that_are_lost_are_written_again(delivery: Delivery, broker: Mosquitto) -> None:
    """The store has a record already when it comes again, and says so again."""
    async with receipts(broker.port, "shopfloor/v1") as store:
        store.mute = True
        delivery.start(broker.port, receipts=RECEIPT)
        delivery.append(50)
        await until(lambda: len(store.copies) == 50 and min(store.copies.values()) >= 2)
        assert delivery.pending == 50
        store.mute = False
        await until(lambda: delivery.pending == 0)


async def test_a_broker_that_forgets_what_it_took_costs_nothing(
    delivery: Delivery, broker: Mosquitto
) -> None:
    delivery.start(broker.port, receipts=RECEIPT)
    delivery.append(200)
    await until(lambda: delivery.outbox.state().awaiting > 0)
    await broker.kill()
    await until(lambda: delivery.publisher.condition.state is State.FAILED)
    await broker.start()
    async with receipts(broker.port) as store:
        await until(lambda: delivery.pending == 0)
        assert sorted(seq for _, seq in store.copies) == delivery.appended


async def test_rejected_records_are_told_and_not_sent_again(delivery: Delivery, broker: Mosquitto) -> None:
    def reject(key: Key) -> str | None:
        return "unreadable" if key[1] % 10 == 0 else None

    async with receipts(broker.port, reject=reject) as store:
        delivery.start(broker.port, receipts=RECEIPT)
        delivery.append(100)
        await until(lambda: delivery.pending == 0)
        assert delivery.outbox.state().rejected == 10
        assert delivery.outbox.state().rejected_reasons == {"unreadable": 10}
        copies = store.copies.total()
        delivery.append(1)
        await until(lambda: delivery.pending == 0)
        assert store.copies.total() == copies + 1


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{",
        b'{"v": 2, "epoch": "000001-00000000", "stored": [[1, 5]]}',
        b'{"v": 1, "epoch": "000001-00000000", "stored": [[0, 5]]}',
        b'{"v": 1, "epoch": 7, "stored": [["1", "5"]]}',
        b'{"v": 1, "epoch": "000001-00000000", "stored": [[1, 2, 3]]}',
        b'{"v": 1, "stored": [[1, 5]]}',
        b"[" * 100_000,
    ],
)
async def test_what_is_no_receipt_is_logged_and_ignored(
    delivery: Delivery, broker: Mosquitto, payload: bytes
) -> None:
    delivery.start(broker.port, receipts=RECEIPT)
    delivery.append(5)
    await until(lambda: delivery.outbox.state().awaiting == 5)
    with capture_logs() as logs:
        async with writing_receipts(broker.port, payload):
            await until(lambda: [entry for entry in logs if entry["event"] == "receipt.unreadable"])
    assert delivery.pending == 5
    good = json.dumps({"epoch": delivery.outbox.epoch, "stored": [[1, 5]], "later": "field"}).encode()
    async with writing_receipts(broker.port, good):
        await until(lambda: delivery.pending == 0)
    assert delivery.publisher.condition.state is State.OK


class Rules:
    """A mosquitto whose own plugin says who may subscribe; it tells so in its answer to SUBSCRIBE."""

    def __init__(self, folder: Path) -> None:
        (plugin,) = Path("/usr/lib").glob("*/mosquitto_dynamic_security.so")
        self._rules = folder / "rules.json"
        self.broker = Mosquitto(
            folder,
            "allow_anonymous true",
            f"plugin {plugin}",
            f"plugin_opt_config_file {self._rules}",
        )

    async def start(self) -> None:
        await ran("mosquitto_ctrl", "dynsec", "init", str(self._rules), "admin", "secret")
        rules = json.loads(self._rules.read_text())
        rules["defaultACLAccess"] |= {"publishClientSend": True, "subscribe": False}
        self._rules.write_text(json.dumps(rules))
        await self.broker.start()

    async def allow(self) -> None:
        access = {"command": "setDefaultACLAccess", "acls": [{"acltype": "subscribe", "allow": True}]}
        there = ("-p", str(self.broker.port), "-u", "admin", "-P", "secret", "-q", "1")
        command = json.dumps({"commands": [access]})
        await ran("mosquitto_pub", *there, "-t", "$CONTROL/dynamic-security/v1", "-m", command)


async def ran(*command: str) -> None:
    process = await Process.start(*command)
    assert await process.process.wait() == 0, process.lines
    await process.end()


@BOTH
async def test_receipts_that_the_broker_does_not_hand_out_are_told(
    delivery: Delivery, tmp_path: Path, protocol: str
) -> None:
    rules = Rules(tmp_path)
    await rules.start()
    try:
        delivery.start(rules.broker.port, receipts=RECEIPT, protocol=protocol)
        delivery.append(5)
        await until(lambda: delivery.outbox.state().awaiting == 5)
        condition = delivery.publisher.condition
        await until(lambda: condition.state is State.FAILED)
        assert condition.reason is not None
        assert condition.reason.code == "broker.subscribe-refused"
        assert RECEIPT in str(condition.reason)
        assert "receipts" in condition.reason.advice
        await rules.allow()
        await delivery.connected()  # without a new connection
        async with receipts(rules.broker.port):
            await until(lambda: delivery.pending == 0)
        await delivery.end()
    finally:
        await rules.broker.stop()


async def test_a_refused_publish_is_no_reason_to_wait_for_a_receipt(
    delivery: Delivery, tmp_path: Path
) -> None:
    guarded = Guarded(tmp_path)
    guarded.allow(STATUS, f"{ROOT}/lathe-1/#", RECEIPT)
    await guarded.broker.start()
    try:
        async with receipts(guarded.broker.port) as store:
            delivery.start(guarded.broker.port, receipts=RECEIPT)
            delivery.append(100, MILL)
            await until(lambda: delivery.publisher.condition.state is State.FAILED)
            assert delivery.outbox.state().awaiting == 0
            assert not store.copies
            guarded.allow("shopfloor/#")
            guarded.broker.reload()
            await until(lambda: delivery.pending == 0)
            await delivery.connected()
            assert sorted(seq for _, seq in store.copies) == delivery.appended
        await delivery.end()
    finally:
        await guarded.broker.stop()
