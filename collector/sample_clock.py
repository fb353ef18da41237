"""Where samples stand in time: index -> monotonic time, the measured rate, and what is missing; pure.

Arrival is one-sided: a sample can come late, never early. So the line through the *lower envelope* of arrival
against index is the device's own clock, and lateness that is made up for is not loss. The decision and its
measurements: docs/decisions/0007-sample-clock.md. How the line is fitted is in prompt_arrivals.py.
"""

import math

import numpy as np
import numpy.typing as npt

from collector.prompt_arrivals import PromptArrivals
from collector.samples import Block, Chunk, Gap, Loss, LossCause, RateState, Signal

_NS = 1_000_000_000
_START_UP_NS = 2 * _NS
"""Arrivals this soon after opening are left out: buffers on the way are still draining."""
_BUCKET_NS = _NS // 4
_GROWTH_NS = 2_000_000
"""Lateness that grows by more than this in 4 s, and by more than jitter, is another rate: a loss stays."""
_BUCKETS = 480
"""Two minutes of bucket minima set the line."""
_FEWEST = 8
"""So many buckets make a line."""
_REFIT_PARTS = 16
"""A new fit once a sixteenth of the buckets are new."""
_SETTLED_SPAN_NS = 5 * _NS
_SETTLED_ERROR = 1.5e-3
"""The rate counts as measured once its estimated relative error is below this."""
_DOUBT_S = 0.5
"""A device that counts more lost samples than there was time for, by this much, is not believed."""
_SILENCE_NS = _NS
_LATE_NS = 50_000_000
_EARLY_BUCKETS = 4
"""A stream that is early by `_LATE_NS` for so many buckets (1 s) has another rate: no sample comes early."""
_LATE_BUCKETS = 20
"""Samples vanished once a stream stayed late by `_LATE_NS` for so many buckets (5 s)."""


