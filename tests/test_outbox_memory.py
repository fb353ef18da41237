"""What the outbox holds in memory: order, bounds, and the rate of what comes in."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.messages import Message
from collector.outbox.memory import Memory
from collector.outbox.rate import AppendRate
from collector.outbox.record import RECORD_ALLOWANCE_BYTES
from collector.outbox.state import Cause
from collector.outbox.stored import AHEAD_BYTES, STORED_IN_FLIGHT_BYTES


def message(seq: int, topic: str = "a", size: int = 10, epoch: str = "000001-00000000") -> Message:
    return Message(epoch, seq, topic, b"x" * size, seq, sync=True)


def filled(count: int, size: int = 10) -> Memory:
    memory = Memory()
    for seq in range(count):
        memory.fresh.append(message(seq, size=size), now_s=float(seq))
    return memory


def seqs(messages: list[Message]) -> list[int]:
    return [m.seq for m in messages]


def test_fresh_records_are_taken_in_order_once() -> None:
    memory = filled(5)
    assert seqs(memory.fresh.take(2, ())) == [0, 1]
    assert seqs(memory.fresh.take(9, ())) == [2, 3, 4]
    assert memory.fresh.take(9, ()) == []
    memory.release([("000001-00000000", 3), ("000001-00000000", 1), ("unknown", 1)])
    assert seqs(memory.fresh.take(9, ())) == [1, 3]
    memory.release(None)
    assert seqs(memory.fresh.take(9, ())) == [0, 1, 2, 3, 4]


def test_record_confirmed_in_time_is_none_of_the_disks_business() -> None:
    memory = filled(2)
    memory.fresh.take(1, ())
    assert not memory.confirm(("000001-00000000", 0))
    memory.fresh.begin_commit(10.0, 1 << 20)
    assert memory.confirm(("000001-00000000", 1))
    assert memory.confirm(("000001-00000000", 1))  # perhaps on disk: asked again does no harm
    assert memory.bytes == 0


def test_group_is_the_oldest_up_to_a_moment_and_a_size() -> None:
    memory = filled(10)
    assert seqs(memory.fresh.begin_commit(6.0, 1 << 20)) == list(range(7))
    assert seqs(memory.fresh.begin_commit(99.0, 3 * (RECORD_ALLOWANCE_BYTES + 10))) == [0, 1, 2]


def test_stored_records_stay_at_hand_only_where_nothing_older_waits() -> None:
    for keep in (True, False):
        memory = filled(4)
        flying = memory.fresh.take(1, ())
        group = memory.fresh.begin_commit(99.0, 1 << 20)
        memory.confirm(("000001-00000000", 1))
        forgotten, _ = memory.end_commit(group, 3, keep=keep)
        assert forgotten == ([] if keep else [("000001-00000000", 2)])
        assert len(memory.fresh) == 1
        memory.release([(m.epoch, m.seq) for m in flying])
        assert seqs(memory.fresh.take(9, ())) == [3]
        assert seqs(memory.stored.take(9, ())) == ([0, 2] if keep else [0])


def test_shelved_records_come_back_when_all_are_released_and_go_to_disk_meanwhile() -> None:
    memory = filled(4)
    stored_key, written_key, fresh_key = [("000001-00000000", seq) for seq in range(3)]
    memory.fresh.take(1, ())
    memory.end_commit(memory.fresh.begin_commit(0.0, 1 << 20), 1, keep=True)
    assert memory.shelve(stored_key)
    memory.fresh.take(2, ())
    assert not memory.shelve(written_key)
    assert not memory.shelve(fresh_key)
    assert memory.end_commit(memory.fresh.begin_commit(1.0, 1 << 20), 1, keep=True) == ([], [written_key])
    assert len(memory.stored) == memory.in_flight == 0
    assert seqs(memory.fresh.take(9, ())) == [3]
    memory.release(None)
    assert seqs(memory.fresh.take(9, ())) == [2, 3]
    assert memory.stored.take(9, ()) == []


def test_shelved_records_are_shed_like_others() -> None:
    memory = filled(2)
    memory.fresh.take(1, ())
    memory.shelve(("000001-00000000", 0))
    assert (loss := memory.fresh.shed()) is not None
    assert loss.first_seq == 0
    memory.release(None)
    assert seqs(memory.fresh.take(9, ())) == [1]


def test_backlog_in_memory_is_bounded() -> None:
    memory = filled(3000, size=1000)
    forgotten, _ = memory.end_commit(memory.fresh.begin_commit(1e9, 1 << 30), 3000, keep=True)
    assert len(memory.fresh) == 0
    assert memory.bytes <= AHEAD_BYTES
    assert forgotten[0][1] == 3000 - len(forgotten)
    for epoch in ("000000-00000000", "000000-00000001"):
        memory.stored.add_read([message(seq, size=1000, epoch=epoch) for seq in range(600)])
    taken = memory.stored.take(5000, ())
    assert sum(len(m.payload) for m in taken) < STORED_IN_FLIGHT_BYTES
    assert taken[0].epoch == "000000-00000000"
    memory.confirm((taken[0].epoch, taken[0].seq))
    assert len(memory.stored.take(5000, ())) == 1


def test_withheld_records_make_room_for_others() -> None:
    memory = Memory()
    memory.stored.add_read([message(1, "a"), message(2, "b"), message(3, "a")])
    assert seqs(memory.stored.take(1, {"a"})) == [2]
    assert memory.stored.make_room({"a"}) == [("000001-00000000", 1), ("000001-00000000", 3)]
    memory.stored.add_read([message(seq, "c", size=1000) for seq in range(10, 600)])
    assert memory.stored.make_room({"a"}) is None


def test_shedding_spares_what_is_on_its_way() -> None:
    memory = filled(4)
    memory.fresh.take(1, ())
    memory.fresh.begin_commit(1.0, 1 << 20)
    losses = [memory.fresh.shed(), memory.fresh.shed(), memory.fresh.shed()]
    assert [loss and (loss.cause, loss.first_seq) for loss in losses] == [
        (Cause.MEMORY, 2),
        (Cause.MEMORY, 3),
        None,
    ]


@given(st.lists(st.integers(0, 100_000), min_size=2, max_size=50), st.floats(0.05, 2))
def test_rate_is_a_mean_over_the_past(sizes: list[int], step_s: float) -> None:
    rate = AppendRate()
    rate.advance(0.0)
    for i, size in enumerate(sizes, start=1):
        rate.add(size)
        rate.advance(i * step_s)
    assert min(sizes) / step_s - 1e-6 <= rate.bytes_s <= max(sizes) / step_s * (1 + 1e-9) + 1e-6


def test_hours_left() -> None:
    rate = AppendRate()
    assert rate.hours_to(1) is None
    rate.advance(0.0)
    rate.add(1000)
    rate.advance(1.0)
    assert rate.hours_to(3_600_000) == pytest.approx(1.0)
    for second in range(2, 3000):
        rate.advance(float(second))
    assert rate.bytes_s < 1000 * math.exp(-40)
    assert rate.hours_to(1) is None
