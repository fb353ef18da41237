"""The stretch of time that somebody asks the store for; how a text becomes a moment is in times.py."""

from collector.errors import UsageError
from collector.texts import store as say
from collector.times import When, moment_us

_ALWAYS = (-(2**62), 2**62)


def stretch_us(start: When | None, end: When | None) -> tuple[int, int]:
    """Both ends of a stretch of time in microseconds of UTC; without an end it has none.

    Raises:
        UsageError: an end is no time, or there is nothing between them.
    """
    start_us = _ALWAYS[0] if start is None else time_us(start)
    end_us = _ALWAYS[1] if end is None else time_us(end)
    if start_us >= end_us:
        raise UsageError(say.NO_STRETCH(start=str(start), end=str(end)))
    return start_us, end_us


def time_us(when: When) -> int:
    """Microseconds of UTC of one time.

    Raises:
        UsageError: it is no time.
    """
    try:
        return moment_us(when)
    except (ValueError, TypeError) as error:
        raise UsageError(say.NOT_A_TIME(found=str(when))) from error
