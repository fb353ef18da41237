"""Losses that nobody has heard of, on disk until the record that declares them is delivered.

A loss is entered and saved before the bytes it speaks of go: no power cut can take both. On a full disk the
room for that is what a reserve gives up.

Which record declares a loss is saved before that record is on disk, and it is on disk before it is sent. So
after a restart it is found and sent again, the same, or it was never sent, and the loss is declared anew.
Where too much is saved a loss is declared twice: so it is where all would not fit into the reserve.
"""

import contextlib
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from collector.outbox.files import Files, is_full
from collector.outbox.index import SegmentIndex
from collector.outbox.notes import LOSSES, encode_note, read_note, write_note
from collector.outbox.state import Cause, Key, OutboxLoss, joined

_RESERVE = "reserve"
_RESERVE_BYTES = 64 << 10
"""Some six hundred losses, one by one."""


@dataclass(frozen=True, slots=True)
class _Entry:
    loss: OutboxLoss
    by: Key | None = None
    """The record that declares it; None as long as there is none."""
    of: str | None = None
    """Not lost yet: memory has the records of this dropped segment, and they are lost with it."""
    heard: bool = False
    """Damage, which has been told of, and every start finds again as long as its segment is there."""


class Ledger:
    """What is to be declared, and by which record it is."""

    def __init__(self, files: Files, directory: Path) -> None:
        self._files = files
        self._reserve_bytes = _RESERVE_BYTES
        self._path = directory / LOSSES
        self._reserve = directory / _RESERVE
        self._reserved = False
        self._entries: list[_Entry] = []
        self._saved: list[_Entry] = []
        self._sought: set[Key] = set()
        """Records of earlier runs that declare a loss, and were not found in any segment yet."""

    def load(self) -> list[OutboxLoss]:
        """Take over what earlier runs left; returns what no record declares.

        Raises:
            OSError: it exists and cannot be read.
        """
        content = read_note(self._files, self._path) or {}
        try:
            entries = [_entry(*values) for values in content.get("losses", ())]
        except (TypeError, ValueError, KeyError):  # by another version: what is there cannot be told
            entries = []
        self._saved = entries
        self._entries = list(entries)
        self._sought = {entry.by for entry in entries if entry.by is not None}
        return [entry.loss for entry in entries if entry.by is None and not entry.heard]

    @property
    def losses(self) -> list[OutboxLoss]:
        """What is lost and nobody has heard of."""
        return [entry.loss for entry in self._entries if not entry.heard]

    def add(self, loss: OutboxLoss) -> bool:
        """Enter a loss; False where it is there already, as damage is that is found again.

        How many bytes it has does not count: a power cut may leave more or less of what was never safe.
        """
        known = (replace(entry.loss, bytes=loss.bytes) for entry in self._entries if entry.of is None)
        if loss in known:
            return False
        self._entries.append(_Entry(loss))
        return True

    def declared(self, loss: OutboxLoss, by: Key) -> None:
        """A record declares a loss, and all within it that no other record does."""
        self._entries = [
            entry
            for entry in self._entries
            if entry.by is not None or entry.of is not None or entry.heard or not _covers(loss, entry.loss)
        ]
        self._entries.append(_Entry(loss, by))

    def heard(self, by: Iterable[Key]) -> None:
        """These records are delivered."""
        if self._entries and any(entry.by for entry in self._entries):
            keys = set(by)
            told = [entry.loss for entry in self._entries if entry.by in keys]
            self._entries = [entry for entry in self._entries if entry.by is None or entry.by not in keys]
            self._entries += [_Entry(loss, heard=True) for loss in told if loss.cause is Cause.CORRUPT]

    def heard_within(self, epoch: str, first_seq: int, last_seq: int) -> None:
        """The records of a range are delivered."""
        self.heard(key for _, key in self._by_record(epoch) if first_seq <= key[1] <= last_seq)

    def keep_damage_of(self, epochs: Collection[str]) -> None:
        """Forget the damage that has been heard of and cannot be found again: no segment is of its epoch."""
        if any(entry.heard for entry in self._entries):
            self._entries = [e for e in self._entries if not e.heard or e.loss.epoch in epochs]

    def scanned(self, segment: SegmentIndex) -> None:
        """The records of a segment are known by now: those that declare something are found, or delivered."""
        for _, key in self._by_record(segment.name.epoch):
            number = segment.find(key[1])
            if number is not None:
                self._sought.discard(key)
                if segment.done(number):
                    self.heard([key])

    def dropped(self, segment: SegmentIndex) -> list[OutboxLoss]:
        """A segment goes; returns what those of its records declare that only the disk has."""
        return self._orphaned(
            key
            for _, key in self._by_record(segment.name.epoch)
            if (number := segment.find(key[1])) is not None and segment.pending_alone(number)
        )

    def gone(self, keys: Iterable[Key]) -> list[OutboxLoss]:
        """Records are lost; returns what they declare."""
        return self._orphaned(keys)

    def not_found(self) -> list[OutboxLoss]:
        """No segment is left in which the records of earlier runs could be; returns what they declared."""
        sought, self._sought = self._sought, set()
        return self._orphaned(sought)

    def remain(self, of: str, loss: OutboxLoss | None) -> None:
        """So much of a dropped segment is in memory alone, and lost if the power fails now."""
        self._entries = [entry for entry in self._entries if entry.of != of]
        if loss is not None:
            self._entries.append(_Entry(loss, of=of))

    def save(self, *, with_reserve: bool = False) -> None:
        """Save what has changed; on a full disk only where the reserve may be spent on it.

        Raises:
            OSError: what was saved before is still there.
        """
        if self._entries == self._saved:
            return
        entries = list(self._entries)
        content = _content(entries)
        if len(encode_note(content)) > self._reserve_bytes:
            content = _content(_folded(entries))
        try:
            write_note(self._files, self._path, content)
        except OSError as error:
            if not (with_reserve and is_full(error) and self._reserved):
                raise
            self._reserved = False
            self._files.unlink(self._reserve)
            self._files.sync_directory(self._reserve.parent)
            write_note(self._files, self._path, content)
        self._saved = entries

    def reserve(self) -> None:
        """Set some room aside, where that is not done yet."""
        if self._reserved:
            return
        with contextlib.suppress(OSError):  # there is no room now
            size_bytes = self._files.sizes(self._reserve.parent).get(_RESERVE)
            if size_bytes == self._reserve_bytes:
                self._reserved = True
                return
            if size_bytes is not None:
                self._files.unlink(self._reserve)
            if self._files.free_bytes(self._reserve.parent) < self._reserve_bytes:
                return
            file = self._files.create(self._reserve)
            try:
                file.write(bytes(self._reserve_bytes))
                file.sync()  # else no block is taken
                self._reserved = True
            finally:
                file.close()

    def _by_record(self, epoch: str) -> list[tuple[OutboxLoss, Key]]:
        return [(entry.loss, entry.by) for entry in self._entries if entry.by and entry.by[0] == epoch]

    def _orphaned(self, by: Iterable[Key]) -> list[OutboxLoss]:
        keys = set(by)
        orphans = [entry.loss for entry in self._entries if entry.by in keys]
        if orphans:
            self._entries = [_Entry(entry.loss) if entry.by in keys else entry for entry in self._entries]
        return orphans


