"""The records of the gateway itself: that it has started, that its clock was set, and what its outbox lost.

When they are made is decided in gateway.py.
"""

import structlog

from collector import __version__
from collector.clock import ClockChange
from collector.journal import Journal
from collector.messages import ClockSet, Message, RecordsLost, Restart
from collector.outbox import NewestRecord, Outbox

log = structlog.get_logger(__name__)


class GatewayRecords:
    """Makes the records of the gateway whose journal writes into this outbox."""

    def __init__(self, journal: Journal, outbox: Outbox) -> None:
        self._journal = journal
        self._outbox = outbox
        self._topic = journal.topics.gateway_event

    def started(self) -> Message:
        """The gateway begins a new epoch; the mark, or newer records on disk, tell where the last ended."""
        mark = self._outbox.previous_mark
        known: list[NewestRecord] = []
        if mark is not None:
            marked = NewestRecord(mark.epoch, mark.last_seq, mark.t_us, mark.sync)
            known = [marked, *mark.newest.values()]
        epoch = max((of.epoch for of in known), default=None)
        ended = [of for of in known if of.epoch == epoch]
        last = max(ended, key=lambda of: (of.sync, of.t_us), default=None)
        return self._journal.record(
            Restart,
            self._topic,
            self._journal.clock.monotonic_ns(),
            version=__version__,
            previous_epoch=epoch,
            last_seq=max((of.seq for of in ended), default=None),
            last_us=last.t_us if last else None,
            last_sync=last.sync if last else None,
        )

    def clock_set(self, change: ClockChange) -> Message:
        """The clock was set, or can be trusted from now on, or no longer."""
        before_us, offset_us = change.offset_before_ns // 1000, change.offset_ns // 1000
        return self._journal.record(
            ClockSet,
            self._topic,
            change.monotonic_ns,
            step_us=offset_us - before_us if change.stepped else 0,
            offset_before_us=before_us,
            offset_us=offset_us,
            synchronised=change.synchronised,
        )

    def declare_losses(self) -> list[Message]:
        """Declare whatever the outbox has lost since it was asked before; a record for each loss."""
        events: list[Message] = []
        for loss in self._outbox.losses():
            log.warning("outbox.lost", cause=loss.cause, records=loss.records)
            event = self._journal.record(
                RecordsLost,
                self._topic,
                self._journal.clock.monotonic_ns(),
                cause=loss.cause,
                records=loss.records,
                lost_epoch=loss.epoch,
                first_seq=loss.first_seq,
                last_seq=loss.last_seq,
                from_us=loss.first_t_us,
                to_us=loss.last_t_us,
            )
            self._outbox.declared(loss, event.seq)
            events.append(event)
        return events
