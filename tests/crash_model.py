"""A gateway's life over a simulated disk, and what must be true after a power cut at any moment of it.

The log is the real one. Around it stands a model of the rest: records are made, committed, sent, taken by the
broker and confirmed; losses are declared by records of their own. Before every single change of the disk all
that a power cut could leave is opened by another log, and compared with what was promised until then.
"""

import errno
import random
from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule
from simulated_disk import SimulatedDisk, State

from collector.messages import Message
from collector.outbox import Key, Mark, OutboxLoss, OutboxSettings
from collector.outbox.files import Files
from collector.outbox.log import Log

FOLDER = Path("/outbox")
RESERVE_BYTES = 900
"""For some ten losses one by one, where the real reserve has room for some six hundred."""


class BrokenPromiseError(AssertionError):
    """`kind` says which: lost, told twice, doubled, reused, invented, refused."""

    def __init__(self, kind: str, what: object) -> None:
        super().__init__(f"{kind}: {what}")
        self.kind = kind


class SmallLog(Log):
    """The log, with segments of some twenty records, a limit of a few segments, and notes of what it did."""

    def __init__(self, files: Files) -> None:
        super().__init__(OutboxSettings(directory=FOLDER), files)
        self._segment_bytes, self._max_bytes, self._ledger._reserve_bytes = 1000, 3500, RESERVE_BYTES


