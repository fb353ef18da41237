"""What the event loop tells the disk thread, and what it reports: small values, done in the order given."""

from dataclasses import dataclass

from collector.messages import Message
from collector.outbox.settled import Settled
from collector.outbox.state import DiskFacts, Key, Mark, OutboxLoss


@dataclass(frozen=True, slots=True)
class Commit:
    """Store these records; answered by `Committed`."""

    messages: list[Message]


@dataclass(frozen=True, slots=True)
class Confirm:
    """These records are delivered; answered by `Confirmed`."""

    records: Settled


@dataclass(frozen=True, slots=True)
class GiveBack:
    """The event loop forgot these stored records, to read them again later; answered by `GivenBack`.

    Those that are `shelved` only after the next `Unshelve`.
    """

    keys: list[Key]
    shelved: bool = False


@dataclass(frozen=True, slots=True)
class Unshelve:
    """Every record may be read again."""


@dataclass(frozen=True, slots=True)
class Read:
    """Hand out the oldest records of other topics than these; answered by `Batch`."""

    withheld: frozenset[str]


@dataclass(frozen=True, slots=True)
class SaveMark:
    """Save the mark of the streams; answered by `Marked`."""

    mark: Mark


@dataclass(frozen=True, slots=True)
class Declare:
    """A record declares a loss."""

    loss: OutboxLoss
    by: Key


@dataclass(frozen=True, slots=True)
class Purge:
    """Give up everything; answered by `Purged`."""


@dataclass(frozen=True, slots=True)
class Close:
    """Do nothing more."""


Work = Commit | Confirm | GiveBack | Unshelve | Read | SaveMark | Declare | Purge
Command = Work | Close


@dataclass(frozen=True, slots=True)
class Committed:
    """The first `stored` of these records are safe on disk."""

    messages: list[Message]
    stored: int


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A `Confirm` is done."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Records read back, in order; none where the disk has no others than of the withheld topics."""

    messages: list[Message]


@dataclass(frozen=True, slots=True)
class GivenBack:
    """So many records are the disk's alone again."""

    records: int
    shelved: bool


@dataclass(frozen=True, slots=True)
class Purged:
    """So many records that the disk had are given up."""

    records: int


@dataclass(frozen=True, slots=True)
class Marked:
    """The oldest mark not answered yet is safe on disk, or the one before is still there."""

    saved: bool


Answer = Committed | Confirmed | Batch | GivenBack | Purged | Marked


@dataclass(frozen=True, slots=True)
class Report:
    """What a command gave, and how the disk is after it."""

    answer: Answer | None
    facts: DiskFacts
    losses: list[OutboxLoss]
    again: list[OutboxLoss]
    """What was lost earlier and is to be declared once more."""
