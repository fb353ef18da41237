"""The disk as the event loop knows it: what it was told, what it has not answered yet, and how it is.

Only here does the event loop speak with the disk thread; when it is to do what is decided in `queue.py`.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from pathlib import Path

from collector.errors import OutboxError
from collector.messages import Message
from collector.outbox.backlog import Backlog
from collector.outbox.commands import (
    Batch,
    Commit,
    Committed,
    Confirm,
    Confirmed,
    Declare,
    GiveBack,
    GivenBack,
    Marked,
    Purge,
    Purged,
    Read,
    Report,
    SaveMark,
    Unshelve,
)
from collector.outbox.disk_thread import DiskThread
from collector.outbox.log import Log, Opened
from collector.outbox.settled import Settled
from collector.outbox.state import DiskFacts, Key, Mark, OutboxLoss
from collector.texts import Sentence, delivery

_SILENT_S = 5.0
"""A disk that has not moved for so long is told of."""


class Disk:
    """`facts` are of the last report, which is handed on to `on_report`.

    `committed` is set while no group is being stored; `backlog` tells when `read` is to be called.
    """

    def __init__(self, log: Log, directory: Path, on_report: Callable[[Report], None]) -> None:
        self.facts = DiskFacts()
        self.committed = asyncio.Event()
        self.committed.set()
        self._loop = asyncio.get_running_loop()
        self._directory = directory
        self._on_report = on_report
        self._thread = DiskThread(log, self._reported, self._end)
        self._seen, self._moved_s = 0, self._loop.time()
        self._confirmed = Settled()
        """Delivered, and perhaps on disk; the thread is not told yet."""
        self._confirming = Settled()
        """Told, and not answered yet."""
        self._giving_back = self._shelving = 0
        """Records of which it is told, and that it has not counted yet."""
        self.backlog = Backlog()
        self._purging: asyncio.Future[int] | None = None
        self._marking: deque[asyncio.Future[bool]] = deque()
        """Marks that it has not answered yet."""

    async def open(self) -> Opened:
        """Start the thread, which opens the folder.

        Raises:
            OutboxError: the folder cannot be used, or another daemon uses it.
        """
        return await self._thread.start()

    async def close(self) -> None:
        """End the thread after all that it was told."""
        await self._thread.close()

    # how it is

    @property
    def progress(self) -> int:
        """A number that moves at least once a second while the thread gets on."""
        return self._thread.progress

    @property
    def ended(self) -> bool:
        """Whether the thread has ended, at our wish or by a bug."""
        return self._thread.ended.is_set()

    @property
    def takes_nothing(self) -> bool:
        """Whether the last write failed, or no other can be expected to succeed."""
        return self.facts.failing or self.error() is not None

    def look(self) -> None:
        """See whether the thread gets on; once a second at least."""
        if self.progress != self._seen:
            self._seen, self._moved_s = self.progress, self._loop.time()

    def error(self) -> Sentence | None:
        """What is wrong with it that the thread cannot say of itself."""
        self.look()
        if self.ended:
            return delivery.OUTBOX_DISK_STOPPED()
        if self._loop.time() - self._moved_s > _SILENT_S:
            return delivery.OUTBOX_DISK_SILENT(path=str(self._directory))
        return None

    @property
    def records(self) -> int:
        """How many records only the disk has, as far as they are counted."""
        return self._giving_back + self.shelved + self.facts.to_read

    @property
    def shelved(self) -> int:
        """How many of them are kept back."""
        return self._shelving + self.facts.shelved

    @property
    def unread(self) -> bool:
        """Whether it may have records that are to be read."""
        return self.facts.to_read > 0 or self.facts.unscanned > 0

    # what it is told

    def commit(self, group: list[Message]) -> None:
        """Store records; `committed` is set when that was done or has failed."""
        self.committed.clear()
        self._thread.put(Commit(group))

    def confirm(self, key: Key) -> None:
        """A record that may be on disk is delivered; the thread learns it with the next `tell_confirmed`."""
        self._confirmed.keys.add(key)

    def confirm_range(self, epoch: str, first_seq: int, last_seq: int) -> None:
        """A range of records is."""
        if self.facts.records > 0 or self.facts.unscanned > 0 or not self.committed.is_set():
            self._confirmed.add_range(epoch, first_seq, last_seq)

    def tell_confirmed(self) -> None:
        """Tell the thread of all that are."""
        if self._confirmed:
            self._confirming, self._confirmed = self._confirmed, Settled()
            self._thread.put(Confirm(self._confirming))

    @property
    def confirming(self) -> bool:
        """Whether it was told of some, and has not answered yet."""
        return bool(self._confirming)

    def is_confirmed(self, message: Message) -> bool:
        """Whether a record is delivered, of which the thread may not have known."""
        key = (message.epoch, message.seq)
        return key in self._confirmed or key in self._confirming

    def give_back(self, keys: list[Key]) -> None:
        """These stored records are no longer in memory, and to be read again in their turn."""
        if keys:
            self.backlog.grown()
            self._giving_back += len(keys)
            self._thread.put(GiveBack(keys))

    def shelve(self, keys: list[Key]) -> None:
        """These are no longer in memory, and not to be read again before `unshelve`."""
        if keys:
            self._shelving += len(keys)
            self._thread.put(GiveBack(keys, shelved=True))

    def unshelve(self) -> None:
        """Every record may be read again."""
        self.backlog.grown()
        self._thread.put(Unshelve())

    def read(self, withheld: frozenset[str]) -> None:
        """Read the oldest records of other topics than these."""
        self.backlog.asked(withheld)
        self._thread.put(Read(withheld))

    def declare(self, loss: OutboxLoss, by: Key) -> None:
        """A record declares a loss."""
        self._thread.put(Declare(loss, by))

    async def save_mark(self, mark: Mark) -> bool:
        """Save the mark of the streams; returns whether that is safe now."""
        if self.ended:
            return False
        saved = self._loop.create_future()
        self._marking.append(saved)
        self._thread.put(SaveMark(mark))
        return await asyncio.shield(saved)

    @property
    def purging(self) -> bool:
        """Whether it is giving up everything."""
        return self._purging is not None

    async def purge(self) -> int:
        """Give up everything; returns how many records.

        Raises:
            OutboxError: the thread has ended.
        """
        if self._purging is None:
            self._purging = self._loop.create_future()
            self._thread.put(Purge())
        return await asyncio.shield(self._purging)

    # what it says

    def _reported(self, report: Report) -> None:
        self.facts = report.facts
        match report.answer:
            case Committed():
                self.committed.set()
            case Confirmed():
                self._confirming = Settled()
            case Batch(messages):
                self.backlog.answered(empty=not messages)
            case GivenBack(records, shelved=True):
                self._shelving -= records
            case GivenBack(records):
                self._giving_back -= records
            case Purged(records):
                if self._purging is not None:
                    self._purging.set_result(records)
                    self._purging = None
            case Marked(saved):
                self._marking.popleft().set_result(saved)
            case None:
                pass
        self._on_report(report)

    def _end(self) -> None:
        """The thread ended, at our wish or by a bug: nobody shall wait for it."""
        self.committed.set()
        while self._marking:
            self._marking.popleft().set_result(False)
        if self._purging is not None:
            self._purging.set_exception(OutboxError(delivery.OUTBOX_DISK_STOPPED()))
            self._purging = None
