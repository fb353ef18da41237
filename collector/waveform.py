"""One waveform stream: the way of its samples from the device to records, and how it is doing.

`collect` shows the order; `keep` stays at it for ever. Whatever goes wrong here concerns this stream alone.
"""

import asyncio
import random
from collections import deque
from contextlib import aclosing
from dataclasses import dataclass, replace

import structlog

from collector.config import MachineFile, WaveformSettings
from collector.errors import ControlError, SourceError
from collector.features import Kernel, flags, per_channel
from collector.health import Account, Condition, Said, SourceReport, State, TestReport
from collector.journal import Journal
from collector.messages import Alarm, Features, Gap, Meta, meta_hash
from collector.metadata import describe
from collector.observe import Observation
from collector.sample_clock import SampleClock
from collector.samples import Block, Chunk, Loss, LossCause, RateState, Window
from collector.samples import Gap as Missing
from collector.sources import describe_source
from collector.sources.reader import Reading, read_chunks
from collector.texts import Sentence, Text
from collector.texts import gateway as say
from collector.windows import Windows

RATE_TOLERANCE = 0.05
"""A measured rate further than this from the configured one is an alarm."""
_LOSS_SHOWN_NS = 60_000_000_000
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 30.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Stopped:
    """How far a stream had come in the run before: the epoch, and UTC of the last sample known."""

    epoch: str
    t_us: int


