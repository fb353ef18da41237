"""The outbox as the rest of the program sees it: what to store and send when, between memory and disk thread.

Memory first: a record that is confirmed within the commit interval never meets the disk thread; nor, where
the store's word counts, one that the broker has within it and the store within the hold time. Everything here
is called from the event loop only, and waits for the disk only in `open`, `commit` and `close`.
"""

import asyncio
import sys
from collections import deque
from collections.abc import Collection, Iterable
from typing import Self

from collector.errors import OutboxError
from collector.messages import Message, Receipt
from collector.outbox.backlog import Backlog
from collector.outbox.disk import (
    Batch,
    Commit,
    Committed,
    Confirm,
    Confirmed,
    Declare,
    DiskThread,
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
from collector.outbox.files import Files, RealFiles
from collector.outbox.log import Log
from collector.outbox.losses import Losses
from collector.outbox.memory import Memory
from collector.outbox.rate import AppendRate
from collector.outbox.segment import record_bytes
from collector.outbox.settings import OutboxSettings
from collector.outbox.settled import Settled
from collector.outbox.state import DiskFacts, Key, Mark, OutboxLoss, OutboxState, Outgoing
from collector.outbox.store_word import MOST_TRUSTED, OVERTAKEN_S, StoreWord
from collector.texts import Sentence, delivery

_GROUP_BYTES = 2 << 20
_SILENT_S = 5.0
"""A disk that has not moved for so long is told of."""
_YOUNG = 0.25
"""Of a commit interval: younger records stay out of a group, for they may be confirmed any moment."""


class Outbox:
    """The durable queue. `ready` is set while `take` may give something."""

    epoch: str
    previous_mark: Mark | None

    def __init__(self, settings: OutboxSettings, files: Files) -> None:
        self.ready = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._settings = settings
        self._memory = Memory()
        self._disk = DiskThread(Log(settings, files), self._on_report, self._on_end)
        self._facts = DiskFacts()
        self._tick_s = min(0.25, settings.commit_interval_s * _YOUNG)
        self._timer: asyncio.TimerHandle | None = None
        self._commit_done = asyncio.Event()
        self._commit_done.set()
        self._retry_s = 0.0
        self._store = StoreWord(settings.receipt_hold_s)
        self._confirmed = Settled()
        """Delivered, and perhaps on disk; the disk thread is not told yet."""
        self._confirming = Settled()
        """Told, and not answered yet."""
        self._giving_back = self._shelving = 0
        """Records of which the disk thread is told, and that it has not counted yet."""
        self._backlog = Backlog()
        self._losses = Losses()
        self._purging: asyncio.Future[int] | None = None
        self._marking: deque[asyncio.Future[bool]] = deque()
        """Marks that the disk thread has not answered yet."""
        self._last_seq = -1
        self._rate = AppendRate()

    @classmethod
    async def open(cls, settings: OutboxSettings, files: Files | None = None) -> Self:
        """Take the folder, begin a new epoch, and start the disk thread.

        Raises:
            OutboxError: the folder cannot be used, or another daemon uses it.
        """
        outbox = cls(settings, files or RealFiles())
        opened = await outbox._disk.start()
        outbox.epoch, outbox.previous_mark = opened.epoch, opened.previous_mark
        outbox._tick()
        return outbox

    @property
    def disk_progress(self) -> int:
        """A number that moves at least once a second while the disk thread gets on."""
        return self._disk.progress

    def append(self, message: Message) -> None:
        """Take a record of this epoch; memory only.

        Raises:
            ValueError: its epoch is another one, or its `seq` not above the last one's; a bug of ours.
        """
        if message.epoch != self.epoch or message.seq <= self._last_seq:
            raise ValueError(f"record {message.epoch}/{message.seq} after {self.epoch}/{self._last_seq}")
        self._last_seq = message.seq
        self._memory.append(message, self._loop.time())
        self._rate.add(record_bytes(message))
        if self._memory.overfull:
            self._shed()
        if not self.ready.is_set():
            self.ready.set()

    def take(self, room: int, withheld: Collection[str] = ()) -> list[Outgoing]:
        """The next records to send, at most `room`, which count as in flight from now on.

        What declares a loss comes first, then fresh records, then the backlog in order; records of `withheld`
        topics stay. What it gives less than `room` is not there yet: `ready` tells when to ask again.
        """
        fresh = self._memory.take_foremost(room, withheld)
        fresh += self._memory.take_fresh(room - len(fresh), withheld)
        late = self._memory.take_ahead(min(room - len(fresh), self._trust), withheld)
        if len(fresh) + len(late) < room:
            self.ready.clear()
        if self._unread:
            self._read_on(frozenset(withheld))
        return [Outgoing(m, late=False) for m in fresh] + [Outgoing(m, late=True) for m in late]

    def acknowledge(self, epoch: str, seq: int) -> None:
        """The broker has a record in flight: it is delivered, or awaits the store's word."""
        if self._settings.delivery == "broker":
            self.confirm(epoch, seq)
            return
        now_s = self._loop.time()
        self._memory.acknowledge((epoch, seq), now_s)
        self._store.sent(now_s)

    def receipt(self, receipt: Receipt) -> None:
        """The store has spoken: what it has, and what it will never take, is sent no more.

        Receipts may come in any order, any number of times, and for any epoch.
        """
        rejected = [(record.seq, record.seq) for record in receipt.rejected]
        receipted = 0
        newest = self._last_seq if receipt.epoch == self.epoch else sys.maxsize  # nobody has what is to come
        for first_seq, named in (*receipt.stored, *rejected):
            last_seq = min(named, newest)
            receipted += self._memory.confirm_range(receipt.epoch, first_seq, last_seq)
            if self._disk_may_know:
                self._confirmed.add_range(receipt.epoch, first_seq, last_seq)
            self._confirmed.keys.update(self._losses.heard_within(receipt.epoch, first_seq, last_seq))
        self._store.reject(receipt.epoch, [(record.seq, record.reason) for record in receipt.rejected])
        self._store.spoke(self._loop.time(), receipted, awaited=self._memory.awaited > 0)
        self.ready.set()  # it trusts more now

    def confirm(self, epoch: str, seq: int) -> None:
        """A record was delivered for good; in any order, any number of times, known here or not."""
        key = (epoch, seq)
        declares = self._losses.heard(key)
        if self._memory.confirm(key) or declares:
            self._confirmed.keys.add(key)
            if not self.ready.is_set():
                self.ready.set()  # a full megabyte of stored records in flight may have been the limit

    def shelve(self, epoch: str, seq: int) -> None:
        """Keep back a record in flight, in the end on disk alone, until all are released."""
        if self._memory.shelve((epoch, seq)):
            self._shelve_on_disk([(epoch, seq)])

    @property
    def shelved(self) -> int:
        """How many records are kept back."""
        return len(self._memory.shelved) + self._shelved_on_disk

    @property
    def _shelved_on_disk(self) -> int:
        return self._shelving + self._facts.shelved

    def release(self, keys: Iterable[Key] | None = None) -> None:
        """Records are no longer in flight and shall be sent again.

        None means all of them, with the shelved ones: the connection to the broker is gone.
        """
        if keys is None:
            self._store.unheard()
            self.unshelve()
        self._memory.release(keys)
        self.ready.set()

    def unshelve(self) -> None:
        """What was kept back shall be sent again."""
        if self.shelved:
            self._backlog.grown()
            self._disk.put(Unshelve())
        self._memory.unshelve()
        self.ready.set()

    async def save_mark(self, mark: Mark) -> bool:
        """Save how far the streams have come; returns whether that is safe on disk now."""
        if self._disk.ended.is_set():
            return False
        saved = self._loop.create_future()
        self._marking.append(saved)
        self._disk.put(SaveMark(mark))
        return await asyncio.shield(saved)

    def losses(self) -> list[OutboxLoss]:
        """What was lost since the last call, or was declared by a record that is lost now; to be declared."""
        return self._losses.take()

    def declared(self, loss: OutboxLoss, seq: int) -> None:
        """The record just appended declares this loss; if it is lost, `losses` gives the loss again.

        It is sent once it is on disk: then no restart declares the loss by another record, and what it sends
        again is this one.
        """
        key = (self.epoch, seq)
        if self._memory.holds(key):
            self._losses.declared(loss, key)
            self._disk.put(Declare(loss, key))
            if not self._disk_takes_nothing:
                self._memory.send_when_stored(key)
        else:
            self._losses.declare_again([loss])

    def state(self) -> OutboxState:
        """How full the outbox is, and how the disk is."""
        facts, memory = self._facts, self._memory
        oldest_us, oldest_sync = facts.oldest_us, facts.oldest_sync
        if oldest_us is None and (oldest := memory.oldest_fresh()) is not None:
            oldest_us, oldest_sync = oldest.t_us, oldest.sync
        room_bytes = max(0, min((self._settings.max_mib << 20) - facts.bytes, facts.free_bytes))
        error = self._disk_error()
        return OutboxState(
            records=memory.fresh + memory.stored + self._giving_back + self._shelved_on_disk + facts.to_read,
            uncommitted=memory.fresh,
            in_flight=memory.in_flight,
            awaiting=memory.awaited,
            store_silent_s=self._store.silent_s(self._loop.time()),
            rejected=self._store.rejected,
            rejected_reasons=dict(self._store.reasons),
            memory_bytes=memory.bytes,
            disk_bytes=facts.bytes,
            segments=facts.segments,
            unscanned=facts.unscanned,
            oldest_us=oldest_us,
            oldest_sync=oldest_sync,
            rate_bytes_s=self._rate.bytes_s,
            hours_left=self._rate.hours_to(room_bytes),
            dropped=self._losses.dropped,
            corrupt=facts.corrupt,
            disk_failing=facts.failing or error is not None,
            last_disk_error=error or facts.last_error,
        )

    @property
    def _disk_takes_nothing(self) -> bool:
        return self._facts.failing or self._disk_error() is not None

    def _disk_error(self) -> Sentence | None:
        """What is wrong with the disk that the disk thread cannot say of itself."""
        if self._disk.ended.is_set():
            return delivery.OUTBOX_DISK_STOPPED()
        if self._disk.silent_s(self._loop.time()) > _SILENT_S:
            return delivery.OUTBOX_DISK_SILENT(path=str(self._settings.directory))
        return None

    async def commit(self) -> None:
        """Write everything unconfirmed to disk now, and return when that was done or has failed."""
        while not self._commit_done.is_set():  # by the time we are woken the next may have begun
            await self._commit_done.wait()
        now_s = self._loop.time()
        self._commit_until(now_s, self._memory.bytes, now_s)
        await self._commit_done.wait()

    async def purge(self) -> int:
        """Give up every record there is now, for good, and declare that; returns how many.

        Raises:
            OutboxError: the disk does not take records, so that nothing can be said of them, or not any more.
        """
        last_seq = self._last_seq
        await self.commit()
        oldest = self._memory.oldest_fresh()  # others may have come while it was written
        if self._disk.ended.is_set() or (oldest is not None and oldest.seq <= last_seq):
            sentence = self.state().last_disk_error
            raise OutboxError(sentence or delivery.OUTBOX_DISK_STOPPED())
        if self._purging is None:
            self._memory.forget_stored()
            self._purging = self._loop.create_future()
            self._disk.put(Purge())
        return await asyncio.shield(self._purging)

    async def close(self) -> None:
        """Commit everything unconfirmed and end the disk thread."""
        if self._timer is None:
            return
        self._timer.cancel()
        self._timer = None
        self._tell_confirmed()
        await self.commit()
        self._tell_confirmed()
        await self._disk.close()

    def _tick(self) -> None:
        self._timer = self._loop.call_later(self._tick_s, self._tick)
        now_s = self._loop.time()
        self._disk.silent_s(now_s)
        self._rate.advance(now_s)
        self._send_again(now_s)
        self._commit_due(now_s)
        if not self._confirming:
            self._tell_confirmed()
        if self._memory.waits_to_be_stored and self._disk_takes_nothing:
            self._send_unstored()

    def _send_unstored(self) -> None:
        """Rather declare a loss twice than not now."""
        self._memory.send_unstored()
        self.ready.set()

    @property
    def _trust(self) -> int:
        """How many records more may be sent out of the backlog before the store has spoken."""
        if self._settings.delivery == "broker":
            return sys.maxsize
        return max(0, self._store.trusted - self._memory.trusted)

    def _send_again(self, now_s: float) -> None:
        """Send again what the broker had long ago, or before others that the store has spoken of."""
        before = self._memory.awaited
        timed_out_s = now_s - self._store.timeout_s
        overtaken_s = self._memory.newest_receipted_s - OVERTAKEN_S
        forgotten = self._memory.send_again(max(timed_out_s, overtaken_s))
        if self._memory.awaited < before:
            if timed_out_s >= overtaken_s:
                self._store.missed(now_s)
            else:
                self._store.trust_less()
            self.ready.set()
        if forgotten:
            self._give_back(forgotten)
        self._store.look(now_s, awaited=self._memory.awaited > 0)

    def _commit_due(self, now_s: float) -> None:
        """Commit what would otherwise be kept in memory alone for too long at the next tick."""
        if not self._commit_done.is_set() or now_s < self._retry_s:
            return
        interval_s = self._settings.commit_interval_s
        urgent = now_s + self._tick_s - self._memory.oldest_urgent_s() >= interval_s
        declares = self._memory.waits_to_be_stored
        held_before_s = now_s if self._memory.overheld else now_s - self._settings.receipt_hold_s
        if declares or urgent or self._memory.held.oldest_s <= held_before_s:
            young_s = now_s - interval_s * _YOUNG if urgent else float("-inf")
            self._commit_until(now_s if declares else young_s, _GROUP_BYTES, held_before_s)

    def _commit_until(self, appended_before_s: float, limit_bytes: int, held_before_s: float) -> None:
        if self._disk.ended.is_set():
            return
        if group := self._memory.begin_commit(appended_before_s, limit_bytes, held_before_s):
            self._commit_done.clear()
            self._disk.put(Commit(group))

    def _tell_confirmed(self) -> None:
        if self._confirmed:
            self._confirming, self._confirmed = self._confirmed, Settled()
            self._disk.put(Confirm(self._confirming))

    @property
    def _disk_may_know(self) -> bool:
        """Whether any record is, or may come to be, on disk."""
        return self._facts.records > 0 or self._facts.unscanned > 0 or not self._commit_done.is_set()

    @property
    def _unread(self) -> bool:
        return self._facts.to_read > 0 or self._facts.unscanned > 0

    def _read_on(self, withheld: frozenset[str]) -> None:
        if not self._backlog.wanted(withheld):
            return
        forgotten = self._memory.make_room(withheld)
        if forgotten is None:
            return
        if forgotten:
            self._give_back(forgotten)
        self._backlog.asked(withheld)
        self._disk.put(Read(withheld))

    def _give_back(self, keys: list[Key]) -> None:
        self._giving_back += len(keys)
        self._disk.put(GiveBack(keys))

    def _shelve_on_disk(self, keys: list[Key]) -> None:
        self._shelving += len(keys)
        self._disk.put(GiveBack(keys, shelved=True))

    def _shed(self) -> None:
        while self._memory.overfull and (loss := self._memory.shed()):
            self._losses.add(loss)
            self._losses.gone((loss.epoch, loss.first_seq or 0))

    def _on_report(self, report: Report) -> None:
        self._facts = report.facts
        match report.answer:
            case Committed(group, stored):
                self._on_committed(group, stored)
            case Confirmed():
                self._confirming = Settled()
            case Batch(messages):
                self._backlog.answered(empty=not messages)
                known = (self._confirmed, self._confirming)
                self._memory.add_read(m for m in messages if not any((m.epoch, m.seq) in k for k in known))
            case GivenBack(records, shelved=True):
                self._shelving -= records
            case GivenBack(records):
                self._giving_back -= records
            case Purged(records):
                self._memory.forget_stored()  # what was read from disk meanwhile
                if self._purging is not None:
                    self._purging.set_result(records)
                    self._purging = None
            case Marked(saved):
                self._marking.popleft().set_result(saved)
            case None:
                pass
        for loss in report.losses:  # after the answer, which may be records that are safe in memory now
            self._losses.add(loss)
        if report.again:  # the disk knows which of the records that declare something are gone
            self._losses.declare_again(report.again)
            self._losses.forget_unless(self._memory.holds)
        if self._backlog.open and (self._unread or isinstance(report.answer, Batch)):
            self.ready.set()

    def _on_committed(self, group: list[Message], stored: int) -> None:
        keep = self._facts.to_read == 0 and self._facts.unscanned == 0
        forgotten, shelved = self._memory.end_commit(group, stored, keep=keep)
        if forgotten:
            self._backlog.grown()
            self._give_back(forgotten)
        if shelved:
            self._shelve_on_disk(shelved)
        if forgotten := self._memory.await_at_most(MOST_TRUSTED):
            self._give_back(forgotten)
        self._commit_done.set()
        self.ready.set()  # what waited to be stored
        now_s = self._loop.time()
        if stored < len(group):
            self._retry_s = now_s + self._settings.commit_interval_s
            self._send_unstored()
            self._shed()
        elif self._timer is not None:
            self._commit_due(now_s)

    def _on_end(self) -> None:
        """The thread ended, at our wish or by a bug: nobody shall wait for it."""
        self._commit_done.set()
        while self._marking:
            self._marking.popleft().set_result(False)
        if self._purging is not None:
            self._purging.set_exception(OutboxError(delivery.OUTBOX_DISK_STOPPED()))
            self._purging = None
