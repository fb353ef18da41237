"""Playing samples at the speed of time: an absolute schedule on the monotonic clock, without drift."""

import time
from typing import Literal

from collector.clock import monotonic_ns
from collector.sources.source import READ_WAIT_S

Speed = float | Literal["max"]

_BLOCK_S = 0.1
_BLOCK_AT_MAX = 1024


class Pace:
    """When each sample is due, counted from the first time that one is asked for."""

    def __init__(self, rate_hz: float, speed: Speed) -> None:
        self._rate_hz = None if speed == "max" else rate_hz * speed
        self._start_ns: int | None = None
        self.block = _BLOCK_AT_MAX if self._rate_hz is None else max(1, round(self._rate_hz * _BLOCK_S))
        """How many samples to hand over at once."""

    def await_sample(self, index: int) -> bool:
        """Wait until that many samples are due, at most `READ_WAIT_S`; tells whether they are."""
        if self._rate_hz is None:
            return True
        now_ns = monotonic_ns()
        if self._start_ns is None:
            self._start_ns = now_ns
        wait_s = index / self._rate_hz - (now_ns - self._start_ns) / 1e9
        time.sleep(min(max(wait_s, 0.0), READ_WAIT_S))
        return wait_s <= READ_WAIT_S