class SampleClock:
    """The clock of one stream, for as long as the daemon runs; indices never restart.

    Not safe for threads; everything happens where blocks are made.
    """

    def __init__(self, signal: Signal) -> None:
        self._nominal_hz = signal.rate_hz
        self._exact = signal.rate_exact
        self._period_ns = _NS / signal.rate_hz
        self._origin_index = 0
        self._origin_ns: float | None = None
        self._end = 0
        self._settled = False
        self._rate_known = False
        self._measured_from_ns = 0
        self._arrived_ns = 0
        self._prompt = PromptArrivals(_BUCKETS)
        self._bucket = (0, 0)
        """Index and time of the promptest arrival since the last bucket ended."""
        self._bucket_delay_ns = math.inf
        """How late it came; without end while there is none."""
        self._bucket_ends_ns = 0
        self._unfitted = 0
        self._vanished = 0
        self._last_index, self._last_ns = 0, 0

    def succeeded_by(self, signal: Signal) -> "SampleClock":
        """The clock of the same stream under another signal; indices and times go on from here."""
        heir = SampleClock(signal)
        if self._origin_ns is not None:
            heir._end = heir._origin_index = self._end
            heir._origin_ns = self._origin_ns + (self._end - self._origin_index) * self._period_ns
        return heir

    @property
    def end(self) -> int:
        """The index that the next sample gets."""
        return self._end

    @property
    def rate_state(self) -> RateState:
        """How far `measured_hz` can be trusted."""
        if self._exact:
            return RateState.EXACT
        if self._settled:
            return RateState.MEASURED
        return RateState.SETTLING if self._prompt else RateState.NOMINAL

    @property
    def measured_hz(self) -> float | None:
        """The rate of the line as it stands; None before anything was measured."""
        if self._exact:
            return self._nominal_hz
        return _NS / self._period_ns if self._rate_known else None

    @property
    def axis_hz(self) -> float:
        """The rate that sets frequency axes: the measured one once settled, else the nominal one."""
        return _NS / self._period_ns if self._settled else self._nominal_hz

    def time_ns(self, index: int) -> int:
        """Monotonic time of a sample, for non-decreasing indices.

        A new fit moves the line by less than the jitter of arrival. Should that ever squeeze two samples
        together, the later one keeps at least half of its distance, so that times never go back.
        """
        at_ns = self.glance_ns(index)
        self._last_index, self._last_ns = index, at_ns
        return at_ns

    def glance_ns(self, index: int) -> int:
        """What `time_ns` would say now of a sample; the next one that is asked for may lie before it."""
        if self._origin_ns is None:
            raise ValueError("no sample has been placed yet")
        at_ns = round(self._origin_ns + (index - self._origin_index) * self._period_ns)
        if index >= self._last_index and self._last_ns:
            at_ns = max(at_ns, self._last_ns + round((index - self._last_index) * self._period_ns / 2))
        return at_ns

    def place(self, chunk: Chunk) -> Block:
        """Give the samples of a chunk their indices, and declare what is missing before them."""
        n = chunk.run.samples.shape[1]
        if self._origin_ns is None:
            self._start(chunk, n)
        loss = chunk.run.loss if self._end else None  # nothing is missing before the first sample
        if loss is None and self._was_silent(chunk, n):
            loss = Loss(LossCause.LATE, 0)  # nothing known to be missing, but no window may span it
        self._arrived_ns = chunk.arrived_ns
        gap = self._gap(loss, chunk, n) if loss is not None or self._vanished else None
        first = self._end + (gap.lost if gap else 0)
        self._end = first + n
        if loss is not None and loss.cause is LossCause.RECONNECT:
            self._begin_fit(chunk.arrived_ns)
        if not self._exact and n:
            self._observe(self._end - 1, chunk.arrived_ns)
        return Block(first, chunk.run.samples, gap)

    def _start(self, chunk: Chunk, n: int) -> None:
        self._origin_ns = chunk.arrived_ns - (n - 1) * self._period_ns
        self._begin_fit(chunk.arrived_ns)

    def _begin_fit(self, at_ns: int) -> None:
        """Start measuring anew after a (re)opening; the rate known so far stays in use."""
        self._prompt.forget(len(self._prompt))
        self._bucket_delay_ns = math.inf
        self._measured_from_ns = self._bucket_ends_ns = at_ns + _START_UP_NS
        self._vanished = 0

    def _gap(self, loss: Loss | None, chunk: Chunk, n: int) -> Gap:
        """What is missing before a chunk; a loss that turns out as nothing still breaks the run."""
        lost, self._vanished = self._vanished, 0
        estimated, cause = lost > 0, LossCause.LATE
        if loss is not None:
            cause = loss.cause
            counted, guessed = self._resolve(loss, chunk, n, self._end + lost)
            lost, estimated = lost + counted, estimated or guessed
        return Gap(cause, self._end, lost, estimated)

    def _was_silent(self, chunk: Chunk, n: int) -> bool:
        """Whether the device paused and did not bring the samples of the pause: they may be lost."""
        if self._exact or not self._end:
            return False
        silence_ns = chunk.arrived_ns - self._arrived_ns
        return silence_ns > _SILENCE_NS and n * self._period_ns < silence_ns / 2

    def _resolve(self, loss: Loss, chunk: Chunk, n: int, end: int) -> tuple[int, bool]:
        """The number of samples from `end` on that a loss stands for, and whether it is estimated."""
        assert self._origin_ns is not None
        due = self._origin_index + (chunk.arrived_ns - self._origin_ns) / self._period_ns - (n - 1)
        missing = max(0, round(due) - end)
        if loss.samples is None:
            return missing, True
        if not self._exact and loss.samples > missing + _DOUBT_S * _NS / self._period_ns:
            # No sample arrives before it was taken: the device's counter was set back, or is disturbed.
            return missing, True
        if loss.modulus is not None and missing - loss.samples > loss.modulus:
            turns = round((missing - loss.samples) / loss.modulus)
            return loss.samples + turns * loss.modulus, True
        return loss.samples, loss.estimated

    def _observe(self, index: int, at_ns: int) -> None:
        """Keep the promptest arrival of each bucket and fit the line when a bucket ends."""
        if at_ns < self._measured_from_ns:
            return
        assert self._origin_ns is not None
        if at_ns >= self._bucket_ends_ns:
            self._bucket_ends_ns = at_ns + _BUCKET_NS
            if self._bucket_delay_ns < math.inf:
                self._prompt.add(*self._bucket)
                self._fit(self._bucket_delay_ns)
                self._bucket_delay_ns = math.inf
        delay_ns = at_ns - self._origin_ns - (index - self._origin_index) * self._period_ns
        if delay_ns < self._bucket_delay_ns:
            self._bucket, self._bucket_delay_ns = (index, at_ns), delay_ns

    def _fit(self, delay_ns: float) -> None:
        """Fit the line to the arrivals, of which the newest came so much later than the line until now."""
        self._unfitted += 1
        if self._settled:
            self._forget_if_early(delay_ns)
        if self._settled and delay_ns >= _LATE_NS and self._is_late():
            return
        if len(self._prompt) < _FEWEST or self._unfitted * _REFIT_PARTS < len(self._prompt):
            return
        self._unfitted = 0
        line = self._prompt.line()
        self._period_ns = line.period_ns
        self._origin_index, self._origin_ns = line.origin_index, line.origin_ns
        self._rate_known = True
        if line.span_ns >= _SETTLED_SPAN_NS and line.error < _SETTLED_ERROR:
            self._settled = True

    def _forget_if_early(self, delay_ns: float) -> None:
        """Start measuring anew where samples come before their time: the device has become faster."""
        if delay_ns >= -_LATE_NS / 5:
            return  # the usual case: the newest one is not early, so neither are all of the recent ones
        for kept, early_ns in ((_EARLY_BUCKETS, _LATE_NS), (_LATE_BUCKETS, _LATE_NS / 5)):
            delays = self._delays(kept)
            if self._settled and len(delays) == kept and delays.max() < -early_ns:
                self._measure_anew(kept)

    def _measure_anew(self, kept: int) -> None:
        """Trust only the newest arrivals, and no rate until it has settled again."""
        self._settled = False
        self._prompt.forget(len(self._prompt) - kept)

    def _delays(self, n: int) -> npt.NDArray[np.float64]:
        """How much later than the line the newest arrivals came, in nanoseconds."""
        assert self._origin_ns is not None
        index, at_ns = self._prompt.newest(n)
        return at_ns - self._origin_ns - (index - self._origin_index) * self._period_ns

    def _is_late(self) -> bool:
        """Whether the stream has stayed behind its line for long: samples vanished, or the rate changed."""
        if len(self._prompt) < 2 * _LATE_BUCKETS:
            return False
        delays = self._delays(_LATE_BUCKETS)
        if delays.min() < _LATE_NS:
            return False
        part = _LATE_BUCKETS // 4
        growth_ns = float(np.median(delays[-part:]) - np.median(delays[:part]))
        jitter_ns = float(np.median(np.abs(np.diff(delays))))
        if abs(growth_ns) > max(_GROWTH_NS, 2 * jitter_ns):  # another rate, not a loss
            self._measure_anew(_LATE_BUCKETS)
            return False
        self._vanished = round(float(np.median(delays)) / self._period_ns)
        self._prompt.move(_LATE_BUCKETS, self._vanished)
        return self._vanished > 0
