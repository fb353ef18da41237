"""Moments as people give them, in microseconds of UTC; pure."""

from datetime import UTC, date, datetime, time, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

When = datetime | date | str
"""A moment: a day means its first moment, a text is ISO 8601, and what names no time zone is UTC."""


def moment_us(when: When) -> int:
    """A moment in microseconds of UTC.

    Raises:
        ValueError: the text is no moment.
    """
    if isinstance(when, str):
        when = datetime.fromisoformat(when)
    elif not isinstance(when, datetime):
        when = datetime.combine(when, time())
    return (when.replace(tzinfo=when.tzinfo or UTC) - EPOCH) // timedelta(microseconds=1)


def moment(t_us: int) -> datetime:
    """The same the other way round.

    Raises:
        OverflowError: no calendar has it.
    """
    return EPOCH + timedelta(microseconds=t_us)
