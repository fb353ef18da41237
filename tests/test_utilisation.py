"""Hours and shifts by the local clock, and time that adds up exactly, over changes of the clock as well."""

from copy import deepcopy
from datetime import UTC, datetime
from importlib import resources
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.activity import (
    RATIOS,
    Account,
    Activity,
    Calendar,
    CalendarSettings,
    Ledger,
    Period,
    ShiftSettings,
    calendar_of,
    ratios,
)
from collector.activity.calendar import Hours, Shift, is_zone
from collector.times import iso8601, utc_us

S, HOUR = 1_000_000, 3_600_000_000
ZONES = ("UTC", "Europe/Berlin", "Asia/Tokyo", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns")
YEARS_US = (utc_us(datetime(2020, 1, 1)), utc_us(datetime(2030, 1, 1)))  # noqa: DTZ001 (UTC is meant)
moments_us = st.integers(*YEARS_US)
clock_times = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
NIGHT = ShiftSettings(name="night", start="22:00", end="06:00")


def us(text: str, zone: str = "UTC") -> int:
    return utc_us(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)))


def local(at_us: int, zone: str) -> datetime:
    return datetime.fromtimestamp(at_us / 1e6, UTC).astimezone(ZoneInfo(zone))


# The calendar


@given(moments_us, st.sampled_from(ZONES))
def test_hours_follow_one_another_and_begin_on_the_hour(at_us: int, zone: str) -> None:
    hours = Hours(ZoneInfo(zone))
    period = hours.at(at_us)
    assert period.from_us <= at_us < period.to_us
    assert period.to_us - period.from_us <= HOUR
    following = hours.at(period.to_us)
    assert following.from_us == period.to_us
    assert hours.at(period.from_us) == hours.at(period.to_us - 1) == period
    if zone != "Australia/Lord_Howe":  # whose clocks change by half an hour
        assert local(period.from_us, zone).minute == 0
        assert period.to_us - period.from_us == HOUR


@given(moments_us, st.sampled_from(ZONES), clock_times, clock_times)
def test_a_shift_lies_around_the_moment_or_comes_next(at_us: int, zone: str, start: str, end: str) -> None:
    shift = Shift(ZoneInfo(zone), ShiftSettings(name="a", start=start, end=end))
    period = shift.at(at_us)
    assert at_us < period.to_us
    assert period.from_us < period.to_us <= period.from_us + 26 * HOUR
    following = shift.at(period.to_us)
    assert following.from_us >= period.to_us
    assert (following.day or "") > (period.day or "")
    if at_us < period.from_us:  # none is passed over: the one before has ended
        assert shift.at(at_us - 24 * HOUR).to_us <= at_us


@pytest.mark.parametrize(
    ("day", "hours", "night"),
    [
        ("2026-03-28", 24, 7),  # clocks go forward in the night
        ("2026-10-24", 24, 9),  # and back
        ("2026-06-01", 24, 8),
    ],
)
def test_a_night_of_a_clock_change_is_as_long_as_it_is(day: str, hours: int, night: int) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    period = Shift(berlin, NIGHT).at(us(f"{day} 22:00", "Europe/Berlin"))
    assert (period.day, period.name) == (day, "night")
    assert period.to_us - period.from_us == night * HOUR
    assert local(period.to_us, "Europe/Berlin").hour == 6
    whole = calendar_of(CalendarSettings(time_zone="Europe/Berlin")).series[1]
    assert whole.at(us(f"{day} 12:00", "Europe/Berlin")).to_us - us(day, "Europe/Berlin") == hours * HOUR


