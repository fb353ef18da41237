"""From the outbox to a real broker: nothing lost, nothing confirmed too early, and it says how it is."""

import asyncio
import json
from collections.abc import AsyncIterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from certificates import Authority
from deliveries import (
    LATHE,
    METAS,
    MILL,
    ROOT,
    STATUS,
    Delivery,
    Guarded,
    all_seqs,
    delivering,
    feeding,
    seqs,
    subscribed,
)
from hypothesis import given
from hypothesis import strategies as st
from links import OddServer, Proxy, ScriptedBroker
from servers import Mosquitto, StartBroker, free_port, until
from structlog.testing import capture_logs

from collector.health import State
from collector.mqtt import reconnect_pauses
from collector.outbox import OutboxSettings
from collector.publish import Pauses


@pytest_asyncio.fixture
async def delivery(tmp_path: Path) -> AsyncIterator[Delivery]:
    async with delivering(OutboxSettings(directory=tmp_path / "outbox", commit_interval_s=0.2)) as delivery:
        yield delivery


@pytest.mark.parametrize("protocol", ["mqtt5", "mqtt311"])
async def test_live_records_arrive_in_order_and_once(
    delivery: Delivery, broker: Mosquitto, protocol: str
) -> None:
    async with subscribed(broker.port) as subscriber:
        delivery.start(broker.port, protocol=protocol)
        async with feeding(delivery, MILL, LATHE):
            await until(lambda: len(delivery.outbox.confirmed) > 300)
        await delivery.publisher.drain(5)
        assert delivery.pending == 0
        await until(lambda: len(subscriber.raw) >= len(delivery.appended))
        assert seqs(subscriber.raw) == {MILL: delivery.appended[::2], LATHE: delivery.appended[1::2]}
        assert subscriber.late == 0
    assert delivery.publisher.confirmed == len(delivery.appended)


async def test_condition_and_report(delivery: Delivery, broker: Mosquitto) -> None:
    def report() -> Any:
        return delivery.publisher.report()

    await broker.stop()
    delivery.start(broker.port, Pauses(first_s=0.6), reconnect_max_s=0.6)
    assert report().state is State.STARTING
    await until(lambda: report().next_retry_s is not None)
    failed = report()
    assert failed.state is State.FAILED
    assert failed.address == f"127.0.0.1:{broker.port}"
    assert failed.reason.code == "broker.not-listening"
    assert failed.reason.advice
    assert 0.2 < failed.next_retry_s <= 0.6
    await broker.start()
    await delivery.connected()
    connected = report()
    assert connected.reason is None
    assert connected.next_retry_s is None
    assert connected.since_us > failed.since_us
    delivery.append(3)
    await until(lambda: report().confirmed == 3)
    assert report().since_us == connected.since_us
    await broker.kill()
    await until(lambda: report().state is State.FAILED)
    since_us = report().since_us
    assert report().reason.code in {"broker.connection-closed", "broker.connection-lost"}
    await until(lambda: report().reason.code == "broker.not-listening")
    assert report().since_us == since_us  # of the outage, not of the last attempt


@pytest.mark.parametrize("outage_s", [0.0, 0.4])
async def test_nothing_is_lost_or_confirmed_too_early_when_the_broker_is_killed(
    delivery: Delivery, broker: Mosquitto, outage_s: float
) -> None:
    async with Proxy(broker.port).running() as proxy:
        delivery.start(proxy.port)
        async with feeding(delivery, MILL, LATHE):
            for _ in range(2):
                enough = len(delivery.outbox.confirmed) + 150
                await until(lambda enough=enough: len(delivery.outbox.confirmed) > enough)
                await broker.kill()
                await asyncio.sleep(outage_s)
                await broker.start()
        await until(lambda: delivery.pending == 0)
        acknowledged = [json.loads(payload)["seq"] for payload in proxy.acknowledged]
    assert set(delivery.outbox.confirmed) == set(delivery.appended)
    assert set(delivery.outbox.confirmed) <= set(acknowledged)
    assert proxy.connections >= 3


