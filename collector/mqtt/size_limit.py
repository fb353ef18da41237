"""From what size on a broker that names no limit ends the connection: learnt from how connections end. Pure.

MQTT 3.1.1 has no word for the longest packet that a broker takes, and on MQTT 5 not every broker says it. A
longer one ends the connection, comes early on the next, and ends that one as well. So after two connections
that ended while something was on its way that is longer than all they had taken, one message is sent at a
time, and it is known which one it is.
"""

from collections.abc import Sequence

_SUSPICIOUS = 2
"""After so many such ends in a row, one message at a time."""
_CERTAIN = 2
"""So many ends with one message alone on its way: a bad line is not to be taken for a limit."""


class SizeLimit:
    """What is known of one broker; sizes are the bytes of topic and payload."""

    def __init__(self, holds_s: float) -> None:
        self._holds_s = holds_s
        self.least_bytes: int | None = None
        """What has so many bytes, or more, is not sent."""
        self._ends = 0
        self._alone: list[int] = []
        self._longest_taken = 0
        self._learnt_s = 0.0

    @property
    def one_at_a_time(self) -> bool:
        """Whether no more than one message may be on its way."""
        return self._ends >= _SUSPICIOUS

    def takes(self, size_bytes: int) -> bool:
        """Whether a message may be sent."""
        return self.least_bytes is None or size_bytes < self.least_bytes

    def forgotten(self, now_s: float) -> bool:
        """Whether what is held back shall be tried again now, alone: the limit may be another."""
        if self.least_bytes is None or now_s - self._learnt_s < self._holds_s:
            return False
        self._ends, self._alone = _SUSPICIOUS, [self.least_bytes] * (_CERTAIN - 1)
        self.least_bytes = None
        return True

    def connected(self) -> None:
        """A connection begins."""
        self._longest_taken = 0

    def taken(self, size_bytes: int) -> None:
        """The broker has taken a message."""
        self._longest_taken = max(self._longest_taken, size_bytes)

    def ended(self, on_its_way: Sequence[int], now_s: float) -> None:
        """The connection ended while messages of these sizes had no answer yet."""
        longest = max(on_its_way, default=0)
        if longest <= self._longest_taken:
            self._ends = 0
            self._alone.clear()
            return
        if self.one_at_a_time and len(on_its_way) == 1 and self._longest_taken:
            self._alone.append(longest)  # a broker that takes nothing at all has another reason
        self._ends += 1
        if len(self._alone) == _CERTAIN:
            self.least_bytes = min(self._alone)
            self._learnt_s = now_s
            self._ends = 0
            self._alone.clear()
