"""Receipts: what the store tells a gateway about its records; the store alone writes them.

A receipt is a statement of fact, not a step of a protocol: receipts may come in any order, twice, or again
long after; each adds to what the gateway knows. What follows from one is the outbox's business.
"""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from collector.messages.envelope import CONTRACT_VERSION, Wire

SeqRange = tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]]
"""First and last `seq`, both included."""


class Rejected(Wire):
    """A record that the store will never take; it keeps the bytes as a dead letter."""

    seq: Annotated[int, Field(ge=1)]
    """Its number."""
    reason: Annotated[str, Field(max_length=200)]
    """Why, as a stable code."""


class Receipt(Wire):
    """What the store has, for good, of one epoch of a gateway. QoS 1, not retained."""

    v: Literal[1] = CONTRACT_VERSION
    kind: Literal["receipt"] = "receipt"
    epoch: str
    """The run of the daemon that `seq` counts in."""
    stored: list[SeqRange] = Field(default_factory=list)
    """Records that are committed, as ranges; also those that were committed before."""
    rejected: list[Rejected] = Field(default_factory=list)
    """Records that are not, and must not be sent again."""


def seq_ranges(seqs: Iterable[int]) -> list[SeqRange]:
    """The fewest ranges, in order, that hold exactly these numbers."""
    ranges: list[SeqRange] = []
    for seq in sorted(set(seqs)):
        if ranges and ranges[-1][1] == seq - 1:
            ranges[-1] = (ranges[-1][0], seq)
        else:
            ranges.append((seq, seq))
    return ranges
