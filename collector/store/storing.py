"""From what arrived to what is committed, and the receipts for it. Called in a thread; it waits for the sink.

What a database refuses, alone, whatever it is, becomes a dead letter: one odd record must not stop the rest.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import structlog

from collector.messages import Receipt
from collector.store.arrivals import (
    Arrival,
    DeadLetter,
    GatewayStatus,
    Identity,
    Sender,
    StoredRecord,
    printable,
    read,
)
from collector.store.receipts import receipts
from collector.store.sink import Batch, RefusedError, Sink, Written, conflicting

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Stored:
    """What became of some arrivals."""

    fresh: int = 0
    letters: list[DeadLetter] = field(default_factory=list)
    newest_us: int | None = None
    """The time of the newest record whose clock was right."""
    receipts: list[tuple[Sender, Receipt]] = field(default_factory=list)


def store(sink: Sink, arrivals: Sequence[Arrival], root: str) -> Stored:
    """Commit what arrived.

    Raises:
        StoreError: the database cannot be used; nothing of it may be receipted.
    """
    batch = batch_of(arrivals, root)
    stored = Stored()
    _write(sink, batch, stored)
    identities: list[Identity] = [record.identity for record in batch.records]
    stored.receipts = receipts(identities, stored.letters)
    synchronised = (record.t_us for record in batch.records if record.sync)
    stored.newest_us = max(synchronised, default=None)
    return stored


def batch_of(arrivals: Sequence[Arrival], root: str) -> Batch:
    """Read what arrived: each record once, and of each gateway's status the last."""
    records: dict[Identity, StoredRecord] = {}
    letters: list[DeadLetter] = []
    statuses: dict[Sender, GatewayStatus] = {}
    for arrival in arrivals:
        match read(arrival, root):
            case StoredRecord() as record:
                first = records.setdefault(record.identity, record)
                if first.arrival.payload != arrival.payload:
                    letters.append(conflicting(record))
            case GatewayStatus() as status:
                statuses[status.sender] = status
            case DeadLetter() as letter:
                letters.append(letter)
    return Batch(tuple(records.values()), tuple(letters), tuple(statuses.values()))


def _write(sink: Sink, batch: Batch, stored: Stored) -> None:
    try:
        _add(sink.write(batch), batch.letters, stored)
    except RefusedError:
        for single in _singles(batch):
            try:
                _add(sink.write(single), single.letters, stored)
            except RefusedError as error:
                _bury(sink, single, str(error), stored)


def _add(written: Written, letters: Iterable[DeadLetter], stored: Stored) -> None:
    stored.fresh += written.fresh
    stored.letters += [*letters, *written.conflicts]


def _singles(batch: Batch) -> Iterator[Batch]:
    yield from (Batch(records=(record,)) for record in batch.records)
    yield from (Batch(letters=(letter,)) for letter in batch.letters)
    yield from (Batch(statuses=(status,)) for status in batch.statuses)


def _bury(sink: Sink, single: Batch, reason: str, stored: Stored) -> None:
    """Make a dead letter of what the database does not take."""
    for record in single.records:
        sender = record.topic.company, record.topic.gateway
        letter = DeadLetter(record.arrival, "refused", printable(reason), sender, record.identity)
        _add(sink.write(Batch(letters=(letter,))), (letter,), stored)
    for arrival in (*(letter.arrival for letter in single.letters), *(s.arrival for s in single.statuses)):
        log.error("store.refused", topic=arrival.topic, reason=reason)