async def test_what_waited_through_an_outage_is_marked_late(delivery: Delivery, broker: Mosquitto) -> None:
    delivery.append(300)
    await delivery.outbox.commit()
    async with subscribed(broker.port) as subscriber:
        delivery.start(broker.port)
        await until(lambda: delivery.pending == 0)
        assert subscriber.late == 300
        delivery.append(100)
        await until(lambda: len(subscriber.raw) == 400)
        assert subscriber.late == 300
        assert seqs(subscriber.raw) == {MILL: delivery.appended}


async def test_a_stalled_connection_is_noticed_and_replaced(delivery: Delivery, broker: Mosquitto) -> None:
    async with Proxy(broker.port).running() as proxy, subscribed(broker.port) as subscriber:
        delivery.start(proxy.port, keepalive_s=1)
        async with feeding(delivery, MILL):
            await until(lambda: len(delivery.outbox.confirmed) > 100)
            proxy.stall()
            await until(lambda: delivery.publisher.condition.state is State.FAILED)
            reason = delivery.publisher.condition.reason
            await until(lambda: proxy.connections == 2)
            await delivery.connected()
        await until(lambda: delivery.pending == 0)
        await until(lambda: all_seqs(subscriber) == set(delivery.appended))
    assert reason is not None
    assert "Keep alive timeout" in str(reason)


async def test_the_brokers_receive_maximum_is_kept(delivery: Delivery, start_broker: StartBroker) -> None:
    broker = await start_broker("allow_anonymous true", "max_inflight_messages 5")
    delivery.append(250, MILL, LATHE)
    async with Proxy(broker.port).running() as proxy:
        delivery.start(proxy.port)
        for meta in METAS:
            delivery.publisher.announce(meta, b'{"meta": 1}')
        await until(lambda: delivery.pending == 0)
        for meta in METAS:
            delivery.publisher.announce(meta, b'{"meta": 2}')
        await delivery.publisher.drain(5)
        assert proxy.most_unacknowledged == 5
        assert proxy.connections == 1
        assert len(proxy.acknowledged) == len(proxy.published) == 500 + 40
        assert [topic for topic, _ in proxy.published[:20]] == METAS
        await delivery.end()


# Refusals


@pytest_asyncio.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[Guarded]:
    guarded = Guarded(tmp_path)
    guarded.allow(STATUS, f"{ROOT}/mill-1/#")
    await guarded.broker.start()
    yield guarded
    await guarded.broker.stop()


async def test_a_refused_topic_waits_while_others_go_on(delivery: Delivery, guarded: Guarded) -> None:
    async with Proxy(guarded.broker.port).running() as proxy, subscribed(guarded.broker.port) as subscriber:
        delivery.start(proxy.port)
        await delivery.connected()
        delivery.append(100, MILL, LATHE)
        await until(lambda: len(delivery.outbox.confirmed) == 100)
        condition = delivery.publisher.condition
        assert condition.state is State.FAILED
        assert condition.reason is not None
        assert condition.reason.code == "broker.publish-refused"
        assert LATHE in str(condition.reason)
        assert "Not authorized" in str(condition.reason)
        assert delivery.pending == 100
        taken = delivery.outbox.taken
        tried = sum(topic == LATHE for topic, _ in proxy.published)
        await asyncio.sleep(0.7)
        assert 2 <= sum(topic == LATHE for topic, _ in proxy.published) - tried <= 4  # one at a time
        assert delivery.outbox.taken - taken < 30  # it does not spin
        delivery.append(20, MILL, LATHE)
        await until(lambda: len(delivery.outbox.confirmed) == 120)
        assert condition.state is State.FAILED
        guarded.allow("shopfloor/#")
        guarded.broker.reload()
        await delivery.connected()
        await until(lambda: delivery.pending == 0)
        await until(lambda: len(subscriber.raw) == 240)
        received = seqs(subscriber.raw)
        assert received[MILL] == delivery.appended[::2]
        assert sorted(received[LATHE]) == delivery.appended[1::2]  # fresh ones first, then the backlog
        backlog = [seq for seq in received[LATHE] if seq <= 200]
        assert backlog == sorted(backlog)
        assert subscriber.late >= 100
        assert proxy.connections == 1