def _covers(loss: OutboxLoss, other: OutboxLoss) -> bool:
    """Whether a loss speaks of all that another one does."""
    if (loss.cause, loss.epoch) != (other.cause, other.epoch):
        return False
    from_first = loss.first_seq is None or (other.first_seq is not None and loss.first_seq <= other.first_seq)
    to_last = loss.last_seq is None or (other.last_seq is not None and other.last_seq <= loss.last_seq)
    return from_first and to_last


def _folded(entries: Iterable[_Entry]) -> list[_Entry]:
    """The losses of one cause and epoch as one, as if no record declared any of them."""
    losses: dict[tuple[Cause, str], OutboxLoss] = {}
    for loss in (entry.loss for entry in entries if not entry.heard):
        of_all = losses.get((loss.cause, loss.epoch))
        losses[loss.cause, loss.epoch] = joined(of_all, loss) if of_all else loss
    return [_Entry(loss) for loss in losses.values()]


def _content(entries: Iterable[_Entry]) -> dict[str, Any]:
    return {"losses": [[list(asdict(entry.loss).values()), entry.by, entry.heard] for entry in entries]}


def _entry(values: list[int | str | None], by: list[str | int] | None, heard: bool = False) -> _Entry:
    cause, epoch, *numbers = values
    loss = OutboxLoss(Cause(cause), str(epoch), *numbers)  # type: ignore[arg-type]
    return _Entry(loss, None if by is None else (str(by[0]), int(by[1])), heard=bool(heard))
