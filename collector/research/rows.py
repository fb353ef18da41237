"""What is asked of an archive, and what it gives."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Selection:
    """Which records: of a machine's stream, at or after `start_us` and before `end_us`."""

    company: str
    machine: str
    stream: str
    start_us: int
    end_us: int


@dataclass(frozen=True, slots=True)
class StreamName:
    """Whose stream it is, and which."""

    company: str
    machine: str
    stream: str

    def __str__(self) -> str:
        return f"{self.company}/{self.machine}/{self.stream}"


@dataclass(frozen=True, slots=True)
class Row:
    """A record as it is kept, with its gateway; `payload` is its JSON text."""

    gateway: str
    epoch: str
    seq: int
    t_us: int
    payload: str


Run = tuple[str, str]
"""Gateway and epoch."""

OF_GAPS = ("gap", "restart", "records-lost", "clock")
"""The events that tell what is missing, and by which clock that is known."""


@dataclass(frozen=True, slots=True)
class Link:
    """A record's place in the chain of its topic: after which one it was made."""

    seq: int
    prev: int | None
    t_us: int


@dataclass(frozen=True, slots=True)
class Chain:
    """The records of one kind that a run made within a selection, by seq.

    From the number `first` on none should be missing. They are those between two numbers, whatever times they
    carry: a summary carries that of its beginning, and a clock may not have been set.
    """

    gateway: str
    epoch: str
    kind: str
    first: int
    links: Sequence[Link]
