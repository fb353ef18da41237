"""A controller of any kind at work for some seconds, as the daemon lets it work, and what that took."""

import asyncio
import logging
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, process_time

import structlog

from benchmarks.delivery import Delivery, delivering
from benchmarks.rig import broker, write_configuration
from collector.config import load
from collector.streams.controller import Controller


@dataclass(frozen=True, slots=True)
class Work:
    """What was got, and what it took: CPU time of this process, and time on the wall."""

    values: int
    cpu_s: float
    wall_s: float

    @property
    def us_a_value(self) -> float:
        """Microseconds of CPU for a value."""
        return 1e6 * self.cpu_s / self.values


class Stopwatch:
    """CPU time of this process and time on the wall, from when it is made."""

    def __init__(self) -> None:
        self._cpu_s, self._wall_s = process_time(), monotonic()

    def work(self, values: int) -> Work:
        """What was got since, and what it took."""
        return Work(values, process_time() - self._cpu_s, monotonic() - self._wall_s)


@dataclass(frozen=True, slots=True)
class Collecting:
    """The first controller of a configuration, with journal, outbox and publisher."""

    controller: Controller
    delivery: Delivery
    broker_port: int

    async def collect(self, seconds: int) -> Work:
        """Collect and publish for some seconds; connecting, and what comes at once then, is not measured."""
        keeping = asyncio.create_task(self.controller.keep())
        try:
            before = self._values
            while self._values == before:  # noqa: ASYNC110 (nothing tells, and it is not measured)
                await asyncio.sleep(0.01)
            await self._look()
            before, watch = self._values, Stopwatch()
            for _ in range(seconds):
                await asyncio.sleep(1)
                self.controller.look()
            await self.delivery.outbox.all_confirmed.wait()
            return watch.work(self._values - before)
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            await self._look()

    async def _look(self) -> None:
        self.controller.look()
        await self.delivery.outbox.all_confirmed.wait()

    @property
    def _values(self) -> int:
        return self.controller.report().readings


@asynccontextmanager
async def collecting(controller: str) -> AsyncIterator[Collecting]:
    """A controller (TOML), and everything of the daemon that works for it, with a broker of its own."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory() as name, broker(Path(name)) as port:
        write_configuration(Path(name), port, controller)
        config = load(Path(name))
        machine = config.machines[0]
        async with delivering(config) as delivery:
            made = Controller(machine, machine.controllers[0], delivery.journal, key=bytes)
            yield Collecting(made, delivery, port)
