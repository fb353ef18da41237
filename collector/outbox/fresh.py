"""The records that memory alone has, and where each of them stands. Pure: no disk, no event loop.

Most are confirmed before they get any further. Where the store's word counts, one that the broker has
acknowledged is *held* here until the store has spoken, or the disk has it.
"""

from collections.abc import Collection, Iterable, KeysView
from itertools import takewhile
from typing import NamedTuple

from collector.messages import Message
from collector.outbox.awaiting import Awaiting
from collector.outbox.record import Record
from collector.outbox.state import Cause, Key, OutboxLoss

FRESH_BYTES = 5 << 20
"""Beyond this much that is not on disk (only where the disk cannot be written) the oldest is dropped."""
HELD_BYTES = 2 << 20
"""Beyond this much that only memory has, records go to disk although the broker has them."""


class Left(NamedTuple):
    """A record that is stored by now, and how it stood until then."""

    key: Key
    record: Record
    held_s: float | None
    """Since when the broker has it."""
    shelved: bool
    in_flight: bool
    waited: bool
    """It was not to be sent before."""


class Fresh:
    """Every mapping is in the order of sending."""

    def __init__(self) -> None:
        self._records: dict[Key, Record] = {}
        self._unsent: dict[Key, Record] = {}
        """Those that are to be sent."""
        self._in_flight: dict[Key, Record] = {}
        self._urgent: dict[Key, Record] = {}
        """Those that the broker has not acknowledged."""
        self.held = Awaiting()
        """Those that it has."""
        self.shelved: set[Key] = set()
        """Those that are not to be sent for now."""
        self._until_stored: set[Key] = set()
        """Those that are not to be sent before they are stored."""
        self.bytes = 0
        self._held_bytes = 0

    def __len__(self) -> int:
        return len(self._records)

    def __contains__(self, key: Key) -> bool:
        return key in self._records

    @property
    def keys(self) -> KeysView[Key]:
        """All that are here."""
        return self._records.keys()

    @property
    def in_flight(self) -> int:
        """How many are in flight."""
        return len(self._in_flight)

    @property
    def overfull(self) -> bool:
        """Whether there is more than may be."""
        return self.bytes > FRESH_BYTES

    @property
    def overheld(self) -> bool:
        """Whether more is held than may be."""
        return self._held_bytes > HELD_BYTES

    @property
    def waits_to_be_stored(self) -> bool:
        """Whether there is one that is sent as soon as it is stored."""
        return bool(self._until_stored)

    @property
    def oldest(self) -> Message | None:
        """The oldest one."""
        return next((record.message for record in self._records.values()), None)

    @property
    def oldest_urgent_s(self) -> float:
        """When the oldest one that nobody else has was appended; infinity where there is none."""
        return next((record.appended_s for record in self._urgent.values()), float("inf"))

    def append(self, message: Message, now_s: float) -> None:
        """Take a new record; its key is above that of any before."""
        record = Record(message, now_s)
        key = (message.epoch, message.seq)
        self._records[key] = self._unsent[key] = self._urgent[key] = record
        self.bytes += record.size_bytes

    def send_when_stored(self, key: Key) -> None:
        """Keep a record back until it is stored; then it goes before all others."""
        if self._unsent.pop(key, None) is not None:
            self._until_stored.add(key)

    def send_unstored(self) -> None:
        """Keep no record back any more until it is stored: the disk does not take it."""
        if self._until_stored:
            self._put_back({key: self._records[key] for key in self._until_stored})
            self._until_stored.clear()

    def take(self, room: int, withheld: Collection[str]) -> list[Message]:
        """Put records in flight, at most `room`, and none of `withheld` topics."""
        taken: dict[Key, Record] = {}
        for key, record in self._unsent.items():
            if len(taken) >= room:
                break
            if record.message.topic not in withheld:
                taken[key] = record
        for key in taken:
            del self._unsent[key]
        self._in_flight |= taken
        return [record.message for record in taken.values()]

    def acknowledge(self, key: Key, now_s: float) -> None:
        """The broker has a record in flight; it is sent no more, and held."""
        if (record := self._in_flight.pop(key, None)) is not None:
            del self._urgent[key]
            self._held_bytes += record.size_bytes
            self.held.add(key, now_s)

    def send_again(self, acknowledged_before_s: float) -> None:
        """Hold no longer what was acknowledged that long ago."""
        if late := self.held.until(acknowledged_before_s):  # only where the disk does not take them
            for key in late:
                self._let_go(key)
                self._unsent[key] = self._urgent[key] = self._records[key]
            self._unsent = dict(sorted(self._unsent.items()))
            self._urgent = dict(sorted(self._urgent.items()))

    def _let_go(self, key: Key) -> None:
        """A record is held no more, if it was."""
        if self.held.pop(key) is not None:
            self._held_bytes -= self._records[key].size_bytes

    def shelve(self, key: Key) -> None:
        """Keep a record back that is in flight, until all are released."""
        if self._in_flight.pop(key, None) is not None:
            self.shelved.add(key)

    def unshelve(self) -> None:
        """What was kept back is to be sent again."""
        if self.shelved:
            self._put_back({key: self._records[key] for key in self.shelved})
            self.shelved.clear()

    def release(self, keys: Iterable[Key] | None) -> None:
        """Records are no longer in flight; None means all of them, and that none is shelved any more."""
        if keys is None:
            keys = list(self._in_flight)
            self.unshelve()
        if back := {key: self._in_flight.pop(key) for key in keys if key in self._in_flight}:
            self._put_back(back)

    def _put_back(self, records: dict[Key, Record]) -> None:
        """Records are to be sent, each in its place among the others."""
        self._unsent = dict(sorted((records | self._unsent).items()))

    def confirm(self, key: Key) -> Record | None:
        """Let go of a record that is delivered, stored or lost; None where it is not here."""
        if key not in self._records:
            return None
        self._let_go(key)
        record = self._records.pop(key)
        self.bytes -= record.size_bytes
        self._in_flight.pop(key, None)
        self._unsent.pop(key, None)
        self._urgent.pop(key, None)
        self.shelved.discard(key)
        self._until_stored.discard(key)
        return record

    def begin_commit(
        self, appended_before_s: float, limit_bytes: int, held_before_s: float = float("-inf")
    ) -> list[Message]:
        """The records that are due, to be stored as one group; they stay here until that is done.

        A segment is in the order of `seq`: what is older than a record that is due goes with it.
        """
        due = [
            *takewhile(lambda key: self._urgent[key].appended_s <= appended_before_s, self._urgent),
            *self.held.until(held_before_s),
        ]
        last = max(due, default=("", 0))
        group: list[Message] = []
        size_bytes = 0
        for key, record in self._records.items():
            if key > last or size_bytes >= limit_bytes:
                break
            record.committing = True
            group.append(record.message)
            size_bytes += record.size_bytes
        return group

    def end_commit(self, group: list[Message], stored: int) -> list[Left]:
        """The first `stored` records of a group are safe on disk and leave, the others are not."""
        left: list[Left] = []
        for number, message in enumerate(group):
            key = (message.epoch, message.seq)
            record = self._records.get(key)
            if record is None:
                continue  # confirmed meanwhile
            record.committing = False
            if number < stored:
                left.append(
                    Left(
                        key,
                        record,
                        held_s=self.held.since_s(key),
                        shelved=key in self.shelved,
                        in_flight=key in self._in_flight,
                        waited=key in self._until_stored,
                    )
                )
                self.confirm(key)
        return left

    def shed(self) -> OutboxLoss | None:
        """Drop the oldest record that is neither in flight nor on its way to the disk, where there is one."""
        for key, record in self._records.items():
            if not record.committing and key not in self._in_flight:
                self.confirm(key)
                t_us, size_bytes = record.message.t_us, len(record.message.payload)
                return OutboxLoss(Cause.MEMORY, key[0], 1, key[1], key[1], t_us, t_us, size_bytes)
        return None
