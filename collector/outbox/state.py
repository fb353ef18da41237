"""What the outbox tells its callers: values only, no behaviour of the queue or of the disk."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from collector.messages import Message
from collector.texts import Sentence

Key = tuple[str, int]
"""A record's identity within the gateway: epoch and sequence number. Keys sort in the order of sending."""


class Outgoing(NamedTuple):
    """A record to send now; `late` where it comes from the backlog on disk."""

    message: Message
    late: bool


@dataclass(frozen=True, slots=True)
class StreamMark:
    """How far one stream had come: the index of its last sample, and that sample's UTC time.

    The index counts in the run of that sample; None where it is not known.
    """

    last_sample: int | None
    t_us: int
    sync: bool


@dataclass(frozen=True, slots=True)
class NewestRecord:
    """The newest record of one topic found on disk."""

    epoch: str
    seq: int
    t_us: int
    sync: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the gateway had come, saved once a minute so that a restart knows where its gap began.

    `t_us` is when the mark was made. `newest`, by topic, is filled in when the outbox is opened: a record on
    disk may be newer than the mark. It comes from the newest segments (32 MiB of them) and is not saved.
    `accounts` are the accounts and cuts that the gateway had open, which the next start publishes if this run
    does not; JSON, and nothing to the outbox. `retained` are the topics of which the broker keeps a message.
    """

    epoch: str
    last_seq: int
    t_us: int
    sync: bool
    streams: Mapping[str, StreamMark] = field(default_factory=dict)
    newest: Mapping[str, NewestRecord] = field(default_factory=dict)
    accounts: Sequence[Mapping[str, Any]] = ()
    retained: Sequence[str] = ()


class Cause(StrEnum):
    """Why undelivered records are gone."""

    OVERFLOW = "overflow"
    """The outbox was at its limit, or the disk full."""
    AGE = "age"
    """They were older than the configured age."""
    CORRUPT = "corrupt"
    """Their bytes on disk were damaged, or cut off by a power failure."""
    MEMORY = "memory"
    """The disk could not be written and the memory set aside for records was full."""
    PURGED = "purged"
    """Somebody at the gateway gave them up."""


@dataclass(frozen=True, slots=True)
class OutboxLoss:
    """Undelivered records that are gone, of one epoch.

    They lie between `first_seq` and `last_seq`, which need not all be lost: `records` says how many are, and
    is None where damage hides the number. A bound is None where nothing is known. Damage is declared once for
    each segment, and again after a restart while the segment is still there, with the same epoch and bounds.
    """

    cause: Cause
    epoch: str
    records: int | None
    first_seq: int | None
    last_seq: int | None
    first_t_us: int | None
    last_t_us: int | None
    bytes: int


@dataclass(frozen=True, slots=True)
class DiskFacts:
    """What the disk thread knows, as of its last report.

    `records` counts the unconfirmed ones on disk, `to_read` those of them that only the disk has, without the
    `shelved` ones, `unscanned` the segments whose records are not counted yet.
    """

    records: int = 0
    to_read: int = 0
    shelved: int = 0
    unscanned: int = 0
    segments: int = 0
    bytes: int = 0
    free_bytes: int = 0
    oldest_us: int | None = None
    oldest_sync: bool = False
    corrupt: int = 0
    failing: bool = False
    last_error: Sentence | None = None


@dataclass(frozen=True, slots=True)
class OutboxState:
    """The outbox at a glance.

    Sizes are bytes; those in memory include an allowance for each record. `hours_left` is how long an
    outage may last from now at the present rate before records are dropped; None while nothing is appended.
    """

    records: int
    """Unconfirmed, in memory or on disk, without those in `unscanned` segments."""
    uncommitted: int
    """Of these, only in memory."""
    in_flight: int
    awaiting: int
    """The broker has them, and the store's word is awaited."""
    memory_bytes: int
    disk_bytes: int
    segments: int
    unscanned: int
    """Segments of earlier runs whose records are not counted yet."""
    oldest_us: int | None
    oldest_sync: bool
    rate_bytes_s: float
    hours_left: float | None
    dropped: int
    corrupt: int
    """Damaged places found on disk in this run."""
    store_silent_s: float
    """For how long records have waited for the store's word and none came."""
    rejected: int
    """Records that the store will never take, in this run."""
    rejected_reasons: Mapping[str, int]
    """How many, by the store's reason."""
    disk_failing: bool
    """The last write did not succeed."""
    last_disk_error: Sentence | None


def joined(first: OutboxLoss, second: OutboxLoss) -> OutboxLoss:
    """Two losses of one cause and epoch as one; a bound that one of them does not know stays unknown."""

    def outermost(choose: Callable[..., int], a: int | None, b: int | None) -> int | None:
        return None if a is None or b is None else choose(a, b)

    unknown = first.records is None or second.records is None
    return OutboxLoss(
        cause=first.cause,
        epoch=first.epoch,
        records=None if unknown else (first.records or 0) + (second.records or 0),
        first_seq=outermost(min, first.first_seq, second.first_seq),
        last_seq=outermost(max, first.last_seq, second.last_seq),
        first_t_us=outermost(min, first.first_t_us, second.first_t_us),
        last_t_us=outermost(max, first.last_t_us, second.last_t_us),
        bytes=first.bytes + second.bytes,
    )


def merge_loss(losses: list[OutboxLoss], loss: OutboxLoss) -> None:
    """Add a loss, joined to the one of its cause and epoch; damage is told by the segment."""
    if loss.cause is Cause.CORRUPT:
        losses.append(loss)
    else:
        sum_up(losses, loss)


def sum_up(losses: list[OutboxLoss], loss: OutboxLoss) -> None:
    """Add a loss, joined to the one of its cause and epoch."""
    for i, other in enumerate(losses):
        if (other.cause, other.epoch) == (loss.cause, loss.epoch):
            losses[i] = joined(other, loss)
            return
    losses.append(loss)
