"""Polling: nodes are read again and again, each in its own period, on the monotonic clock.

It loads asyncua, so it is imported only by what is connected.
"""

import asyncio
from collections.abc import Callable, Sequence

from asyncua import ua

from collector.errors import SourceError
from collector.sources.opcua.connection import Connection
from collector.sources.opcua.failures import unanswered
from collector.sources.opcua.handover import Handover
from collector.sources.opcua.sampled import Sampled
from collector.sources.opcua.settings import OpcuaSettings
from collector.sources.opcua.wanted import sampling_s

_IDLE_S = 0.2


class Polling:
    """The periods in which nodes are read, and the reading."""

    def __init__(
        self,
        connection: Connection,
        settings: OpcuaSettings,
        sampled: Sampled,
        handover: Handover,
        monotonic_ns: Callable[[], int],
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._sampled = sampled
        self._handover = handover
        self._monotonic_ns = monotonic_ns
        self._due_ns: dict[ua.NodeId, int] = {}

    async def start(self) -> None:
        """Nothing has to be made at the server."""

    async def add(self, nodes: Sequence[ua.NodeId]) -> dict[ua.NodeId, str]:
        """Read nodes from now on; reading tells which are not there, so that none is refused here."""
        self._due_ns |= dict.fromkeys(nodes, self._monotonic_ns())
        return {}

    async def remove(self, nodes: Sequence[ua.NodeId]) -> None:
        """Read nodes no more."""
        for node in nodes:
            self._due_ns.pop(node, None)

    async def run(self) -> None:
        """Read what is due, until cancelled.

        Raises:
            SourceError: the server cannot be reached. One answer that does not come in time is no such thing.
        """
        while True:
            now_ns = self._monotonic_ns()
            due = [node for node, due_ns in self._due_ns.items() if due_ns <= now_ns]
            for node in due:
                self._due_ns[node] = _next(self._due_ns[node], self._period_ns(node), now_ns)
            if due:
                await self._read(due)
            soonest_ns = min(self._due_ns.values(), default=now_ns + round(_IDLE_S * 1e9))
            await asyncio.sleep(max(0.0, min((soonest_ns - self._monotonic_ns()) / 1e9, _IDLE_S)))

    async def _read(self, nodes: Sequence[ua.NodeId]) -> None:
        asked_ns = self._monotonic_ns()
        try:
            values = await self._connection.read(nodes)
        except SourceError as error:
            if unanswered(error):
                return
            raise
        self._handover.put(self._sampled.arrival(nodes, values, asked_ns, self._monotonic_ns()))

    def _period_ns(self, node: ua.NodeId) -> int:
        every_s = [item.wanted.every_s for item in self._sampled.points(node)]
        return round(1e9 * min(sampling_s(self._settings, one) for one in every_s or [None]))


def _next(due_ns: int, period_ns: int, now_ns: int) -> int:
    """The next time on the same grid after now: what was missed is not read twice."""
    return due_ns + period_ns * ((now_ns - due_ns) // period_ns + 1)