async def test_all_is_refused_and_then_repaired(delivery: Delivery, guarded: Guarded) -> None:
    guarded.allow(STATUS)
    guarded.broker.reload()
    delivery.append(200, MILL, LATHE)
    await delivery.outbox.commit()
    delivery.start(guarded.broker.port)
    await until(lambda: delivery.publisher.condition.state is State.FAILED)
    delivery.append(50, MILL, LATHE)
    taken = delivery.outbox.taken
    await asyncio.sleep(0.5)
    assert delivery.outbox.taken - taken < 20
    assert delivery.pending == 500
    assert delivery.publisher.confirmed == 0
    guarded.allow("shopfloor/#")
    guarded.broker.reload()
    await until(lambda: delivery.pending == 0)
    await delivery.connected()
    assert sorted(delivery.outbox.confirmed) == delivery.appended


async def test_a_refused_announcement_is_repaired_too(delivery: Delivery, guarded: Guarded) -> None:
    meta = f"{ROOT}/lathe-1/spindle/meta"
    delivery.start(guarded.broker.port)
    await delivery.connected()
    delivery.publisher.announce(meta, b'{"version": 1}')
    await until(lambda: delivery.publisher.condition.state is State.FAILED)
    assert meta in str(delivery.publisher.condition.reason)
    delivery.publisher.announce(meta, b'{"version": 2}')
    delivery.append(10)
    await until(lambda: delivery.pending == 0)
    assert delivery.publisher.condition.state is State.FAILED
    guarded.allow("shopfloor/#")
    guarded.broker.reload()
    await delivery.connected()
    async with subscribed(guarded.broker.port, meta) as subscriber:
        await until(lambda: subscriber.raw)
        assert subscriber.raw == [(meta, '{"version": 2}')]


async def test_the_condition_names_a_topic_that_is_still_refused(
    delivery: Delivery, guarded: Guarded
) -> None:
    guarded.allow(STATUS)
    guarded.broker.reload()
    delivery.start(guarded.broker.port)
    delivery.append(1, MILL, LATHE)
    await until(lambda: MILL in str(delivery.publisher.condition.reason))
    guarded.allow(f"{ROOT}/mill-1/#")
    guarded.broker.reload()
    await until(lambda: LATHE in str(delivery.publisher.condition.reason))
    assert delivery.publisher.condition.state is State.FAILED


async def test_a_record_that_is_too_large_waits_alone(
    tmp_path: Path, delivery: Delivery, start_broker: StartBroker
) -> None:
    """Sent, it would end the connection; and what is behind it has to get on, also after a restart."""

    def waiting_alone() -> bool:
        return delivery.pending == delivery.outbox.shelved == 2

    large = [3, 6]
    limited = await start_broker("allow_anonymous true", "max_packet_size 2000")
    delivery.start(limited.port)
    await delivery.connected()
    for seq in range(1, 9):
        delivery.append(1, size=5000 if seq in large else 500)
    await until(waiting_alone)
    reason = delivery.publisher.condition.reason
    assert reason is not None
    assert reason.code == "broker.publish-too-large"
    assert MILL in str(reason)
    await delivery.outbox.commit()
    await until(lambda: delivery.outbox.state().uncommitted == 0)
    assert waiting_alone()
    delivery.append(3)
    await until(waiting_alone)
    delivery.publisher.look()
    assert delivery.publisher.condition.reason == reason
    assert delivery.publisher.confirmed == len(delivery.appended) - len(large)
    await delivery.end()
    await until(lambda: delivery.outbox.shelved == 0)
    await delivery.outbox.close()

    async with delivering(OutboxSettings(directory=tmp_path / "outbox", commit_interval_s=0.2)) as restarted:
        restarted.append(1)
        restarted.start(limited.port)
        await until(lambda: restarted.outbox.shelved == restarted.pending == 2)
        assert restarted.publisher.condition.reason == reason
        await restarted.end()
        unlimited = await start_broker("allow_anonymous true")
        async with subscribed(unlimited.port) as subscriber:
            restarted.start(unlimited.port)
            await until(lambda: restarted.pending == 0)
            await restarted.connected()
            await until(lambda: len(subscriber.raw) == 2)
            assert seqs(subscriber.raw) == {MILL: large}


