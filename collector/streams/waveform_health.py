"""How one waveform is: its condition with the reason, judged from what was lost and what came lately.

What is judged here changes nothing in what is read; it is shown, and published as alarms.
"""

from collections import deque

from collector.features import RATE_TOLERANCE
from collector.health import Account, SourceReport, State
from collector.sample_clock import SampleClock
from collector.samples import Gap, LossCause, RateState
from collector.streams.source_health import SourceHealth
from collector.streams.stream_records import StreamRecords
from collector.texts import Sentence, Text
from collector.texts import gateway as say

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


class WaveformHealth:
    """The condition of a waveform, told by those who know, and judged once a second."""

    def __init__(self, name: str, nominal_hz: float, window_n: int, records: StreamRecords) -> None:
        self._window_n = window_n
        self._patience_ns = max(_WINDOWLESS_NS, round(3e9 * window_n / nominal_hz))
        self._nominal_hz = nominal_hz
        self._clock = records.clock
        self._source = SourceHealth(name, records)
        self._windows = self._gaps = 0
        self._estimated = False
        self._windowless_since_ns: int | None = None
        self._recent_losses: deque[tuple[int, Gap]] = deque()
        self._reloaded: tuple[int, Gap] | None = None  # what the reload cost that configured it anew
        self._bad_bytes: deque[tuple[int, int]] = deque()  # (when, how many so far), of the last minute
        self._quality: list[str] = []

    @property
    def windows(self) -> int:
        """Windows published so far."""
        return self._windows

    @property
    def reason(self) -> Sentence | None:
        """What is wrong; None while all is well."""
        return self._source.reason

    def arrived(self, at_ns: int) -> None:
        """Samples have come."""
        self._source.arrived(at_ns)
        if self._windowless_since_ns is None:
            self._windowless_since_ns = at_ns

    def gap(self, gap: Gap, *, by_reload: bool = False) -> None:
        """Samples are missing; those that a reload cost are no reason to call anybody."""
        self._gaps += 1
        self._estimated |= gap.estimated
        recent = self._clock.monotonic_ns(), gap
        if by_reload:
            self._reloaded = recent
        else:
            self._recent_losses.append(recent)

    def published(self, quality: list[str]) -> None:
        """A window has been published with these quality flags."""
        self._windows += 1
        self._windowless_since_ns = None
        self._quality = quality

    def finished(self) -> None:
        """The recording has come to its end."""
        self._source.enter(State.FINISHED)

    def failed(self, sentence: Sentence, retry_s: float) -> None:
        """The device is lost; it is tried again after this time."""
        self._windowless_since_ns = None
        self._bad_bytes.clear()  # the rest of a frame after opening is no disturbance
        self._source.failed(sentence, retry_s)

    def stumbled(self, sentence: Sentence) -> None:
        """Something unexpected came of what it delivered."""
        self._source.enter(State.FAILED, sentence)

    def closed(self) -> None:
        """The waveform is taken out, or made anew."""
        self._source.closed()

    def trying_again(self) -> None:
        """The device is being opened again."""
        self._source.trying_again()

    def look(self, clock: SampleClock, bad_bytes: int) -> None:
        """Judge a waveform that delivers; once a second. `bad_bytes` counts from the start of the daemon."""
        if self._source.finished or not self._source.delivering:
            return
        now_ns = self._clock.monotonic_ns()
        for recent in (self._recent_losses, self._bad_bytes):
            while recent and now_ns - recent[0][0] > _LOSS_SHOWN_NS:
                recent.popleft()
        self._bad_bytes.append((now_ns, bad_bytes))
        complaint = self._complaint(clock)
        self._source.enter(State.DEGRADED if complaint else State.OK, complaint or self._remark(now_ns))

    def report(
        self, kind: str, origin: str, clock: SampleClock, account: Account, bad_bytes: int
    ) -> SourceReport:
        """Everything that `collector status` shows of the waveform."""
        return SourceReport(
            **self._source.facts(),
            kind=kind,
            origin=origin,
            nominal_hz=self._nominal_hz,
            measured_hz=clock.measured_hz,
            rate_state=clock.rate_state,
            windows=self._windows,
            fed=account.fed,
            advanced=account.advanced,
            discarded=account.discarded,
            lost=account.lost,
            open=account.open,
            gaps=self._gaps,
            lost_estimated=self._estimated,
            bad_bytes=bad_bytes,
        )

    def _remark(self, now_ns: int) -> Sentence | None:
        """What is worth telling of a waveform about which there is nothing to complain."""
        if self._reloaded is None or now_ns - self._reloaded[0] > _LOSS_SHOWN_NS:
            return None
        return say.RECONFIGURED(lost=self._reloaded[1].lost)

    def _complaint(self, clock: SampleClock) -> Sentence | None:
        """What an operator should know of a waveform that delivers."""
        last_data_ns = self._source.last_data_ns
        if self._windowless_since_ns is not None and last_data_ns is not None:
            waited_ns = last_data_ns - self._windowless_since_ns
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
