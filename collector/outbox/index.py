"""What is known of one segment's records without reading it again; pure. 17 bytes of memory for a record.

A record on disk is in one of four states. `PENDING`: only the disk has it. `HANDED`: the event loop has a
copy, to send or in flight. `DONE`: it needs no sending any more. `SHELVED`: only the disk has it, and shall
not hand it out for now.
"""

import re
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from collector.outbox.segment import Found, SegmentName
from collector.outbox.state import Key

PENDING, HANDED, DONE, SHELVED = 0, 1, 2, 3

_PENDING_ONES = re.compile(bytes([PENDING]))
_DONE_RUNS = re.compile(b"%c+" % DONE)

_MOST_RANGES = 64
"""The most ranges of delivered records that are remembered of one segment; what is beyond them is resent."""


class SegmentIndex:
    """One segment: the records in it, in ascending order of `seq`, and their states."""

    def __init__(self, name: SegmentName, size_bytes: int = 0, *, scanned: bool = True) -> None:
        self.name = name
        self.file = name.file
        self.size_bytes = size_bytes
        self.scanned = scanned
        self.damaged = False
        self.unconfirmed = 0
        self.shelved = 0
        self.newest: dict[str, tuple[int, int, bool]] = {}
        """The last record of each topic: seq, t_us, sync."""
        self.first_t_us: int | None = None
        self.last_t_us: int | None = None
        self.newest_sync_us: int | None = None
        self.unsynced = 0
        self.elsewhere: list[tuple[int, int]] = []
        """Ranges of records of a failed write: bytes of them may be here, and a newer segment has them."""
        self._seqs = array("Q")
        self._offsets = array("I")
        self._topics = array("I")
        self._states = bytearray()
        self._topic_numbers: dict[str, int] = {}
        self._pending: Counter[int] = Counter()

    def __len__(self) -> int:
        return len(self._seqs)

    def add(self, record: Found, state: int) -> None:
        """Enter the next record.

        Raises:
            ValueError: its `seq` is not above the last one.
        """
        if self._seqs and record.seq <= self._seqs[-1]:
            raise ValueError(f"seq {record.seq} follows {self._seqs[-1]}")
        topic = self._topic_numbers.setdefault(record.topic, len(self._topic_numbers))
        self._seqs.append(record.seq)
        self._offsets.append(record.offset)
        self._topics.append(topic)
        self._states.append(state)
        self.unconfirmed += state != DONE
        self._pending[topic] += state == PENDING
        self.newest[record.topic] = (record.seq, record.t_us, record.sync)
        self.first_t_us = record.t_us if self.first_t_us is None else self.first_t_us
        self.last_t_us = record.t_us
        if record.sync:
            self.newest_sync_us = max(record.t_us, self.newest_sync_us or record.t_us)
        else:
            self.unsynced += 1

    @property
    def pending(self) -> int:
        """How many records only the disk has, without the shelved ones."""
        return self._pending.total()

    @property
    def last_seq(self) -> int | None:
        """The highest `seq`."""
        return self._seqs[-1] if self._seqs else None

    def find(self, seq: int) -> int | None:
        """The number, within the segment, of the record with this `seq`."""
        number = bisect_left(self._seqs, seq)
        return number if number < len(self._seqs) and self._seqs[number] == seq else None

    def seq(self, number: int) -> int:
        """The `seq` of a record."""
        return self._seqs[number]

    def done(self, number: int) -> bool:
        """Whether a record needs no sending any more."""
        return self._states[number] == DONE

    def pending_alone(self, number: int) -> bool:
        """Whether only the disk has a record."""
        return self._states[number] == PENDING

    def change(self, number: int, state: int) -> None:
        """Put a record into a state; one that is `DONE` stays so."""
        before = self._states[number]
        if before == DONE:
            return
        self._states[number] = state
        topic = self._topics[number]
        self._pending[topic] += (state == PENDING) - (before == PENDING)
        self.shelved += (state == SHELVED) - (before == SHELVED)
        self.unconfirmed -= state == DONE

    def change_all(self, seqs: Sequence[int], state: int) -> Iterator[int]:
        """Put the records with these ascending `seqs` into a state; yields those that are here."""
        if not self._seqs:
            return
        for seq in seqs[bisect_left(seqs, self._seqs[0]) : bisect_right(seqs, self._seqs[-1])]:
            if (number := self.find(seq)) is not None:
                self.change(number, state)
                yield seq

    def unshelve(self) -> None:
        """Make every shelved record `PENDING`."""
        number = self._states.find(SHELVED)
        while number >= 0:
            self.change(number, PENDING)
            number = self._states.find(SHELVED, number)

    def span(self, number: int) -> tuple[int, int]:
        """The bytes of the file, from and to, that hold a record (and perhaps damage after it)."""
        following = number + 1
        end = self._offsets[following] if following < len(self._offsets) else self.size_bytes
        return self._offsets[number], end

    def pending_numbers(self, withheld: Collection[str]) -> Iterator[int]:
        """The records that only the disk has, in order, leaving out some topics."""
        out = {number for topic, number in self._topic_numbers.items() if topic in withheld}
        if self._pending.total() == sum(self._pending[topic] for topic in out):
            return
        for match in _PENDING_ONES.finditer(bytes(self._states)):
            if self._topics[match.start()] not in out:
                yield match.start()

    def first_unconfirmed(self) -> int | None:
        """The oldest record that still needs sending."""
        found = [self._states.find(state) for state in (PENDING, HANDED, SHELVED)]
        return min((number for number in found if number >= 0), default=None)

    def bounds(self, state: int) -> tuple[int, int] | None:
        """The first and the last `seq` in a state; None where there is none."""
        first, last = self._states.find(state), self._states.rfind(state)
        return None if first < 0 else (self._seqs[first], self._seqs[last])

    def keys(self, state: int) -> list[Key]:
        """The records in a state."""
        return [
            (self.name.epoch, seq) for seq, one in zip(self._seqs, self._states, strict=True) if one == state
        ]

    def delivered(self) -> list[tuple[int, int]]:
        """What needs no sending from here, as ranges of `seq`, both ends included; the first 64 ranges."""
        ranges = list(self.elsewhere)
        for match in _DONE_RUNS.finditer(self._states):
            if len(ranges) == _MOST_RANGES:
                break
            ranges.append((self._seqs[match.start()], self._seqs[match.end() - 1]))
        return ranges

    def deliver(self, first_seq: int, last_seq: int) -> None:
        """Make every record of a range `DONE`."""
        number = bisect_left(self._seqs, first_seq)
        while number < len(self._seqs) and self._seqs[number] <= last_seq:
            self.change(number, DONE)
            number += 1

    def deliver_repeated(self, newer: "SegmentIndex") -> None:
        """Make `DONE` what a newer segment has as well: a group written again after a disk error."""
        if not self._seqs or newer.last_seq is None or self._seqs[-1] < newer.seq(0):
            return
        for number in range(bisect_left(self._seqs, newer.seq(0)), len(self._seqs)):
            if newer.find(self._seqs[number]) is not None:
                self.change(number, DONE)
