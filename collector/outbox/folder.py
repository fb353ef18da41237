"""The segments in the outbox's folder, oldest first: which there are, what is in them, and when they go.

Used by the disk thread alone. What is written into segments and read from them is in `log.py`.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from collector.messages import Message
from collector.outbox.files import Files, is_full
from collector.outbox.index import DONE, HANDED, PENDING, SegmentIndex
from collector.outbox.ledger import Ledger
from collector.outbox.notes import DELIVERED, UNFINISHED, read_note, write_note
from collector.outbox.segment import Damage, Found, SegmentName, decode_record, parse_name, scan
from collector.outbox.state import Cause, OutboxLoss
from collector.outbox.trouble import Trouble
from collector.outbox.writer import Writer

_ASIDE = ".corrupt"
_KEPT_ASIDE = 4
"""How many damaged segments are kept for a look at them."""
_PAGE_BYTES = 4096


class Folder:
    """All segments; `writer` is open on the last one, or is None."""

    def __init__(self, files: Files, directory: Path, trouble: Trouble, ledger: Ledger) -> None:
        self.segments: list[SegmentIndex] = []
        self.writer: Writer | None = None
        self.delivered_changed = False
        self._files = files
        self._directory = directory
        self._trouble = trouble
        self._ledger = ledger
        self._dropped: list[tuple[SegmentIndex, Cause]] = []
        """Segments that are gone, while the event loop still has some of their records."""
        self._aside: dict[str, int] = {}
        self._delivered: dict[str, list[tuple[int, int]]] = {}
        self._next_number = 0

    def survey(self, *, read_only: bool = False) -> None:
        """Learn which files earlier runs left; nothing in them is read yet but the delivery mark.

        Raises:
            OSError: the folder, the delivery mark or a segment cannot be read.
        """
        sizes = self._files.sizes(self._directory)
        for file in sorted(sizes):
            name = parse_name(file.removesuffix(_ASIDE))
            if name is not None:
                self._next_number = max(self._next_number, name.number + 1)
            if file.endswith(UNFINISHED) and not read_only:
                self._files.unlink(self._directory / file)
            elif name is not None and file.endswith(_ASIDE):
                self._aside[file] = sizes[file]
            elif name is not None:
                self._check_permission(file)
                self.segments.append(SegmentIndex(name, sizes[file], scanned=False))
        for file, ranges in (read_note(self._files, self._directory / DELIVERED) or {}).items():
            with contextlib.suppress(TypeError, ValueError):  # without it records are only sent again
                self._delivered[file] = [(int(first), int(last)) for first, last in ranges]

    def _check_permission(self, file: str) -> None:
        try:
            self._files.read(self._directory / file, 0, 1)
        except PermissionError:
            raise
        except OSError as error:
            self._trouble.error(error)  # a bad sector: the scan goes around it

    def scan(self, segment: SegmentIndex) -> None:
        """Find the records of a segment of an earlier run, once."""
        if segment.scanned:
            return
        segment.scanned = True
        segment.name, found = scan(self.read(segment, 0, segment.size_bytes), segment.name)
        places: list[Found | Damage] = []
        for place in found:
            if isinstance(place, Damage):
                places.append(place)
            elif segment.last_seq is not None and place.seq <= segment.last_seq:
                places.append(Damage(place.offset, place.end, 1))
            else:
                segment.add(place, PENDING)
                places.append(place)
        self._trouble.damage(segment, places)
        for first, last in self._delivered.get(segment.file, ()):
            segment.deliver(first, last)
        for other in self.segments:
            if other is not segment and other.scanned and other.name.epoch == segment.name.epoch:
                older, newer = sorted((other, segment), key=lambda s: s.name.number)
                older.deliver_repeated(newer)
        self._ledger.scanned(segment)

    def read(self, segment: SegmentIndex, start: int, end: int) -> bytes:
        """Read bytes of a segment; those that the medium cannot give come as zeros."""
        path = self._directory / segment.file
        try:
            return self._files.read(path, start, end - start)
        except OSError as error:
            self._trouble.error(error)
        data = bytearray(end - start)
        for page in range(start - start % _PAGE_BYTES, end, _PAGE_BYTES):
            offset = max(page, start)
            with contextlib.suppress(OSError):  # told above
                piece = self._files.read(path, offset, min(page + _PAGE_BYTES, end) - offset)
                data[offset - start : offset - start + len(piece)] = piece
        return bytes(data)

    def message(self, segment: SegmentIndex, number: int) -> Message | None:
        """One record; None where it is damaged."""
        start, end = segment.span(number)
        return decode_record(self.read(segment, start, end), 0, segment.name, start)

    def of_epoch(self, epoch: str) -> Iterator[SegmentIndex]:
        """The segments of an epoch, scanned; also what is remembered of those that are gone."""
        for segment in self.segments:
            if segment.name.epoch == epoch:
                self.scan(segment)
                yield segment
        for segment, _ in self._dropped:
            if segment.name.epoch == epoch:
                yield segment

    def start_segment(self, epoch: str) -> Writer:
        """Begin the next segment.

        Raises:
            OSError: it cannot be made.
        """
        name = SegmentName(self._next_number, epoch)
        self._next_number += 1
        self.writer = Writer(self._files, self._directory, name)
        self.segments.append(self.writer.index)
        return self.writer

    def close_writer(self) -> None:
        """End the segment being written; it goes at once where nothing in it is safe."""
        writer, self.writer = self.writer, None
        if writer is None:
            return
        with contextlib.suppress(OSError):  # what counts as stored was synced
            writer.close()
        if len(writer.index) == 0:
            self.segments.remove(writer.index)
            self._remove([writer.index.file])

    def bytes(self) -> int:
        """What all segments take, with those set aside."""
        return sum(s.size_bytes for s in self.segments) + sum(self._aside.values())

    def drop_oldest(self) -> bool:
        """Free space: a segment set aside, or else the oldest one; False where there is none."""
        if self._aside:
            self._remove_oldest_aside()
        elif self.segments:
            self.drop(self.segments[0], Cause.OVERFLOW)
        else:
            return False
        return True

    def drop(self, segment: SegmentIndex, cause: Cause) -> None:
        """Remove a segment and declare what only it has; what the event loop was handed may still be sent."""
        self.scan(segment)
        segment.unshelve()
        if self.writer and self.writer.index is segment:
            self.close_writer()
        self.segments.remove(segment)
        for told in self._ledger.dropped(segment):
            self._trouble.again(told)
        if (loss := _loss(segment, cause, PENDING)) is not None:
            self._trouble.lost(loss)
        if segment.unconfirmed > segment.pending:
            self._dropped.append((segment, cause))
            self._ledger.remain(segment.file, _loss(segment, cause, HANDED))
        saved = self.save_ledger(with_reserve=True)
        self._remove([segment.file])
        if not saved:
            self.save_ledger()  # the disk was full perhaps
        self._ledger.reserve()

    def settle_dropped(self) -> None:
        """Declare what the event loop has given back of dropped segments, forget what it has delivered."""
        for segment, cause in list(self._dropped):
            segment.unshelve()
            if (loss := _loss(segment, cause, PENDING)) is not None:
                self._trouble.lost(loss)
                keys = segment.keys(PENDING)
                for told in self._ledger.gone(keys):
                    self._trouble.again(told)
                for _ in segment.change_all([seq for _, seq in keys], DONE):
                    pass
            self._ledger.remain(segment.file, _loss(segment, cause, HANDED))
            if segment.unconfirmed == 0:
                self._dropped.remove((segment, cause))

    def save_ledger(self, *, with_reserve: bool = False) -> bool:
        """Save which losses are to be declared; whether that is done. The reserve is for what goes next."""
        try:
            self._ledger.save(with_reserve=with_reserve)
        except OSError as error:
            self._trouble.error(error)
            return False
        return True

    def purge(self) -> int:
        """Give up everything; what the event loop had of it it has forgotten. Returns how many records."""
        records = 0
        for segment in list(self.segments):
            self.scan(segment)
            segment.unshelve()
            for _ in segment.change_all([seq for _, seq in segment.keys(HANDED)], PENDING):
                pass
            records += segment.pending
            self.drop(segment, Cause.PURGED)
        return records

    def save_delivered(self) -> bool:
        """Save the delivery mark; whether delivered segments may be removed now.

        They may also where the mark does not fit on a full disk: it is they that fill it.
        """
        if not self.delivered_changed:
            return True
        ranges = {s.file: s.delivered() if s.scanned else self._delivered.get(s.file) for s in self.segments}
        try:
            write_note(self._files, self._directory / DELIVERED, {f: r for f, r in ranges.items() if r})
        except OSError as error:
            self._trouble.error(error)
            return is_full(error)
        self.delivered_changed = False
        return True

    def retire(self, *, active: bool) -> None:
        """Remove every segment that is delivered whole, the one being written only where `active`."""
        writing = self.writer.index if self.writer else None
        done = [s for s in self.segments if s.scanned and s.unconfirmed == 0 and (active or s is not writing)]
        if writing in done:
            self.close_writer()
        self.segments = [s for s in self.segments if s not in done]
        self._remove([s.file for s in done if not s.damaged])
        for segment in done:
            if segment.damaged:
                self._set_aside(segment)

    def _set_aside(self, segment: SegmentIndex) -> None:
        path = self._directory / segment.file
        aside = segment.file + _ASIDE
        try:
            self._files.rename(path, path.with_name(aside))
            self._files.sync_directory(self._directory)
        except OSError as error:
            self._trouble.error(error)
        self._aside[aside] = segment.size_bytes
        while len(self._aside) > _KEPT_ASIDE:
            self._remove_oldest_aside()

    def _remove_oldest_aside(self) -> None:
        oldest = min(self._aside)
        del self._aside[oldest]
        self._remove([oldest])

    def _remove(self, names: list[str]) -> None:
        """Remove files; what stays behind an error is sent again after a restart, which does no harm."""
        for name in names:
            try:
                self._files.unlink(self._directory / name)
                self._files.sync_directory(self._directory)
            except OSError as error:
                self._trouble.error(error)


def _loss(segment: SegmentIndex, cause: Cause, state: int) -> OutboxLoss | None:
    """What is lost with the records of a segment that are in this state; None where there is none."""
    bounds = segment.bounds(state)
    if bounds is None:
        return None
    records = len(segment.keys(state))
    return OutboxLoss(
        cause,
        segment.name.epoch,
        records=records,
        first_seq=bounds[0],
        last_seq=bounds[1],
        first_t_us=segment.first_t_us,
        last_t_us=segment.last_t_us,
        bytes=segment.size_bytes * records // len(segment),
    )