def test_the_day_of_a_clock_change_has_23_or_25_hours() -> None:
    whole = calendar_of(CalendarSettings(time_zone="Europe/Berlin")).series[1]
    lengths = {
        day: whole.at(us(f"{day} 12:00", "Europe/Berlin"))
        for day in ("2026-03-29", "2026-10-25", "2026-06-01")
    }
    assert [(p.to_us - p.from_us) // HOUR for p in lengths.values()] == [23, 25, 24]


def test_the_repeated_hour_is_two_hours() -> None:
    hours = Hours(ZoneInfo("Europe/Berlin"))
    first = hours.at(us("2026-10-25 00:30"))
    second = hours.at(first.to_us)
    assert [iso8601(period.from_us)[11:16] for period in (first, second)] == ["00:00", "01:00"]
    assert [local(period.from_us, "Europe/Berlin").hour for period in (first, second)] == [2, 2]


def test_a_shift_that_the_clock_change_swallows_does_not_exist_that_day() -> None:
    shift = Shift(ZoneInfo("Europe/Berlin"), ShiftSettings(name="a", start="02:15", end="02:45"))
    before = shift.at(us("2026-03-28 02:20", "Europe/Berlin"))
    days = [before.day, shift.at(before.to_us).day]
    assert days[0] == "2026-03-28"
    assert days[1] in {"2026-03-29", "2026-03-30"}
    assert shift.at(before.to_us).to_us > shift.at(before.to_us).from_us


def test_the_gateway_s_own_zone_is_used_and_named(tmp_path: Path) -> None:
    (tmp_path / "zoneinfo" / "Asia").mkdir(parents=True)
    file = tmp_path / "zoneinfo" / "Asia" / "Tokyo"
    file.write_bytes(_zone("Asia/Tokyo"))
    (tmp_path / "localtime").symlink_to(file)
    found = calendar_of(CalendarSettings(), tmp_path / "localtime")
    assert found.zone_name == "Asia/Tokyo"
    assert found.series[0].at(us("2026-05-01 00:00")).from_us == us("2026-05-01 00:00")
    assert found.series[1].at(us("2026-05-01 16:00")).day == "2026-05-02"
    assert calendar_of(CalendarSettings(), tmp_path / "nothing").zone_name == "UTC"


def _zone(name: str) -> bytes:
    """A zone's file, from the package tzdata, which is there everywhere."""
    folder, _, file = name.partition("/")
    return resources.files(f"tzdata.zoneinfo.{folder}").joinpath(file).read_bytes()


@pytest.mark.parametrize(
    ("name", "there"),
    [("Asia/Tokyo", True), ("UTC", True), ("Asia/Tokio", False), ("../etc", False), ("Asia", False)],
)
def test_a_zone_is_one_that_exists(name: str, there: bool) -> None:
    assert is_zone(name) is there


# The ledger

stretches = st.lists(
    st.tuples(st.integers(0, 3 * HOUR), st.sampled_from(list(Activity))), min_size=1, max_size=40
)


def calendar(zone: str) -> Calendar:
    shifts = (ShiftSettings(name="early", start="06:00", end="14:00"), NIGHT)
    return calendar_of(CalendarSettings(time_zone=zone, shifts=shifts))


@given(moments_us, stretches, st.sampled_from(ZONES))
def test_time_adds_up_exactly(from_us: int, spent: list[tuple[int, Activity]], zone: str) -> None:
    ledger = Ledger(calendar(zone).series, from_us)
    at_us, accounts = from_us, []
    for length_us, activity in spent:
        at_us += length_us
        accounts += list(ledger.advance(at_us, activity))
    accounts += ledger.open()
    for account in accounts:
        assert sum(account.spent_us.values()) == account.to_us - account.from_us > 0
        assert account.period.from_us <= account.from_us <= account.to_us <= account.period.to_us
    hours = [account for account in accounts if account.period.kind == "hour"]
    assert sum(account.to_us - account.from_us for account in hours) == at_us - from_us
    assert {a: sum(h.spent_us[a] for h in hours) for a in Activity} == {
        a: sum(length for length, what in spent if what is a) for a in Activity
    }
    for series in {account.period.name for account in accounts}:
        own = [account for account in accounts if account.period.name == series]
        for earlier, later in pairwise(own):
            assert earlier.to_us <= later.from_us
            assert earlier.to_us == earlier.period.to_us
        assert all(account.is_complete for account in own[1:-1])


@given(moments_us, stretches, st.integers(0, 40), st.integers(0, 30 * HOUR), st.sampled_from(ZONES))
def test_what_is_open_is_what_was_counted_so_far(
    from_us: int, spent: list[tuple[int, Activity]], killed_at: int, away_us: int, zone: str
) -> None:
    ledger = Ledger(calendar(zone).series, from_us)
    at_us, accounts = from_us, []
    for length_us, activity in spent[:killed_at]:
        at_us += length_us
        accounts += list(ledger.advance(at_us, activity))
    accounts += deepcopy(ledger.open())
    hours = [account for account in accounts if account.period.kind == "hour"]
    assert {a: sum(h.spent_us[a] for h in hours) for a in Activity} == {
        a: sum(length for length, what in spent[:killed_at] if what is a) for a in Activity
    }
    asked_again = deepcopy(ledger.open())
    assert asked_again == accounts[len(accounts) - len(asked_again) :]

    # What goes on after a kill and a pause counts neither the pause nor what was counted already.
    at_us += away_us
    ledger = Ledger(calendar(zone).series, at_us)
    for length_us, activity in spent[killed_at:]:
        at_us += length_us
        accounts += list(ledger.advance(at_us, activity))
    accounts += ledger.open()
    for series in {account.period.name for account in accounts}:
        own = [account for account in accounts if account.period.name == series]
        assert all(earlier.to_us <= later.from_us for earlier, later in pairwise(own))
    hours = [account for account in accounts if account.period.kind == "hour"]
    assert sum(account.to_us - account.from_us for account in hours) == at_us - from_us - away_us


def test_a_partial_hour_says_what_part_was_seen() -> None:
    ledger = Ledger((Hours(UTC),), us("2026-05-01 09:20"))
    (hour,) = ledger.advance(us("2026-05-01 10:10"), Activity.IDLE)
    (rest,) = ledger.open()
    assert (hour.from_us, hour.to_us) == (us("2026-05-01 09:20"), us("2026-05-01 10:00"))
    assert (hour.period.from_us, hour.is_complete) == (us("2026-05-01 09:00"), False)
    assert (rest.from_us, rest.to_us, rest.is_complete) == (
        us("2026-05-01 10:00"),
        us("2026-05-01 10:10"),
        False,
    )


def test_between_two_shifts_nothing_is_counted() -> None:
    shift = ShiftSettings(name="early", start="06:00", end="14:00")
    ledger = Ledger((Shift(UTC, shift),), us("2026-05-01 05:00"))
    (early,) = ledger.advance(us("2026-05-01 20:00"), Activity.CUTTING)
    assert (early.to_us - early.from_us, early.is_complete) == (8 * HOUR, True)
    assert ledger.open() == []


def test_a_whole_hour_is_complete() -> None:
    ledger = Ledger((Hours(UTC),), us("2026-05-01 09:00"))
    (hour,) = ledger.advance(us("2026-05-01 10:00"), Activity.OFF)
    assert hour == Account(
        Period("hour", us("2026-05-01 09:00"), us("2026-05-01 10:00")),
        us("2026-05-01 09:00"),
        us("2026-05-01 10:00"),
        dict.fromkeys(Activity, 0) | {Activity.OFF: HOUR},
    )
    assert hour.is_complete


# The figures


def test_the_figures_are_those_that_meta_defines() -> None:
    spent = {
        Activity.UNKNOWN: 10,
        Activity.OFF: 20,
        Activity.ALARM: 10,
        Activity.IDLE: 30,
        Activity.TURNING: 10,
        Activity.CUTTING: 30,
    }
    found = ratios(spent)
    assert found == {"availability": 0.7, "operation": 0.4, "cutting": 0.3, "known": 100 / 110}
    assert found.keys() == RATIOS.keys()


@given(st.fixed_dictionaries({activity: st.integers(0, HOUR) for activity in Activity}))
def test_figures_are_parts_in_their_order_or_null(spent: dict[Activity, int]) -> None:
    found = ratios(spent)
    if sum(spent.values()) == spent[Activity.UNKNOWN]:
        assert {found["availability"], found["operation"], found["cutting"]} == {None}
    else:
        assert 0 <= found["cutting"] <= found["operation"] <= found["availability"] <= 1  # type: ignore[operator]
