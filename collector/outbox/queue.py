"""The outbox as the rest of the program sees it: what to store and send when, between memory and disk thread.

Memory first: a record that is confirmed within the commit interval never meets the disk thread; nor, where
the store's word counts, one that the broker has within it and the store within the hold time. Everything here
is called from the event loop only, and waits for the disk only in `open`, `commit` and `close`.
"""

import asyncio
import sys
from collections.abc import Collection
from typing import Self

from collector.errors import OutboxError
from collector.messages import Message, Receipt
from collector.outbox.commands import Batch, Committed, Purged, Report
from collector.outbox.disk import Disk
from collector.outbox.files import Files, RealFiles
from collector.outbox.log import Log
from collector.outbox.losses import Losses
from collector.outbox.memory import Memory
from collector.outbox.rate import AppendRate
from collector.outbox.segment import record_bytes
from collector.outbox.settings import OutboxSettings
from collector.outbox.state import Key, Mark, OutboxLoss, OutboxState, Outgoing
from collector.outbox.store_word import MOST_TRUSTED, OVERTAKEN_S, StoreWord
from collector.texts import delivery

_GROUP_BYTES = 2 << 20
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
        self._disk = Disk(Log(settings, files), settings.directory, self._on_report)
        self._store = StoreWord(settings.receipt_hold_s)
        self._losses = Losses()
        self._rate = AppendRate()
        self._last_seq = -1
        self._tick_s = min(0.25, settings.commit_interval_s * _YOUNG)
        self._timer: asyncio.TimerHandle | None = None
        self._retry_s = 0.0

    @classmethod
    async def open(cls, settings: OutboxSettings, files: Files | None = None) -> Self:
        """Take the folder, begin a new epoch, and start the disk thread.

        Raises:
            OutboxError: the folder cannot be used, or another daemon uses it.
        """
        outbox = cls(settings, files or RealFiles())
        opened = await outbox._disk.open()
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
        self._memory.fresh.append(message, self._loop.time())
        self._rate.add(record_bytes(message))
        if self._memory.fresh.overfull:
            self._shed()
        if not self.ready.is_set():
            self.ready.set()

    def take(self, room: int, withheld: Collection[str] = ()) -> list[Outgoing]:
        """The next records to send, at most `room`, which count as in flight from now on.

        What declares a loss comes first, then fresh records, then the backlog in order; records of `withheld`
        topics stay. What it gives less than `room` is not there yet: `ready` tells when to ask again.
        """
        memory = self._memory
        fresh = memory.stored.take_foremost(room, withheld)
        fresh += memory.fresh.take(room - len(fresh), withheld)
        late = memory.stored.take(min(room - len(fresh), self._trust), withheld)
        if len(fresh) + len(late) < room:
            self.ready.clear()
        if self._disk.unread:
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
            self._disk.confirm_range(receipt.epoch, first_seq, last_seq)
            for key in self._losses.heard_within(receipt.epoch, first_seq, last_seq):
                self._disk.confirm(key)
        self._store.reject(receipt.epoch, [(record.seq, record.reason) for record in receipt.rejected])
        self._store.spoke(self._loop.time(), receipted, awaited=self._memory.awaited > 0)
        self.ready.set()  # it trusts more now

    def confirm(self, epoch: str, seq: int) -> None:
        """A record was delivered for good; in any order, any number of times, known here or not."""
        key = (epoch, seq)
        declares = self._losses.heard(key)
        if self._memory.confirm(key) or declares:
            self._disk.confirm(key)
            if not self.ready.is_set():
                self.ready.set()  # a full megabyte of stored records in flight may have been the limit

    def shelve(self, epoch: str, seq: int) -> None:
        """Keep back a record in flight, in the end on disk alone, until all are released."""
        if self._memory.shelve((epoch, seq)):
            self._disk.shelve([(epoch, seq)])

    @property
    def shelved(self) -> int:
        """How many records are kept back."""
        return len(self._memory.fresh.shelved) + self._disk.shelved

    def release(self, keys: Collection[Key] | None = None) -> None:
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
            self._disk.unshelve()
        self._memory.fresh.unshelve()
        self.ready.set()

    async def save_mark(self, mark: Mark) -> bool:
        """Save how far the streams have come; returns whether that is safe on disk now."""
        return await self._disk.save_mark(mark)

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
            self._disk.declare(loss, key)
            if not self._disk.takes_nothing:
                self._memory.fresh.send_when_stored(key)
        else:
            self._losses.declare_again([loss])

    def state(self) -> OutboxState:
        """How full the outbox is, and how the disk is."""
        facts, memory = self._disk.facts, self._memory
        oldest_us, oldest_sync = facts.oldest_us, facts.oldest_sync
        if oldest_us is None and (oldest := memory.fresh.oldest) is not None:
            oldest_us, oldest_sync = oldest.t_us, oldest.sync
        room_bytes = max(0, min((self._settings.max_mib << 20) - facts.bytes, facts.free_bytes))
        error = self._disk.error()
        return OutboxState(
            records=len(memory.fresh) + len(memory.stored) + self._disk.records,
            uncommitted=len(memory.fresh),
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

    async def commit(self) -> None:
        """Write everything unconfirmed to disk now, and return when that was done or has failed."""
        while not self._disk.committed.is_set():  # by the time we are woken the next may have begun
            await self._disk.committed.wait()
        now_s = self._loop.time()
        self._commit_until(now_s, self._memory.bytes, now_s)
        await self._disk.committed.wait()

    async def purge(self) -> int:
        """Give up every record there is now, for good, and declare that; returns how many.

        Raises:
            OutboxError: the disk does not take records, so that nothing can be said of them, or not any more.
        """
        last_seq = self._last_seq
        await self.commit()
        oldest = self._memory.fresh.oldest  # others may have come while it was written
        if self._disk.ended or (oldest is not None and oldest.seq <= last_seq):
            sentence = self.state().last_disk_error
            raise OutboxError(sentence or delivery.OUTBOX_DISK_STOPPED())
        if not self._disk.purging:
            self._memory.forget_stored()
        return await self._disk.purge()

    async def close(self) -> None:
        """Commit everything unconfirmed and end the disk thread."""
        if self._timer is None:
            return
        self._timer.cancel()
        self._timer = None
        self._disk.tell_confirmed()
        await self.commit()
        self._disk.tell_confirmed()
        await self._disk.close()

    def _tick(self) -> None:
        self._timer = self._loop.call_later(self._tick_s, self._tick)
        now_s = self._loop.time()
        self._disk.look()
        self._rate.advance(now_s)
        self._send_again(now_s)
        self._commit_due(now_s)
        if not self._disk.confirming:
            self._disk.tell_confirmed()
        if self._memory.fresh.waits_to_be_stored and self._disk.takes_nothing:
            self._send_unstored()

    def _send_unstored(self) -> None:
        """Rather declare a loss twice than not now."""
        self._memory.fresh.send_unstored()
        self.ready.set()

    @property
    def _trust(self) -> int:
        """How many records more may be sent out of the backlog before the store has spoken."""
        if self._settings.delivery == "broker":
            return sys.maxsize
        return max(0, self._store.trusted - self._memory.stored.trusted)

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
        self._disk.give_back(forgotten)
        self._store.look(now_s, awaited=self._memory.awaited > 0)

    def _commit_due(self, now_s: float) -> None:
        """Commit what would otherwise be kept in memory alone for too long at the next tick."""
        if not self._disk.committed.is_set() or now_s < self._retry_s:
            return
        fresh, interval_s = self._memory.fresh, self._settings.commit_interval_s
        urgent = now_s + self._tick_s - fresh.oldest_urgent_s >= interval_s
        declares = fresh.waits_to_be_stored
        held_before_s = now_s if fresh.overheld else now_s - self._settings.receipt_hold_s
        if declares or urgent or fresh.held.oldest_s <= held_before_s:
            young_s = now_s - interval_s * _YOUNG if urgent else float("-inf")
            self._commit_until(now_s if declares else young_s, _GROUP_BYTES, held_before_s)

    def _commit_until(self, appended_before_s: float, limit_bytes: int, held_before_s: float) -> None:
        if self._disk.ended:
            return
        if group := self._memory.fresh.begin_commit(appended_before_s, limit_bytes, held_before_s):
            self._disk.commit(group)

    def _read_on(self, withheld: frozenset[str]) -> None:
        if not self._disk.backlog.wanted(withheld):
            return
        forgotten = self._memory.stored.make_room(withheld)
        if forgotten is not None:
            self._disk.give_back(forgotten)
            self._disk.read(withheld)

    def _shed(self) -> None:
        while self._memory.fresh.overfull and (loss := self._memory.fresh.shed()):
            self._losses.add(loss)
            self._losses.gone((loss.epoch, loss.first_seq or 0))

    def _on_report(self, report: Report) -> None:
        match report.answer:
            case Committed(group, stored):
                self._on_committed(group, stored)
            case Batch(messages):
                self._memory.stored.add_read(m for m in messages if not self._disk.is_confirmed(m))
            case Purged():
                self._memory.forget_stored()  # what was read from disk meanwhile
            case _:
                pass
        for loss in report.losses:  # after the answer, which may be records that are safe in memory now
            self._losses.add(loss)
        if report.again:  # the disk knows which of the records that declare something are gone
            self._losses.declare_again(report.again)
            self._losses.forget_unless(self._memory.holds)
        if self._disk.backlog.open and (self._disk.unread or isinstance(report.answer, Batch)):
            self.ready.set()

    def _on_committed(self, group: list[Message], stored: int) -> None:
        forgotten, shelved = self._memory.end_commit(group, stored, keep=not self._disk.unread)
        self._disk.give_back(forgotten)
        self._disk.shelve(shelved)
        self._disk.give_back(self._memory.stored.await_at_most(MOST_TRUSTED))
        self.ready.set()  # what waited to be stored
        now_s = self._loop.time()
        if stored < len(group):
            self._retry_s = now_s + self._settings.commit_interval_s
            self._send_unstored()
            self._shed()
        elif self._timer is not None:
            self._commit_due(now_s)
