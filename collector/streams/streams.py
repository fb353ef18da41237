"""Everything that collects on this gateway: the waveforms and controllers of its machines, and their tasks.

What is known of one stream is in waveform.py and controller.py; the gateway around them in gateway/.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator

import structlog

from collector.activity import LearnedFile
from collector.config import Config, ControllerSettings, MachineFile, WaveformSettings
from collector.context import Context
from collector.journal import Journal
from collector.messages import Message
from collector.streams.controller import Controller
from collector.streams.machine_state import MachineState
from collector.streams.waveform import Stopped, Waveform
from collector.texts import Sentence
from collector.texts import gateway as say

Stream = Waveform | Controller
Wanted = dict[str, tuple[MachineFile, WaveformSettings | ControllerSettings]]

END_WAIT_S = 15.0
"""A source that does not let go for so long is left behind."""

log = structlog.get_logger(__name__)


class Streams:
    """The streams by `machine/stream`.

    `key` gives the key for pseudonyms; `announce` keeps a stream's description in place at the broker, and
    `withdraw` takes back what is on such a topic; `stopped` tells where a stream's run before ended.
    """

    def __init__(
        self,
        config: Config,
        journal: Journal,
        *,
        key: Callable[[], bytes],
        announce: Callable[[Message], None],
        withdraw: Callable[[str], None],
        stopped: Callable[[str], Stopped | None],
    ) -> None:
        self.by_name: dict[str, Stream] = {}
        self.states: dict[str, MachineState] = {}
        """What tells what a machine is doing, by machine."""
        self._journal = journal
        self._key = key
        self._announce = announce
        self._withdraw = withdraw
        self._stopped = stopped
        self._contexts: dict[str, Context] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._ended: dict[str, Stream] = {}
        """Streams that were taken out: one that comes back goes on with its indices."""
        self._tasks: asyncio.TaskGroup | None = None
        self._make(config, {})

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Start every stream."""
        self._tasks = tasks
        for stream in self.by_name.values():
            self._start(stream)

    async def stop(self) -> None:
        """End every stream, and publish what waits."""
        await ended(self._running.values())
        for stream in (*self.by_name.values(), *self.states.values()):
            stream.stop()

    def look(self) -> None:
        """Let every stream look at itself; once a second."""
        for stream in (*self.by_name.values(), *self.states.values()):
            stream.look()
        self.announce()

    def announce(self) -> None:
        """Have every description in place at the broker; costs nothing where it is already."""
        for meta in self.descriptions():
            self._announce(meta)

    def descriptions(self) -> list[Message]:
        """What describes each stream."""
        return [stream.meta for stream in (*self.by_name.values(), *self.states.values())]

    def waveforms(self) -> Iterator[Waveform]:
        """Those that have samples."""
        return (stream for stream in self.by_name.values() if isinstance(stream, Waveform))

    def controllers(self) -> Iterator[Controller]:
        """Those that have points."""
        return (stream for stream in self.by_name.values() if isinstance(stream, Controller))

    async def change(self, config: Config) -> list[Sentence]:
        """Stop what is gone, replace what changed, start what is new, and describe anew what stays."""
        wanted = _wanted(config)
        before, states = self.by_name, dict(self.states)
        topics = {meta.topic for meta in self.descriptions()}
        same = {name for name, s in before.items() if name in wanted and s.is_acquired_like(wanted[name][1])}
        ending = [name for name in before if name not in same]
        for waveform in self.waveforms():
            waveform.publish_waiting()  # while the controllers that it waits for are there
        await ended(self._running.pop(name) for name in ending)
        for name in ending:
            before[name].stop()
            self._ended[name] = before[name]
        self.by_name = {name: before[name] for name in same}
        self._make(config, self._ended)
        described = [name for name in same if _described(before[name], *wanted[name])]
        self.announce()
        for topic in topics - {meta.topic for meta in self.descriptions()}:
            self._withdraw(topic)
        for name in wanted:
            if name not in same:
                self._start(self.by_name[name])
        return (
            [say.STREAM_REMOVED(name=name) for name in ending if name not in wanted]
            + [say.STREAM_CHANGED(name=name) for name in ending if name in wanted]
            + [say.STREAM_DESCRIBED(name=name) for name in sorted(described)]
            + [say.STREAM_ADDED(name=name) for name in wanted if name not in before]
            + _changed_states(states, self.states)
        )

    def _make(self, config: Config, before: dict[str, Stream]) -> None:
        """Make what is not there yet: controllers first, for a machine's waveforms are joined with them."""
        self._contexts = {m.name: self._contexts.get(m.name, Context()) for m in config.machines}
        self._end_states(config)
        for machine in config.machines:
            context = self._contexts[machine.name]
            controllers = {c.name: self._controller(machine, c) for c in machine.controllers}
            context.refer(machine.machine.context, controllers)
            state = self._state(config, machine, context, controllers)
            windows_s = [0.0]
            for settings in machine.waveforms:
                name = f"{machine.name}/{settings.name}"
                stream = self.by_name.get(name)
                if not isinstance(stream, Waveform):
                    was = before.get(name)
                    stream = Waveform(
                        machine,
                        settings,
                        self._journal,
                        context=context,
                        before=was if isinstance(was, Waveform) else None,
                        stopped=self._stopped(name),
                    )
                    self.by_name[name] = stream
                stream.machine_state = state
                windows_s.append(stream.window_s)
            for controller in controllers.values():
                controller.window_s = max(windows_s)

    def _state(
        self, config: Config, machine: MachineFile, context: Context, controllers: dict[str, Controller]
    ) -> MachineState | None:
        if machine.machine.state is None:
            return None
        state = self.states.get(machine.name)
        if state is None:
            learned = config.learned.get(machine.name, LearnedFile())
            state = self.states[machine.name] = MachineState(
                machine,
                learned,
                config.calendar,
                self._journal,
                context=context,
                controllers=controllers,
            )
        else:
            state.refer(machine, controllers)
        return state

    def _end_states(self, config: Config) -> None:
        """Close those that are gone, or are told in another way; what they have counted is published."""
        machines = {machine.name: machine for machine in config.machines}
        for name, state in list(self.states.items()):
            learned = config.learned.get(name, LearnedFile())
            if name not in machines or not state.is_made_of(machines[name], learned, config.calendar):
                state.stop()
                del self.states[name]

    def _controller(self, machine: MachineFile, settings: ControllerSettings) -> Controller:
        name = f"{machine.name}/{settings.name}"
        stream = self.by_name.get(name)
        if not isinstance(stream, Controller):
            stream = self.by_name[name] = Controller(machine, settings, self._journal, key=self._key)
        return stream

    def _start(self, stream: Stream) -> None:
        assert self._tasks is not None
        self._announce(stream.meta)
        self._running[stream.name] = self._tasks.create_task(stream.keep(), name=stream.name)


