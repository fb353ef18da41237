"""What the health of every source has in common: its condition, its failures, and when it is tried again.

How a source that delivers is judged is in waveform_health.py and in controller_health.py.
"""

from typing import Any

import structlog

from collector.health import Condition, Said, State
from collector.streams.stream_records import StreamRecords
from collector.texts import Sentence

log = structlog.get_logger(__name__)


class SourceHealth:
    """The condition of one source; its changes are published as alarms."""

    def __init__(self, name: str, records: StreamRecords) -> None:
        self.clock = records.clock
        self._name = name
        self._records = records
        self._condition = Condition(self.clock)
        self._configured_ns = self.clock.monotonic_ns()
        self._reopened = 0
        self.last_data_ns: int | None = None
        """When anything last came, on the monotonic clock."""
        self._last_error: tuple[Sentence, int] | None = None
        self._retry_ns: int | None = None

    @property
    def reason(self) -> Sentence | None:
        """What is wrong; None while all is well, even if there is something to tell."""
        return None if self._condition.state.healthy else self._condition.reason

    @property
    def finished(self) -> bool:
        """Whether a recording has come to its end."""
        return self._condition.state is State.FINISHED

    @property
    def delivering(self) -> bool:
        """Whether anything has come since the last failure."""
        failed_ns = self._last_error[1] if self._last_error else 0
        return self.last_data_ns is not None and self._retry_ns is None and self.last_data_ns >= failed_ns

    def arrived(self, at_ns: int) -> None:
        """Data has come."""
        self.last_data_ns = at_ns

    def failed(self, sentence: Sentence, retry_s: float) -> None:
        """The source is lost; it is tried again after this time."""
        log.warning("source.failed", source=self._name, code=sentence.code, reason=str(sentence))
        self._retry_ns = self.clock.monotonic_ns() + int(retry_s * 1e9)
        self._last_error = (sentence, self.clock.monotonic_ns())
        self.enter(State.FAILED, sentence)

    def trying_again(self) -> None:
        """The source is being opened again."""
        self._retry_ns = None
        self._reopened += 1

    def enter(self, state: State, reason: Sentence | None = None) -> None:
        """Change the condition, and publish an alarm when what is wrong changes."""
        before = self.reason
        self._condition.change(state, reason)
        now = self.reason
        if (before and before.code) == (now and now.code):
            return
        if before is not None:
            self._records.alarm(before, active=False)
        if now is not None:
            self._records.alarm(now, active=True)

    def closed(self) -> None:
        """The source is taken out, or made anew: its alarm ends."""
        if self.reason is not None:
            self._records.alarm(self.reason, active=False)
        self._condition.reason = None

    def facts(self) -> dict[str, Any]:
        """The fields that the report of every source begins with."""
        now_ns, last_ns = self.clock.monotonic_ns(), self.last_data_ns
        error, failed_ns = self._last_error or (None, 0)
        return {
            **self._condition.facts(),
            "configured_us": self.clock.utc_us(self._configured_ns),
            "last_data_us": None if last_ns is None else self.clock.utc_us(last_ns),
            "last_data_age_s": None if last_ns is None else (now_ns - last_ns) / 1e9,
            "reopened": self._reopened,
            "last_error": Said.of(error) if error else None,
            "last_error_us": self.clock.utc_us(failed_ns) if error else None,
            "next_retry_s": None if self._retry_ns is None else max(0.0, (self._retry_ns - now_ns) / 1e9),
        }
