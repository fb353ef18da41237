"""Moments of UTC as integer microseconds, as dates, and as text; pure. What time it is now is in clock.py."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

When = datetime | date | str
"""A moment as people give it: a day means its first moment, a text is ISO 8601; without a zone it is UTC."""


def utc_us(moment: datetime) -> int:
    """UTC microseconds of a date; without a zone it is taken as UTC."""
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - EPOCH) // timedelta(microseconds=1)


def moment_us(when: When) -> int:
    """UTC microseconds of a moment as people give it.

    Raises:
        ValueError: the text is no moment.
    """
    if isinstance(when, str):
        when = datetime.fromisoformat(when)
    elif not isinstance(when, datetime):
        when = datetime.combine(when, time())
    return utc_us(when)


def moment(utc_us: int) -> datetime:
    """The same the other way round.

    Raises:
        OverflowError: no calendar has it.
    """
    return EPOCH + timedelta(microseconds=utc_us)


def iso8601(utc_us: int) -> str:
    """UTC microseconds as text, as in `2026-05-26T21:15:16.881000Z`."""
    seconds, microseconds = divmod(utc_us, 1_000_000)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    return f"{_day(days)}T{hour:02}:{minute:02}:{second:02}.{microseconds:06}Z"


@lru_cache(maxsize=16)
def _day(number: int) -> str:
    """A day as text, counted from 1970: it is asked for with each record, and changes once a day."""
    return (EPOCH + timedelta(number)).date().isoformat()
