"""Moments as the clock on the wall shows them, always with its zone: for people who read a screen.

By the time zone of this computer. Records, JSON for other programs and logs have UTC, as in times.py.
"""

from datetime import datetime, tzinfo


def local_minute(moment: datetime, zone: tzinfo | None = None) -> str:
    """A moment to the minute: `2026-05-27 06:15 UTC+09:00`; `zone` instead of the computer's."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M} {local_zone(moment, zone)}"


def local_second(moment: datetime, zone: tzinfo | None = None) -> str:
    """The time of day alone, `06:15:16`, where the zone stands nearby."""
    return f"{moment.astimezone(zone):%H:%M:%S}"


def local_day(moment: datetime, zone: tzinfo | None = None) -> str:
    """The day, `2026-05-27`, for what is not told more exactly."""
    return f"{moment.astimezone(zone):%Y-%m-%d}"


def local_zone(moment: datetime, zone: tzinfo | None = None) -> str:
    """The zone at a moment by its distance from UTC: `UTC+09:00`; a name such as CST has many meanings."""
    offset = moment.astimezone(zone).isoformat(timespec="minutes")[len("2026-05-27T06:15") :]
    return f"UTC{offset}" if offset != "+00:00" else "UTC"
