"""The bounded queue between what arrives and who takes it, both on the event loop.

When it is full, the two oldest arrivals become one: of each point the newer reading stays, the older is lost
and counted. So a slow taker never keeps a value that was overtaken by a lost one.
"""

import asyncio
from collections import deque
from dataclasses import dataclass

from collector.points import Arrival


@dataclass(slots=True)
class Losses:
    """What was lost on the way, over all connections."""

    at_server: int = 0
    """Times the server said that its queue for a node was full, and older values are lost."""
    messages: int = 0
    """Messages missing in the server's numbering; all values were read anew."""
    here: int = 0
    """Readings that nobody took in time."""


class Handover:
    """Arrivals in order, and at their end the error that ended them."""

    def __init__(self, losses: Losses, limit: int = 1000) -> None:
        self._losses = losses
        self._limit = max(limit, 2)
        self._waiting: deque[Arrival] = deque()
        self._error: Exception | None = None
        self._changed = asyncio.Event()

    def put(self, arrival: Arrival) -> None:
        """Hand an arrival over; never waits."""
        if len(self._waiting) >= self._limit:
            merged, lost = _merged(self._waiting.popleft(), self._waiting.popleft())
            self._waiting.appendleft(merged)
            self._losses.here += lost
        self._waiting.append(arrival)
        self._changed.set()

    def fail(self, error: Exception) -> None:
        """Say that nothing more will come, and why; the first reason counts."""
        self._error = self._error or error
        self._changed.set()

    async def take(self) -> Arrival:
        """The next arrival; once all are taken, what ended them is raised.

        Raises:
            Exception: as given to `fail`.
        """
        while not self._waiting:
            if self._error is not None:
                raise self._error
            self._changed.clear()
            await self._changed.wait()
        return self._waiting.popleft()


def _merged(older: Arrival, newer: Arrival) -> tuple[Arrival, int]:
    last = {reading.point: reading for arrival in (older, newer) for reading in arrival.readings}
    lost = len(older.readings) + len(newer.readings) - len(last)
    vouched = newer.vouched | (older.vouched - last.keys())
    return Arrival(newer.received_ns, tuple(last.values()), frozenset(vouched - last.keys())), lost
