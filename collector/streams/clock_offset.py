"""How far a controller's clock is from the gateway's, estimated from fresh time stamps; pure.

It is told beside the data and corrects nothing: readings are placed by when they were received.
"""

from collections import deque
from statistics import median

from collector.clock import UtcClock
from collector.points import Reading

_STAMPS = 200
_LEAST = 5


class ClockOffset:
    """The median of receipt minus the controller's stamp, over the last stamps that were new.

    Half a period of reading, and the way from the controller, are in it. A stamp counts only if the same
    point had another one before: a controller stamps a value when it changes, and after connecting that may
    have been hours ago.
    """

    def __init__(self) -> None:
        self._last: dict[str, int] = {}
        self._fresh: deque[tuple[int, int]] = deque(maxlen=_STAMPS)
        self._estimate_us: int | None = None

    @property
    def estimate_us(self) -> int | None:
        """The gateway's UTC minus the controller's, as of the last look; None for too few new stamps."""
        return self._estimate_us

    def add(self, reading: Reading) -> None:
        """Take a reading's stamp."""
        stamp_us = reading.source_us
        if stamp_us is None:
            return
        before = self._last.get(reading.point)
        if before is not None and stamp_us != before:
            self._fresh.append((reading.received_ns, stamp_us))
        self._last[reading.point] = stamp_us

    def restart(self) -> None:
        """A new connection: what it says first may have been stamped long ago."""
        self._last.clear()

    def look(self, clock: UtcClock) -> None:
        """Estimate anew, by UTC as it is known now."""
        if len(self._fresh) >= _LEAST:
            self._estimate_us = round(median(clock.utc_us(at_ns) - stamp for at_ns, stamp in self._fresh))