@pytest.mark.parametrize(
    ("protocol", "limit"), [("mqtt311", "max_packet_size 2000"), ("mqtt5", "message_size_limit 2000")]
)
async def test_a_record_that_ends_the_connection_is_found_and_waits_alone(
    delivery: Delivery, start_broker: StartBroker, protocol: str, limit: str
) -> None:
    """The broker names no limit; other records get on, and after an hour what waits is tried again."""

    def waiting_alone() -> bool:
        return delivery.pending == delivery.outbox.shelved == 3

    broker = await start_broker("allow_anonymous true", limit)
    with capture_logs() as logs:
        delivery.start(broker.port, Pauses(first_s=0.05, held_s=1e9), protocol=protocol)
        delivery.publisher.announce(STATUS, b"{}")
        await delivery.connected()
        for seq in range(1, 9):
            delivery.append(1, size=(5000 if seq == 3 else 4000) if seq in {3, 6, 7} else 500)
        await until(waiting_alone)
        reason = delivery.publisher.condition.reason
        assert reason is not None
        assert reason.code == "broker.publish-ends-connection"
        connections = len(of_event(logs, "broker.connected"))
        delivery.append(5, MILL, LATHE)
        await until(waiting_alone)
        delivery.append(1, size=6000)
        await until(lambda: delivery.pending == delivery.outbox.shelved == 4)
        assert len(of_event(logs, "broker.connected")) == connections, "it was not even sent"


def of_event(logs: list[Any], event: str) -> list[Any]:
    return [entry for entry in logs if entry["event"] == event]


async def test_what_ended_the_connection_is_sent_once_the_limit_is_raised(
    delivery: Delivery, start_broker: StartBroker, tmp_path: Path
) -> None:
    limited = await start_broker("allow_anonymous true", "max_packet_size 2000")
    delivery.start(limited.port, Pauses(first_s=0.05, held_s=1.0), protocol="mqtt311")
    delivery.publisher.announce(STATUS, b"{}")
    delivery.append(2, size=500)
    delivery.append(1, size=5000)
    await until(lambda: delivery.pending == delivery.outbox.shelved == 1)
    await limited.stop()
    raised = Mosquitto(tmp_path, "allow_anonymous true", port=limited.port)
    await raised.start()
    async with subscribed(raised.port) as subscriber:

        def sent() -> bool:
            delivery.publisher.look()
            return delivery.pending == 0

        await until(sent)
        await delivery.connected()
        await until(lambda: seqs(subscriber.raw) == {MILL: [3]})
        await delivery.end()
    await raised.stop()


async def test_more_records_too_large_than_memory_holds_keep_nothing_back(
    delivery: Delivery, start_broker: StartBroker
) -> None:
    broker = await start_broker("allow_anonymous true", "max_packet_size 2000")
    for _ in range(60):
        delivery.append(1, size=50_000)
    await delivery.outbox.commit()
    delivery.append(10)
    await delivery.outbox.commit()
    delivery.start(broker.port, in_flight=5)
    await until(lambda: delivery.pending == delivery.outbox.shelved == 60)
    assert delivery.publisher.confirmed == 10
    assert delivery.outbox.state().memory_bytes == 0
    await delivery.outbox.purge()
    await until(lambda: delivery.pending == delivery.outbox.shelved == 0)
    delivery.publisher.look()
    await delivery.connected()


async def test_an_announcement_that_is_too_large_keeps_nothing_back(
    delivery: Delivery, start_broker: StartBroker
) -> None:
    broker = await start_broker("allow_anonymous true", "max_packet_size 2000")
    async with Proxy(broker.port).running() as proxy:
        delivery.start(proxy.port)
        await delivery.connected()
        delivery.append(5)
        delivery.publisher.announce(STATUS, b"{" + bytes(3000))
        delivery.append(5, MILL, STATUS)
        await until(lambda: delivery.pending == 0)
        reason = delivery.publisher.condition.reason
        assert reason is not None
        assert reason.code == "broker.publish-too-large"
        assert STATUS in str(reason)
        delivery.publisher.announce(STATUS, b"{}")
        await delivery.connected()
        assert proxy.connections == 1
    await delivery.end()


