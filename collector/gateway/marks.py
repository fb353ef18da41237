"""How far everything has come, saved so that the next start knows what it missed and what was open."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, replace

import structlog

from collector.gateway.presence import Presence
from collector.journal import Draft, Journal
from collector.outbox import Mark, Outbox, StreamMark
from collector.streams.streams import Streams
from collector.streams.waveform import Stopped, Waveform

log = structlog.get_logger(__name__)


class Marks:
    """The marks of this run; what the run before left is in the outbox's `previous_mark`."""

    def __init__(self, journal: Journal, outbox: Outbox) -> None:
        self._journal = journal
        self._outbox = outbox
        self._saving = asyncio.Lock()
        before = outbox.previous_mark
        self._reached: dict[str, StreamMark] = dict(before.streams) if before else {}
        """How far each stream had come, be it in an earlier run, or before it was taken out."""

    @property
    def retained(self) -> Sequence[str]:
        """The topics of which the broker kept a message when the run before left its mark."""
        before = self._outbox.previous_mark
        return before.retained if before else ()

    def stopped(self, name: str) -> Stopped | None:
        """How far a stream had come before this start: by the mark, or by a newer record found on disk."""
        before = self._outbox.previous_mark
        if before is None:
            return None
        machine, stream = name.split("/")
        found = []
        if (marked := before.streams.get(name)) is not None:
            found.append(Stopped(before.epoch, marked.t_us, marked.sync))
        if (newest := before.newest.get(self._journal.topics.of(machine, stream, "features"))) is not None:
            found.append(Stopped(newest.epoch, newest.t_us, newest.sync))
        return max(found, key=lambda known: (known.epoch, known.sync, known.t_us), default=None)

    async def publish_left_accounts(self) -> None:
        """Publish what the run before had open when it was killed; before anything else is saved.

        First they go out of the mark, then the records are made, and at once stored: killed in between, we
        lose them. The other way round, they would be published twice.
        """
        before = self._outbox.previous_mark
        if before is None or not before.accounts:
            return
        if not await self._outbox.save_mark(replace(before, accounts=())):
            log.warning("accounts.not-published", accounts=len(before.accounts))
            return
        for account in before.accounts:
            try:
                self._journal.publish(Draft(**account))
            except (TypeError, ValueError) as error:  # of another version of ours
                log.warning("account.unreadable", reason=str(error))
        await self._outbox.commit()

    async def save(self, streams: Streams, presence: Presence) -> None:
        """Save how far everything has come, and of which topics the broker keeps a message.

        Then the accounts that are over are published: the mark before may have them as open ones. A disk that
        does not take the mark keeps them back no longer, for that may last.
        """
        async with self._saving:  # one at a time: what a mark holds back is let go by that mark
            over = len(self._journal.waiting)
            clock = self._journal.clock
            sync = clock.synchronised
            for waveform in streams.waveforms():
                if (reached := _reached(waveform, sync=sync)) is not None:
                    self._reached[waveform.name] = reached
            mark = Mark(
                self._outbox.epoch,
                self._journal.last_seq,
                clock.now_us(),
                sync,
                dict(self._reached),
                accounts=[asdict(draft) for state in streams.states.values() for draft in state.drafts()],
                retained=presence.retained,
            )
            await self._outbox.save_mark(mark)
            self._journal.release(over)


def _reached(waveform: Waveform, *, sync: bool) -> StreamMark | None:
    """How far a stream has come; as long as nothing came in this run, how far it had come in earlier ones."""
    if (last := waveform.last_sample()) is not None:
        return StreamMark(*last, sync)
    before = waveform.stopped
    return StreamMark(None, before.t_us, before.sync) if before is not None else None
