"""The outbox whole: event loop, memory and disk thread together, over stops, kills and failing disks."""

import asyncio
import contextlib
import errno
import subprocess
import sys
import threading
from collections.abc import Callable, Collection
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from outbox_faults import FaultyFiles

from collector.clock import SystemClock, UtcClock
from collector.errors import OutboxError
from collector.gateway.status import outbox_report
from collector.health import Condition, State
from collector.messages import Message
from collector.outbox import Cause, Mark, Outbox, OutboxSettings, Outgoing, Reading
from collector.outbox.fresh import FRESH_BYTES


def short_settings(folder: Path, commit_interval_s: float = 0.05) -> OutboxSettings:
    return OutboxSettings(directory=folder, max_mib=16, commit_interval_s=commit_interval_s)


def slow_settings(folder: Path) -> OutboxSettings:
    """No commit comes but those that a test asks for."""
    return short_settings(folder, 60)


def record(outbox: Outbox, seq: int, topic: str = "a", size: int = 50) -> Message:
    payload = f"{outbox.epoch}/{seq}:".encode().ljust(size, b".")
    return Message(outbox.epoch, seq, topic, payload, 1_000_000 + seq, sync=True)


def fill(outbox: Outbox, seqs: Collection[int], topic: str = "a", size: int = 50) -> list[Message]:
    records = [record(outbox, seq, topic, size) for seq in seqs]
    for message in records:
        outbox.append(message)
    return records


def append_at_next_sync(outbox: Outbox, files: FaultyFiles, seq: int) -> asyncio.Future[None]:
    """While the disk is busy with a group of records, another record comes; done when it has."""
    loop = asyncio.get_running_loop()
    came: asyncio.Future[None] = loop.create_future()

    def append() -> None:
        fill(outbox, [seq])
        came.set_result(None)

    def watch(operation: str, path: Path) -> int | None:
        if operation == "sync" and path.suffix == ".log":
            files.fault = lambda _operation, _path: None
            loop.call_soon_threadsafe(append)
        return None

    files.fault = watch
    return came


def confirm(outbox: Outbox, sent: list[Outgoing]) -> None:
    for outgoing in sent:
        outbox.confirm(outgoing.message.epoch, outgoing.message.seq)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 (`state` has no event)
            await asyncio.sleep(0.005)


async def take(outbox: Outbox, count: int, withheld: Collection[str] = ()) -> list[Outgoing]:
    """Take so many, waiting for them; what is taken stays in flight."""
    sent: list[Outgoing] = []
    async with asyncio.timeout(60):
        while len(sent) < count:
            await outbox.ready.wait()
            sent += outbox.take(count - len(sent), withheld)
    return sent


async def test_confirmed_in_time_never_touches_the_disk(tmp_path: Path) -> None:
    files = FaultyFiles()
    outbox = await Outbox.open(short_settings(tmp_path), files)
    written_bytes, syncs = files.written_bytes, files.counts["sync"]
    for seq in range(30):
        fill(outbox, [seq])
        confirm(outbox, await take(outbox, 1))
        await asyncio.sleep(0.01)
    await outbox.close()
    assert (files.written_bytes, files.counts["sync"]) == (written_bytes, syncs)
    assert outbox.state().records == 0


async def test_unconfirmed_is_on_disk_within_the_commit_interval(tmp_path: Path) -> None:
    files = FaultyFiles()
    loop = asyncio.get_running_loop()
    synced: asyncio.Future[float] = loop.create_future()

    def watch(operation: str, path: Path) -> int | None:
        if operation == "sync" and path.suffix == ".log":
            loop.call_soon_threadsafe(synced.set_result, loop.time())
        return None

    files.fault = watch
    outbox = await Outbox.open(short_settings(tmp_path, 0.5), files)
    started_s = loop.time()
    fill(outbox, [1])
    assert outbox.take(5)[0].late is False  # in flight, and still not confirmed
    assert 0.2 < await synced - started_s < 0.6
    await until(lambda: outbox.state().uncommitted == 0)
    assert outbox.state().in_flight == outbox.state().records == 1
    files.fault = lambda _operation, _path: None
    await outbox.close()


