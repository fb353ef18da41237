"""The only file that asks the time: monotonic time, UTC, how far UTC can be trusted, and the map between.

A gateway without a clock battery starts in the wrong year and is set right later. So nothing is ordered or
spaced by UTC: samples live on the monotonic clock, and UTC is looked up when a record is made.
"""

import ctypes
import struct
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

STEP_LIMIT_NS = 50_000_000
"""UTC against monotonic time moving by more than this between two looks was set, not steered.

The kernel steers by at most 500 ppm, that is 0.5 ms between looks a second apart.
"""

_TIME_ERROR_LIMIT_US = 1_000_000
_STA_UNSYNC = 0x0040
_TIMEX = struct.Struct("@Iqqqqi")  # modes, offset, freq, maxerror, esterror, status: the head of struct timex


def monotonic_ns() -> int:
    """Nanoseconds on the clock that never steps."""
    return time.monotonic_ns()


class Clock(Protocol):
    """The three things one can ask a computer about the time."""

    def monotonic_ns(self) -> int:
        """Nanoseconds since some moment, never stepping."""

    def utc_ns(self) -> int:
        """Nanoseconds since 1970 as the kernel believes."""

    def synchronised(self) -> bool:
        """Whether the kernel's bound on its own error is good enough to stamp records."""


class SystemClock:
    """The computer's own clock."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)

    def monotonic_ns(self) -> int:
        """Nanoseconds since the computer started."""
        return time.monotonic_ns()

    def utc_ns(self) -> int:
        """Nanoseconds since 1970 as the kernel believes."""
        return time.time_ns()

    def synchronised(self) -> bool:
        """Whether adjtimex(2) reports a synchronised clock with an error bound under one second."""
        timex = ctypes.create_string_buffer(256)
        if self._libc.adjtimex(timex) < 0:
            return False
        _, _, _, max_error_us, _, status = _TIMEX.unpack_from(timex)
        return not status & _STA_UNSYNC and max_error_us < _TIME_ERROR_LIMIT_US


@dataclass(frozen=True, slots=True)
class ClockChange:
    """UTC moved against monotonic time, or its synchronisation changed, at `monotonic_ns`.

    UTC = monotonic + offset; `offset_before_ns` held until then and `offset_ns` holds from then on.
    """

    monotonic_ns: int
    offset_before_ns: int
    offset_ns: int
    synchronised: bool

    @property
    def step_ns(self) -> int:
        """How far UTC jumped; positive is forward."""
        return self.offset_ns - self.offset_before_ns

    @property
    def stepped(self) -> bool:
        """Whether this was a jump (else only the synchronisation changed)."""
        return abs(self.step_ns) > STEP_LIMIT_NS


@dataclass(frozen=True, slots=True)
class Told:
    """A moment and its UTC as a record tells it; `times_set` is how often the clock had been set by then."""

    monotonic_ns: int
    utc_us: int
    times_set: int


class UtcClock:
    """The map from monotonic time to UTC, looked at once a second by `look`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset_ns = self._measure()
        self._times_set = 0
        self.synchronised = clock.synchronised()

    def look(self) -> ClockChange | None:
        """Measure the map anew; tells a step of UTC, or of its synchronisation, and nothing else."""
        before, was_synchronised = self._offset_ns, self.synchronised
        self._offset_ns = self._measure()
        self.synchronised = self._clock.synchronised()
        change = ClockChange(self._clock.monotonic_ns(), before, self._offset_ns, self.synchronised)
        self._times_set += change.stepped
        return change if change.stepped or self.synchronised is not was_synchronised else None

    def monotonic_ns(self) -> int:
        """Nanoseconds on the clock that never steps."""
        return self._clock.monotonic_ns()

    def utc_us(self, at_monotonic_ns: int) -> int:
        """UTC microseconds of a moment on the monotonic clock, by the map that holds now."""
        return (at_monotonic_ns + self._offset_ns) // 1000

    def tell(self, at_monotonic_ns: int) -> Told:
        """A moment that other records will name again."""
        return Told(at_monotonic_ns, self.utc_us(at_monotonic_ns), self._times_set)

    def as_told_us(self, told: Told | None, at_monotonic_ns: int) -> int:
        """UTC microseconds of a moment: as this moment was told, unless the clock was set since.

        The map moves a little all the time, and by seconds in a day where the kernel steers: one moment shall
        not have two times for that. A clock that was set does show.
        """
        if told is None or (told.monotonic_ns, told.times_set) != (at_monotonic_ns, self._times_set):
            return self.utc_us(at_monotonic_ns)
        return told.utc_us

    def now_us(self) -> int:
        """UTC microseconds now."""
        return self.utc_us(self._clock.monotonic_ns())

    def _measure(self) -> int:
        """The offset from the quickest of a few readings: a reading interrupted in the middle is off."""
        readings = []
        for _ in range(5):
            before = self._clock.monotonic_ns()
            utc = self._clock.utc_ns()
            after = self._clock.monotonic_ns()
            readings.append((after - before, utc - (before + after) // 2))
        return min(readings)[1]


def boot_id() -> str:
    """The kernel's id of this boot: monotonic times of records compare only within one."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def today() -> datetime:
    """The date and time as the kernel believes, for certificates: TLS judges them by the same clock."""
    return datetime.now(UTC)