async def ended(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait until they have given everything back, or for long enough."""
    ending = list(tasks)
    for task in ending:
        task.cancel()
    if ending:
        _, late = await asyncio.wait(ending, timeout=END_WAIT_S)
        for task in late:
            log.warning("task.abandoned", task=task.get_name(), waited_s=END_WAIT_S)


def _wanted(config: Config) -> Wanted:
    return {
        f"{machine.name}/{settings.name}": (machine, settings)
        for machine in config.machines
        for settings in machine.streams
    }


def _changed_states(before: dict[str, MachineState], after: dict[str, MachineState]) -> list[Sentence]:
    """Which machines have their state told anew, no longer, or in another way."""
    gone = [say.STREAM_REMOVED(name=before[name].name) for name in before if name not in after]
    changed = [
        (say.STREAM_CHANGED if name in before else say.STREAM_ADDED)(name=state.name)
        for name, state in after.items()
        if before.get(name) is not state
    ]
    return gone + changed


def _described(stream: Stream, machine: MachineFile, settings: WaveformSettings | ControllerSettings) -> bool:
    """Let a stream go on under another description; tells whether it differs."""
    match stream, settings:
        case Waveform(), WaveformSettings():
            return stream.describe(machine, settings)
        case Controller(), ControllerSettings():
            return stream.describe(machine, settings)
        case _:
            raise TypeError(f"{stream.name} is of another kind")
