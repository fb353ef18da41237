"""Months of UTC, by which records are partitioned; pure."""

from dataclasses import dataclass
from datetime import date

from collector.times import moment, moment_us

_PAST_MONTHS, _COMING_MONTHS = 24, 1


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month; `number` counts from January of the year 0."""

    number: int

    @property
    def name(self) -> str:
        """Such as `2026_11`."""
        return f"{self.number // 12:04}_{self.number % 12 + 1:02}"

    @property
    def start_us(self) -> int:
        """Its first moment, in microseconds of UTC."""
        return moment_us(date(self.number // 12, self.number % 12 + 1, 1))

    @property
    def end_us(self) -> int:
        """The first moment of the next month."""
        return Month(self.number + 1).start_us


def month_of(t_us: int) -> Month:
    """The month of a time between the years 1 and 9999."""
    then = moment(t_us)
    return Month(then.year * 12 + then.month - 1)


def usual(month: Month, now_us: int) -> bool:
    """Whether a month deserves a partition: a clock that was never set says any time."""
    now = month_of(now_us).number
    return now - _PAST_MONTHS <= month.number <= now + _COMING_MONTHS
