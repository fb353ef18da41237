"""Losses are declared until someone has heard of them; a bad or removed folder hangs nothing."""

import asyncio
import errno
import json
import shutil
from pathlib import Path

import pytest
from outbox_faults import FaultyFiles
from servers import write_configuration
from structlog.testing import capture_logs

from collector.clock import SystemClock, UtcClock
from collector.errors import OutboxError
from collector.gateway import Gateway
from collector.messages import Message, Restart
from collector.outbox import Cause, Outbox, OutboxLoss, OutboxSettings
from collector.outbox.files import RealFiles
from collector.outbox.ledger import Ledger
from collector.run import starting_configuration

SIMULATED = """\
channels = [{ name = "x", unit = "g" }]
window = { samples = 256 }
source = { kind = "simulated", rate_hz = 3200 }
"""


def quiet_settings(folder: Path) -> OutboxSettings:
    """No commit comes but those that a test asks for."""
    return OutboxSettings(directory=folder, max_mib=16, commit_interval_s=60)


class Writing:
    """Appends numbered records, and declares losses with records of their own, as the gateway does."""

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox
        self.seq = 0
        self.declared: dict[int, OutboxLoss] = {}

    def append(self, size: int = 1500) -> int:
        self.seq += 1
        message = Message(self.outbox.epoch, self.seq, "a", b"." * size, self.seq, sync=True)
        self.outbox.append(message)
        return self.seq

    def declare(self) -> None:
        for loss in self.outbox.losses():
            seq = self.append(200)
            self.outbox.declared(loss, seq)
            self.declared[seq] = loss

    async def lose_and_declare(self) -> tuple[int, OutboxLoss]:
        """Write until something is lost, and give the number of the record that declares it, and the loss."""
        while not (losses := self.outbox.losses()):
            await self.write(400)
        (loss,) = losses
        seq = self.append(200)
        self.outbox.declared(loss, seq)
        return seq, loss

    async def write(self, count: int) -> None:
        for _ in range(count):
            self.append()
        await self.outbox.commit()

    async def deliver_all(self) -> set[int]:
        """Confirm all there is; returns what came."""
        came: set[int] = set()
        async with asyncio.timeout(20):
            while (state := self.outbox.state()).records or state.unscanned:
                await self.outbox.ready.wait()
                for outgoing in self.outbox.take(500):
                    came.add(outgoing.message.seq)
                    self.outbox.confirm(self.outbox.epoch, outgoing.message.seq)
                self.declare()
                await asyncio.sleep(0)
        return came


async def test_what_was_dropped_is_what_delivered_records_declare(tmp_path: Path) -> None:
    """Also where overflow drops the declarations, and declarations of these, again and again."""
    outbox = await Outbox.open(quiet_settings(tmp_path), FaultyFiles(capacity_bytes=3_000_000))
    writing = Writing(outbox)
    for _ in range(60):
        await writing.write(400)
        writing.declare()
    came = await writing.deliver_all()
    heard = [loss for seq, loss in writing.declared.items() if seq in came]
    assert len(heard) < len(writing.declared)
    lost = set(range(1, writing.seq + 1)) - came
    assert sum(loss.records or 0 for loss in heard) == outbox.state().dropped == len(lost)
    assert min(loss.first_seq or 0 for loss in heard) == min(lost)
    assert max(loss.last_seq or 0 for loss in heard) == max(lost)
    await outbox.close()


def test_on_a_full_disk_the_reserve_has_room_for_any_number_of_losses(tmp_path: Path) -> None:
    files = FaultyFiles(capacity_bytes=80_000)  # the reserve, and little more
    ledger = Ledger(files, tmp_path)
    ledger.reserve()
    epoch = "000001-00000000"
    for seq in range(1, 2001, 2):  # a good deal more than it has room for one by one
        loss = OutboxLoss(Cause.AGE, epoch, 1, seq, seq, seq, seq, 100)
        assert ledger.add(loss)
        if seq % 3 == 0:  # some are declared by records that are lost with the power
            ledger.declared(loss, (epoch, 10_000 + seq))
    ledger.save()
    assert (tmp_path / "losses.note").stat().st_size <= 64 << 10
    (left,) = Ledger(RealFiles(), tmp_path).load()
    assert left == OutboxLoss(Cause.AGE, epoch, 1000, 1, 1999, 1, 1999, 100_000)