async def test_a_renewed_certificate_is_used_without_a_restart(
    delivery: Delivery, tmp_path: Path, start_broker: StartBroker
) -> None:
    group = Authority(tmp_path, "group")
    certificate, key = group.issue("server", names="IP:127.0.0.1")
    files = (f"cafile {group.file}", f"certfile {certificate}", f"keyfile {key}")
    broker = await start_broker("allow_anonymous true", "require_certificate true", *files)
    expired, key = group.issue("gw1", days=-1)
    delivery.append(50)
    delivery.start(
        broker.port, tls={"ca_file": str(group.file), "cert_file": str(expired), "key_file": str(key)}
    )
    await until(lambda: delivery.publisher.condition.reason)
    reason = delivery.publisher.condition.reason
    assert reason is not None
    assert "certificate" in f"{reason} {reason.advice}"
    assert delivery.pending == 50
    assert group.issue("gw1") == (expired, key)  # the same files
    await until(lambda: delivery.pending == 0)
    await delivery.end()


# A broker that answers as it likes

NOT_AUTHORIZED, QUOTA_EXCEEDED = 0x87, 0x97


def seq_of(payload: bytes) -> int:
    return int(json.loads(payload)["seq"])


async def test_acknowledgements_in_any_order_and_twice(delivery: Delivery) -> None:
    async with ScriptedBroker(lambda _topic, _payload: None).running() as broker:
        delivery.append(100)
        delivery.start(broker.port, in_flight=10)
        for count in range(10, 110, 10):
            await until(lambda count=count: len(broker.published) == count)
            assert len(delivery.outbox.confirmed) == count - 10
            broker.answer_backwards()
        await until(lambda: delivery.pending == 0)
        assert sorted(delivery.outbox.confirmed) == delivery.appended
        await delivery.end()


async def test_when_one_of_a_refused_topic_is_taken_the_rest_goes_at_once(delivery: Delivery) -> None:
    refused = {1, 3}

    def answer(_: str, payload: bytes) -> int:
        seq = seq_of(payload)
        if seq not in refused:
            return 0
        refused.remove(seq)
        return NOT_AUTHORIZED

    async with ScriptedBroker(answer).running() as broker:
        delivery.append(4)
        delivery.start(broker.port, Pauses(refused_s=0.5))
        await until(lambda: delivery.pending == 0, 0.45)
        await delivery.connected()
        assert sorted(seq_of(payload) for _, payload in broker.published) == [1, 1, 2, 3, 3, 4]
        await asyncio.sleep(0.5)
        await delivery.end()


async def test_one_record_is_tried_and_then_the_others_follow(delivery: Delivery) -> None:
    answers = [NOT_AUTHORIZED] * 6
    async with ScriptedBroker(lambda *_: answers.pop() if answers else 0).running() as broker:
        delivery.append(3)
        delivery.start(broker.port, Pauses(refused_s=0.02))
        await until(lambda: delivery.pending == 0, 2)
        assert [seq_of(payload) for _, payload in broker.published] == [1, 2, 3, 1, 1, 1, 1, 2, 3]
        await delivery.end()


async def test_an_announcement_that_changed_while_it_was_tried(delivery: Delivery) -> None:
    answers: list[int | None] = [NOT_AUTHORIZED, None, 0]
    async with ScriptedBroker(lambda *_: answers.pop(0)).running() as broker:
        delivery.start(broker.port, Pauses(refused_s=0.02))
        await delivery.connected()
        delivery.publisher.announce(STATUS, b'{"version": 1}')
        await until(lambda: len(broker.published) == 2)
        assert delivery.publisher.condition.state is State.FAILED
        delivery.publisher.announce(STATUS, b'{"version": 2}')
        broker.answer_backwards()
        await until(lambda: len(broker.published) == 3)
        assert [json.loads(payload)["version"] for _, payload in broker.published] == [1, 1, 2]
        await delivery.connected()
        await delivery.end()