async def test_many_records_go_as_one_group(tmp_path: Path) -> None:
    files = FaultyFiles()
    outbox = await Outbox.open(slow_settings(tmp_path), files)
    syncs = files.counts["sync"]
    fill(outbox, range(1000))
    await outbox.commit()
    assert files.counts["sync"] - syncs == 1
    await outbox.close()


async def test_records_that_come_while_others_are_stored_are_stored_once(tmp_path: Path) -> None:
    files = FaultyFiles()
    outbox = await Outbox.open(slow_settings(tmp_path), files)
    coming = append_at_next_sync(outbox, files, 11)
    fill(outbox, range(1, 11))
    await asyncio.gather(*(outbox.commit() for _ in range(3)))  # the second and third wait for the first
    await coming
    assert outbox.state().uncommitted == 0
    assert [message.seq for message in Reading(tmp_path).messages()] == [*range(1, 12)]
    await outbox.close()


async def test_purge_takes_what_was_there_and_minds_no_record_that_comes_meanwhile(tmp_path: Path) -> None:
    files = FaultyFiles()
    outbox = await Outbox.open(slow_settings(tmp_path), files)
    coming = append_at_next_sync(outbox, files, 11)
    fill(outbox, range(1, 11))
    assert await outbox.purge() == 10
    await coming
    (loss,) = outbox.losses()
    assert (loss.cause, loss.records, loss.first_seq, loss.last_seq) == (Cause.PURGED, 10, 1, 10)
    assert [outgoing.message.seq for outgoing in await take(outbox, 1)] == [11]
    assert outbox.state().records == 1
    await outbox.close()


async def test_purge_of_what_the_disk_does_not_take_gives_up_nothing(tmp_path: Path) -> None:
    files = FaultyFiles()
    outbox = await Outbox.open(slow_settings(tmp_path), files)
    files.fault = lambda operation, path: errno.EIO if path.suffix == ".log" else None
    fill(outbox, range(1, 11))
    with pytest.raises(OutboxError, match=r"disk that holds .* failed"):
        await outbox.purge()
    files.fault = lambda _operation, _path: None
    assert outbox.state().records == 10
    assert await outbox.purge() == 10
    await outbox.close()


async def test_live_records_go_before_the_backlog(tmp_path: Path) -> None:
    outbox = await Outbox.open(slow_settings(tmp_path))
    fill(outbox, range(1, 4))
    await outbox.commit()
    fill(outbox, range(4, 7))
    sent = outbox.take(4)
    assert [(o.message.seq, o.late) for o in sent] == [(4, False), (5, False), (6, False), (1, True)]
    fill(outbox, [7])
    assert [o.message.seq for o in outbox.take(9)] == [7, 2, 3]
    assert not outbox.ready.is_set()
    outbox.release()
    assert outbox.ready.is_set()
    assert [o.message.seq for o in outbox.take(9)] == [4, 5, 6, 7, 1, 2, 3]
    await outbox.close()


async def test_it_is_reported_whether_the_oldest_record_has_a_time_that_holds(tmp_path: Path) -> None:
    condition = Condition(UtcClock(SystemClock()), State.OK)
    outbox = await Outbox.open(slow_settings(tmp_path))
    outbox.append(record(outbox, 1)._replace(sync=False))
    fill(outbox, [2])
    in_memory = outbox_report(condition, outbox.state())
    await outbox.commit()
    on_disk = outbox_report(condition, outbox.state())
    (seen,) = Reading(tmp_path).epochs
    for waiting in (in_memory, on_disk, seen):
        assert (waiting.oldest_us, waiting.oldest_sync) == (1_000_001, False)
    outbox.confirm(outbox.epoch, 1)
    await until(lambda: outbox_report(condition, outbox.state()).oldest_sync)
    await outbox.close()


