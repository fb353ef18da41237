"""The records in memory: fresh ones, which only memory has, and those of the stored ones that are at hand.

Here is what concerns a record whichever of the two it is, and its way from the one to the other. Pure: no
disk, no event loop.
"""

from collections.abc import Collection

from collector.messages import Message
from collector.outbox.fresh import Fresh
from collector.outbox.state import Key
from collector.outbox.stored import Stored

_SHORT_RANGE = 4096
"""Each record of a shorter range is looked up; in a longer one, which may be nonsense, each that is here."""


class Memory:
    """What the event loop holds."""

    def __init__(self) -> None:
        self.fresh = Fresh()
        self.stored = Stored()
        self.newest_receipted_s = float("-inf")
        """When the broker acknowledged the newest record that has its receipt."""

    @property
    def awaited(self) -> int:
        """For how many records the store's word is awaited."""
        return len(self.fresh.held) + len(self.stored.awaiting)

    @property
    def in_flight(self) -> int:
        """How many records are in flight."""
        return self.fresh.in_flight + self.stored.in_flight

    @property
    def bytes(self) -> int:
        """What all records take, with an allowance for each."""
        return self.fresh.bytes + self.stored.bytes

    def holds(self, key: Key) -> bool:
        """Whether a record is here, in flight or not."""
        return key in self.fresh or key in self.stored

    def acknowledge(self, key: Key, now_s: float) -> None:
        """The broker has a record in flight; it is sent no more, and the store's word is awaited.

        It is neither here nor there where its receipt was faster.
        """
        self.fresh.acknowledge(key, now_s)
        self.stored.acknowledge(key, now_s)

    def shelve(self, key: Key) -> bool:
        """Keep a record back that is in flight, until all are released; whether the disk alone has it now."""
        self.fresh.shelve(key)
        return self.stored.shelve(key)

    def release(self, keys: Collection[Key] | None) -> None:
        """Records are no longer in flight; None means all of them, and that none is shelved any more."""
        self.fresh.release(keys)
        self.stored.release(keys)

    def send_again(self, acknowledged_before_s: float) -> list[Key]:
        """Await the store's word no longer for what was acknowledged that long ago.

        Returns:
            stored records that are no longer here, to be read from disk in their turn.
        """
        self.fresh.send_again(acknowledged_before_s)
        return self.stored.send_again(acknowledged_before_s)

    def confirm(self, key: Key) -> bool:
        """Let go of a delivered record; False where the disk never heard of it."""
        if (record := self.fresh.confirm(key)) is not None:
            return record.committing
        self.stored.confirm(key)
        return True

    def confirm_range(self, epoch: str, first_seq: int, last_seq: int) -> int:
        """Let go of the records of a range, however long it is; returns for how many it was awaited."""
        if last_seq - first_seq < _SHORT_RANGE:
            keys = [(epoch, seq) for seq in range(first_seq, last_seq + 1)]
        else:
            known = self.fresh.keys | self.stored.keys
            keys = [key for key in known if key[0] == epoch and first_seq <= key[1] <= last_seq]
        awaited = 0
        for key in keys:
            since_s = self.stored.awaiting.pop(key)
            if since_s is None:  # else it is nowhere but there
                since_s = self.fresh.held.since_s(key)
                self.confirm(key)
            if since_s is not None:
                awaited += 1
                self.newest_receipted_s = max(self.newest_receipted_s, since_s)
        return awaited

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
        for left in self.fresh.end_commit(group, stored):
            key, record = left.key, left.record
            if left.held_s is not None:
                awaiting[key] = left.held_s
            elif left.shelved:
                shelved.append(key)
            elif left.in_flight:
                self.stored.add_flying(key, record)
            elif left.waited and self.stored.add_foremost(key, record):
                pass
            elif not (keep := keep and self.stored.add(key, record)):
                forgotten.append(key)
        self.stored.awaiting.update(awaiting)
        return forgotten, shelved

    def forget_stored(self) -> None:
        """Forget every record that the disk has, wherever it is on its way."""
        self.stored = Stored()