async def test_an_announcement_is_put_in_place_where_a_record_of_the_same_bytes_is_taken(
    delivery: Delivery,
) -> None:
    """A broker at its quota refuses one and takes the next: of a description these are the same bytes."""
    meta = METAS[0]
    answers = [QUOTA_EXCEEDED, 0, 0]
    async with ScriptedBroker(lambda *_: answers.pop(0)).running() as broker:
        delivery.append(1, meta)
        (record,) = delivery.outbox.take(1)
        delivery.outbox.release()
        delivery.start(broker.port, Pauses(refused_s=60))
        delivery.publisher.announce(meta, record.message.payload)
        await until(lambda: len(broker.published) == 3, 20)  # on this connection, which would last for longer
        await delivery.connected()
        assert broker.published == [(meta, record.message.payload)] * 3
        assert broker.retained == [True, False, True]
        await delivery.end()


async def test_cancelled_while_a_topic_is_refused(delivery: Delivery) -> None:
    async with ScriptedBroker(lambda *_: NOT_AUTHORIZED).running() as broker:
        delivery.append(10)
        delivery.start(broker.port, Pauses(refused_s=0.1))
        await until(lambda: delivery.publisher.condition.state is State.FAILED)
        await delivery.end()
    await asyncio.sleep(0.15)
    assert delivery.outbox.state().in_flight == 0
    assert delivery.pending == 10


# Coming and going


async def test_announcements_are_there_again_after_a_restart_of_the_broker(
    delivery: Delivery, broker: Mosquitto
) -> None:
    delivery.start(broker.port)
    delivery.publisher.announce(STATUS, b'{"state": "degraded"}')
    await delivery.connected()
    delivery.publisher.announce(STATUS, b'{"state": "healthy"}')
    delivery.publisher.announce(METAS[0], b'{"meta": 1}')
    await delivery.publisher.drain(5)
    for _ in range(2):
        await broker.kill()
        await until(lambda: delivery.publisher.condition.state is State.FAILED)
        await broker.start()
        async with subscribed(broker.port) as subscriber:
            await until(lambda subscriber=subscriber: len(subscriber.raw) >= 2)
            assert dict(subscriber.raw) == {
                STATUS: '{"state": "healthy"}',
                METAS[0]: '{"meta": 1}',
            }


async def test_what_is_withdrawn_is_forgotten_by_the_broker_and_announced_no_more(
    delivery: Delivery, broker: Mosquitto
) -> None:
    kept, gone = METAS[:2]
    async with Proxy(broker.port).running() as proxy:
        delivery.start(proxy.port)
        await delivery.connected()
        for meta in (kept, gone):
            delivery.publisher.announce(meta, b'{"meta": 1}')
        await delivery.publisher.drain(5)
        proxy.stall()
        delivery.publisher.withdraw(gone)  # not sent before the next connection
        for _ in range(2):
            await broker.kill()
            await until(lambda: delivery.publisher.condition.state is State.FAILED)
            await broker.start()
            await delivery.connected()
            await delivery.publisher.drain(5)
        assert [payload for topic, payload in proxy.published if topic == gone] == [b'{"meta": 1}', b""]
        async with subscribed(broker.port) as subscriber:
            await until(lambda: subscriber.raw)
            assert subscriber.raw == [(kept, '{"meta": 1}')]
        await delivery.end()


async def test_a_withdrawn_announcement_that_comes_back_stays(delivery: Delivery) -> None:
    async with ScriptedBroker(lambda *_: None).running() as broker:
        delivery.start(broker.port)
        await delivery.connected()
        for payload in (b'{"meta": 1}', b"", b'{"meta": 1}'):
            delivery.publisher.announce(METAS[0], payload)
            await until(lambda payload=payload: broker.published[-1:] == [(METAS[0], payload)])
        broker.answer_backwards()
        await delivery.publisher.drain(5)
        await delivery.end()
        count = len(broker.published)
        delivery.start(broker.port)
        delivery.publisher.announce(METAS[0], b'{"meta": 1}')
        await until(lambda: len(broker.published) > count)
        assert broker.published[-1] == (METAS[0], b'{"meta": 1}')
        await delivery.end()