async def test_declaration_shed_from_memory_comes_back_joined(tmp_path: Path) -> None:
    files = FaultyFiles()
    outbox = await Outbox.open(quiet_settings(tmp_path), files)
    files.fault = lambda operation, _path: errno.EROFS if operation == "create" else None
    writing = Writing(outbox)
    for _ in range(3):
        for _ in range(6000):
            writing.append()
        writing.declare()
    for _ in range(6000):
        writing.append()
    (loss,) = outbox.losses()
    assert loss.cause is Cause.MEMORY
    assert loss.records == outbox.state().dropped
    assert (loss.first_seq, loss.last_seq) == (1, loss.records)
    await outbox.close()


async def test_declaration_in_flight_stays_declared_when_its_segment_is_dropped(tmp_path: Path) -> None:
    outbox = await Outbox.open(quiet_settings(tmp_path), FaultyFiles(capacity_bytes=3_000_000))
    writing = Writing(outbox)
    seq, loss = await writing.lose_and_declare()
    await outbox.commit()
    assert outbox.take(1)[0].message.seq == seq
    for _ in range(10):
        await writing.write(400)
    (newer,) = outbox.losses()
    assert (newer.records or 0) + (loss.records or 0) == outbox.state().dropped
    outbox.confirm(outbox.epoch, seq)
    await outbox.close()


async def test_what_declares_a_loss_is_sent_when_it_is_stored_and_before_all_others(tmp_path: Path) -> None:
    outbox = await Outbox.open(quiet_settings(tmp_path), FaultyFiles(capacity_bytes=3_000_000))
    writing = Writing(outbox)
    seq, _ = await writing.lose_and_declare()
    younger = writing.append()
    assert [o.message.seq for o in outbox.take(1)] == [younger]
    await outbox.commit()
    (outgoing,) = outbox.take(1)
    assert outgoing.message.seq == seq
    assert not outgoing.late
    await outbox.close()


@pytest.mark.parametrize("delivered", [True, False])
async def test_after_a_kill_a_loss_is_told_by_the_same_record_again(
    tmp_path: Path, *, delivered: bool
) -> None:
    """What the killed run had on disk is what a copy of its folder has."""
    killed, copy = tmp_path / "killed", tmp_path / "copy"
    outbox = await Outbox.open(quiet_settings(killed), FaultyFiles(capacity_bytes=3_000_000))
    writing = Writing(outbox)
    seq, loss = await writing.lose_and_declare()
    await outbox.commit()
    if delivered:
        (outgoing,) = outbox.take(1)
        shutil.copytree(killed, copy)  # the broker has it, and its word is on the way
        assert outgoing.message.seq == seq
    else:
        shutil.copytree(killed, copy)
    epoch = outbox.epoch
    await outbox.close()

    outbox = await Outbox.open(quiet_settings(copy))
    sent: list[tuple[str, int]] = []
    async with asyncio.timeout(20):
        while (state := outbox.state()).records or state.unscanned:
            await outbox.ready.wait()
            for outgoing in outbox.take(500):
                sent.append((outgoing.message.epoch, outgoing.message.seq))
                outbox.confirm(*sent[-1])
            await asyncio.sleep(0)
    assert sent.count((epoch, seq)) == 1
    (of_memory,) = (other for other in outbox.losses() if other.cause is Cause.OVERFLOW)
    assert (of_memory.first_seq, of_memory.last_seq) == (1, (loss.first_seq or 0) - 1)
    await outbox.close()