async def test_resent_after_a_restart_byte_for_byte(tmp_path: Path) -> None:
    outbox = await Outbox.open(short_settings(tmp_path))
    old = fill(outbox, range(1, 1001))
    confirm(outbox, outbox.take(200))
    outbox.take(100)
    await outbox.close()

    outbox = await Outbox.open(short_settings(tmp_path))
    assert outbox.state().records == 800
    assert outbox.state().oldest_us == old[200].t_us
    (live,) = fill(outbox, [1])
    sent = await take(outbox, 801)
    assert {o.message.seq: o for o in sent if o.message.epoch == live.epoch} == {
        1: Outgoing(live, late=False)
    }
    assert [o for o in sent if o.message != live] == [Outgoing(message, late=True) for message in old[200:]]
    confirm(outbox, sent)
    await outbox.close()

    outbox = await Outbox.open(short_settings(tmp_path))
    assert (outbox.state().records, outbox.state().disk_bytes) == (0, 0)
    assert outbox.losses() == []
    await outbox.close()


async def test_long_outage_is_delivered_in_order_within_little_memory(tmp_path: Path) -> None:
    outbox = await Outbox.open(slow_settings(tmp_path))
    for start in range(0, 5000, 1000):
        fill(outbox, range(start, start + 1000), size=1500)
        await outbox.commit()
        assert outbox.state().memory_bytes < 2 << 20
    assert outbox.state().records == 5000
    seqs: list[int] = []
    while len(seqs) < 5000:
        sent = await take(outbox, min(64, 5000 - len(seqs)))
        seqs += [o.message.seq for o in sent]
        confirm(outbox, sent)
        assert outbox.state().memory_bytes < 3 << 20
    assert seqs == list(range(5000))
    assert outbox.state().records == 0
    await outbox.close()


async def test_short_outage_is_not_read_back(tmp_path: Path) -> None:
    files = FaultyFiles()
    outbox = await Outbox.open(slow_settings(tmp_path), files)
    reads = files.counts["read"]
    records = fill(outbox, range(100))
    await outbox.commit()
    assert [o.message for o in outbox.take(100)] == records
    assert files.counts["read"] - reads <= 1  # the oldest record's time, for `state`
    await outbox.close()


async def test_withheld_topics_stay_and_hold_nothing_up(tmp_path: Path) -> None:
    outbox = await Outbox.open(slow_settings(tmp_path))
    for start in range(0, 3000, 1000):
        fill(outbox, range(start, start + 900), "refused", size=1000)
        fill(outbox, range(start + 900, start + 1000), "good", size=1000)
        await outbox.commit()
    (refused,) = await take(outbox, 1)
    assert refused.message.topic == "refused"
    outbox.release([(refused.message.epoch, refused.message.seq)])

    sent = await take(outbox, 300, withheld={"refused"})
    assert {o.message.topic for o in sent} == {"good"}
    confirm(outbox, sent)
    assert outbox.take(10, {"refused"}) == []
    await until(lambda: outbox.state().records == 2700)

    fill(outbox, [3000], "good")
    assert [o.message.seq for o in await take(outbox, 1, {"refused"})] == [3000]
    outbox.ready.set()  # as the publisher does when it tries a refused topic again
    seqs: list[int] = []
    while len(seqs) < 2700:
        sent = await take(outbox, min(64, 2700 - len(seqs)))
        seqs += [o.message.seq for o in sent]
        confirm(outbox, sent)
    assert seqs == sorted(seqs)
    assert len(set(seqs)) == 2700
    await outbox.close()


async def test_records_given_back_while_the_disk_is_asked_are_not_forgotten(tmp_path: Path) -> None:
    outbox = await Outbox.open(slow_settings(tmp_path))
    fill(outbox, range(10), "refused")
    await outbox.close()
    outbox = await Outbox.open(slow_settings(tmp_path))
    await outbox.ready.wait()
    fill(outbox, range(10), "good")
    committing = asyncio.create_task(outbox.commit())
    await asyncio.sleep(0)
    assert outbox.take(0, {"refused"}) == []  # asks the disk, which has nothing else yet
    await committing
    assert len(await take(outbox, 10, {"refused"})) == 10
    await outbox.close()


async def test_nothing_to_take_is_waited_for_without_spinning(tmp_path: Path) -> None:
    outbox = await Outbox.open(short_settings(tmp_path))
    fill(outbox, range(10), "refused")
    await outbox.commit()
    wakes = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(1.2):
            while True:
                await outbox.ready.wait()
                wakes += 1
                assert outbox.take(5, {"refused"}) == []
    assert wakes < 10
    await outbox.close()


