"""The time in each activity, hour by hour and shift by shift; pure, in whole microseconds of UTC.

What is counted adds up to what was seen of the period, exactly; time that nobody knows of is counted as
unknown. Of a period that was not seen from beginning to end, the part that was is told.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from collector.activity.calendar import Period
from collector.activity.recogniser import Activity


class Series(Protocol):
    """Periods that follow one another."""

    def at(self, at_us: int) -> Period:
        """The period around a moment, or the next one after it."""


@dataclass(slots=True)
class Account:
    """The time in each activity from `from_us` to `to_us`, inside a period."""

    period: Period
    from_us: int
    to_us: int
    spent_us: dict[Activity, int] = field(default_factory=lambda: dict.fromkeys(Activity, 0))

    @property
    def is_complete(self) -> bool:
        """Whether the whole period was seen."""
        return (self.from_us, self.to_us) == (self.period.from_us, self.period.to_us)


class Ledger:
    """The open accounts of one machine, one for each series of periods."""

    def __init__(self, series: tuple[Series, ...], from_us: int) -> None:
        self._series = series
        self._at_us = from_us
        self._open = [self._account(one, from_us) for one in series]

    @property
    def at_us(self) -> int:
        """Until then everything is counted."""
        return self._at_us

    def advance(self, to_us: int, activity: Activity) -> Iterator[Account]:
        """Count the time until a moment; yields the accounts of periods that have ended."""
        for index, series in enumerate(self._series):
            account = self._open[index]
            while to_us >= account.period.to_us:
                _count(account, account.period.to_us, activity)
                yield account
                account = self._open[index] = self._account(series, account.period.to_us)
            _count(account, to_us, activity)
        self._at_us = max(self._at_us, to_us)

    def open(self) -> list[Account]:
        """The accounts that are open and have anything in them, as they stand; counting goes on in them."""
        return [account for account in self._open if account.to_us > account.from_us]

    @staticmethod
    def _account(series: Series, at_us: int) -> Account:
        period = series.at(at_us)
        begins_us = max(at_us, period.from_us)
        return Account(period, begins_us, begins_us)


def _count(account: Account, to_us: int, activity: Activity) -> None:
    if to_us > account.to_us:
        account.spent_us[activity] += to_us - account.to_us
        account.to_us = to_us


def ratios(spent_us: Mapping[Activity, int]) -> dict[str, float | None]:
    """The figures that `RATIOS` defines; null where no time is known."""
    known = sum(time for activity, time in spent_us.items() if activity is not Activity.UNKNOWN)
    total = known + spent_us[Activity.UNKNOWN]
    turning = spent_us[Activity.TURNING] + spent_us[Activity.CUTTING]
    ready = spent_us[Activity.IDLE] + turning
    return {
        "availability": ready / known if known else None,
        "operation": turning / known if known else None,
        "cutting": spent_us[Activity.CUTTING] / known if known else None,
        "known": known / total if total else None,
    }


RATIOS = {
    "availability": "(idle + turning + cutting) / known time: the part in which it was on and had no alarm",
    "operation": "(turning + cutting) / known time: the part in which the spindle turned",
    "cutting": "cutting / known time: the part in which it cut",
    "known": "known time / (to_us - from_us); known time is all but unknown, without it the others are null",
}
"""What each ratio means, for meta."""
