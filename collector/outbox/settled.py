"""Records that need no more sending, as the disk thread is told: single ones, and ranges out of receipts."""

from dataclasses import dataclass, field

from collector.outbox.state import Key

SeqRange = tuple[int, int]


@dataclass(slots=True)
class Settled:
    """A set of records; a range may be longer than anything that exists."""

    keys: set[Key] = field(default_factory=set)
    ranges: dict[str, set[SeqRange]] = field(default_factory=dict)
    """By epoch."""

    def __bool__(self) -> bool:
        return bool(self.keys or self.ranges)

    def __contains__(self, key: Key) -> bool:
        if key in self.keys:
            return True
        epoch, seq = key
        ranges = self.ranges.get(epoch)
        return ranges is not None and any(first <= seq <= last for first, last in ranges)

    def add_range(self, epoch: str, first_seq: int, last_seq: int) -> None:
        """Add a range; both ends are included."""
        self.ranges.setdefault(epoch, set()).add((first_seq, last_seq))