async def test_confirmations_may_come_in_any_order_and_late(tmp_path: Path) -> None:
    """As a store's receipts do: for records that are neither in flight nor in memory."""
    outbox = await Outbox.open(slow_settings(tmp_path))
    old = fill(outbox, range(2000), size=1500)
    await outbox.close()
    outbox = await Outbox.open(short_settings(tmp_path))
    for message in reversed(old[100:]):
        outbox.confirm(message.epoch, message.seq)
        outbox.confirm(message.epoch, message.seq)
    outbox.confirm("000099-00000000", 1)
    sent = await take(outbox, 100)
    assert [o.message for o in sent] == old[:100]
    await until(lambda: outbox.state().records == 100)
    confirm(outbox, sent)
    await until(lambda: outbox.state().disk_bytes == 0)
    await outbox.close()


async def test_disk_that_fails_for_a_while_loses_nothing_that_memory_holds(tmp_path: Path) -> None:
    files = FaultyFiles()
    outbox = await Outbox.open(short_settings(tmp_path), files)
    files.fault = lambda operation, path: errno.EIO if operation == "sync" else None
    records = fill(outbox, range(100))
    await until(lambda: outbox.state().disk_failing)
    error = outbox.state().last_disk_error
    assert error is not None
    assert error.code == "outbox.disk.error"
    assert outbox.state().uncommitted == 100
    files.fault = lambda operation, path: None
    await until(lambda: outbox.state().uncommitted == 0)
    assert not outbox.state().disk_failing
    assert [o.message for o in await take(outbox, 100)] == records
    await outbox.close()


async def test_disk_that_does_not_answer_is_told_and_stops_nothing(tmp_path: Path) -> None:
    answers = threading.Event()

    def hangs(operation: str, path: Path) -> int | None:
        if operation == "sync":
            answers.wait()
        return None

    files = FaultyFiles()
    outbox = await Outbox.open(short_settings(tmp_path), files)
    try:
        files.fault = hangs
        fill(outbox, range(100))
        await until(lambda: outbox.state().disk_failing)
        error = outbox.state().last_disk_error
        assert error is not None
        assert error.code == "outbox.disk.silent"
        fill(outbox, range(100, 2000), size=10_000)
        assert outbox.state().memory_bytes <= FRESH_BYTES
        assert len(outbox.take(2000)) + sum(loss.records or 0 for loss in outbox.losses()) == 2000
    finally:
        answers.set()
    await until(lambda: not outbox.state().disk_failing)
    await outbox.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_fault_of_the_program_in_the_disk_thread_is_told_and_hangs_nobody(tmp_path: Path) -> None:
    def bug(operation: str, path: Path) -> int | None:
        raise ZeroDivisionError

    files = FaultyFiles()
    outbox = await Outbox.open(short_settings(tmp_path), files)
    files.fault = bug
    fill(outbox, range(5))
    await outbox.commit()
    await until(lambda: outbox.state().disk_failing)
    error = outbox.state().last_disk_error
    assert error is not None
    assert error.code == "outbox.disk.stopped"
    progress = outbox.disk_progress
    assert [o.message.seq for o in outbox.take(10)] == [0, 1, 2, 3, 4]
    await outbox.close()
    assert outbox.disk_progress == progress


async def test_memory_is_bounded_while_the_disk_fails(tmp_path: Path) -> None:
    files = FaultyFiles()
    outbox = await Outbox.open(short_settings(tmp_path), files)
    files.fault = lambda operation, path: errno.EROFS if operation == "create" else None
    records = fill(outbox, range(2000), size=10_000)
    await outbox.commit()
    state = outbox.state()
    assert state.memory_bytes <= FRESH_BYTES
    (loss,) = outbox.losses()
    assert loss.cause is Cause.MEMORY
    assert loss.records == state.dropped == 2000 - state.records > 0
    assert (loss.first_seq, loss.last_seq) == (0, state.dropped - 1)
    assert outbox.losses() == []
    files.fault = lambda operation, path: None
    assert [o.message for o in outbox.take(2000)] == records[state.dropped :]
    await outbox.close()


