"""The log on disk: what survives, what goes when, and what happens when the disk fails."""

import errno
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from outbox_faults import FaultyFiles

from collector.errors import OutboxError
from collector.messages import Message
from collector.outbox import Cause, Mark, NewestRecord, OutboxSettings, StreamMark
from collector.outbox.log import RETIRE_AFTER_S, Log
from collector.outbox.marks import mark_content
from collector.outbox.notes import MARK, write_note

DAY_US = 86_400_000_000


@pytest.fixture
def files() -> FaultyFiles:
    return FaultyFiles()


class Folder:
    """An outbox folder of at most 1 MiB, so with segments of 128 KiB, and the log in it."""

    def __init__(self, path: Path, files: FaultyFiles) -> None:
        self.path = path
        self.files = files
        self.now_s = 0.0
        self.seq = 0
        self.settings = OutboxSettings(directory=path, max_age_days=10).model_copy(update={"max_mib": 1})
        self.open()

    def open(self, scan_at_open_bytes: int = 32 << 20) -> None:
        self.log = Log(self.settings, self.files, scan_at_open_bytes)
        opened = self.log.open()
        self.epoch, self.previous_mark = opened.epoch, opened.previous_mark

    def reopen(self, scan_at_open_bytes: int = 32 << 20) -> None:
        """Open anew after a crash: nothing is closed but the lock."""
        self.files.kill()
        self.open(scan_at_open_bytes)

    def messages(
        self, count: int, size: int = 100, *, topic: str = "a", t_us: int = 0, sync: bool = True
    ) -> list[Message]:
        made = []
        for _ in range(count):
            self.seq += 1
            payload = f"{self.seq}:".encode().ljust(size, b"x")
            made.append(Message(self.epoch, self.seq, topic, payload, t_us + self.seq, sync))
        return made

    def commit(self, messages: list[Message]) -> int:
        self.now_s += 1
        return self.log.commit(messages, self.now_s)

    def tidy(self, after_s: float = 1.0) -> None:
        self.now_s += after_s
        self.log.tidy(self.now_s)

    def read_all(self, withheld: Iterable[str] = ()) -> list[Message]:
        records: list[Message] = []
        while batch := self.log.read(list(withheld)):
            records += batch
        return records

    def names(self, ending: str = ".log") -> list[str]:
        return sorted(path.name for path in self.path.iterdir() if path.name.endswith(ending))


@pytest.fixture
def folder(tmp_path: Path, files: FaultyFiles) -> Iterator[Folder]:
    made = Folder(tmp_path / "deep" / "outbox", files)
    yield made
    made.log.close()


def keys(messages: Iterable[Message]) -> list[tuple[str, int]]:
    return [(message.epoch, message.seq) for message in messages]


def fail(*operations: str, number: int = errno.EIO, times: int = 1000) -> Callable[[str, Path], int | None]:
    """A fault: these operations on segments fail, so many times."""
    left = times

    def fault(operation: str, path: Path) -> int | None:
        nonlocal left
        if operation not in operations or path.suffix != ".log" or left == 0:
            return None
        left -= 1
        return number

    return fault


def test_committed_records_survive_and_come_back_identical(folder: Folder) -> None:
    records = folder.messages(5000)
    assert folder.commit(records[:3000]) == 3000
    assert folder.commit(records[3000:]) == 2000
    assert folder.read_all() == []  # all are handed out
    folder.reopen()
    assert folder.log.facts().records == 5000
    assert folder.read_all() == records
    assert len(folder.names()) > 4


def test_folder_and_files_are_private(folder: Folder) -> None:
    folder.commit(folder.messages(1))
    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.path.iterdir())


def test_epochs_ascend_and_differ(folder: Folder) -> None:
    epochs = [folder.epoch]
    for _ in range(3):
        folder.reopen()
        epochs.append(folder.epoch)
    assert epochs == sorted(set(epochs))
    assert [epoch[:7] for epoch in epochs] == ["000001-", "000002-", "000003-", "000004-"]
    folder.commit(folder.messages(1))
    (folder.path / "epoch.note").write_bytes(b"nonsense")
    folder.reopen()
    assert folder.epoch.startswith("000005-")


def test_two_daemons_cannot_share(folder: Folder) -> None:
    with pytest.raises(OutboxError) as caught:
        Log(folder.settings, FaultyFiles()).open()
    assert caught.value.sentence.code == "outbox.directory.locked"
    assert str(folder.path) in str(caught.value)


