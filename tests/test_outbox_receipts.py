"""Delivery up to the store: what the outbox does between the broker's word and the store's."""

import asyncio
import errno
import sys
from collections.abc import Collection
from pathlib import Path
from time import monotonic

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from outbox_faults import FaultyFiles
from test_outbox import Story, fill, take, until

from collector.messages import Receipt, Rejected, seq_ranges
from collector.outbox import Outbox, OutboxSettings, Outgoing
from collector.outbox.fresh import HELD_BYTES
from collector.outbox.store_word import LEAST_TRUSTED, MOST_TRUSTED, OVERTAKEN_S, StoreWord


def store_settings(folder: Path, hold_s: float = 60, commit_interval_s: float = 0.05) -> OutboxSettings:
    given = OutboxSettings(
        directory=folder, max_mib=16, commit_interval_s=commit_interval_s, delivery="store"
    )
    return given.model_copy(update={"receipt_hold_s": hold_s})  # shorter than may be configured


def acknowledge(outbox: Outbox, sent: Collection[Outgoing]) -> None:
    for outgoing in sent:
        outbox.acknowledge(outgoing.message.epoch, outgoing.message.seq)


def receipt(outbox: Outbox, seqs: Collection[int], epoch: str | None = None) -> None:
    outbox.receipt(Receipt(epoch=epoch or outbox.epoch, stored=seq_ranges(seqs)))


async def test_what_broker_and_store_answer_in_time_never_touches_the_disk(tmp_path: Path) -> None:
    files = FaultyFiles()
    outbox = await Outbox.open(store_settings(tmp_path), files)
    written_bytes, syncs = files.written_bytes, files.counts["sync"]
    for seq in range(1, 31):
        fill(outbox, [seq])
        acknowledge(outbox, await take(outbox, 1))
        if seq % 10 == 0:
            assert outbox.state().awaiting == outbox.state().records == 10
            await asyncio.sleep(0.15)  # some commit intervals
            receipt(outbox, range(seq - 9, seq + 1))
            receipt(outbox, range(seq - 9, seq + 1))
    await outbox.close()
    assert (files.written_bytes, files.counts["sync"]) == (written_bytes, syncs)
    assert outbox.state().records == 0


async def test_without_a_receipt_it_goes_to_disk_after_the_hold_and_is_sent_again(tmp_path: Path) -> None:
    outbox = await Outbox.open(store_settings(tmp_path, hold_s=0.3))
    records = fill(outbox, range(1, 21))
    acknowledge(outbox, await take(outbox, 20))
    assert outbox.state().uncommitted == 20
    await until(lambda: outbox.state().uncommitted == 0)
    assert outbox.state().records == 20
    again = await take(outbox, 20)
    assert again == [Outgoing(record, late=True) for record in records]
    acknowledge(outbox, again[:10])
    receipt(outbox, range(1, 21))
    assert outbox.state().in_flight == 0
    await until(lambda: outbox.state().records == outbox.state().disk_bytes == 0)
    await outbox.close()


async def test_the_hold_counts_from_the_brokers_word(tmp_path: Path) -> None:
    outbox = await Outbox.open(store_settings(tmp_path))
    fill(outbox, [1])
    await until(lambda: outbox.state().uncommitted == 0)  # the broker said nothing
    fill(outbox, [2])
    acknowledge(outbox, await take(outbox, 2))
    assert outbox.state().awaiting == 2
    assert outbox.state().uncommitted == 1
    await outbox.close()


async def test_order_on_disk_holds_when_the_broker_answers_the_newer_one_only(tmp_path: Path) -> None:
    """A segment takes records in ascending order; what is held goes along with what is younger and urgent."""
    outbox = await Outbox.open(store_settings(tmp_path))
    records = fill(outbox, range(1, 7))
    sent = await take(outbox, 6)
    acknowledge(outbox, sent[::2])
    await until(lambda: outbox.state().uncommitted == 0)
    assert not outbox.state().disk_failing
    await outbox.close()
    outbox = await Outbox.open(store_settings(tmp_path))
    assert [o.message for o in await take(outbox, 6)] == records
    await outbox.close()


async def test_a_restart_sends_what_had_no_receipt_and_takes_receipts_of_older_runs(tmp_path: Path) -> None:
    outbox = await Outbox.open(store_settings(tmp_path))
    old, records = outbox.epoch, fill(outbox, range(1, 101))
    acknowledge(outbox, await take(outbox, 60))
    receipt(outbox, range(1, 21))
    await outbox.close()

    outbox = await Outbox.open(store_settings(tmp_path))
    assert outbox.state().records == 80
    fill(outbox, range(1, 4))
    receipt(outbox, range(50, 101), old)
    receipt(outbox, [*range(21, 31), 1000], old)
    assert [o.message for o in await take(outbox, 22) if o.late] == records[30:49]
    receipt(outbox, range(1, 4))
    receipt(outbox, range(31, 50), old)
    await until(lambda: outbox.state().records == outbox.state().disk_bytes == 0)
    await outbox.close()


