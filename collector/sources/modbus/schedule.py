"""When each of several things is due: at fixed distances from one moment, so that nothing drifts; pure.

Times are nanoseconds on the monotonic clock, which the caller asks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar


@dataclass(slots=True)
class Pace:
    """Turns every `period_ns`; the next one is due at `due_ns`."""

    period_ns: int
    due_ns: int = 0

    def done(self, now_ns: int) -> int:
        """Go on to the next turn; gives how many turns have passed wholly and are skipped.

        A turn that should have begun less than one period ago is late, not skipped.
        """
        self.due_ns += self.period_ns
        skipped = max(0, (now_ns - self.due_ns) // self.period_ns)
        self.due_ns += skipped * self.period_ns
        return skipped


class Paced(Protocol):
    """Something that has a pace."""

    pace: Pace


PacedThing = TypeVar("PacedThing", bound=Paced)


def soonest(things: Sequence[PacedThing], now_ns: int) -> PacedThing:
    """What comes next: of all that is due, what would miss its next turn first; else what is due first.

    So a slow thing of many requests does not hold up a fast one.
    """
    due = [thing for thing in things if thing.pace.due_ns <= now_ns]
    if due:
        return min(due, key=lambda thing: thing.pace.due_ns + thing.pace.period_ns)
    return min(things, key=lambda thing: thing.pace.due_ns)