def test_unusable_folder_is_told(tmp_path: Path, files: FaultyFiles) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutboxError) as caught:
        Folder(tmp_path / "file" / "outbox", files)
    assert caught.value.sentence.code == "outbox.directory.unusable"


def test_foreign_owner_is_told(folder: Folder) -> None:
    folder.commit(folder.messages(1))
    folder.files.fault = fail("read", number=errno.EACCES)
    with pytest.raises(OutboxError) as caught:
        folder.reopen()
    assert caught.value.sentence.code == "outbox.directory.no-permission"
    folder.files.fault = fail()
    folder.open()
    assert len(folder.read_all()) == 1


def test_confirmed_records_are_not_sent_again_and_free_the_disk(folder: Folder) -> None:
    records = folder.messages(3000)
    folder.commit(records)
    segments = len(folder.names())
    folder.log.confirm([*keys(records[1500:2000]), *keys(records[:1400])])
    folder.log.confirm([("000009-00000000", 5), *keys(records[:3])])  # unknown, and known already
    folder.tidy()
    assert 1 < len(folder.names()) < segments
    folder.reopen()
    assert folder.read_all() == records[1400:1500] + records[2000:]
    folder.log.confirm(keys(records))
    folder.tidy()
    assert folder.names() == []
    assert folder.log.facts().bytes == 0


def test_open_segment_goes_when_it_is_delivered_and_idle(folder: Folder) -> None:
    records = folder.messages(10)
    folder.commit(records)
    folder.log.confirm(keys(records))
    folder.tidy()
    assert len(folder.names()) == 1
    folder.tidy(RETIRE_AFTER_S)
    assert folder.names() == []
    folder.commit(more := folder.messages(2))
    folder.reopen()
    assert folder.read_all() == more


def test_delivery_is_saved_before_a_segment_goes(folder: Folder) -> None:
    records = folder.messages(3000)
    folder.commit(records)
    folder.log.confirm(keys(records[:2900]))
    order: list[str] = []

    def watch(operation: str, path: Path) -> int | None:
        if operation in ("sync", "rename", "sync_directory", "unlink"):
            order.append(operation)
        return None

    folder.files.fault = watch
    folder.tidy()
    assert order[:3] == ["sync", "rename", "sync_directory"]
    assert order[3:5] == ["unlink", "sync_directory"]


def test_segments_stay_while_delivery_cannot_be_saved(folder: Folder) -> None:
    records = folder.messages(3000)
    folder.commit(records)
    before = folder.names()
    folder.log.confirm(keys(records))
    folder.files.fault = lambda operation, path: errno.EIO if "delivered" in path.name else None
    folder.tidy()
    assert folder.names() == before
    folder.files.fault = fail()
    folder.tidy(RETIRE_AFTER_S)
    assert folder.names() == []
    assert folder.names(".tmp") == []


def test_delivery_mark_is_saved_at_most_once_a_second(folder: Folder) -> None:
    records = folder.messages(100)
    folder.commit(records)
    before = folder.files.counts["rename"]
    for record in records:
        folder.log.confirm(keys([record]))
        folder.tidy(0.01)
    assert folder.files.counts["rename"] - before <= 2


def test_reading_goes_in_order_and_leaves_withheld_topics(folder: Folder) -> None:
    first = folder.messages(600, topic="a")
    other = folder.messages(600, topic="b")
    last = folder.messages(600, topic="a")
    folder.commit(first + other + last)
    folder.reopen()
    assert folder.log.read() == first[:256]
    folder.log.give_back(keys(first[:256]))
    assert folder.read_all(withheld=["a"]) == other
    assert folder.read_all(withheld=["a"]) == []
    assert folder.read_all() == first + last
    folder.log.give_back(keys(other[10:20]))
    assert folder.read_all() == other[10:20]


