"""How one stream is: its condition with the reason, judged from what was lost and what came lately.

What is judged here changes nothing in the stream; it is shown, and published as alarms.
"""

from collections import deque

import structlog

from collector.health import Account, Condition, Said, SourceReport, State
from collector.sample_clock import SampleClock
from collector.samples import Gap, LossCause, RateState
from collector.stream_records import StreamRecords
from collector.texts import Sentence, Text
from collector.texts import gateway as say

RATE_TOLERANCE = 0.05
"""A measured rate further than this from the configured one needs attention."""
_LOSS_SHOWN_NS = 60_000_000_000
_WINDOWLESS_NS = 10_000_000_000

_LOSSES: dict[LossCause, Text] = {
    LossCause.DEVICE: say.LOSING_DEVICE,
    LossCause.GARBAGE: say.LOSING_GARBAGE,
    LossCause.OVERRUN: say.LOSING_OVERRUN,
    LossCause.RECONNECT: say.LOSING_RECONNECT,
    LossCause.LATE: say.LOSING_LATE,
}
_FLAGS: dict[str, Text] = {"stuck": say.STUCK, "clipped": say.CLIPPED}

log = structlog.get_logger(__name__)


class StreamHealth:
    """The condition of a stream, told by those who know, and judged once a second."""

    def __init__(self, name: str, nominal_hz: float, window_n: int, records: StreamRecords) -> None:
        self._name = name
        self._window_n = window_n
        self._patience_ns = max(_WINDOWLESS_NS, round(3e9 * window_n / nominal_hz))
        self._nominal_hz = nominal_hz
        self._records = records
        self._clock = records.clock
        self._condition = Condition(self._clock)
        self._windows = self._gaps = self._reopened = 0
        self._estimated = False
        self._last_data_ns: int | None = None
        self._windowless_since_ns: int | None = None
        self._recent_losses: deque[tuple[int, Gap]] = deque()
        self._bad_bytes: deque[tuple[int, int]] = deque()  # (when, how many so far), of the last minute
        self._quality: list[str] = []
        self._last_error: tuple[Sentence, int] | None = None
        self._retry_ns: int | None = None

    @property
    def windows(self) -> int:
        """Windows published so far."""
        return self._windows

    @property
    def reason(self) -> Sentence | None:
        """What is wrong; None while all is well."""
        return self._condition.reason

    def arrived(self, at_ns: int) -> None:
        """Samples have come."""
        self._last_data_ns = at_ns
        if self._windowless_since_ns is None:
            self._windowless_since_ns = at_ns

    def gap(self, gap: Gap) -> None:
        """Samples are missing."""
        self._gaps += 1
        self._estimated |= gap.estimated
        self._recent_losses.append((self._clock.monotonic_ns(), gap))

    def published(self, quality: list[str]) -> None:
        """A window has been published with these quality flags."""
        self._windows += 1
        self._windowless_since_ns = None
        self._quality = quality

    def finished(self) -> None:
        """The recording has come to its end."""
        self._enter(State.FINISHED)

    def failed(self, sentence: Sentence, retry_s: float) -> None:
        """The device is lost; it is tried again after this time."""
        log.warning("source.failed", source=self._name, code=sentence.code, reason=str(sentence))
        self._retry_ns = self._clock.monotonic_ns() + int(retry_s * 1e9)
        self._windowless_since_ns = None
        self._bad_bytes.clear()  # the rest of a frame after opening is no disturbance
        self._last_error = (sentence, self._clock.monotonic_ns())
        self._enter(State.FAILED, sentence)

    def trying_again(self) -> None:
        """The device is being opened again."""
        self._retry_ns = None
        self._reopened += 1

    def look(self, clock: SampleClock, bad_bytes: int) -> None:
        """Judge a stream that delivers; once a second. `bad_bytes` counts from the start of the daemon."""
        now_ns = self._clock.monotonic_ns()
        if self._last_data_ns is None or self._condition.state is State.FINISHED:
            return
        failed_ns = self._last_error[1] if self._last_error else 0
        if self._retry_ns is not None or self._last_data_ns < failed_ns:
            return  # nothing has come since the last failure
        for recent in (self._recent_losses, self._bad_bytes):
            while recent and now_ns - recent[0][0] > _LOSS_SHOWN_NS:
                recent.popleft()
        self._bad_bytes.append((now_ns, bad_bytes))
        complaint = self._complaint(clock)
        self._enter(State.DEGRADED if complaint else State.OK, complaint)

    def report(
        self, kind: str, origin: str, clock: SampleClock, account: Account, bad_bytes: int
    ) -> SourceReport:
        """Everything that `collector status` shows of the stream."""
        now_ns, last_ns = self._clock.monotonic_ns(), self._last_data_ns
        error, failed_ns = self._last_error or (None, 0)
        return SourceReport(
            **self._condition.facts(),
            kind=kind,
            origin=origin,
            nominal_hz=self._nominal_hz,
            measured_hz=clock.measured_hz,
            rate_state=clock.rate_state,
            last_data_us=None if last_ns is None else self._clock.utc_us(last_ns),
            last_data_age_s=None if last_ns is None else (now_ns - last_ns) / 1e9,
            windows=self._windows,
            fed=account.fed,
            advanced=account.advanced,
            discarded=account.discarded,
            lost=account.lost,
            open=account.open,
            gaps=self._gaps,
            lost_estimated=self._estimated,
            bad_bytes=bad_bytes,
            reopened=self._reopened,
            last_error=Said.of(error) if error else None,
            last_error_us=self._clock.utc_us(failed_ns) if error else None,
            next_retry_s=None if self._retry_ns is None else max(0.0, (self._retry_ns - now_ns) / 1e9),
        )

    def _complaint(self, clock: SampleClock) -> Sentence | None:
        """What an operator should know of a stream that delivers."""
        if self._windowless_since_ns is not None and self._last_data_ns is not None:
            waited_ns = self._last_data_ns - self._windowless_since_ns
            if waited_ns > self._patience_ns:
                return say.NO_WINDOWS(seconds=waited_ns // 1_000_000_000, n=self._window_n)
        if self._recent_losses:
            lost = sum(gap.lost for _, gap in self._recent_losses)
            return _LOSSES[self._recent_losses[-1][1].cause](lost=lost)
        bad_bytes = self._bad_bytes[-1][1] - self._bad_bytes[0][1]
        if bad_bytes:
            return say.DISTURBED(bytes=bad_bytes)
        if clock.rate_state is RateState.MEASURED:
            off = clock.axis_hz / self._nominal_hz - 1
            if abs(off) > RATE_TOLERANCE:
                measured, percent = round(clock.axis_hz, 2), round(100 * off, 1)
                return say.RATE_OFF(measured=measured, nominal=self._nominal_hz, percent=percent)
        return next((_FLAGS[flag]() for flag in self._quality if flag in _FLAGS), None)

    def _enter(self, state: State, reason: Sentence | None = None) -> None:
        """Change the condition, and publish an alarm when the reason changes."""
        before = self._condition.reason
        self._condition.change(state, reason)
        if (before and before.code) == (reason and reason.code):
            return
        if before is not None:
            self._records.alarm(before, active=False)
        if reason is not None:
            self._records.alarm(reason, active=True)
