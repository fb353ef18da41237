"""One waveform stream: the way of its samples from the device to records.

`passes` shows the order; `keep` stays at it for ever. Whatever goes wrong here concerns this stream alone.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from itertools import islice, takewhile

from collector.config import ControllerSettings, MachineFile, WaveformSettings
from collector.context import Context, Joining
from collector.errors import ControlError
from collector.features import Kernel, SpeedFeatures
from collector.health import SourceReport, TestReport
from collector.journal import Journal
from collector.messages import Message
from collector.sample_clock import SampleClock
from collector.samples import Block, Chunk, Gap, Loss, LossCause
from collector.sources import describe_source
from collector.sources.reader import Reading, read_chunks
from collector.spindle import SpindlePoints, spindle_points, turning
from collector.streams.machine_state import MachineState
from collector.streams.metadata import describe_waveform
from collector.streams.observe import Observation
from collector.streams.stream_records import StreamRecords
from collector.streams.supervision import contained, keep_trying
from collector.streams.waveform_health import WaveformHealth
from collector.streams.waveform_records import Evaluated, Placed, WaveformRecords, at_speed, evaluated, placed
from collector.texts import Sentence
from collector.texts import gateway as say
from collector.windows import Windows


@dataclass(frozen=True, slots=True)
class Stopped:
    """How far a stream had come in the run before: its epoch, and UTC of the last sample known.

    `sync` says whether that was by a synchronised clock.
    """

    epoch: str
    t_us: int
    sync: bool


class Waveform:
    """A configured waveform of a machine.

    `context` is what its windows are joined with, `before` what it replaces on a reload, `stopped` where an
    earlier run ended.
    """

    def __init__(
        self,
        machine: MachineFile,
        settings: WaveformSettings,
        journal: Journal,
        *,
        context: Context | None = None,
        before: "Waveform | None" = None,
        stopped: Stopped | None = None,
    ) -> None:
        self.machine = machine
        self.settings = settings
        self.name = f"{machine.name}/{settings.name}"
        self.source = describe_source(settings.source, settings.signal_channels())
        signal = self.source.signal
        self.clock: SampleClock = before.clock.succeeded_by(signal) if before else SampleClock(signal)
        n, hop = settings.window.resolve(signal.rate_hz)
        self._windows = Windows(len(signal.channels), n, hop)
        self._cut_to: int | None = None  # the sample behind the last window, once there was one
        self._kernel = Kernel(settings.features, signal.channels, n, hop)
        self._speed_features = SpeedFeatures(settings.features, signal.channels)
        self._complete: list[Placed] = []
        """Windows whose turn is to come."""
        self._joining: Joining[Evaluated] = Joining(context or Context())
        self._described = self._joining.context.points
        self._spindle = self._spindle_points()
        content = describe_waveform(machine, settings, self.source, self._joining.context)
        self._stream = StreamRecords(journal, machine.name, settings.name, content)
        self._records = WaveformRecords(self._stream)
        self._health = WaveformHealth(self.name, signal.rate_hz, n, self._stream)
        self.window_s = n / signal.rate_hz
        self.machine_state: MachineState | None = None
        """What tells the machine's state by the windows, among others."""
        self._reading = Reading()
        self._observations: list[Observation] = []
        self._undeclared: list[Gap] = []
        self.stopped: Stopped | None = before.stopped if before else stopped
        """Where an earlier run ended, until samples come and that gap is declared."""
        self._interrupted = self._reloaded = self.clock.end > 0
        """Whether samples may be missing before the next ones, and whether a reload alone cost them."""

    @property
    def meta(self) -> Message:
        """The description under which records are made now."""
        return self._stream.meta

    async def keep(self) -> None:
        """Collect for as long as there is data, opening the device again whatever happens to it."""
        await keep_trying(
            self.name,
            self.collect,
            progress=lambda: self._health.windows + len(self._joining),
            unexpected=_unexpected,
            failed=self._failed,
            trying_again=self._health.trying_again,
        )
        self.stop()
        self._health.finished()

    async def collect(self) -> None:
        """Open the device and take its samples until it ends or fails."""
        reading = read_chunks(self.source, self.source.silent_after_s, self._reading)
        async with aclosing(reading) as arriving:
            async for chunks in arriving:
                for _ in self.passes(chunks):
                    await asyncio.sleep(0)  # whatever it costs, the others get their turn

    def take(self, *chunks: Chunk) -> None:
        """The way of chunks that are here together, without a pause."""
        for _ in self.passes(chunks):
            pass

    def passes(self, chunks: Sequence[Chunk]) -> Iterator[None]:
        """The way of chunks that are here together, step by step: each takes some milliseconds at most.

        Windows that are complete are evaluated together, as many as go into one pass of the kernel. None
        waits for chunks that are not here.
        """
        for at, chunk in enumerate(chunks, start=1):
            self._place(chunk)
            enough = self._kernel.at_once if at < len(chunks) else 1
            more = True
            while more:
                if len(self._complete) >= enough:
                    self._evaluate()
                if self._joining:
                    self._publish(self._now_ns())
                yield
                more = len(self._complete) >= enough

    def look(self) -> None:
        """Declare gaps that no window followed, and judge how the stream is; once a second."""
        self._contained(self._look)

    def stop(self) -> None:
        """Close the account: what waits is published, the open window discarded, what is missing declared."""
        for step in (self._publish_all, self._windows.close, self._declare_gaps, self._health.closed):
            self._contained(step)

    def is_acquired_like(self, settings: WaveformSettings | ControllerSettings) -> bool:
        """Whether other settings differ from these in the description alone."""
        mine, theirs = self.settings, settings
        return isinstance(theirs, WaveformSettings) and (
            mine.source,
            mine.window,
            mine.features,
            mine.signal_channels(),
        ) == (
            theirs.source,
            theirs.window,
            theirs.features,
            theirs.signal_channels(),
        )

    def describe(self, machine: MachineFile, settings: WaveformSettings) -> bool:
        """Go on under another description; tells whether it differs."""
        before = self.meta
        self.publish_waiting()  # under the description that they were made under
        self.machine, self.settings = machine, settings
        self._describe()
        return self.meta is not before

    def publish_waiting(self) -> None:
        """Publish the windows that wait, for their turn or for their context, with what is known."""
        self._contained(self._publish_all)

    async def watch(self, seconds: float) -> TestReport:
        """Watch what arrives for some seconds, beside the usual work.

        Raises:
            ControlError: nothing arrived, with the reason.
        """
        observation, bad_before = Observation(self.source.signal), self._reading.bad_bytes
        self._observations.append(observation)
        try:
            await asyncio.sleep(seconds)
        finally:
            self._observations.remove(observation)
        bad_bytes = self._reading.bad_bytes - bad_before
        report = observation.report(bad_bytes, self.clock.measured_hz, through_daemon=True)
        if report is None:
            raise ControlError(self._health.reason or say.NOTHING_ARRIVES(name=self.name, seconds=seconds))
        return report

    def last_sample(self) -> tuple[int, int] | None:
        """Index and UTC microseconds of the newest sample; None before the first."""
        if not self.clock.end:
            return None
        index = self.clock.end - 1
        return index, self._stream.clock.utc_us(self.clock.glance_ns(index))

    def report(self) -> SourceReport:
        """How this stream is."""
        return self._health.report(
            self.settings.source.kind,
            self.source.origin,
            self.clock,
            self._windows.account(),
            self._reading.bad_bytes,
        )

    def _contained(self, step: Callable[[], None]) -> None:
        contained(self.name, step, lambda error: self._health.stumbled(_unexpected(error)))

    def _look(self) -> None:
        self._declare_gaps()
        self._publish(self._now_ns())
        self._health.look(self.clock, self._reading.bad_bytes)

    def _publish_all(self) -> None:
        self._evaluate_all()
        self._publish(None)

    def _describe(self) -> None:
        self._described = self._joining.context.points
        self._spindle = self._spindle_points()
        content = describe_waveform(self.machine, self.settings, self.source, self._joining.context)
        self._stream.describe(content)

    def _failed(self, failure: Sentence, pause_s: float) -> None:
        self._interrupted, self._reloaded = self.clock.end > 0, False
        self._health.failed(failure, pause_s)

    def _place(self, chunk: Chunk) -> None:
        """Place a chunk in time, and cut it into windows."""
        block = self.clock.place(self._after_interruption(chunk))
        if block.gap is not None and self._complete:  # what is before the gap is told before it
            self._evaluate_all()
            self._publish(self._now_ns())
        self._note(chunk, block)
        for window in self._windows.push(block):
            self._declare_gaps()
            self._complete.append(placed(window, self.clock))

    def _evaluate_all(self) -> None:
        while self._complete:
            self._evaluate()

    def _evaluate(self) -> None:
        """One pass of the kernel over the oldest complete windows that have one rate: one frequency axis."""
        rate_hz = self._complete[0].rate_hz
        alike = takewhile(lambda window: window.rate_hz == rate_hz, self._complete)
        windows = list(islice(alike, self._kernel.at_once))
        del self._complete[: len(windows)]
        carry = self._spindle.speed is not None and self._speed_features.wanted
        values = self._kernel.compute_all([of.window for of in windows], rate_hz, carry=carry)
        for of, figures in zip(windows, values, strict=True):
            made, window = evaluated(of, figures, self.source.signal), of.window
            adjoins, self._cut_to = window.first == self._cut_to, window.first + window.n
            self._joining.wait(made, made.first_ns, made.last_ns, self._now_ns(), adjoins=adjoins)

    def _publish(self, now_ns: int | None) -> None:
        """Publish the windows that have waited for their context; with None, all of them."""
        if self._joining.context.points is not self._described:
            self._describe()
        for finished, context in self._joining.due(now_ns):
            known = turning(context, self._spindle, self.machine.teeth)
            window = at_speed(finished, self._speed_features, known)
            self._records.features(window, context)
            self._health.published(window.quality)
            if self.machine_state is not None:
                self.machine_state.window(self.settings.name, window, context)

    def _spindle_points(self) -> SpindlePoints:
        """Which of the context's points tell how the spindle turns."""
        points = {path: history.point for path, (_, history) in self._described.items()}
        return spindle_points(self.machine.machine.spindle, points)

    def _now_ns(self) -> int:
        return self._stream.clock.monotonic_ns()

    def _after_interruption(self, chunk: Chunk) -> Chunk:
        """The first samples after an interruption carry the loss of all that came between."""
        if not self._interrupted:
            return chunk
        self._interrupted = False
        return replace(chunk, run=replace(chunk.run, loss=Loss(LossCause.RECONNECT)))

    def _note(self, chunk: Chunk, block: Block) -> None:
        self._health.arrived(chunk.arrived_ns)
        for observation in self._observations:
            observation.add(chunk, block)
        if self.stopped is not None:
            before = self.stopped
            self._records.restart_gap(
                before.epoch, before.t_us, self.clock.time_ns(block.first), from_sync=before.sync
            )
            self.stopped = None
        if block.gap is not None and (block.gap.lost or block.gap.estimated):
            self._undeclared.append(block.gap)
            self._health.gap(block.gap, by_reload=self._reloaded)
        self._reloaded = False

    def _declare_gaps(self) -> None:
        if self._undeclared:
            gaps, self._undeclared = self._undeclared, []  # what fails once must not fail for ever
            self._records.gaps(gaps, self.clock)


def _unexpected(error: BaseException) -> Sentence:
    return say.SOURCE_BUG(kind=type(error).__name__, message=str(error)[:200])
