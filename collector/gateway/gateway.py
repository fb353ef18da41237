"""The gateway while it runs: how its parts are joined, and what can be asked of it.

The order in which things happen stands in `run.py`. Each part has a file of its own beside this one.
"""

import asyncio
import os
from pathlib import Path
from typing import Literal

import structlog

from collector import __version__
from collector.clock import UtcClock, boot_id
from collector.config import Config
from collector.errors import ControlError
from collector.gateway.configuration import Configuration
from collector.gateway.host import judge_host, read_host
from collector.gateway.marks import Marks
from collector.gateway.presence import Presence
from collector.gateway.records import GatewayRecords
from collector.gateway.status import host_report, judge_outbox, outbox_report, published_status
from collector.health import Condition, GatewayReport, InputsReport, PointTestReport, State, TestReport
from collector.journal import Journal
from collector.outbox import Outbox
from collector.points import Point
from collector.pseudonym_key import PseudonymKey
from collector.streams.streams import Streams
from collector.texts import Sentence, activity
from collector.texts import gateway as say

log = structlog.get_logger(__name__)


class Gateway:
    """Everything that runs on this gateway. Its tasks belong to the task group that `start` is given."""

    def __init__(
        self,
        config: Config,
        folder: Path,
        state_folder: Path,
        configuration: tuple[State, Sentence | None],
        clock: UtcClock,
        outbox: Outbox,
    ) -> None:
        self._configuration = Configuration(config, folder, state_folder, configuration, clock)
        self._topics = self._configuration.topics
        self._clock = clock
        self._outbox = outbox
        self._outbox_condition = Condition(clock, State.OK)
        self._journal = Journal(self._topics, clock, outbox, boot_id())
        self._records = GatewayRecords(self._journal, outbox)
        self._records.started()
        self._host = read_host(config.outbox.directory)
        self._host_condition = Condition(clock, State.OK)
        self._marks = Marks(self._journal, outbox)
        self._presence = Presence(config, self._topics, outbox, clock)
        self.streams = Streams(
            config,
            self._journal,
            key=PseudonymKey(config.sharing, state_folder),
            announce=self._presence.announce,
            withdraw=self._presence.withdraw,
            stopped=self._marks.stopped,
        )
        self._started_ns = clock.monotonic_ns()  # what was configured later was so by a reload
        described = {meta.topic for meta in self.streams.descriptions()}
        if (left := self._presence.withdraw_all_but(described, self._marks.retained)) is not None:
            self._configuration.leaves_behind(left)
        self._tasks: asyncio.TaskGroup | None = None
        self._changing = asyncio.Lock()
        self._stopping = False

    async def publish_left_accounts(self) -> None:
        """Publish what the run before had open when it was killed; before anything else is saved."""
        await self._marks.publish_left_accounts()

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Start publishing and every stream."""
        self._tasks = tasks
        self._presence.start(tasks)
        self.streams.start(tasks)

    async def stop(self, goodbye_s: float) -> None:
        """End the streams, leave a mark, and give the last records a moment to reach the broker.

        Where the configuration on disk has another name for this gateway, what the broker keeps of us is
        taken back: nobody else may do that, and we can no longer under another name.
        """
        self._stopping = True
        async with self._changing:  # a reload on its way comes to its end first
            await self.streams.stop()
            await self.save_mark()
            for_good = await self._configuration.gets_another_name()
            self._announce_status("stopped")  # which no last will does after a goodbye
            await self._presence.leave(goodbye_s, for_good=for_good)
            if for_good:
                await self.save_mark()  # of what the broker still keeps

    def look(self) -> None:
        """What is to be noticed once a second: the clock, the streams, losses of the outbox."""
        change = self._clock.look()
        if change is not None:
            log.warning("clock.changed", step_s=change.step_ns / 1e9, synchronised=change.synchronised)
            self._records.clock_set(change)
        self.streams.look()
        self._records.declare_losses()
        self._outbox_condition.change(*judge_outbox(self._outbox.state()))
        self._presence.look()

    async def look_at_host(self) -> None:
        """Read the gateway's own hardware, and judge it; in a thread, for a dying SD card takes its time."""
        self._host = await asyncio.to_thread(read_host, self._configuration.config.outbox.directory)
        running_s = (self._clock.monotonic_ns() - self._started_ns) / 1e9
        complaint = judge_host(self._host, self._clock, running_s)
        self._host_condition.change(State.DEGRADED if complaint else State.OK, complaint)

    async def look_at_files(self) -> None:
        """Notice that the configuration on disk is no longer the one in use: somebody forgot to reload it."""
        await self._configuration.look()

    def publish_status(self) -> None:
        """Put the retained status in place."""
        self._announce_status("healthy" if self.report().healthy else "degraded")

    @property
    def accounts_wait(self) -> bool:
        """Whether an account is over, and is published after the next mark."""
        return bool(self._journal.waiting)

    async def save_mark(self) -> None:
        """Remember how far everything has come, so that a restart can tell what it missed."""
        await self._marks.save(self.streams, self._presence)

    def report(self) -> GatewayReport:
        """How everything is."""
        return GatewayReport(
            company=self._topics.company,
            gateway=self._topics.gateway,
            version=__version__,
            epoch=self._outbox.epoch,
            pid=os.getpid(),
            started_us=self._clock.utc_us(self._started_ns),
            now_us=self._clock.now_us(),
            configuration=self._configuration.report(),
            broker=self._presence.report(),
            outbox=outbox_report(self._outbox_condition, self._outbox.state()),
            host=host_report(self._host_condition, self._host, self._clock),
            sources={name: stream.report() for name, stream in sorted(self.streams.by_name.items())},
            machines={name: state.report() for name, state in sorted(self.streams.states.items())},
        )

    def points(self) -> dict[str, tuple[Point, ...]]:
        """The points of every controller, as far as they are known."""
        return {controller.name: controller.source.points for controller in self.streams.controllers()}

    async def reload(self) -> list[str]:
        """Take the configuration on disk; streams that did not change are not interrupted.

        Raises:
            ConfigError: it is wrong; nothing has changed.
            ControlError: it changes what only a restart can change, or we are stopping; nothing has changed.
        """
        async with self._changing:
            if self._stopping:
                raise ControlError(say.STOPPING())
            return await self._reload()

    async def _reload(self) -> list[str]:
        config, unsaved = await self._configuration.load()
        await self.save_mark()  # a stream that is taken out now may come back in another run
        changes = await self.streams.change(config)
        if config.broker != self._configuration.config.broker:
            changes.append(say.BROKER_CHANGED())
            await self._change_broker(config)
        self._configuration.take(config, unsaved)
        self.publish_status()
        log.info("reloaded", changes=[str(change) for change in changes])
        return [str(change) for change in changes or [say.UNCHANGED()]]

    async def test(self, source: str, seconds: float) -> TestReport | PointTestReport:
        """Watch a running stream.

        Raises:
            ControlError: there is no such stream, or it delivers nothing.
        """
        stream = self.streams.by_name.get(source)
        if stream is None:
            known = ", ".join(sorted(self.streams.by_name))
            raise ControlError(say.NO_SUCH_SOURCE(name=source, known=known))
        return await stream.watch(seconds)

    async def inputs(self, machine: str, seconds: float) -> InputsReport:
        """Watch what a machine's state is told by.

        Raises:
            ControlError: the machine has no state that is told.
        """
        state = self.streams.states.get(machine)
        if state is None:
            raise ControlError(activity.NOT_RELOADED(machine=machine))
        return await state.watch(seconds)

    async def store_outbox(self) -> None:
        """Put what waits in memory on disk, for whoever wants to look at it."""
        await self._outbox.commit()

    async def purge_outbox(self) -> int:
        """Give up what waits, and declare it; returns how many records.

        Raises:
            OutboxError: the disk does not take records.
        """
        records = await self._outbox.purge()
        log.warning("outbox.purged", records=records)
        self._records.declare_losses()
        return records

    async def _change_broker(self, config: Config) -> None:
        assert self._tasks is not None
        self._announce_status("stopped")
        await self._presence.move(config, self._tasks)
        self.streams.announce()

    def _announce_status(self, state: Literal["healthy", "degraded", "stopped"]) -> None:
        status = published_status(self.report(), state, sync=self._clock.synchronised)
        self._presence.announce_status(status)
