"""The records that the disk has, as far as they are in memory, too: at hand, in flight, and awaited. Pure.

They are here because they are about to be sent, or are on their way. Of one that the broker has acknowledged,
and the store has not yet spoken of, the key is enough.
"""

from collections.abc import Collection, Iterable, Mapping

from collector.messages import Message
from collector.outbox.awaiting import Awaiting
from collector.outbox.record import Record
from collector.outbox.state import Key

AHEAD_BYTES = 1 << 20
"""How much of the backlog is kept at hand."""
STORED_IN_FLIGHT_BYTES = 1 << 20
_FOREMOST = 8
"""The most records that go before all others: while nobody takes them the disk keeps the rest."""


class Stored:
    """Every mapping is in the order of sending."""

    def __init__(self) -> None:
        self._ahead: dict[Key, Record] = {}
        """At hand, not in flight."""
        self._foremost: set[Key] = set()
        """Those of them that go before all others."""
        self._in_flight: dict[Key, Record] = {}
        self.awaiting = Awaiting()
        """Those that the broker has, and the store has not yet spoken of."""
        self._ahead_bytes = self._in_flight_bytes = 0

    def __len__(self) -> int:
        return len(self._ahead) + len(self._in_flight) + len(self.awaiting)

    def __contains__(self, key: Key) -> bool:
        """Whether the record itself is here."""
        return key in self._ahead or key in self._in_flight

    @property
    def keys(self) -> set[Key]:
        """All that are here, if only by their keys."""
        return {*self._ahead, *self._in_flight, *self.awaiting}

    @property
    def in_flight(self) -> int:
        """How many are in flight."""
        return len(self._in_flight)

    @property
    def trusted(self) -> int:
        """How many are in flight or awaiting the store's word."""
        return len(self._in_flight) + len(self.awaiting)

    @property
    def bytes(self) -> int:
        """What they take of memory."""
        return self._ahead_bytes + self._in_flight_bytes

    def take_foremost(self, room: int, withheld: Collection[str]) -> list[Message]:
        """Put in flight what goes before all others, at most `room`."""
        if not self._foremost:
            return []
        self._foremost &= self._ahead.keys()
        foremost = {key: self._ahead[key] for key in sorted(self._foremost)}
        return self._send(foremost, room, withheld)

    def take(self, room: int, withheld: Collection[str]) -> list[Message]:
        """Put records in flight, at most `room` and 1 MiB of them in all, and none of `withheld` topics."""
        return self._send(self._ahead, room, withheld)

    def _send(self, records: Mapping[Key, Record], room: int, withheld: Collection[str]) -> list[Message]:
        taken: dict[Key, Record] = {}
        taken_bytes, room_bytes = 0, STORED_IN_FLIGHT_BYTES - self._in_flight_bytes
        for key, record in records.items():
            if len(taken) >= room or taken_bytes >= room_bytes:
                break
            if record.message.topic not in withheld:
                taken[key] = record
                taken_bytes += record.size_bytes
        for key in taken:
            del self._ahead[key]
        self._in_flight |= taken
        self._in_flight_bytes += taken_bytes
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
            self._put_ahead((message.epoch, message.seq), Record(message))
        self._ahead = dict(sorted(self._ahead.items()))

    def add_flying(self, key: Key, record: Record) -> None:
        """Take a record that was stored while it is in flight."""
        self._in_flight[key] = record
        self._in_flight_bytes += record.size_bytes

    def add_foremost(self, key: Key, record: Record) -> bool:
        """Take a record that goes before all others; False where there is no room for it."""
        if len(self._foremost) == _FOREMOST:
            return False
        self._foremost.add(key)
        self._put_ahead(key, record)
        return True

    def add(self, key: Key, record: Record) -> bool:
        """Take a record that follows all that are at hand; False where there is no room for it."""
        if self._ahead_bytes + record.size_bytes > AHEAD_BYTES:
            return False
        self._put_ahead(key, record)
        return True

    def _put_ahead(self, key: Key, record: Record) -> None:
        self._ahead[key] = record
        self._ahead_bytes += record.size_bytes

    def acknowledge(self, key: Key, now_s: float) -> None:
        """The broker has a record in flight; it is sent no more, and the store's word is awaited."""
        if self._landed(key) is not None:
            self.awaiting.add(key, now_s)

    def shelve(self, key: Key) -> bool:
        """Leave a record in flight to the disk alone; False where it is not here."""
        return self._landed(key) is not None

    def release(self, keys: Iterable[Key] | None) -> None:
        """Records are no longer in flight, and to be sent again; None means all of them."""
        back: dict[Key, Record] = {}
        for key in list(self._in_flight) if keys is None else keys:
            if (record := self._landed(key)) is not None:
                back[key] = record
                self._ahead_bytes += record.size_bytes
        if back:
            self._ahead = dict(sorted((back | self._ahead).items()))

    def _landed(self, key: Key) -> Record | None:
        """A record is in flight no more, if it was."""
        record = self._in_flight.pop(key, None)
        if record is not None:
            self._in_flight_bytes -= record.size_bytes
        return record

    def confirm(self, key: Key) -> None:
        """Let go of a delivered record, wherever it is."""
        self.awaiting.pop(key)
        if self._landed(key) is None and (record := self._ahead.pop(key, None)) is not None:
            self._ahead_bytes -= record.size_bytes

    def send_again(self, acknowledged_before_s: float) -> list[Key]:
        """Await the store's word no longer for what was acknowledged that long ago; returns what that is."""
        return self._forget(self.awaiting.until(acknowledged_before_s))

    def await_at_most(self, count: int) -> list[Key]:
        """Remember no more than so many awaiting keys; returns what is forgotten."""
        return self._forget(self.awaiting.oldest(len(self.awaiting) - count))

    def _forget(self, keys: list[Key]) -> list[Key]:
        for key in keys:
            self.awaiting.pop(key)
        return keys
