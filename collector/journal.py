"""Records become part of the gateway's numbered history here: made, encoded, and put into the outbox."""

from typing import Any

from collector.clock import UtcClock
from collector.messages import Message, Numbering, Record, Topics, moment
from collector.outbox import Outbox


class Journal:
    """The one place where a record gets its number; what it returns is already in the outbox."""

    def __init__(self, topics: Topics, clock: UtcClock, outbox: Outbox, boot: str) -> None:
        self.topics = topics
        self.clock = clock
        self._outbox = outbox
        self._numbering = Numbering(outbox.epoch, boot)

    @property
    def last_seq(self) -> int:
        """The number of the last record."""
        return self._numbering.last_seq

    def record(
        self,
        kind: type[Record],
        topic: str,
        at_monotonic_ns: int,
        *,
        meta: str | None = None,
        retain: bool = False,
        **fields: Any,
    ) -> Message:
        """Make a record of a moment and hand it to the outbox."""
        at = moment(self.clock, at_monotonic_ns)
        message = self._numbering.message(kind, topic, at, meta=meta, retain=retain, **fields)
        self._outbox.append(message)
        return message
