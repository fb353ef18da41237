"""Hours and shifts of the place where the machine stands, as stretches of UTC; pure, once the zone is read.

An hour begins where the local clock shows a full hour, so a zone may be off by half an hour, and the hour
that a clock change repeats is two hours. A shift belongs to the day on which it begins; in the night of a
clock change it is an hour shorter or longer than the clock face says.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from collector.settings import Name, Settings
from collector.texts import Sentence
from collector.texts.toml import NOT_OF_THIS_FORM
from collector.times import utc_us
from collector.toml.model_tree import Instead
from collector.toml.problems import shown
from collector.toml.wide_characters import half_width

LOCAL_ZONE = Path("/etc/localtime")
_HOUR_S = 3600
_DAY = timedelta(days=1)
_DAY_MIN = 24 * 60
_TIME = re.compile(r"\s*(?P<hour>\d{1,2})(?:[:.h](?P<minute>\d{2})?(?::\d{2})?)?\s*", re.ASCII)


def clock_time_instead(found: str) -> Sentence:
    """What to type instead of a time of day in another form: "08:00" for "8:00", "00:00" for "24:00"."""
    parts = _TIME.fullmatch(half_width(found))
    hour, minute = (int(parts["hour"]), int(parts["minute"] or 0)) if parts else (6, 0)
    hour = 0 if (hour, minute) == (24, 0) else hour
    example = f"{hour:02}:{minute:02}" if hour < 24 and minute < 60 else "06:00"
    return NOT_OF_THIS_FORM(found=shown(found), example=shown(example))


ClockTime = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$"), Instead(clock_time_instead)]
"""A time of day as a clock shows it: hours and minutes."""


class ShiftSettings(Settings):
    """One shift of every day."""

    name: Name = Field(examples=["early"])
    """Its name."""
    start: ClockTime = Field(examples=["06:00"])
    """When it begins by the local clock."""
    end: ClockTime = Field(examples=["14:00"])
    """When it ends; the next day, if that is not after the start."""


def common_time(one: ShiftSettings, other: ShiftSettings) -> tuple[str, str] | None:
    """From when to when, by the clock, both shifts last; of two such stretches the longer one."""
    found = []
    for earlier, later in ((one, other), (other, one)):
        into = (_minute(later.start) - _minute(earlier.start)) % _DAY_MIN
        found.append((min(_length_min(earlier) - into, _length_min(later)), _minute(later.start)))
    length, start = max(found)
    return (_clock(start), _clock(start + length)) if length > 0 else None


def _length_min(shift: ShiftSettings) -> int:
    return (_minute(shift.end) - _minute(shift.start)) % _DAY_MIN or _DAY_MIN


def _minute(clock: str) -> int:
    """The minute of the day that a clock shows."""
    return int(clock[:2]) * 60 + int(clock[3:])


def _clock(minute: int) -> str:
    return f"{minute // 60 % 24:02}:{minute % 60:02}"


class CalendarSettings(Settings):
    """Hours and shifts that utilisation is told for."""

    time_zone: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        default=None, examples=["Europe/Berlin"]
    )
    """The time zone, such as "Asia/Tokyo"; without it, the gateway's own."""
    shifts: tuple[ShiftSettings, ...] = ()
    """The shifts; without them, the whole day."""


@dataclass(frozen=True, slots=True)
class Period:
    """An hour or a shift, in UTC microseconds; `name` and `day` (ISO 8601) are a shift's."""

    kind: Literal["hour", "shift"]
    from_us: int
    to_us: int
    name: str | None = None
    day: str | None = None


WHOLE_DAY = ShiftSettings(name="day", start="00:00", end="00:00")


@dataclass(frozen=True)
class Calendar:
    """The hours and shifts of one gateway."""

    zone: tzinfo
    zone_name: str
    shifts: tuple[ShiftSettings, ...]

    @cached_property
    def series(self) -> tuple["Hours | Shift", ...]:
        """What periods follow one another in: the hours, and each shift."""
        return (Hours(self.zone), *(Shift(self.zone, shift) for shift in self.shifts))

    def described(self) -> dict[str, Any]:
        """The calendar for meta."""
        shifts = [shift.model_dump(mode="json") for shift in self.shifts]
        return {"time_zone": self.zone_name, "shifts": shifts}


def calendar_of(settings: CalendarSettings, local_zone: Path = LOCAL_ZONE) -> Calendar:
    """The calendar that the settings describe; without a known zone of the gateway, that of UTC.

    Raises:
        ZoneInfoNotFoundError, ValueError: there is no such time zone.
    """
    shifts = settings.shifts or (WHOLE_DAY,)
    if settings.time_zone is not None:
        return Calendar(ZoneInfo(settings.time_zone), settings.time_zone, shifts)
    try:
        with local_zone.open("rb") as file:
            zone = ZoneInfo.from_file(file)
    except (OSError, ValueError):
        return Calendar(UTC, "UTC", shifts)
    _, _, name = str(local_zone.resolve()).partition("/zoneinfo/")
    return Calendar(zone, name or "local", shifts)


@dataclass(frozen=True)
class Hours:
    """The hours of a zone, one after the other."""

    zone: tzinfo

    def at(self, at_us: int) -> Period:
        """The hour around a moment."""
        start_us = at_us - at_us % 1_000_000
        start_us -= _into_hour_s(start_us, self.zone) * 1_000_000
        left_s = _HOUR_S - _into_hour_s(start_us, self.zone)
        return Period("hour", start_us, start_us + left_s * 1_000_000)


@dataclass(frozen=True)
class Shift:
    """One shift of every day in a zone."""

    zone: tzinfo
    settings: ShiftSettings

    def at(self, at_us: int) -> Period:
        """The shift around a moment, or the next one after it."""
        today = _local(at_us, self.zone).date()
        days = (today + days * _DAY for days in (-1, 0, 1, 2))
        # One that a clock change leaves nothing of is passed over.
        return next(period for period in map(self._on, days) if period.to_us > max(at_us, period.from_us))

    def _on(self, day: date) -> Period:
        shift = self.settings
        last = day if shift.end > shift.start else day + _DAY
        return Period(
            "shift",
            self._us(day, shift.start),
            self._us(last, shift.end),
            shift.name,
            day.isoformat(),
        )

    def _us(self, day: date, clock: str) -> int:
        """A time of the local clock; one that a clock change leaves out counts as that much later."""
        return utc_us(datetime.combine(day, time.fromisoformat(clock), self.zone))


def is_zone(name: str) -> bool:
    """Whether there is such a time zone."""
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):  # also for a path that leads out of the folder of zones
        return False
    return True


def _local(at_us: int, zone: tzinfo) -> datetime:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at_us)).astimezone(zone)


def _into_hour_s(at_us: int, zone: tzinfo) -> int:
    local = _local(at_us, zone)
    return local.minute * 60 + local.second