async def test_a_receipt_may_be_faster_than_the_brokers_word(tmp_path: Path) -> None:
    outbox = await Outbox.open(store_settings(tmp_path))
    fill(outbox, [1, 2])
    sent = await take(outbox, 2)
    receipt(outbox, [1, 2])
    assert outbox.state().records == outbox.state().in_flight == 0
    acknowledge(outbox, sent)
    assert outbox.state().records == outbox.state().awaiting == 0
    await outbox.close()


async def test_rejected_records_count_once_and_are_not_sent_again(tmp_path: Path) -> None:
    outbox = await Outbox.open(store_settings(tmp_path, hold_s=0.1))
    fill(outbox, range(1, 6))
    acknowledge(outbox, await take(outbox, 5))
    rejected = [Rejected(seq=2, reason="unreadable"), Rejected(seq=4, reason="unknown-version")]
    for _ in range(3):
        outbox.receipt(Receipt(epoch=outbox.epoch, rejected=rejected))
    state = outbox.state()
    assert (state.records, state.rejected) == (3, 2)
    assert state.rejected_reasons == {"unreadable": 1, "unknown-version": 1}
    assert [o.message.seq for o in await take(outbox, 3)] == [1, 3, 5]
    await outbox.close()


async def test_a_receipt_for_all_numbers_there_are_costs_nothing(tmp_path: Path) -> None:
    outbox = await Outbox.open(store_settings(tmp_path))
    old = outbox.epoch
    fill(outbox, range(1, 2001))
    await outbox.close()
    outbox = await Outbox.open(store_settings(tmp_path))
    fill(outbox, range(1, 101))
    started_s = monotonic()
    for epoch in (old, "000077-00000000"):
        outbox.receipt(Receipt(epoch=epoch, stored=[(1, 2**63), (5, 3)]))
    await until(lambda: outbox.state().records == 100)
    assert monotonic() - started_s < 30  # counted through it would take years
    await outbox.close()


async def test_while_the_store_is_silent_little_of_the_backlog_is_sent(tmp_path: Path) -> None:
    outbox = await Outbox.open(store_settings(tmp_path, commit_interval_s=60))
    fill(outbox, range(1, 3001))
    await outbox.close()
    outbox = await Outbox.open(store_settings(tmp_path, commit_interval_s=60))
    old = f"{int(outbox.epoch[:6]) - 1:06d}"
    sent = await take(outbox, LEAST_TRUSTED)
    acknowledge(outbox, sent)
    assert outbox.take(500) == []
    (live,) = fill(outbox, [1])
    assert outbox.take(500) == [Outgoing(live, late=False)]  # what is fresh needs no trust
    came = len(sent)
    while came < 3000:
        assert sent[0].message.epoch.startswith(old)
        receipt(outbox, [o.message.seq for o in sent], sent[0].message.epoch)
        before = len(sent)
        sent = await take(outbox, min(2 * before, 3000 - came))
        acknowledge(outbox, sent)
        came += len(sent)
    assert len(sent) > LEAST_TRUSTED
    await outbox.close()


async def test_what_later_ones_overtook_is_sent_again_at_once(tmp_path: Path) -> None:
    """The broker's queue for the store was full: these it will never hand out."""
    outbox = await Outbox.open(store_settings(tmp_path))
    records = fill(outbox, range(1, 41))
    sent = await take(outbox, 40)
    loop = asyncio.get_running_loop()
    acknowledge(outbox, sent[:20])
    began_s = loop.time()
    await until_later(began_s + OVERTAKEN_S + 0.1)
    acknowledge(outbox, sent[20:])
    assert outbox.state().awaiting == 40
    receipt(outbox, range(21, 41))
    assert [o.message for o in await take(outbox, 20)] == records[:20]
    await outbox.close()


async def until_later(time_s: float) -> None:
    await asyncio.sleep(time_s - asyncio.get_running_loop().time())


async def test_what_is_held_is_bounded_and_the_rest_goes_to_disk(tmp_path: Path) -> None:
    outbox = await Outbox.open(store_settings(tmp_path))
    for start in range(1, 6000, 200):
        fill(outbox, range(start, start + 200), size=2000)
        acknowledge(outbox, await take(outbox, 200))
        assert outbox.state().memory_bytes < 2 * HELD_BYTES + (1 << 20)
        await until(lambda: outbox.state().uncommitted * 2500 <= HELD_BYTES)  # the disk keeps pace
    assert outbox.state().awaiting <= MOST_TRUSTED + outbox.state().uncommitted
    assert outbox.state().records == 6000
    receipt(outbox, range(1, 6001))
    await until(lambda: outbox.state().records == 0)
    assert outbox.losses() == []
    await outbox.close()


async def test_a_disk_that_fails_meanwhile_loses_nothing(tmp_path: Path) -> None:
    files = FaultyFiles()
    outbox = await Outbox.open(store_settings(tmp_path, hold_s=0.2), files)
    files.fault = lambda operation, _path: errno.EROFS if operation == "create" else None
    records = fill(outbox, range(1, 51))
    acknowledge(outbox, await take(outbox, 50))
    await until(lambda: outbox.state().disk_failing)
    again = await take(outbox, 50)  # although they could not be stored
    assert [o.message for o in again] == records
    receipt(outbox, range(1, 51))
    assert outbox.state().records == 0
    await outbox.close()