class Waveform:
    """A configured waveform of a machine.

    `before` is what it replaces on a reload, `stopped` where the run before ended.
    """

    def __init__(
        self,
        machine: MachineFile,
        settings: WaveformSettings,
        journal: Journal,
        *,
        before: "Waveform | None" = None,
        stopped: Stopped | None = None,
    ) -> None:
        self.machine = machine
        self.settings = settings
        self.name = f"{machine.name}/{settings.name}"
        self.source = describe_source(settings.source, settings.signal_channels())
        self.clock = (
            before.clock.succeeded_by(self.source.signal) if before else SampleClock(self.source.signal)
        )
        self._reading = Reading()
        self._watching: list[Observation] = []
        self._journal = journal
        signal = self.source.signal
        n, hop = settings.window.resolve(signal.rate_hz)
        self._windows = Windows(len(signal.channels), n, hop)
        self._kernel = Kernel(settings.features, signal.channels, n)
        self._channel_names = [channel.name for channel in signal.channels]
        self._gaps: list[Missing] = []
        self._stopped = stopped
        self._condition = Condition(State.STARTING, journal.clock.now_us())
        self._event_topic = journal.topics.of(machine.name, settings.name, "event")
        self._features_topic = journal.topics.of(machine.name, settings.name, "features")
        content = describe(machine, settings, self.source, n, hop)
        self._meta = meta_hash(content)
        self.meta = journal.record(
            Meta,
            journal.topics.of(machine.name, settings.name, "meta"),
            journal.clock.monotonic_ns(),
            meta=self._meta,
            retain=True,
            content=content,
        )
        self._interrupted = before is not None and before.clock.end > 0
        self._window_count = self._gap_count = self._reopened = 0
        self._estimated = False
        self._last_data_ns: int | None = None
        self._recent_losses: deque[tuple[int, Missing]] = deque()
        self._bad_bytes: deque[tuple[int, int]] = deque()  # (when, how many so far), of the last minute
        self._last_flags: list[str] = []
        self._last_error: tuple[Sentence, int] | None = None
        self._retry_ns: int | None = None

    async def keep(self) -> None:
        """Collect for as long as there is data, opening the device again whatever happens to it."""
        pause_s = _FIRST_PAUSE_S
        while True:
            windows = self._window_count
            try:
                await self.collect()
            except SourceError as error:
                self._fail(error.sentence)
            except Exception as error:
                # Libraries raise anything on odd devices; contained here, it stops this stream only.
                log.exception("source.unexpected", source=self.name)
                self._fail(say.SOURCE_BUG(kind=type(error).__name__, message=str(error)[:200]))
            else:
                self._windows.close()
                self._enter(State.FINISHED)
                return
            if self._window_count > windows:
                pause_s = _FIRST_PAUSE_S
            wait_s = pause_s * random.uniform(0.5, 1.0)  # noqa: S311 (spreads retries, no secret)
            self._retry_ns = self._journal.clock.monotonic_ns() + int(wait_s * 1e9)
            await asyncio.sleep(wait_s)
            self._retry_ns = None
            self._reopened += 1
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def collect(self) -> None:
        """Open the device and take its samples all the way to the outbox, until it ends or fails."""
        silent_after_s = getattr(self.settings.source, "silent_after_s", None)
        async with aclosing(read_chunks(self.source, silent_after_s, self._reading)) as arriving:
            async for chunks in arriving:
                for chunk in chunks:
                    block = self.clock.place(self._after_interruption(chunk))
                    self._note(chunk, block)
                    for window in self._windows.push(block):
                        self._declare_gaps()
                        self._publish(window)

    def look(self) -> None:
        """Judge how the stream is, and declare gaps that no window followed; once a second."""
        self._declare_gaps()
        if (
            self._retry_ns is not None
            or self._condition.state is State.FINISHED
            or self._last_data_ns is None
        ):
            return
        now_ns = self._journal.clock.monotonic_ns()
        for recent in (self._recent_losses, self._bad_bytes):
            while recent and now_ns - recent[0][0] > _LOSS_SHOWN_NS:
                recent.popleft()
        self._bad_bytes.append((now_ns, self._reading.bad_bytes))
        reason = self._complaint()
        self._enter(State.DEGRADED if reason else State.OK, reason)

    def stop(self) -> None:
        """Close the account: the open window is discarded, and what is missing so far declared."""
        self._windows.close()
        self._declare_gaps()

    async def watch(self, seconds: float) -> TestReport:
        """Watch what arrives for some seconds, beside the usual work.

        Raises:
            ControlError: nothing arrived; why it did not is in the report.
        """
        observation, bad_before = Observation(self.source.signal), self._reading.bad_bytes
        self._watching.append(observation)
        try:
            await asyncio.sleep(seconds)
        finally:
            self._watching.remove(observation)
        report = observation.report(self._reading.bad_bytes - bad_before, through_daemon=True)
        if report is None:
            raise ControlError(self._condition.reason or say.NOTHING_ARRIVES(name=self.name, seconds=seconds))
        return report

    def last_sample(self) -> tuple[int, int] | None:
        """Index and UTC microseconds of the newest sample; None before the first."""
        if not self.clock.end:
            return None
        index = self.clock.end - 1
        return index, self._journal.clock.utc_us(self.clock.time_ns(index))

    def report(self) -> SourceReport:
        """How this stream is."""
        now_ns, account = self._journal.clock.monotonic_ns(), self._windows.account()
        error, error_us = self._last_error or (None, None)
        return SourceReport(
            state=self._condition.state,
            since_us=self._condition.since_us,
            reason=Said.of(self._condition.reason) if self._condition.reason else None,
            kind=self.settings.source.kind,
            origin=self.source.origin,
            nominal_hz=self.source.signal.rate_hz,
            measured_hz=self.clock.measured_hz,
            rate_state=self.clock.rate_state,
            last_data_us=None
            if self._last_data_ns is None
            else self._journal.clock.utc_us(self._last_data_ns),
            last_data_age_s=None if self._last_data_ns is None else (now_ns - self._last_data_ns) / 1e9,
            windows=self._window_count,
            fed=account.fed,
            advanced=account.advanced,
            discarded=account.discarded,
            lost=account.lost,
            open=account.open,
            gaps=self._gap_count,
            lost_estimated=self._estimated,
            bad_bytes=self._reading.bad_bytes,
            reopened=self._reopened,
            last_error=Said.of(error) if error else None,
            last_error_us=error_us,
            next_retry_s=None if self._retry_ns is None else max(0.0, (self._retry_ns - now_ns) / 1e9),
        )

    @property
    def account(self) -> Account:
        """Where every sample went."""
        return self._windows.account()

    def _after_interruption(self, chunk: Chunk) -> Chunk:
        """The first samples after an interruption carry the loss of all that came between."""
        self._last_data_ns = chunk.arrived_ns
        if not self._interrupted:
            return chunk
        self._interrupted = False
        return replace(chunk, run=replace(chunk.run, loss=Loss(LossCause.RECONNECT)))

    def _note(self, chunk: Chunk, block: Block) -> None:
        for observation in self._watching:
            observation.add(chunk, block)
        if self._stopped is not None:
            self._declare_restart(self._stopped, self.clock.time_ns(block.first))
            self._stopped = None
        if block.gap is not None:
            self._gaps.append(block.gap)
            self._gap_count += 1
            self._estimated |= block.gap.estimated
            self._recent_losses.append((self._journal.clock.monotonic_ns(), block.gap))

    def _publish(self, window: Window) -> None:
        """Window -> features -> record -> outbox."""
        rate_hz = self.clock.axis_hz
        values = self._kernel.compute(window.samples, rate_hz)
        self._last_flags = flags(values)
        self._journal.record(
            Features,
            self._features_topic,
            self.clock.time_ns(window.first),
            meta=self._meta,
            first=window.first,
            n=window.n,
            hop=window.hop,
            rate_hz=rate_hz,
            rate_state=self.clock.rate_state,
            measured_hz=self.clock.measured_hz,
            lost=window.lost,
            clipped=int(values.clipped.sum()),
            quality=self._last_flags,
            channels=dict(zip(self._channel_names, per_channel(values), strict=True)),
        )
        self._window_count += 1

    def _declare_restart(self, stopped: Stopped, resumed_ns: int) -> None:
        """The time between two runs of the daemon is a gap like any other."""
        self._journal.record(
            Gap,
            self._event_topic,
            resumed_ns,
            meta=self._meta,
            cause="restart",
            first=None,
            lost=None,
            estimated=True,
            from_us=stopped.t_us,
            to_us=self._journal.clock.utc_us(resumed_ns),
            previous_epoch=stopped.epoch,
        )

    def _declare_gaps(self) -> None:
        """Publish what is missing, the gaps since the last time as one record."""
        if not self._gaps:
            return
        first, last = self._gaps[0], self._gaps[-1]
        after = last.first + last.lost
        utc_us, at_ns = self._journal.clock.utc_us, self.clock.time_ns(first.first - 1)
        self._journal.record(
            Gap,
            self._event_topic,
            at_ns,
            meta=self._meta,
            cause=max(self._gaps, key=lambda gap: gap.lost).cause,
            first=first.first,
            lost=sum(gap.lost for gap in self._gaps),
            estimated=any(gap.estimated for gap in self._gaps),
            gaps=len(self._gaps),
            from_us=utc_us(at_ns),
            to_us=utc_us(self.clock.time_ns(after)),
        )
        self._gaps.clear()

    def _complaint(self) -> Sentence | None:
        """What an operator should know of a stream that delivers."""
        if self._recent_losses:
            lost = sum(gap.lost for _, gap in self._recent_losses)
            return _LOSSES[self._recent_losses[-1][1].cause](lost=lost)
        bad_bytes = self._bad_bytes[-1][1] - self._bad_bytes[0][1]
        if bad_bytes:
            return say.DISTURBED(bytes=bad_bytes)
        measured, nominal = self.clock.measured_hz, self.source.signal.rate_hz
        if self.clock.rate_state is RateState.MEASURED and measured is not None:
            off = measured / nominal - 1
            if abs(off) > RATE_TOLERANCE:
                return say.RATE_OFF(measured=round(measured, 2), nominal=nominal, percent=round(100 * off, 1))
        for flag in self._last_flags:
            if flag in _FLAGS:
                return _FLAGS[flag]()
        return None

    def _fail(self, sentence: Sentence) -> None:
        log.warning("source.failed", source=self.name, code=sentence.code, reason=str(sentence))
        self._interrupted = self.clock.end > 0
        self._bad_bytes.clear()  # the rest of a frame after opening is no disturbance
        self._last_error = (sentence, self._journal.clock.now_us())
        self._enter(State.FAILED, sentence)

    def _enter(self, state: State, reason: Sentence | None = None) -> None:
        """Change the condition, and publish an alarm when the reason changes."""
        before = self._condition.reason
        self._condition.change(state, self._journal.clock.now_us(), reason)
        if (before and before.code) == (reason and reason.code):
            return
        for sentence, active in ((before, False), (reason, True)):
            if sentence is not None:
                self._journal.record(
                    Alarm,
                    self._event_topic,
                    self._journal.clock.monotonic_ns(),
                    meta=self._meta,
                    code=sentence.code,
                    text=str(sentence),
                    active=active,
                )


_LOSSES: dict[LossCause, Text] = {
    LossCause.DEVICE: say.LOSING_DEVICE,
    LossCause.GARBAGE: say.LOSING_GARBAGE,
    LossCause.OVERRUN: say.LOSING_OVERRUN,
    LossCause.RECONNECT: say.LOSING_RECONNECT,
    LossCause.LATE: say.LOSING_LATE,
}

_FLAGS: dict[str, Text] = {"stuck": say.STUCK, "clipped": say.CLIPPED}
