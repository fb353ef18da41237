"""The gateway while it runs: its streams, its way to the broker, its condition, and what can be asked of it.

The order in which things happen stands in `run.py`; the records of the gateway in `records.py`.
"""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Literal

import structlog

from collector import __version__
from collector.clock import UtcClock, boot_id
from collector.config import Config, ConfigError, changed_us, load, save_last_good
from collector.errors import ControlError
from collector.gateway.host import judge_host, read_host
from collector.gateway.records import GatewayRecords
from collector.gateway.status import (
    host_report,
    judge_outbox,
    offline_status,
    outbox_report,
    published_status,
)
from collector.health import (
    Condition,
    ConfigurationReport,
    GatewayReport,
    InputsReport,
    PointTestReport,
    State,
    TestReport,
)
from collector.journal import Draft, Journal
from collector.messages import Topics
from collector.mqtt import Will
from collector.outbox import Mark, Outbox, StreamMark
from collector.points import Point
from collector.pseudonym_key import PseudonymKey
from collector.publish import Publisher
from collector.streams.streams import Streams, ended
from collector.streams.waveform import Stopped, Waveform
from collector.texts import Sentence, activity
from collector.texts import gateway as say

_LEAVE_S = 1.0
"""How long a broker that is no longer ours may take for the last records; the next one gets the rest."""
_LOAD_S = 2.0
"""How long the configuration on disk may take, when we stop."""

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
        self._config = config
        self._folder = folder
        self._state_folder = state_folder
        self._clock = clock
        self._outbox = outbox
        self._topics = Topics(config.gateway.root, config.gateway.company, config.gateway.name)
        self._journal = Journal(self._topics, clock, outbox, boot_id())
        self._host = read_host(config.outbox.directory)
        self._host_condition = Condition(clock, State.OK)
        state, reason = configuration
        self._configuration_condition = Condition(clock, state, reason)
        self._left_behind: Sentence | None = None
        """What the broker keeps under another name that we had, where we may not write now."""
        self._changed_us: int | None = None
        """When the configuration's files were changed, where they no longer say what is in use."""
        self._outbox_condition = Condition(clock, State.OK)
        mark = outbox.previous_mark
        self._reached: dict[str, StreamMark] = dict(mark.streams) if mark else {}
        """How far each stream had come, be it in an earlier run, or before it was taken out."""
        self._records = GatewayRecords(self._journal, outbox)
        self._records.started()
        self._publisher = self._new_publisher(config)
        self.streams = Streams(
            config,
            self._journal,
            key=PseudonymKey(config.sharing, state_folder),
            announce=lambda meta: self._publisher.announce(meta.topic, meta.payload),
            withdraw=lambda topic: self._publisher.withdraw(topic),  # noqa: PLW0108 (there may be another one)
            stopped=self._stopped,
        )
        self._started_ns = clock.monotonic_ns()  # what was configured later was so by a reload
        self._withdraw(mark.retained if mark else ())
        self._tasks: asyncio.TaskGroup | None = None
        self._changing = asyncio.Lock()
        self._marking = asyncio.Lock()
        self._stopping = False

    async def publish_left_accounts(self) -> None:
        """Publish what the run before had open when it was killed; before anything else is saved.

        First they go out of the mark, then the records are made, and at once stored: killed in between, we
        lose them. The other way round, they would be published twice.
        """
        mark = self._outbox.previous_mark
        if mark is None or not mark.accounts:
            return
        if not await self._outbox.save_mark(replace(mark, accounts=())):
            log.warning("accounts.not-published", accounts=len(mark.accounts))
            return
        for account in mark.accounts:
            try:
                self._journal.publish(Draft(**account))
            except (TypeError, ValueError) as error:  # of another version of ours
                log.warning("account.unreadable", reason=str(error))
        await self._outbox.commit()

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Start publishing and every stream."""
        self._tasks = tasks
        self._publishing = tasks.create_task(self._publisher.run())
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
            for_good = await self._gets_another_name()
            await self._leave_broker(goodbye_s, for_good=for_good)
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
        self._publisher.look()

    async def look_at_host(self) -> None:
        """Read the gateway's own hardware, and judge it; in a thread, for a dying SD card takes its time."""
        self._host = await asyncio.to_thread(read_host, self._config.outbox.directory)
        running_s = (self._clock.monotonic_ns() - self._started_ns) / 1e9
        complaint = judge_host(self._host, self._clock, running_s)
        self._host_condition.change(State.DEGRADED if complaint else State.OK, complaint)

    async def look_at_files(self) -> None:
        """Notice that the configuration on disk is no longer the one in use: somebody forgot to reload it."""
        config = self._config
        changed = await asyncio.to_thread(changed_us, config)
        if config is not self._config:  # it was reloaded meanwhile
            return
        self._changed_us = changed
        if self._configuration_condition.state is State.OK:
            reason = self._left_behind if changed is None else say.NOT_RELOADED()
            self._configuration_condition.change(State.OK, reason)

    def publish_status(self) -> None:
        """Put the retained status in place."""
        self._announce_status("healthy" if self.report().healthy else "degraded")

    @property
    def accounts_wait(self) -> bool:
        """Whether an account is over, and is published after the next mark."""
        return bool(self._journal.waiting)

    async def save_mark(self) -> None:
        """Remember how far everything has come, so that a restart can tell what it missed.

        Then the accounts that are over are published: the mark before may have them as open ones. A disk that
        does not take the mark keeps them back no longer, for that may last.
        """
        async with self._marking:  # one at a time: what a mark holds back is let go by that mark
            over = len(self._journal.waiting)
            sync = self._clock.synchronised
            for waveform in self.streams.waveforms():
                if (reached := _reached(waveform, sync=sync)) is not None:
                    self._reached[waveform.name] = reached
            states = self.streams.states.values()
            accounts = [asdict(draft) for state in states for draft in state.drafts()]
            now_us, last_seq = self._clock.now_us(), self._journal.last_seq
            mark = Mark(
                self._outbox.epoch,
                last_seq,
                now_us,
                sync,
                dict(self._reached),
                accounts=accounts,
                retained=self._publisher.announced,
            )
            await self._outbox.save_mark(mark)
            self._journal.release(over)

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
            configuration=ConfigurationReport(
                **self._configuration_condition.facts(), changed_us=self._changed_us
            ),
            broker=self._publisher.report(),
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
        try:
            # In a thread: a damaged file can take seconds to explain.
            config = await asyncio.to_thread(load, self._folder, to_run=True)
        except ConfigError as error:
            self._configuration_condition.change(State.FAILED, say.RELOAD_REFUSED(count=len(error.problems)))
            raise
        for table in ("gateway", "outbox", "control", "sharing"):
            if getattr(config, table) != getattr(self._config, table):
                needs_restart = say.NEEDS_RESTART(table=table)
                self._configuration_condition.change(State.DEGRADED, needs_restart)
                raise ControlError(needs_restart)
        unsaved = await asyncio.to_thread(save_last_good, self._folder, self._state_folder)
        await self.save_mark()  # a stream that is taken out now may come back in another run
        changes = await self.streams.change(config)
        if config.broker != self._config.broker:
            changes.append(say.BROKER_CHANGED())
            await self._change_broker(config)
        self._config, self._changed_us = config, None
        state = State.DEGRADED if unsaved else State.OK
        self._configuration_condition.change(state, unsaved or self._left_behind)
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

    def _new_publisher(self, config: Config, confirmed: int = 0) -> Publisher:
        # No name has a dot in it, so no two gateways of the group get the same id.
        client_id = config.broker.client_id or f"{self._topics.company}.{self._topics.gateway}"
        will = Will(self._topics.status, offline_status(self._outbox.epoch).model_dump_json().encode())
        receipts = self._topics.receipt if config.outbox.delivery == "store" else None
        return Publisher(
            config.broker,
            client_id,
            will,
            self._outbox,
            self._clock,
            receipts=receipts,
            confirmed=confirmed,
        )

    def _withdraw(self, retained: Sequence[str]) -> None:
        """Take back what the run before had announced of streams that are there no longer."""
        described = {meta.topic for meta in self.streams.descriptions()}
        ours = self._topics.status.removesuffix("status")
        left = sorted(set(retained) - described - {self._topics.status})
        for topic in left:
            if topic.startswith(ours):
                self._publisher.withdraw(topic)
        if others := [topic for topic in left if not topic.startswith(ours)]:
            log.warning("broker.left-behind", topics=others)
            self._left_behind = say.LEFT_BEHIND(name=_whose(others[0]), count=len(others))
            if self._configuration_condition.state is State.OK:
                self._configuration_condition.change(State.OK, self._left_behind)

    async def _gets_another_name(self) -> bool:
        """Whether the next start is to be under another name, as far as can be told soon."""
        try:
            async with asyncio.timeout(_LOAD_S):  # a stop waits for no disk
                named = (await asyncio.to_thread(load, self._folder)).gateway
        except (ConfigError, TimeoutError):  # a start takes the last good one instead of a wrong one
            return False
        return Topics(named.root, named.company, named.name) != self._topics

    async def _leave_broker(self, goodbye_s: float, *, for_good: bool = False) -> None:
        """Say at the broker that nothing more comes, which no last will does after a goodbye."""
        self._announce_status("stopped")
        await self._publisher.drain(goodbye_s)
        if for_good:
            for topic in self._publisher.announced:
                self._publisher.withdraw(topic)
            await self._publisher.drain(goodbye_s)
        await ended([self._publishing])

    async def _change_broker(self, config: Config) -> None:
        assert self._tasks is not None
        await self._leave_broker(_LEAVE_S)
        self._publisher = self._new_publisher(config, self._publisher.confirmed)
        self.streams.announce()
        self._publishing = self._tasks.create_task(self._publisher.run())

    def _stopped(self, name: str) -> Stopped | None:
        """How far a stream had come before this start: by the mark, or by a newer record found on disk."""
        mark = self._outbox.previous_mark
        if mark is None:
            return None
        machine, stream = name.split("/")
        found = []
        if (marked := mark.streams.get(name)) is not None:
            found.append(Stopped(mark.epoch, marked.t_us, marked.sync))
        if (newest := mark.newest.get(self._topics.of(machine, stream, "features"))) is not None:
            found.append(Stopped(newest.epoch, newest.t_us, newest.sync))
        return max(found, key=lambda known: (known.epoch, known.sync, known.t_us), default=None)

    def _announce_status(self, state: Literal["healthy", "degraded", "stopped"]) -> None:
        status = published_status(self.report(), state, sync=self._clock.synchronised)
        self._publisher.announce(self._topics.status, status.model_dump_json().encode())


def _whose(topic: str) -> str:
    """The gateway that a retained topic is of, a stream's or its own, whatever its root is."""
    parts = topic.split("/")
    return "/".join(parts[-3:-1] if parts[-1] == "status" else parts[-5:-3])


def _reached(waveform: Waveform, *, sync: bool) -> StreamMark | None:
    """How far a stream has come; as long as nothing came in this run, how far it had come in earlier ones."""
    if (last := waveform.last_sample()) is not None:
        return StreamMark(*last, sync)
    before = waveform.stopped
    return StreamMark(None, before.t_us, before.sync) if before is not None else None