async def test_the_will_stays_unpublished_on_a_clean_end(delivery: Delivery, broker: Mosquitto) -> None:
    async with subscribed(broker.port, STATUS) as subscriber:
        delivery.start(broker.port)
        await delivery.connected()
        delivery.publisher.announce(STATUS, b'{"state": "stopped"}')
        await delivery.end()
        await until(lambda: subscriber.raw)
        delivery.start(broker.port)
        await delivery.connected()
        delivery.publisher.announce(STATUS, b'{"state": "healthy"}')
        await until(lambda: len(subscriber.raw) == 2)
    assert [json.loads(payload)["state"] for _, payload in subscriber.raw] == ["stopped", "healthy"]


async def test_draining(delivery: Delivery, broker: Mosquitto) -> None:
    delivery.start(free_port())
    delivery.append(10)
    async with asyncio.timeout(8):
        await delivery.publisher.drain(60)  # offline: not at all
    await delivery.end()
    delivery.start(broker.port)
    await delivery.connected()
    delivery.append(500)
    delivery.publisher.announce(STATUS, b"{}")
    await delivery.publisher.drain(10)
    assert delivery.pending == 0
    delivery.append(2000)
    draining = asyncio.create_task(delivery.publisher.drain(10))
    await asyncio.sleep(0)
    await broker.kill()
    async with asyncio.timeout(2):
        await draining


async def test_cancelled_while_connecting(delivery: Delivery) -> None:
    async with OddServer().running() as server:
        delivery.start(server.port)
        await server.connected.wait()
        await delivery.end()
        await asyncio.wait_for(server.left.wait(), 1)


async def test_cancelled_while_pausing(delivery: Delivery) -> None:
    delivery.start(free_port(), Pauses(first_s=30), reconnect_max_s=60)
    await until(lambda: delivery.publisher.next_retry_ns is not None)
    await delivery.end()


@pytest.mark.parametrize("stalled", [False, True])
async def test_cancelled_while_sending(delivery: Delivery, broker: Mosquitto, stalled: bool) -> None:
    async with Proxy(broker.port).running() as proxy:
        delivery.start(proxy.port)
        await delivery.connected()
        if stalled:
            proxy.stall()
        delivery.append(1000)
        await asyncio.sleep(0.02)
        await delivery.end()
        confirmed = len(delivery.outbox.confirmed)
        assert delivery.pending == len(delivery.appended) - confirmed
        assert delivery.outbox.state().in_flight == 0
        await asyncio.sleep(0.3)
        assert len(delivery.outbox.confirmed) == confirmed
        delivery.start(proxy.port)
        await until(lambda: delivery.pending == 0)


@given(st.floats(0.01, 10, allow_nan=False), st.floats(0.01, 1000, allow_nan=False), st.integers(1, 40))
def test_pauses_double_up_to_the_longest_and_are_shortened_at_random(
    first_s: float, longest_s: float, count: int
) -> None:
    for n, pause_s in enumerate(islice(reconnect_pauses(first_s, longest_s), count)):
        full_s = min(first_s * 2**n, longest_s)
        assert full_s / 2 <= pause_s <= full_s


def test_pauses_differ_between_gateways() -> None:
    assert len({next(reconnect_pauses(1, 60)) for _ in range(20)}) > 15


async def test_a_broker_that_throws_us_out_at_once_is_not_hammered(delivery: Delivery) -> None:
    async with OddServer(b"\x20\x03\x00\x00\x00", close=True).running() as server:
        delivery.start(server.port, Pauses(first_s=0.05, lasting_s=10), reconnect_max_s=60)
        await asyncio.sleep(1)
        assert 3 <= server.connections <= 6
        await delivery.end()


async def test_pauses_begin_anew_after_a_connection_that_lasted(
    delivery: Delivery, broker: Mosquitto
) -> None:
    await broker.stop()
    delivery.start(broker.port, Pauses(first_s=0.1, lasting_s=0.3), reconnect_max_s=0.8)
    await until(lambda: (delivery.publisher.report().next_retry_s or 0) > 0.3)
    await broker.start()
    await delivery.connected()
    await asyncio.sleep(0.4)
    await broker.kill()
    await until(lambda: delivery.publisher.condition.state is State.FAILED)
    await until(lambda: delivery.publisher.next_retry_ns is not None)
    assert (delivery.publisher.report().next_retry_s or 0) <= 0.1