def test_shelved_records_are_not_read_and_are_lost_like_others(folder: Folder) -> None:
    records = folder.messages(4)
    folder.commit(records)
    folder.reopen()
    folder.read_all()
    folder.log.give_back(keys(records[:2]), shelved=True)
    folder.log.confirm(keys(records[1:3]))
    assert folder.read_all() == []
    facts = folder.log.facts()
    assert (facts.records, facts.shelved, facts.to_read) == (2, 1, 0)
    assert facts.oldest_us == records[0].t_us
    folder.log.unshelve()
    assert folder.log.read() == records[:1]
    folder.log.give_back(keys(records[:1]), shelved=True)
    while folder.log.facts().shelved:
        folder.commit(folder.messages(1000))
    (loss, *_), _ = folder.log.trouble.drain()
    assert (loss.cause, loss.epoch, loss.first_seq, loss.records) == (Cause.OVERFLOW, records[0].epoch, 1, 1)


def test_what_is_shelved_of_a_dropped_segment_is_lost(folder: Folder) -> None:
    records = folder.messages(4)
    folder.commit(records)
    while folder.log.facts().oldest_us == records[0].t_us:
        folder.commit(folder.messages(1000))
    folder.log.give_back(keys(records), shelved=True)
    losses, _ = folder.log.trouble.drain()
    assert (4, 1, 4) in [(loss.records, loss.first_seq, loss.last_seq) for loss in losses]


def test_large_records_are_read_a_few_at_a_time(folder: Folder) -> None:
    records = folder.messages(8, size=100_000)
    folder.commit(records)
    folder.reopen()
    assert folder.log.read() == records[:1]  # each has a segment of its own
    assert folder.read_all() == records[1:]


@given(data=st.data())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_segment_gives_all_else_and_is_set_aside(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = Folder(tmp_path_factory.mktemp("outbox"), FaultyFiles())
    records = folder.messages(20)
    folder.commit(records)
    path = folder.path / folder.names()[0]
    content = bytearray(path.read_bytes())
    for bit in data.draw(st.sets(st.integers(0, len(content) * 8 - 1), min_size=1, max_size=3)):
        content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)

    folder.reopen()
    found = folder.read_all()
    losses, _ = folder.log.trouble.drain()
    lost = [record for record in records if record not in found]

    assert found == [record for record in records if record not in lost]
    assert len(lost) <= 3
    assert folder.log.facts().corrupt >= 1
    assert bool(losses) == bool(lost)
    for loss in losses:
        assert loss.cause is Cause.CORRUPT
        assert loss.records in {None, len(lost)}
        assert loss.first_seq is None or loss.first_seq <= lost[0].seq
        assert loss.last_seq is None or loss.last_seq >= lost[-1].seq
    folder.log.confirm(keys(found))
    folder.tidy(RETIRE_AFTER_S)
    assert folder.names() == []
    assert folder.names(".corrupt") == [path.name + ".corrupt"]
    folder.log.close()


def test_few_damaged_segments_are_kept(folder: Folder) -> None:
    for _ in range(7):
        folder.commit(folder.messages(3))
        path = folder.path / folder.names()[0]
        path.write_bytes(path.read_bytes()[:-1])
        folder.reopen()
        left = folder.read_all()
        assert len(left) == 2
        folder.log.confirm(keys(left))
        folder.tidy(RETIRE_AFTER_S)
    assert folder.names() == []
    assert len(folder.names(".corrupt")) == 4


def test_nonsense_in_the_folder_stops_nothing(folder: Folder) -> None:
    folder.commit(records := folder.messages(3))
    number = folder.names()[0]
    (folder.path / number.replace("0000000000", "0000000005")).write_bytes(b"\x00" * 5000)
    (folder.path / number.replace("0000000000", "0000000006")).write_bytes(b"")
    (folder.path / "delivered.note.tmp").write_bytes(b"half")
    for name in ("delivered.note", "mark.note", "epoch.note"):
        (folder.path / name).write_bytes(b'00000000 {"a":')
    folder.reopen()
    assert folder.read_all() == records
    assert folder.names(".tmp") == []
    folder.tidy(RETIRE_AFTER_S)
    assert len(folder.names()) == 1


def test_unreadable_sectors_cost_what_is_in_them(folder: Folder) -> None:
    records = folder.messages(1000)
    folder.commit(records)
    folder.files.bad_bytes = range(70_000, 70_512)
    folder.reopen()
    found = folder.read_all()
    assert found == [record for record in records if record in found]
    assert 950 < len(found) < 1000  # two pages of 4 KiB at most
    assert folder.log.trouble.drain()[0][0].cause is Cause.CORRUPT


