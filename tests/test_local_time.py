"""Moments on a screen: by the clock on the wall, with the zone, and in no record."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from collector.cli.outbox_page import show_outbox
from collector.local_time import local_day, local_minute, local_second, local_zone
from collector.outbox import EpochWaiting, OutboxSettings

EVENING = datetime(2026, 5, 26, 21, 15, 16, 881_000, UTC)


@pytest.fixture
def tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A gateway in Tokyo."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("Asia/Tokyo", "2026-05-27 06:15 UTC+09:00"),
        ("Europe/Berlin", "2026-05-26 23:15 UTC+02:00"),
        ("America/St_Johns", "2026-05-26 18:45 UTC-02:30"),
        ("Asia/Kathmandu", "2026-05-27 03:00 UTC+05:45"),
        ("UTC", "2026-05-26 21:15 UTC"),
        ("Europe/London", "2026-05-26 22:15 UTC+01:00"),
    ],
)
def test_a_moment_has_its_zone(zone: str, shown: str) -> None:
    assert local_minute(EVENING, ZoneInfo(zone)) == shown


def test_the_zone_of_the_moment_counts_and_not_that_of_today() -> None:
    london = ZoneInfo("Europe/London")
    assert local_zone(EVENING, london) == "UTC+01:00"
    assert local_zone(EVENING - timedelta(days=182), london) == "UTC"


def test_the_computers_zone_is_taken(tokyo: None) -> None:
    assert local_minute(EVENING) == "2026-05-27 06:15 UTC+09:00"
    assert local_day(EVENING) == "2026-05-27"
    assert local_second(EVENING) == "06:15:16"


@given(
    st.integers(0, 2**32),
    st.integers(-14 * 60, 14 * 60),
)
def test_what_is_shown_can_be_read_back(seconds: int, offset_min: int) -> None:
    moment, zone = datetime.fromtimestamp(seconds, UTC), timezone(timedelta(minutes=offset_min))
    day, minute, shown = local_minute(moment, zone).split()
    offset = shown.removeprefix("UTC") or "+00:00"
    assert datetime.fromisoformat(f"{day}T{minute}{offset}") == moment.replace(second=0, microsecond=0)
    assert minute == local_second(moment, zone)[:5]


@pytest.mark.parametrize("seq", [42_251, 2_042_251])
def test_the_outbox_page_has_the_local_time_and_cuts_nothing_off(tokyo: None, seq: int) -> None:
    oldest_us = round(EVENING.timestamp() * 1e6)
    waiting = EpochWaiting("000007-3b3c4db8", seq - 999, 92_000_000, 1000, seq, oldest_us, oldest_sync=True)
    console = Console(width=80, file=StringIO(), record=True)
    console.print(show_outbox(OutboxSettings(), None, [waiting], []))
    page = " ".join(console.export_text().split())
    assert page.endswith(f"000007-3b3c4db8 {seq - 999:,} 87.7 1,000-{seq:,} 2026-05-27 06:15 UTC+09:00")
