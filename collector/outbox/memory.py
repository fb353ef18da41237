"""The records in memory: fresh ones, stored ones at hand, and those in flight. Pure: no disk, no event loop.

A record is *fresh* until it is safe on disk; most are confirmed before that. Stored records are here only as
far as they are about to be sent: the disk has them all. Where the store's word counts, a record that the
broker has acknowledged awaits it: a fresh one is *held* here meanwhile, of a stored one the key is enough.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile

from collector.messages import Message
from collector.outbox.awaiting import Awaiting
from collector.outbox.state import Cause, Key, OutboxLoss

RECORD_ALLOWANCE_BYTES = 512
"""What a record takes beside its payload."""
FRESH_BYTES = 5 << 20
"""Beyond this much that is not on disk (only where the disk cannot be written) the oldest is dropped."""
AHEAD_BYTES = 1 << 20
"""How much of the backlog is kept at hand."""
STORED_IN_FLIGHT_BYTES = 1 << 20
HELD_BYTES = 2 << 20
"""Beyond this much that only memory has, records go to disk although the broker has them."""
_FOREMOST = 8
"""The most records that go before all others: while nobody takes them the disk keeps the rest."""
_SHORT_RANGE = 4096
"""Each record of a shorter range is looked up; in a longer one, which may be nonsense, each that is here."""


@dataclass(slots=True, eq=False)
class _Record:
    message: Message
    size_bytes: int
    appended_s: float
    stored: bool = False
    committing: bool = False


class Memory:
    """What the event loop holds. Every mapping is in the order of sending."""

    def __init__(self) -> None:
        self._fresh: dict[Key, _Record] = {}
        """In flight or not."""
        self._unsent: dict[Key, _Record] = {}
        """The fresh ones that are to be sent."""
        self._urgent: dict[Key, _Record] = {}
        """The fresh ones that the broker has not acknowledged."""
        self.held = Awaiting()
        """The fresh ones that it has."""
        self.awaiting = Awaiting()
        """The stored ones that it has."""
        self.shelved: set[Key] = set()
        """The fresh ones that are not to be sent for now."""
        self._until_stored: set[Key] = set()
        """The fresh ones that are not to be sent before they are stored."""
        self._foremost: set[Key] = set()
        """Those that were of them, and go before all others now."""
        self.newest_receipted_s = float("-inf")
        """When the broker acknowledged the newest record that has its receipt."""
        self._ahead: dict[Key, _Record] = {}
        """Stored, not in flight."""
        self._in_flight: dict[Key, _Record] = {}
        self._fresh_bytes = self._ahead_bytes = self._held_bytes = 0
        self._stored_in_flight = self._stored_in_flight_bytes = 0

    @property
    def fresh(self) -> int:
        """How many records only memory has."""
        return len(self._fresh)

    @property
    def stored(self) -> int:
        """How many records are here, if only by their keys, that the disk has, too."""
        return len(self._ahead) + self._stored_in_flight + len(self.awaiting)

    @property
    def awaited(self) -> int:
        """For how many records the store's word is awaited."""
        return len(self.held) + len(self.awaiting)

    @property
    def trusted(self) -> int:
        """How many stored records are in flight or awaiting the store's word."""
        return self._stored_in_flight + len(self.awaiting)

    @property
    def in_flight(self) -> int:
        """How many records are in flight."""
        return len(self._in_flight)

    @property
    def bytes(self) -> int:
        """What all records take, with an allowance for each."""
        return self._fresh_bytes + self._ahead_bytes + self._stored_in_flight_bytes

    @property
    def overfull(self) -> bool:
        """Whether there is more that is not on disk than may be."""
        return self._fresh_bytes > FRESH_BYTES

    @property
    def overheld(self) -> bool:
        """Whether more is held than may be."""
        return self._held_bytes > HELD_BYTES

    @property
    def waits_to_be_stored(self) -> bool:
        """Whether a record is here that is sent as soon as it is stored."""
        return bool(self._until_stored)

    def holds(self, key: Key) -> bool:
        """Whether a record is here, in flight or not."""
        return key in self._fresh or key in self._ahead or key in self._in_flight

    def oldest_fresh(self) -> Message | None:
        """The oldest record that only memory has."""
        return next((record.message for record in self._fresh.values()), None)

    def oldest_urgent_s(self) -> float:
        """When the oldest record that nobody else has was appended; infinity where there is none."""
        return next((record.appended_s for record in self._urgent.values()), float("inf"))

    def append(self, message: Message, now_s: float) -> None:
        """Take a new record; its key is above that of any before."""
        record = _Record(message, len(message.payload) + RECORD_ALLOWANCE_BYTES, now_s)
        key = (message.epoch, message.seq)
        self._fresh[key] = self._unsent[key] = self._urgent[key] = record
        self._fresh_bytes += record.size_bytes

    def send_when_stored(self, key: Key) -> None:
        """Keep a fresh record back until it is stored; then it goes before all others."""
        if self._unsent.pop(key, None) is not None:
            self._until_stored.add(key)

    def send_unstored(self) -> None:
        """Keep no record back any more until it is stored: the disk does not take it."""
        if self._until_stored:
            self._put_back({key: self._fresh[key] for key in self._until_stored})
            self._until_stored.clear()

    def take_foremost(self, room: int, withheld: Collection[str]) -> list[Message]:
        """Put in flight what goes before all others, at most `room`."""
        if not self._foremost:
            return []
        self._foremost &= self._ahead.keys()
        foremost = {key: self._ahead[key] for key in sorted(self._foremost)}
        return self._send_ahead(foremost, room, withheld)

    def take_fresh(self, room: int, withheld: Collection[str]) -> list[Message]:
        """Put fresh records in flight, at most `room`."""
        taken: dict[Key, _Record] = {}
        for key, record in self._unsent.items():
            if len(taken) >= room:
                break
            if record.message.topic not in withheld:
                taken[key] = record
        for key in taken:
            del self._unsent[key]
        self._in_flight |= taken
        return [record.message for record in taken.values()]

    def take_ahead(self, room: int, withheld: Collection[str]) -> list[Message]:
        """Put stored records in flight, at most `room` and at most 1 MiB of them in all."""
        return self._send_ahead(self._ahead, room, withheld)

    def _send_ahead(
        self, records: Mapping[Key, _Record], room: int, withheld: Collection[str]
    ) -> list[Message]:
        taken: dict[Key, _Record] = {}
        taken_bytes, room_bytes = 0, STORED_IN_FLIGHT_BYTES - self._stored_in_flight_bytes
        for key, record in records.items():
            if len(taken) >= room or taken_bytes >= room_bytes:
                break
            if record.message.topic not in withheld:
                taken[key] = record
                taken_bytes += record.size_bytes
        for key in taken:
            del self._ahead[key]
        self._in_flight |= taken
        self._stored_in_flight += len(taken)
        self._stored_in_flight_bytes += taken_bytes
        self._ahead_bytes -= taken_bytes
        return [record.message for record in taken.values()]

    def make_room(self, withheld: Collection[str]) -> list[Key] | None:
        """Forget withheld records where others are to be read from disk.

        Returns:
            what was forgotten; None where there is enough at hand to send.
        """
        useless = (
            [key for key, record in self._ahead.items() if record.message.topic in withheld]
            if withheld
            else []
        )
        useless_bytes = sum(self._ahead[key].size_bytes for key in useless)
        if self._ahead_bytes - useless_bytes >= AHEAD_BYTES // 2:
            return None
        for key in useless:
            del self._ahead[key]
        self._ahead_bytes -= useless_bytes
        return useless

    def add_read(self, messages: Iterable[Message]) -> None:
        """Take records that were read from disk."""
        for message in messages:
            record = _Record(message, len(message.payload) + RECORD_ALLOWANCE_BYTES, 0.0, stored=True)
            self._ahead[message.epoch, message.seq] = record
            self._ahead_bytes += record.size_bytes
        self._ahead = dict(sorted(self._ahead.items()))

    def acknowledge(self, key: Key, now_s: float) -> None:
        """The broker has a record in flight; it is sent no more, and kept until the store has spoken."""
        record = self._in_flight.pop(key, None)
        if record is None:
            return  # its receipt was faster
        if record.stored:
            self._stored_in_flight -= 1
            self._stored_in_flight_bytes -= record.size_bytes
            self.awaiting.add(key, now_s)
        else:
            del self._urgent[key]
            self._held_bytes += record.size_bytes
            self.held.add(key, now_s)

    def shelve(self, key: Key) -> bool:
        """Keep a record back that is in flight, until all are released; whether the disk alone has it now."""
        record = self._in_flight.pop(key, None)
        if record is None:
            return False
        if record.stored:
            self._stored_in_flight -= 1
            self._stored_in_flight_bytes -= record.size_bytes
        else:
            self.shelved.add(key)
        return record.stored

    def send_again(self, acknowledged_before_s: float) -> list[Key]:
        """Await the store's word no longer for what was acknowledged that long ago.

        Returns:
            stored records that are no longer here, to be read from disk in their turn.
        """
        if late := self.held.until(acknowledged_before_s):  # only where the disk does not take them
            for key in late:
                self._let_go(key)
                self._unsent[key] = self._urgent[key] = self._fresh[key]
            self._unsent = dict(sorted(self._unsent.items()))
            self._urgent = dict(sorted(self._urgent.items()))
        return self._forget(self.awaiting.until(acknowledged_before_s))

    def await_at_most(self, count: int) -> list[Key]:
        """Remember no more than so many awaiting keys; returns what is forgotten, as `send_again` does."""
        return self._forget(self.awaiting.oldest(len(self.awaiting) - count))

    def _forget(self, keys: list[Key]) -> list[Key]:
        for key in keys:
            self.awaiting.pop(key)
        return keys

    def _let_go(self, key: Key) -> float | None:
        """A fresh record is held no more; since when it was."""
        held_s = self.held.pop(key)
        if held_s is not None:
            self._held_bytes -= self._fresh[key].size_bytes
        return held_s

    def confirm_range(self, epoch: str, first_seq: int, last_seq: int) -> int:
        """Let go of the records of a range, however long it is; returns for how many it was awaited."""
        if last_seq - first_seq < _SHORT_RANGE:
            keys = [(epoch, seq) for seq in range(first_seq, last_seq + 1)]
        else:
            known = {*self._fresh, *self._ahead, *self._in_flight, *self.awaiting}
            keys = [key for key in known if key[0] == epoch and first_seq <= key[1] <= last_seq]
        awaited = 0
        for key in keys:
            since_s = self.awaiting.pop(key)
            if since_s is None:  # else it is nowhere but there
                since_s = self.held.since_s(key)
                self.confirm(key)
            if since_s is not None:
                awaited += 1
                self.newest_receipted_s = max(self.newest_receipted_s, since_s)
        return awaited

    def confirm(self, key: Key) -> bool:
        """Let go of a delivered record; False where the disk never heard of it."""
        sent = self._in_flight.pop(key, None)
        self.awaiting.pop(key)
        if key in self._fresh:
            self._let_go(key)
            record = self._fresh.pop(key)
            self._unsent.pop(key, None)
            self._urgent.pop(key, None)
            self.shelved.discard(key)
            self._until_stored.discard(key)
            self._fresh_bytes -= record.size_bytes
            return record.committing
        if sent is not None:
            self._stored_in_flight -= 1
            self._stored_in_flight_bytes -= sent.size_bytes
        elif (ahead := self._ahead.pop(key, None)) is not None:
            self._ahead_bytes -= ahead.size_bytes
        return True

    def unshelve(self) -> None:
        """What was kept back is to be sent again."""
        if self.shelved:
            self._put_back({key: self._fresh[key] for key in self.shelved})
            self.shelved.clear()

    def _put_back(self, records: dict[Key, _Record]) -> None:
        """Fresh records are to be sent, each in its place among the others."""
        self._unsent = dict(sorted((records | self._unsent).items()))

    def release(self, keys: Iterable[Key] | None) -> None:
        """Records are no longer in flight; None means all of them, and that none is shelved any more."""
        unsent: dict[Key, _Record] = {}
        ahead: dict[Key, _Record] = {}
        for key in list(self._in_flight) if keys is None else keys:
            record = self._in_flight.pop(key, None)
            if record is not None and record.stored:
                ahead[key] = record
                self._stored_in_flight -= 1
                self._stored_in_flight_bytes -= record.size_bytes
                self._ahead_bytes += record.size_bytes
            elif record is not None:
                unsent[key] = record
        if keys is None:
            self.unshelve()
        if unsent:
            self._put_back(unsent)
        if ahead:
            self._ahead = dict(sorted((ahead | self._ahead).items()))

    def begin_commit(
        self, appended_before_s: float, limit_bytes: int, held_before_s: float = float("-inf")
    ) -> list[Message]:
        """The fresh records that are due, to be stored as one group; they stay here until that is done.

        A segment is in the order of `seq`: what is older than a record that is due goes with it.
        """
        due = [
            *takewhile(lambda key: self._urgent[key].appended_s <= appended_before_s, self._urgent),
            *self.held.until(held_before_s),
        ]
        last = max(due, default=("", 0))
        group: list[Message] = []
        size_bytes = 0
        for key, record in self._fresh.items():
            if key > last or size_bytes >= limit_bytes:
                break
            record.committing = True
            group.append(record.message)
            size_bytes += record.size_bytes
        return group

    def end_commit(self, group: list[Message], stored: int, *, keep: bool) -> tuple[list[Key], list[Key]]:
        """The first `stored` records of a group are safe on disk, the others are not.

        Stored ones stay at hand as far as there is room, if `keep` says that nothing older waits on disk.

        Returns:
            stored records that are no longer here: those to be read from disk in their turn, and the
            shelved ones.
        """
        forgotten: list[Key] = []
        shelved: list[Key] = []
        awaiting: dict[Key, float] = {}
        for message in group[:stored]:
            key = (message.epoch, message.seq)
            if key not in self._fresh:
                continue  # confirmed meanwhile
            held_s = self._let_go(key)
            record = self._fresh.pop(key)
            record.stored = True
            self._fresh_bytes -= record.size_bytes
            self._unsent.pop(key, None)
            self._urgent.pop(key, None)
            foremost = key in self._until_stored and len(self._foremost) < _FOREMOST
            self._until_stored.discard(key)
            if foremost:
                self._foremost.add(key)
            if held_s is not None:
                awaiting[key] = held_s
            elif key in self.shelved:
                self.shelved.remove(key)
                shelved.append(key)
            elif key in self._in_flight:
                self._stored_in_flight += 1
                self._stored_in_flight_bytes += record.size_bytes
            elif foremost or (keep and self._ahead_bytes + record.size_bytes <= AHEAD_BYTES):
                self._ahead[key] = record
                self._ahead_bytes += record.size_bytes
            else:
                keep = False
                forgotten.append(key)
        self.awaiting.update(awaiting)
        for message in group[stored:]:
            if (unsafe := self._fresh.get((message.epoch, message.seq))) is not None:
                unsafe.committing = False
        return forgotten, shelved

    def forget_stored(self) -> None:
        """Forget every record that the disk has, wherever it is on its way."""
        for key in {*self._ahead, *self._in_flight, *self.awaiting} - self._fresh.keys():
            self.confirm(key)

    def shed(self) -> OutboxLoss | None:
        """Drop the oldest record that is neither in flight nor on its way to the disk, where there is one."""
        for key, record in self._fresh.items():
            if not record.committing and key not in self._in_flight:
                self.confirm(key)
                t_us, size_bytes = record.message.t_us, len(record.message.payload)
                return OutboxLoss(Cause.MEMORY, key[0], 1, key[1], key[1], t_us, t_us, size_bytes)
        return None