async def test_full_disk_drops_the_oldest_and_goes_on(tmp_path: Path) -> None:
    files = FaultyFiles(capacity_bytes=5_000_000)
    outbox = await Outbox.open(slow_settings(tmp_path), files)
    for start in range(0, 6000, 500):
        fill(outbox, range(start, start + 500), size=1500)
        await outbox.commit()
    losses = outbox.losses()
    lost = sum(loss.records or 0 for loss in losses)
    assert {loss.cause for loss in losses} == {Cause.OVERFLOW}
    assert outbox.state().dropped == lost
    sent: list[Outgoing] = []
    while len(sent) < 6000 - lost:
        some = await take(outbox, 1)
        sent += some
        confirm(outbox, some)
    assert sent[-1].message.seq == 5999
    assert len({o.message.seq for o in sent}) == 6000 - lost
    await outbox.close()


async def test_mark_and_epoch_over_a_restart(tmp_path: Path) -> None:
    outbox = await Outbox.open(short_settings(tmp_path))
    assert outbox.previous_mark is None
    first = outbox.epoch
    mark = Mark(first, 5, 1_000_005, sync=True)
    assert await outbox.save_mark(mark)
    fill(outbox, range(1, 9))
    await outbox.close()
    outbox = await Outbox.open(short_settings(tmp_path))
    assert outbox.epoch > first
    previous = outbox.previous_mark
    assert previous is not None
    assert (previous.epoch, previous.last_seq, previous.newest["a"].seq) == (first, 5, 8)
    await outbox.close()


async def test_second_daemon_is_refused_and_leaves_no_thread(tmp_path: Path) -> None:
    outbox = await Outbox.open(short_settings(tmp_path))
    with pytest.raises(OutboxError) as caught:
        await Outbox.open(short_settings(tmp_path))
    assert caught.value.sentence.code == "outbox.directory.locked"
    await outbox.close()
    await outbox.close()
    again = await Outbox.open(short_settings(tmp_path))
    await again.close()


async def test_disk_thread_shows_that_it_is_alive(tmp_path: Path) -> None:
    outbox = await Outbox.open(short_settings(tmp_path))
    before = outbox.disk_progress
    await asyncio.sleep(1.1)
    assert outbox.disk_progress > before
    await outbox.close()


async def test_records_out_of_order_are_refused(tmp_path: Path) -> None:
    outbox = await Outbox.open(short_settings(tmp_path))
    fill(outbox, [5])
    with pytest.raises(ValueError, match="after"):
        fill(outbox, [5])
    with pytest.raises(ValueError, match="after"):
        outbox.append(Message("000000-00000000", 6, "a", b"", 0, sync=True))
    await outbox.close()


async def test_rate_and_hours_left(tmp_path: Path) -> None:
    outbox = await Outbox.open(short_settings(tmp_path))
    fill(outbox, range(100), size=1000)
    await until(lambda: outbox.state().rate_bytes_s > 0)
    state = outbox.state()
    assert state.hours_left is not None
    assert 0 < state.hours_left <= (16 << 20) / state.rate_bytes_s / 3600
    await outbox.close()


CHILD = """
import asyncio, sys
from pathlib import Path
from collector.messages import Message
from collector.outbox import Outbox, OutboxSettings

async def main():
    settings = OutboxSettings(directory=Path(sys.argv[1]), max_mib=16, commit_interval_s=0.05)
    outbox = await Outbox.open(settings)
    seq = 0
    while True:
        for _ in range(50):
            seq += 1
            payload = f"{outbox.epoch}/{seq}:".encode().ljust(50 + seq % 700, b".")
            outbox.append(Message(outbox.epoch, seq, "a", payload, 1_000_000 + seq, sync=True))
        last = seq
        await asyncio.sleep(0.001)
        if seq % 200 == 0:
            await outbox.commit()
            print(outbox.epoch, last, flush=True)

asyncio.run(main())
"""


async def drained(settings: OutboxSettings) -> list[Outgoing]:
    """Everything that an earlier run left."""
    outbox = await Outbox.open(settings)
    await until(lambda: outbox.state().unscanned == 0)
    sent: list[Outgoing] = []
    while outbox.state().records:
        some = await take(outbox, 1)
        sent += some
        confirm(outbox, some)
    await outbox.close()
    return sent