class CrashModel(RuleBasedStateMachine):
    """One gateway. Broken variants override `disk_of`, `log_of` or `send`."""

    explored = 0
    """Crash states opened and compared, in all runs."""
    points = 0
    states_at_a_point = 256
    disk_of: Callable[[State], SimulatedDisk] = SimulatedDisk
    log_of: Callable[[Files], SmallLog] = SmallLog

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self.made: dict[Key, Message] = {}
        self.committed: set[Key] = set()
        """The log said that they are safe."""
        self.taken: set[Key] = set()
        """The broker has them."""
        self.confirmed: set[Key] = set()
        """The log was told so."""
        self.settled: set[Key] = set()
        """And had the time to write it down."""
        self.events: dict[Key, OutboxLoss] = {}
        """Records that declare a loss."""
        self.epochs: list[str] = []
        self.seen: set[tuple[tuple[int, ...], State]] = set()
        self.choose = random.Random(0)
        self.disk = type(self).disk_of(())
        self.start()

    # A life

    def start(self) -> None:
        """The daemon starts: nothing is in memory."""
        self.confirmed = set(self.settled)
        self.fresh: list[Message] = []
        self.copies: dict[Key, Message] = {}
        """Of stored records, in memory."""
        self.seq = 0
        self.disk.before_change = self.look
        self.log = type(self).log_of(self.disk)
        self.epoch = ""
        epoch = self.log.open().epoch
        self.check_epoch(epoch)
        self.epoch = epoch
        self.epochs.append(epoch)
        self.declare()

    def make(self, topic: str, size: int) -> Message:
        self.seq += 1
        key = (self.epoch, self.seq)
        payload = f"{len(self.made)}:".encode().ljust(size, b"x")
        message = Message(*key, topic, payload, 1_000_000 + len(self.made), sync=True)
        if key in self.made:
            raise BrokenPromiseError("reused", key)
        self.made[key] = message
        self.fresh.append(message)
        return message

    def declare(self) -> None:
        """What the gateway does once a second: a record for each loss."""
        for loss in chain(*self.log.trouble.drain()):
            message = self.make("event", 30)
            key = (message.epoch, message.seq)
            self.events[key] = loss
            self.log.declared(loss, key)

    @rule(sizes=st.lists(st.integers(4, 150), min_size=1, max_size=9), topic=st.sampled_from("ab"))
    def append_and_commit(self, sizes: list[int], topic: str) -> None:
        for size in sizes:
            self.make(topic, size)
        self.commit()

    @rule()
    def commit(self) -> None:
        if not self.fresh:
            return
        self.pass_time(0.1)
        stored = self.log.commit(self.fresh, self.now_s)
        for message in self.fresh[:stored]:
            key = (message.epoch, message.seq)
            self.copies[key] = message
            self.committed.add(key)
        self.fresh = self.fresh[stored:]
        self.declare()

    @rule(count=st.integers(1, 8), skip=st.integers(0, 3))
    def send(self, count: int, skip: int) -> None:
        """The broker takes some of what memory has, stored or not, and says so."""
        waiting = sorted(self.sendable(self.made))
        self.deliver(waiting[skip :: skip + 1][:count])

    @rule()
    def send_losses(self) -> None:
        """What declares a loss goes before all others."""
        self.deliver(sorted(self.sendable(self.events)))

    def sendable(self, keys: Iterable[Key]) -> set[Key]:
        """Of these, what memory has and may send: what declares a loss once it is stored."""
        fresh = {(m.epoch, m.seq) for m in self.fresh}
        return {key for key in keys if key in self.copies or (key in fresh and key not in self.events)}

    def deliver(self, keys: list[Key]) -> None:
        self.taken |= set(keys)
        self.confirm(keys)

    @rule(first=st.integers(1, 20), length=st.integers(0, 10))
    def receipt(self, first: int, length: int) -> None:
        """The store has a range of an epoch."""
        epoch = self.choose.choice(self.epochs)
        unsent = {(m.epoch, m.seq) for m in self.fresh} & self.events.keys()
        keys = [key for key in self.made if key[0] == epoch and first <= key[1] <= first + length]
        if keys and not unsent.intersection(keys):
            self.taken |= set(keys)
            self.log.confirm_ranges(epoch, [(first, keys[-1][1])])
            self.confirm(keys)

    def confirm(self, keys: Iterable[Key]) -> None:
        keys = list(keys)
        self.log.confirm(keys)
        self.confirmed |= set(keys)
        for key in keys:
            self.copies.pop(key, None)
        self.fresh = [m for m in self.fresh if (m.epoch, m.seq) not in self.confirmed]

    @rule(count=st.integers(1, 10))
    def give_back(self, count: int) -> None:
        keys = sorted(self.copies)[-count:]
        for key in keys:
            del self.copies[key]
        self.log.give_back(keys)
        self.declare()

    @rule()
    def read_on(self) -> None:
        for message in self.log.read():
            self.copies[message.epoch, message.seq] = message
        self.declare()

    @rule(seconds=st.sampled_from([0.3, 1.5, 6.0]))
    def tidy(self, seconds: float) -> None:
        self.pass_time(seconds)
        failures, confirmed = self.disk.failures, set(self.confirmed)
        self.log.scan_next()
        self.log.tidy(self.now_s)
        if seconds >= 1 and self.disk.failures == failures:
            self.settled |= confirmed
        self.declare()

    @rule()
    def mark(self) -> None:
        self.log.save_mark(Mark(self.epoch, self.seq, 1, sync=True))

    @rule(operation=st.sampled_from(["sync", "write", "create", "sync_directory"]), times=st.integers(1, 3))
    def disk_fails(self, operation: str, times: int) -> None:
        """The next few operations fail."""
        left = [times]

        def fail(done: str, name: str) -> int | None:
            if done != operation or not name.endswith(".log") or not left[0]:
                return None
            left[0] -= 1
            return errno.EIO

        self.disk.fail = fail

    @rule(room_bytes=st.integers(0, 600))
    @precondition(lambda self: self.disk.capacity_bytes > 1 << 30)
    def disk_fills(self, room_bytes: int) -> None:
        self.disk.capacity_bytes = self.disk.used_bytes() + room_bytes

    @rule()
    def disk_is_well_again(self) -> None:
        self.disk.fail = lambda _operation, _name: None
        self.disk.capacity_bytes = 1 << 60

    @rule()
    def stop_and_start(self) -> None:
        self.disk_is_well_again()
        self.commit()
        failures = self.disk.failures
        self.log.close()
        if self.disk.failures == failures:
            self.settled |= self.confirmed
        self.start()

    @rule(which=st.randoms(use_true_random=False))
    def power_cut(self, which: random.Random) -> None:
        """One of the states that the power cut may leave is what the next start finds."""
        states = list(self.disk.crash_states(self.states_at_a_point, which))
        self.disk = type(self).disk_of(which.choice(states))
        self.start()

    def pass_time(self, seconds: float) -> None:
        self.now_s += seconds

    # What must be true

    def look(self) -> None:
        """A crash point: open all that may be left, and compare."""
        CrashModel.points += 1
        promise = (len(self.committed), len(self.taken), len(self.settled), len(self.epochs))
        for state in self.disk.crash_states(self.states_at_a_point, self.choose):
            if (promise, state) not in self.seen:
                self.seen.add((promise, state))
                CrashModel.explored += 1
                self.compare(state)

    def compare(self, state: State) -> None:
        """What another start finds against what was promised."""
        log = type(self).log_of(SimulatedDisk(state))
        try:
            epoch = log.open().epoch
        except Exception as error:
            raise BrokenPromiseError("refused", repr(error)) from error
        self.check_epoch(epoch)
        found: dict[Key, Message] = {}
        while messages := log.read():
            for message in messages:
                key = (message.epoch, message.seq)
                if key in found:
                    raise BrokenPromiseError("doubled", key)
                if message != self.made.get(key):
                    raise BrokenPromiseError("invented", message)
                found[key] = message
        while log.scan_next():
            pass
        log.tidy(1.0)
        if again := found.keys() & self.settled:
            raise BrokenPromiseError("doubled", sorted(again))
        heard = [loss for key, loss in self.events.items() if key in found or key in self.taken]
        told = list(chain(*log.trouble.drain()))
        taken = [loss for key, loss in self.events.items() if key in self.taken]
        if again_told := [loss for loss in told if any(_same(loss, other) for other in taken)]:
            raise BrokenPromiseError("told twice", again_told)
        heard += told
        for key in sorted(self.committed - self.taken - found.keys()):
            if not any(_covers(loss, key) for loss in heard):
                raise BrokenPromiseError("lost", key)

    def check_epoch(self, epoch: str) -> None:
        if self.epochs and int(epoch[:6]) <= max(int(used[:6]) for used in self.epochs):
            raise BrokenPromiseError("reused", epoch)


def _same(loss: OutboxLoss, other: OutboxLoss) -> bool:
    """Whether two losses have the first or the last of their records in common."""
    return (loss.cause, loss.epoch) == (other.cause, other.epoch) and (
        loss.first_seq == other.first_seq or loss.last_seq == other.last_seq
    )


def _covers(loss: OutboxLoss, key: Key) -> bool:
    first, last = loss.first_seq or 0, loss.last_seq if loss.last_seq is not None else key[1]
    return loss.epoch == key[0] and first <= key[1] <= last
