"""A line that several units share in turn, and what keeps one's late answer from passing for another's.

On a serial line a reply does not say what it answers. So after a request without a proper answer, the line is
left alone until even the slowest reply must have come, what came is thrown away, and the line is opened anew.
Modbus TCP numbers its requests; there the connection is just made again. Who asks, and when, is the sources'
business.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from collector.clock import monotonic_ns as clock_monotonic_ns
from collector.sources.modbus.addresses import is_of_bits
from collector.sources.modbus.line import Line, reply_octets
from collector.sources.modbus.planner import Span
from collector.sources.modbus.settings import Table
from collector.sources.modbus.wire import Answer, NoAnswer, Wire


@dataclass(frozen=True, slots=True)
class Unit:
    """A device on a line, and the time that it needs."""

    unit_id: int
    timeout_s: float
    discard_s: float
    pause_s: float | None = None


class Bus:
    """One line; it is open while somebody has joined it and it works."""

    def __init__(self, line: Line, monotonic_ns: Callable[[], int] = clock_monotonic_ns) -> None:
        self.line = line
        self._monotonic_ns = monotonic_ns
        self._turn = asyncio.Lock()
        self._wire: Wire | None = None
        self._users = 0
        self._free_ns = 0
        self._unclear_until_ns: int | None = None

    @contextlib.contextmanager
    def joined(self) -> Iterator[None]:
        """Use the line; when the last user leaves, it is closed."""
        self._users += 1
        try:
            yield
        finally:
            self._users -= 1
            if not self._users:
                self._close()

    async def read(self, unit: Unit, table: Table, span: Span) -> Answer:
        """Wait for a turn, and ask.

        Raises:
            SourceError: the line cannot be opened, with what to do.
        """
        async with self._turn:
            if self._unclear_until_ns is not None:
                await self._clear(self._unclear_until_ns)
            wire = self._wire
            if wire is None or not wire.usable:
                wire = await self._open()
            await self._sleep_until(self._free_ns + _ns(self._pause_s(unit)))
            octets = reply_octets(span.count, of_bits=is_of_bits(table))
            timeout_s = unit.timeout_s + self.line.transfer_s(octets)
            # Known before we wait: the request may be cancelled, and its reply still come.
            self._unclear_until_ns = self._monotonic_ns() + _ns(timeout_s + unit.discard_s)
            answer = await wire.ask(unit.unit_id, table, span, timeout_s)
            self._free_ns = self._monotonic_ns()
            if not isinstance(answer, NoAnswer) or answer.clear:
                self._unclear_until_ns = None
            else:  # the time for late replies begins no earlier than now: sending took some, too
                self._unclear_until_ns = max(self._unclear_until_ns, self._free_ns + _ns(unit.discard_s))
            return answer

    async def _clear(self, until_ns: int) -> None:
        """Get rid of what may still come until a moment."""
        if self.line.rtu:
            await self._sleep_until(until_ns)
        self._close()
        self._unclear_until_ns = None

    async def _open(self) -> Wire:
        self._close()
        self._wire = await Wire.open(self.line, self._monotonic_ns)
        return self._wire

    def _close(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def _pause_s(self, unit: Unit) -> float:
        return self.line.gap_s if unit.pause_s is None else unit.pause_s

    async def _sleep_until(self, at_ns: int) -> None:
        wait_ns = at_ns - self._monotonic_ns()
        if wait_ns > 0:
            await asyncio.sleep(wait_ns / 1e9)


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)