def test_damage_after_the_scan_is_declared_when_it_is_read(folder: Folder) -> None:
    folder.commit(records := folder.messages(10))
    folder.reopen()
    path = folder.path / folder.names()[0]
    content = path.read_bytes()
    path.write_bytes(content.replace(b"4:xxx", b"4:yxx"))
    assert folder.read_all() == records[:3] + records[4:]
    (loss,), _ = folder.log.trouble.drain()
    assert (loss.cause, loss.records, loss.first_seq, loss.last_seq) == (Cause.CORRUPT, 1, 4, 4)


@pytest.mark.parametrize("operation", ["write", "sync"])
def test_failed_file_is_left_and_the_group_written_into_a_new_one(folder: Folder, operation: str) -> None:
    folder.commit(first := folder.messages(10))
    failed = folder.path / folder.names()[0]
    folder.files.fault = fail(operation, times=1)
    assert folder.commit(second := folder.messages(10)) == 10
    size_bytes = failed.stat().st_size
    folder.commit(third := folder.messages(10))
    facts = folder.log.facts()
    assert failed.stat().st_size == size_bytes
    assert len(folder.names()) == 2
    assert facts.last_error is not None
    assert facts.last_error.code == "outbox.disk.error"
    assert not facts.failing
    assert facts.records == 30
    folder.reopen()
    assert folder.log.facts().records == 30  # the group is not counted twice where both files have it
    assert folder.read_all() == first + second + third


def test_disk_that_fails_for_good_gives_the_records_back(folder: Folder) -> None:
    folder.files.fault = fail("sync")
    records = folder.messages(10)
    assert folder.commit(records) == 0
    assert folder.log.facts().failing
    assert folder.names() == []
    folder.files.fault = fail()
    assert folder.commit(records) == 10
    assert not folder.log.facts().failing
    folder.reopen()
    assert folder.read_all() == records


def test_partly_stored_group_is_not_stored_twice(folder: Folder) -> None:
    """The group fills one segment, which is synced; the next ones fail."""
    records = folder.messages(2000)
    synced: list[Path] = []

    def fault(operation: str, path: Path) -> int | None:
        if operation == "sync" and path.suffix == ".log":
            synced.append(path)
            return errno.EIO if len(synced) > 1 else None
        return None

    folder.files.fault = fault
    stored = folder.commit(records)
    assert 0 < stored < 2000
    folder.files.fault = fail()
    assert folder.commit(records[stored:]) == 2000 - stored
    folder.reopen()
    assert folder.read_all() == records


def test_full_disk_costs_the_oldest_segments(folder: Folder) -> None:
    folder.files.capacity_bytes = 400_000
    records: list[Message] = []
    for _ in range(60):
        group = folder.messages(100)
        assert folder.commit(group) == 100
        records += group
    losses, _ = folder.log.trouble.drain()
    lost = sum(loss.records or 0 for loss in losses)
    # Handed to the event loop, nothing is lost yet: it may still be in memory there.
    assert lost == 0
    folder.log.give_back(keys(records))
    (loss,), _ = folder.log.trouble.drain()
    assert loss.cause is Cause.OVERFLOW
    left = folder.read_all()
    assert left == records[-len(left) :]
    assert loss.records == 6000 - len(left)
    assert (loss.first_seq, loss.last_seq) == (1, 6000 - len(left))
    error = folder.log.facts().last_error
    assert error is not None
    assert error.code == "outbox.disk.full"


def test_disk_full_of_other_things(folder: Folder) -> None:
    folder.commit(folder.messages(10))
    folder.files.capacity_bytes = 0
    assert folder.commit(more := folder.messages(10)) == 0
    assert folder.log.facts().failing
    folder.reopen()  # not even a new epoch can be saved
    assert folder.log.facts().last_error is not None
    folder.files.capacity_bytes = None
    more = folder.messages(10)
    assert folder.commit(more) == 10
    folder.reopen()
    assert folder.read_all() == more


def test_overflow_drops_the_oldest_and_declares_it(folder: Folder) -> None:
    old = folder.messages(8000)
    folder.commit(old)
    folder.reopen()  # from here on only the disk has them
    for _ in range(40):
        folder.commit(folder.messages(100))
    losses, _ = folder.log.trouble.drain()
    (loss,) = losses
    left = [record for record in folder.read_all() if record.epoch == old[0].epoch]
    assert loss.cause is Cause.OVERFLOW
    assert loss.records == 8000 - len(left) > 0
    assert (loss.epoch, loss.first_seq, loss.last_seq) == (old[0].epoch, 1, loss.records)
    assert (loss.first_t_us, loss.last_t_us) == (old[0].t_us, old[loss.records - 1].t_us)
    assert left == old[loss.records :]
    assert folder.log.facts().bytes <= 1 << 20


