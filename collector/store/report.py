"""How an ingester is, by its own word: what it keeps in the database for `collector store status`."""

from dataclasses import dataclass

from pydantic import BaseModel

from collector import __version__
from collector.clock import UtcClock
from collector.health import Condition, Said, State
from collector.store.storing import Stored


class IngesterReport(BaseModel):
    """One ingester."""

    name: str
    version: str
    started_us: int
    reported_us: int
    state: State
    since_us: int
    reason: Said | None
    broker: str
    stored: int
    """Records that were new, since the start."""
    dead_letters: int
    """What was no record, since the start; the same may have come many times."""
    waiting: int
    """Messages that wait to be committed."""
    last_stored_us: int | None
    """UTC of the last commit with records."""
    stopped: bool = False
    """Whether it ended on purpose, and this is its last word."""
    lag_s: float | None
    """From the newest record of that commit, by its gateway's clock, to the commit."""


@dataclass(slots=True)
class Progress:
    """What an ingester has done so far."""

    name: str
    broker: str
    clock: UtcClock
    condition: Condition
    started_us: int
    stored: int = 0
    dead_letters: int = 0
    waiting: int = 0
    last_stored_us: int | None = None
    lag_s: float | None = None
    stopped: bool = False

    @classmethod
    def begin(cls, name: str, broker: str, clock: UtcClock) -> "Progress":
        """Of an ingester that starts now."""
        return cls(name, broker, clock, Condition(clock), clock.now_us())

    def committed(self, stored: Stored) -> None:
        """A batch is in the database."""
        self.stored += stored.fresh
        self.dead_letters += len(stored.letters)
        if stored.newest_us is not None:
            self.last_stored_us = self.clock.now_us()
            self.lag_s = (self.last_stored_us - stored.newest_us) / 1e6

    def report(self) -> IngesterReport:
        """All of it now."""
        return IngesterReport(
            name=self.name,
            version=__version__,
            started_us=self.started_us,
            reported_us=self.clock.now_us(),
            **self.condition.facts(),
            broker=self.broker,
            stored=self.stored,
            dead_letters=self.dead_letters,
            waiting=self.waiting,
            last_stored_us=self.last_stored_us,
            lag_s=self.lag_s,
            stopped=self.stopped,
        )