def test_killed_at_any_moment_all_that_was_committed_comes_out(tmp_path: Path) -> None:
    committed: dict[str, int] = {}
    for lines in (1, 7, 20):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        for _ in range(lines):
            epoch, last = child.stdout.readline().split()
            committed[epoch] = int(last)
        child.kill()
        for line in child.stdout:  # what it still said before it died
            epoch, last = line.split()
            committed[epoch] = int(last)
        child.stdout.close()
        child.wait()

    sent = asyncio.run(drained(short_settings(tmp_path)))

    seqs: dict[str, list[int]] = {epoch: [] for epoch in committed}
    for outgoing in sent:
        message = outgoing.message
        assert outgoing.late
        expected = f"{message.epoch}/{message.seq}:".encode().ljust(50 + message.seq % 700, b".")
        assert (message.payload, message.t_us) == (expected, 1_000_000 + message.seq)
        seqs[message.epoch].append(message.seq)
    for epoch, newest in committed.items():
        assert seqs[epoch][:newest] == list(range(1, newest + 1))
        assert seqs[epoch] == sorted(set(seqs[epoch]))


class Story:
    """Random life of an outbox, and what must be true of it."""

    def __init__(self, folder: Path) -> None:
        self.settings = slow_settings(folder)
        self.appended: dict[tuple[str, int], Message] = {}
        self.confirmed: set[tuple[str, int]] = set()
        self.in_flight: dict[tuple[str, int], Message] = {}
        self.seq = 0

    async def run(self, steps: list[tuple[str, int]]) -> None:
        self.outbox = await Outbox.open(self.settings)
        for step, number in steps:
            await getattr(self, step)(number)
        await self.restart(0)
        left = {key: message for key, message in self.appended.items() if key not in self.confirmed}
        assert self.outbox.state().records == len(left)
        sent: list[Outgoing] = []
        while len(sent) < len(left):
            some = await take(self.outbox, 1)
            sent += some
            confirm(self.outbox, some)
        assert [o.message for o in sent] == [left[key] for key in sorted(left)]
        assert self.outbox.state().records == 0
        assert self.outbox.losses() == []
        await self.outbox.close()

    async def append(self, number: int) -> None:
        for _ in range(number):
            self.seq += 1
            message = record(self.outbox, self.seq, f"topic{self.seq % 3}", size=number * 100)
            self.outbox.append(message)
            self.appended[message.epoch, message.seq] = message

    async def take(self, number: int) -> None:
        withheld = {f"topic{number}"}
        for outgoing in self.outbox.take(number, withheld):
            message = outgoing.message
            key = (message.epoch, message.seq)
            assert message.topic not in withheld
            assert key not in self.in_flight
            assert key not in self.confirmed
            assert message == self.appended[key]
            self.in_flight[key] = message

    async def confirm(self, number: int) -> None:
        for key in sorted(self.in_flight)[::2][:number]:
            self.outbox.confirm(*key)
            self.confirmed.add(key)
            del self.in_flight[key]

    async def receipt(self, number: int) -> None:
        """A confirmation of anything."""
        for key in sorted(self.appended)[number::7]:
            self.outbox.confirm(*key)
            self.confirmed.add(key)
            self.in_flight.pop(key, None)

    async def release(self, number: int) -> None:
        keys = sorted(self.in_flight)[-number:] if number else None
        self.outbox.release(keys)
        for key in sorted(self.in_flight) if keys is None else keys:
            del self.in_flight[key]

    async def commit(self, number: int) -> None:
        await self.outbox.commit()

    async def breathe(self, number: int) -> None:
        """Let the disk thread's answers in."""
        await asyncio.sleep(0.002 * number)

    async def restart(self, number: int) -> None:
        await self.outbox.close()
        self.outbox = await Outbox.open(self.settings)
        self.in_flight.clear()
        self.seq = 0


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["append", "take", "confirm", "receipt", "release", "commit", "breathe", "restart"]
            ),
            st.integers(0, 60),
        ),
        max_size=30,
    )
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_each_record_is_confirmed_or_comes_out_again(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    asyncio.run(Story(tmp_path_factory.mktemp("outbox")).run(steps))