def test_old_records_go_but_not_those_without_a_synchronised_time(folder: Folder) -> None:
    folder.commit(old := folder.messages(50))
    folder.reopen()
    folder.commit(unsynced := folder.messages(50, sync=False))
    folder.reopen()
    folder.commit(folder.messages(1, t_us=9 * DAY_US))
    folder.tidy()
    assert folder.log.trouble.drain() == ([], [])
    folder.commit(folder.messages(1, t_us=11 * DAY_US))
    folder.tidy()
    (loss,), _ = folder.log.trouble.drain()
    assert (loss.cause, loss.records, loss.epoch) == (Cause.AGE, 50, old[0].epoch)
    assert folder.read_all() == unsynced


def test_a_clock_that_was_set_back_makes_no_record_old(folder: Folder) -> None:
    folder.commit(ahead := folder.messages(1, t_us=40 * DAY_US))
    folder.commit(after := folder.messages(50, size=10_000, t_us=20 * DAY_US))
    assert len(folder.names()) > 2
    folder.tidy()
    assert folder.log.trouble.drain() == ([], [])
    folder.reopen()
    assert folder.read_all() == [*ahead, *after]


def test_mark_comes_back_with_the_newest_records(folder: Folder) -> None:
    assert folder.previous_mark is None
    mark = Mark(folder.epoch, 3, 30, sync=True, streams={"m/s": StreamMark(99, 29, sync=True)})
    folder.log.save_mark(mark)
    epoch = folder.epoch
    folder.commit([*folder.messages(3, topic="a"), *folder.messages(2, topic="b", sync=False)])
    folder.reopen()
    previous = folder.previous_mark
    assert previous is not None
    assert (previous.epoch, previous.last_seq, previous.streams) == (epoch, 3, mark.streams)
    assert previous.newest == {
        "a": NewestRecord(epoch, 3, 3, sync=True),
        "b": NewestRecord(epoch, 5, 5, sync=False),
    }


def test_accounts_and_topics_of_a_mark_come_back_and_those_of_before_stay_where_it_fails(
    folder: Folder, files: FaultyFiles
) -> None:
    account = {"topic": "a", "fields": {"hour": 9}}
    mark = Mark(folder.epoch, 3, 30, sync=True, accounts=(account,), retained=("a/meta", "b/meta"))
    assert folder.log.save_mark(mark)
    files.fault = lambda operation, path: errno.ENOSPC if operation == "create" else None
    assert not folder.log.save_mark(replace(mark, accounts=()))
    files.fault = lambda _operation, _path: None
    folder.reopen()
    assert folder.previous_mark == mark


def test_a_mark_of_a_version_without_accounts_and_topics_is_one(folder: Folder, files: FaultyFiles) -> None:
    mark = Mark(folder.epoch, 3, 30, sync=True, streams={"m/s": StreamMark(99, 29, sync=True)})
    older = {key: value for key, value in mark_content(mark).items() if key not in {"accounts", "retained"}}
    write_note(files, folder.settings.directory / MARK, older)
    folder.reopen()
    assert folder.previous_mark == mark


def test_records_alone_tell_of_an_earlier_run(folder: Folder) -> None:
    epoch = folder.epoch
    folder.commit(folder.messages(3))
    folder.reopen()
    assert folder.previous_mark == Mark(
        epoch, 3, 3, sync=True, newest={"a": NewestRecord(epoch, 3, 3, sync=True)}
    )


def test_old_segments_of_a_large_backlog_are_scanned_later(folder: Folder) -> None:
    records = folder.messages(5000)
    folder.commit(records)
    folder.reopen(scan_at_open_bytes=200_000)
    facts = folder.log.facts()
    assert facts.unscanned > 0
    assert facts.records < 5000
    folder.log.confirm(keys(records[:100]))  # a receipt for what was not scanned yet
    while folder.log.scan_next():
        pass
    assert folder.log.facts().records == 4900
    assert folder.log.facts().oldest_us == records[100].t_us
    assert folder.read_all() == records[100:]
