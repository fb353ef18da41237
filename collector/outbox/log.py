"""The durable log: storing groups of records, reading them back, confirming them, within bounds.

Synchronous, and used by the disk thread alone, which owns every file. It knows neither threads nor the event
loop; time comes in as an argument.
"""

import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from collector.errors import OutboxError
from collector.messages import Message
from collector.outbox.batch import read_batch
from collector.outbox.files import Files, Lock, RealFiles, is_full
from collector.outbox.folder import Folder
from collector.outbox.index import DONE, PENDING, SHELVED, SegmentIndex
from collector.outbox.ledger import Ledger
from collector.outbox.marks import previous_mark, save_mark
from collector.outbox.notes import EPOCH, read_note, write_note
from collector.outbox.segment import record_bytes
from collector.outbox.settings import OutboxSettings
from collector.outbox.state import Cause, DiskFacts, Key, Mark, OutboxLoss
from collector.outbox.trouble import Trouble, unusable
from collector.outbox.writer import Writer
from collector.texts import delivery

TIDY_INTERVAL_S = 1.0
RETIRE_AFTER_S = 5.0
"""A delivered segment that is still open goes after so long without a commit: a network with a few slow
seconds now and then shall not cost a new file each time."""

_LOCK = "lock"
_SEGMENT_BYTES = 8 << 20
_SCAN_AT_OPEN_BYTES = 32 << 20
"""About a second on an SD card; older segments are scanned while the daemon is already collecting."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What opening the folder gave."""

    epoch: str
    previous_mark: Mark | None