async def test_damage_that_was_told_of_is_not_told_again_while_its_segment_is_there(tmp_path: Path) -> None:
    outbox = await Outbox.open(quiet_settings(tmp_path))
    await Writing(outbox).write(20)
    await outbox.close()
    (segment,) = tmp_path.glob("*.log")
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 1
    segment.write_bytes(content)
    told: list[OutboxLoss] = []
    for _ in range(3):
        outbox = await Outbox.open(quiet_settings(tmp_path))
        writing = Writing(outbox)
        async with asyncio.timeout(20):
            while outbox.state().unscanned:  # noqa: ASYNC110 (`state` has no event)
                await asyncio.sleep(0.005)
        writing.declare()
        await outbox.commit()
        told += writing.declared.values()
        for seq in writing.declared:
            outbox.confirm(outbox.epoch, seq)
        await outbox.close()
        assert segment.exists()
    assert [loss.cause for loss in told] == [Cause.CORRUPT]


async def test_gateway_declares_again_what_a_shed_event_declared(tmp_path: Path) -> None:
    write_configuration(tmp_path, 1, SIMULATED)
    config, configuration = starting_configuration(tmp_path, tmp_path)
    files = FaultyFiles()
    outbox = await Outbox.open(quiet_settings(tmp_path / "outbox"), files)
    files.fault = lambda operation, _path: errno.EROFS if operation == "create" else None
    gateway = Gateway(config, tmp_path, tmp_path, configuration, UtcClock(SystemClock()), outbox)
    for _ in range(3):
        for _ in range(60):
            gateway._journal.record(
                Restart, "a", 0, version="v" * 100_000, previous_epoch=None, last_seq=None
            )
        gateway.look()
    gateway.look()  # what the last declaration itself pushed out
    await outbox.commit()  # in vain: what declares a loss waits for the disk no longer
    heard = [json.loads(o.message.payload) for o in outbox.take(200) if b"records-lost" in o.message.payload]
    assert sum(e["records"] for e in heard) == outbox.state().dropped
    assert min(e["first_seq"] for e in heard) == 1
    await outbox.close()


async def test_path_that_no_system_takes_is_an_error_not_a_wait(tmp_path: Path) -> None:
    async with asyncio.timeout(5):
        with pytest.raises(OutboxError) as caught:
            await Outbox.open(quiet_settings(tmp_path / "a\0b"))
    assert caught.value.sentence.code == "outbox.directory.unusable"
    assert "\0" not in str(caught.value.sentence)


@pytest.mark.parametrize("operation", ["lock", "create"])
async def test_fault_of_the_program_ends_the_opening(tmp_path: Path, operation: str) -> None:
    def bug(done: str, _path: Path) -> int | None:
        if done == operation:
            raise ZeroDivisionError
        return None

    files = FaultyFiles()
    files.fault = bug
    async with asyncio.timeout(5):
        with pytest.raises(ZeroDivisionError):
            await Outbox.open(quiet_settings(tmp_path), files)


async def test_removed_folder_is_made_again_with_its_lock_and_epoch(tmp_path: Path) -> None:
    folder = tmp_path / "outbox"
    for _ in range(2):
        outbox = await Outbox.open(quiet_settings(folder))
        await outbox.close()
    outbox = await Outbox.open(quiet_settings(folder))
    shutil.rmtree(folder)
    await Writing(outbox).write(5)
    assert outbox.state().uncommitted == 0
    assert not outbox.state().disk_failing
    with pytest.raises(OutboxError):
        await Outbox.open(quiet_settings(folder))
    epoch = outbox.epoch
    await outbox.close()
    outbox = await Outbox.open(quiet_settings(folder))
    assert outbox.epoch > epoch
    assert outbox.state().records == 5
    await outbox.close()


async def test_same_error_is_logged_once_until_the_disk_takes_records_again(tmp_path: Path) -> None:
    files = FaultyFiles()
    outbox = await Outbox.open(quiet_settings(tmp_path), files)
    writing = Writing(outbox)
    with capture_logs() as logs:
        for _ in range(2):
            files.fault = lambda operation, _path: errno.EIO if operation == "sync" else None
            for _ in range(5):
                await writing.write(1)
            files.fault = lambda _operation, _path: None
            await writing.write(1)
    assert [entry["errno"] for entry in logs if entry["event"] == "outbox.disk"] == [errno.EIO] * 2
    await outbox.close()
