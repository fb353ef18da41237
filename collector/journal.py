"""Records become part of the gateway's numbered history here: made, encoded, and put into the outbox.

Accounts of utilisation and long cuts are drafts before: while one is open, the mark of the outbox has its
draft, which the next start publishes if this run comes to a sudden end. One that is over waits until a mark
without it is saved, so that it is not published twice.
"""

from dataclasses import dataclass
from typing import Any, Literal

from collector.clock import UtcClock
from collector.messages import Cut, Message, Moment, Numbering, Record, Topics, Utilisation, moment
from collector.outbox import Outbox


@dataclass(frozen=True, slots=True)
class Draft:
    """A record without its number; `fields` are what it says, as JSON knows them."""

    topic: str
    meta: str
    boot: str
    mono_us: int
    t_us: int
    sync: bool
    fields: dict[str, Any]
    reading: Literal["utilisation", "cut"] = "utilisation"
    """What kind of record; earlier versions had one alone."""


class Journal:
    """The one place where a record gets its number; what it returns is already in the outbox."""

    def __init__(self, topics: Topics, clock: UtcClock, outbox: Outbox, boot: str) -> None:
        self.topics = topics
        self.clock = clock
        self.waiting: list[Draft] = []
        """What is over, until a mark without it is saved."""
        self._outbox = outbox
        self._boot = boot
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
        t_us: int | None = None,
        meta: str | None = None,
        retain: bool = False,
        **fields: Any,
    ) -> Message:
        """Make a record of a moment and hand it to the outbox; `t_us` is its UTC, where told before."""
        at = moment(self.clock, at_monotonic_ns)
        if t_us is not None:
            at = at._replace(t_us=t_us)
        message = self._numbering.message(kind, topic, at, meta=meta, retain=retain, **fields)
        self._outbox.append(message)
        return message

    def draft(
        self,
        reading: Literal["utilisation", "cut"],
        topic: str,
        at: Moment,
        *,
        meta: str,
        **fields: Any,
    ) -> Draft:
        """What the record of something that is open would be now."""
        return Draft(topic, meta, self._boot, *at, fields, reading)

    def release(self, count: int) -> None:
        """Publish the first so many of what waits: a mark without it is saved."""
        for draft in self.waiting[:count]:
            self.publish(draft)
        del self.waiting[:count]

    def publish(self, draft: Draft) -> None:
        """Make the record of a draft; its times are those of the run that made the draft.

        Raises:
            pydantic.ValidationError: `fields` are not what the contract says.
        """
        at = Moment(draft.mono_us, draft.t_us, draft.sync)
        kind = Cut if draft.reading == "cut" else Utilisation
        self._outbox.append(
            self._numbering.message(kind, draft.topic, at, meta=draft.meta, boot=draft.boot, **draft.fields)
        )