class Log:
    """One outbox folder, locked from `open` to `close`."""

    def __init__(
        self, settings: OutboxSettings, files: Files, scan_at_open_bytes: int = _SCAN_AT_OPEN_BYTES
    ) -> None:
        self._ledger = Ledger(files, settings.directory)
        self.trouble = Trouble(settings.directory, self._ledger)
        self._files = files
        self._directory = settings.directory
        self._folder = Folder(files, settings.directory, self.trouble, self._ledger)
        self._max_bytes = settings.max_mib << 20
        self._scan_at_open_bytes = scan_at_open_bytes
        self._segment_bytes = min(_SEGMENT_BYTES, self._max_bytes // 8)
        self._max_age_us = int(settings.max_age_days * 86_400e6)
        self._lock: Lock | None = None
        self._epoch = ""
        self._newest_sync_us: int | None = None
        self._committed_s = self._tidied_s = float("-inf")
        self._failing = False
        self._oldest: tuple[Key, int, bool] | None = None

    def open(self) -> Opened:
        """Lock the folder, make a new epoch, and scan the newest segments of earlier runs.

        Raises:
            OutboxError: the folder cannot be used, or another process uses it.
        """
        try:
            self._take_folder()
            self._folder.survey()
            for loss in self._ledger.load():
                self.trouble.again(loss)
            self._ledger.reserve()
            self._epoch = self._new_epoch()
            newest_bytes = 0
            for segment in reversed(list(self._folder.segments)):
                newest_bytes += segment.size_bytes
                if newest_bytes <= self._scan_at_open_bytes:
                    self._folder.scan(segment)
            mark = previous_mark(self._files, self._directory, self._folder.segments)
            return Opened(self._epoch, mark)
        except BlockingIOError:
            raise OutboxError(delivery.OUTBOX_LOCKED(path=str(self._directory))) from None
        except (OSError, ValueError) as error:
            self.close()
            raise unusable(error, self._directory) from error

    def _take_folder(self) -> None:
        self._files.make_directory(self._directory)
        lock = self._files.lock(self._directory / _LOCK)
        if self._lock is not None:
            self._lock.close()
        self._lock = lock

    def _start_segment(self) -> Writer:
        try:
            return self._folder.start_segment(self._epoch)
        except FileNotFoundError:  # the folder was removed, and with it the lock and the note of the epoch
            self._take_folder()
            write_note(self._files, self._directory / EPOCH, {"counter": int(self._epoch.partition("-")[0])})
            return self._folder.start_segment(self._epoch)

    def _new_epoch(self) -> str:
        saved = (read_note(self._files, self._directory / EPOCH) or {}).get("counter")
        counters = [int(s.name.epoch.partition("-")[0]) for s in self._folder.segments]
        counter = max([saved if isinstance(saved, int) else 0, *counters]) + 1
        while True:
            try:
                write_note(self._files, self._directory / EPOCH, {"counter": counter})
            except OSError as error:
                if not is_full(error):
                    raise
                self.trouble.error(error)
                if self._folder.drop_oldest():
                    continue
                # Nothing left to free. Better to collect: the random part alone keeps the epoch unique.
            return f"{counter:06d}-{secrets.token_hex(4)}"

    def scan_next(self) -> bool:
        """Scan the oldest segment that is not scanned yet; False where there is none."""
        segment = next((s for s in self._folder.segments if not s.scanned), None)
        if segment is not None:
            self._folder.scan(segment)
        return segment is not None

    def commit(self, messages: Sequence[Message], now_s: float) -> int:
        """Store records, in ascending order of `seq`, as one group; return how many of the first are safe.

        They count as handed to the event loop. A file that failed is never written again: the group goes into
        a new one. A full disk costs the oldest segments.
        """
        self._committed_s = now_s
        # Of this group alone: the clock may have been set back.
        self._newest_sync_us = max((m.t_us for m in messages if m.sync), default=self._newest_sync_us)
        size_bytes = sum(map(record_bytes, messages))
        while self._folder.bytes() + size_bytes > self._max_bytes and self._folder.drop_oldest():
            pass
        self._folder.save_ledger()  # before any of these records is found on disk, what they declare is known
        stored = self._store(messages)
        failed, self._failing = self._failing, stored < len(messages)
        if failed and not self._failing:
            self.trouble.recovered()
        return stored

    def _store(self, messages: Sequence[Message]) -> int:
        """Write and sync records; how many of the first are safe."""
        stored, new_files = 0, 1
        failed_in: list[SegmentIndex] = []
        while stored < len(messages):
            try:
                writer = self._folder.writer or self._start_segment()
                count = writer.write(messages[stored:], self._segment_bytes)
            except OSError as error:
                self.trouble.error(error)
                if self._folder.writer is not None:
                    failed_in.append(self._folder.writer.index)
                self._folder.close_writer()
                if is_full(error):
                    if not self._folder.drop_oldest():
                        break
                elif new_files:
                    new_files -= 1
                else:
                    break
            else:
                stored += count
                if stored < len(messages):
                    self._folder.close_writer()  # full: the next segment takes the rest
        if failed_in and stored:
            for segment in failed_in:
                segment.elsewhere.append((messages[0].seq, messages[stored - 1].seq))
            self._folder.delivered_changed = True
        return stored

    def read(self, withheld: Collection[str] = ()) -> list[Message]:
        """The oldest records that only the disk has, a batch of them, leaving out some topics.

        They count as handed to the event loop. An empty list means that there are none.
        """
        return read_batch(self._folder, self.trouble, withheld)

    def declared(self, loss: OutboxLoss, by: Key) -> None:
        """A record, perhaps not stored yet, declares a loss; if it is lost, the loss is declared again."""
        self._ledger.declared(loss, by)

    def confirm(self, keys: Collection[Key]) -> None:
        """Records were delivered for good; those that are not here are ignored."""
        self._ledger.heard(keys)
        self._change(keys, DONE)

    def confirm_ranges(self, epoch: str, ranges: Collection[tuple[int, int]]) -> None:
        """All that is here of these ranges of `seq`, both ends included, was delivered for good."""
        for first_seq, last_seq in ranges:
            self._ledger.heard_within(epoch, first_seq, last_seq)
        for segment in self._folder.of_epoch(epoch):
            before = segment.unconfirmed
            for first_seq, last_seq in ranges:
                segment.deliver(first_seq, last_seq)
            self._folder.delivered_changed |= segment.unconfirmed < before

    def give_back(self, keys: Iterable[Key], *, shelved: bool = False) -> None:
        """The event loop has no copy of these records any more; one whose segment was dropped is lost now.

        Those that are `shelved` are not handed out again before `unshelve`.
        """
        for epoch, seq in self._change(keys, SHELVED if shelved else PENDING):
            self.trouble.lost(OutboxLoss(Cause.OVERFLOW, epoch, 1, seq, seq, None, None, 0))
        self._folder.settle_dropped()

    def unshelve(self) -> None:
        """Every record may be handed out again."""
        for segment in self._folder.segments:
            segment.unshelve()

    def _change(self, keys: Iterable[Key], state: int) -> list[Key]:
        """Put records into a state; returns those that no segment has."""
        missing = set(keys)
        for epoch, group in groupby(sorted(missing), key=itemgetter(0)):
            seqs = [seq for _, seq in group]
            for segment in self._folder.of_epoch(epoch):
                before = segment.unconfirmed
                for seq in segment.change_all(seqs, state):
                    missing.discard((epoch, seq))
                self._folder.delivered_changed |= segment.unconfirmed < before
        return sorted(missing)

    def purge(self) -> int:
        """Give up every record; returns how many. None may be handed out any more."""
        return self._folder.purge()

    def save_mark(self, mark: Mark) -> bool:
        """Save the mark of the streams; False where the one before is still there."""
        try:
            save_mark(self._files, self._directory, mark)
        except OSError as error:
            self.trouble.error(error)
            return False
        return True

    def tidy(self, now_s: float) -> None:
        """At most once a second: save the delivery mark, remove what is delivered, drop what is too old."""
        if now_s - self._tidied_s < TIDY_INTERVAL_S:
            return
        self._tidied_s = now_s
        limit_us = (self._newest_sync_us or 0) - self._max_age_us
        for segment in list(self._folder.segments):
            # Nothing tells the age of a record from before the clock was set.
            if segment.unsynced == 0 and (segment.newest_sync_us or limit_us) < limit_us:
                self._folder.drop(segment, Cause.AGE)
        if all(segment.scanned for segment in self._folder.segments):
            for loss in self._ledger.not_found():
                self.trouble.again(loss)
        self._folder.settle_dropped()
        self._folder.save_ledger()
        self._ledger.reserve()
        if self._folder.save_delivered():
            self._folder.retire(active=now_s - self._committed_s >= RETIRE_AFTER_S)
        self._ledger.keep_damage_of({segment.name.epoch for segment in self._folder.segments})

    def facts(self) -> DiskFacts:
        """Count everything."""
        segments = self._folder.segments
        oldest_us, oldest_sync = self._find_oldest()
        try:
            free_bytes = self._files.free_bytes(self._directory)
        except OSError as error:
            self.trouble.error(error)
            free_bytes = 0
        return DiskFacts(
            records=sum(s.unconfirmed for s in segments),
            to_read=sum(s.pending for s in segments),
            shelved=sum(s.shelved for s in segments),
            unscanned=sum(not s.scanned for s in segments),
            segments=len(segments),
            bytes=self._folder.bytes(),
            free_bytes=free_bytes,
            oldest_us=oldest_us,
            oldest_sync=oldest_sync,
            corrupt=self.trouble.corrupt,
            failing=self._failing,
            last_error=self.trouble.last_error,
        )

    def _find_oldest(self) -> tuple[int | None, bool]:
        segment = next((s for s in self._folder.segments if s.unconfirmed), None)
        number = segment.first_unconfirmed() if segment else None
        if segment is None or number is None:
            return None, False
        key = (segment.name.epoch, segment.seq(number))
        if self._oldest is None or self._oldest[0] != key:
            message = self._folder.message(segment, number)
            if message is None:  # damaged since it was scanned: found again when it is read to be sent
                return segment.first_t_us, False
            self._oldest = (key, message.t_us, message.sync)
        return self._oldest[1:]

    def close(self) -> None:
        """Save what is delivered and give the folder up; never raises."""
        if self._lock is None:
            return
        self._folder.save_ledger()
        if self._folder.save_delivered():
            self._folder.retire(active=True)
        self._folder.close_writer()
        self._lock.close()
        self._lock = None


def purge_folder(settings: OutboxSettings) -> int:
    """Give up what waits in a folder that no daemon uses; the next one that does declares it.

    Raises:
        OutboxError: a daemon uses it, or it cannot be used.
    """
    log = Log(settings, RealFiles())
    log.open()
    try:
        return log.purge()
    finally:
        log.close()