async def test_a_lost_connection_leaves_alone_what_the_broker_has(tmp_path: Path) -> None:
    outbox = await Outbox.open(store_settings(tmp_path))
    fill(outbox, range(1, 11))
    acknowledge(outbox, (await take(outbox, 10))[:5])
    outbox.release()
    assert [o.message.seq for o in outbox.take(10)] == [6, 7, 8, 9, 10]
    assert outbox.state().awaiting == 5
    await outbox.close()


def test_patience_grows_in_silence_and_trust_with_receipts() -> None:
    word = StoreWord(30)
    assert (word.timeout_s, word.trusted, word.silent_s(5)) == (60, LEAST_TRUSTED, 0)
    word.sent(10)
    word.sent(20)
    assert word.silent_s(25) == 15
    now_s = 100.0
    for expected_s in (120, 240, 480, 600, 600):
        for later_s in (0, 0.25, 0.5):  # what went out together is missed bit by bit
            word.missed(now_s + later_s)
        assert word.timeout_s == expected_s
        now_s += expected_s
    word.spoke(100, LEAST_TRUSTED, awaited=True)
    assert (word.timeout_s, word.trusted, word.silent_s(103)) == (60, 2 * LEAST_TRUSTED, 3)
    word.spoke(110, sys.maxsize, awaited=False)
    assert (word.trusted, word.silent_s(500)) == (MOST_TRUSTED, 0)
    word.missed(now_s)
    assert word.trusted == MOST_TRUSTED // 2
    word.spoke(120, 160, awaited=True)
    assert word.trusted == MOST_TRUSTED // 2 + 10  # carefully now


def test_a_store_of_which_nothing_is_awaited_is_not_silent() -> None:
    word = StoreWord(30)
    word.sent(10)
    word.look(70, awaited=True)
    word.look(75, awaited=False)  # missed, and on its way to the broker again
    assert word.silent_s(75) == 65
    word.sent(76)
    word.look(80, awaited=True)
    assert word.silent_s(80) == 70
    word.look(91, awaited=False)
    assert word.silent_s(1000) == 0
    word.sent(1000)
    assert word.silent_s(1100) == 100


async def test_a_store_is_not_silent_while_the_broker_is_away(tmp_path: Path) -> None:
    outbox = await Outbox.open(store_settings(tmp_path))
    fill(outbox, [1, 2])
    acknowledge(outbox, await take(outbox, 1))
    await until(lambda: outbox.state().store_silent_s > 0)
    outbox.release([(outbox.epoch, 2)])
    assert outbox.state().store_silent_s > 0
    outbox.release()
    assert outbox.state().store_silent_s == 0
    assert outbox.state().awaiting == 1
    acknowledge(outbox, await take(outbox, 1))
    await until(lambda: outbox.state().store_silent_s > 0)
    await outbox.close()


def test_what_is_remembered_of_rejections_is_bounded() -> None:
    word = StoreWord(30)
    for seq in range(1, 5000):
        word.reject("000001-00000000", [(seq, f"reason-{seq}"), (seq, f"reason-{seq}")])
    assert word.rejected == 4999
    assert len(word.reasons) == 16


class StoreStory(Story):
    """Random life of an outbox whose records wait for receipts, too."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.settings = self.settings.model_copy(update={"delivery": "store"})
        self.acknowledged: set[tuple[str, int]] = set()

    async def take(self, number: int) -> None:
        before = set(self.in_flight)
        await super().take(number)
        assert not self.acknowledged & (set(self.in_flight) - before)

    async def acknowledge(self, number: int) -> None:
        for key in sorted(self.in_flight)[::3][:number]:
            self.outbox.acknowledge(*key)
            self.acknowledged.add(key)
            del self.in_flight[key]
        assert self.outbox.state().awaiting == len(self.acknowledged)

    async def receipt(self, number: int) -> None:
        """The store's word on some ranges of every run."""
        for epoch in {epoch for epoch, _ in self.appended}:
            first, last = number * 5 + 1, number * 9 + 1
            self.outbox.receipt(Receipt(epoch=epoch, stored=[(first, last), (last + 3, last + 4)]))
            for seq in (*range(first, last + 1), last + 3, last + 4):
                if (epoch, seq) in self.appended:
                    self.confirmed.add((epoch, seq))
                self.acknowledged.discard((epoch, seq))
                self.in_flight.pop((epoch, seq), None)

    async def restart(self, number: int) -> None:
        await super().restart(number)
        self.acknowledged.clear()


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["append", "take", "acknowledge", "receipt", "release", "commit", "breathe", "restart"]
            ),
            st.integers(0, 60),
        ),
        max_size=30,
    )
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_each_record_is_receipted_or_comes_out_again(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    asyncio.run(StoreStory(tmp_path_factory.mktemp("outbox")).run(steps))
