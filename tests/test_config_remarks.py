"""What `check` tells of a good configuration: the example's broker, 25.600 Hz, and shifts that overlap."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from servers import PROGRAM
from test_config_controllers import FOLDER, MACHINE, MAIN

from collector.activity import ShiftSettings, common_time
from collector.config import ConfigError, remarks
from collector.config.loading import load_texts
from collector.toml.problems import Problem

SHIFTS = """\
[[calendar.shifts]]
name = "one"
start = "{}"
end = "{}"

[[calendar.shifts]]
name = "two"
start = "{}"
end = "{}"
"""
SECOND_START = 13
"""Its line."""


def remarks_on(main: str, machine: str = MACHINE) -> list[Problem]:
    files = {"collector.toml": main.encode(), "machines/mill-1.toml": machine.encode()}
    return list(remarks(load_texts(files, FOLDER)))


@pytest.mark.parametrize("host", ["broker.example.org", "Broker.Example.COM.", "example.net", "mqtt.example"])
def test_a_name_that_no_broker_can_have_is_told(host: str) -> None:
    (remark,) = remarks_on(MAIN.replace("localhost", host))
    assert (remark.file, remark.line, remark.path) == ("collector.toml", 5, "broker.host")
    assert remark.sentence.code == "config.example-host"
    assert host in str(remark)
    assert "enroll" in remark.advice


@pytest.mark.parametrize(
    "host", ["localhost", "192.0.2.7", "fe80::1", "broker.my-example.org", "gateway.test"]
)
def test_a_name_that_may_be_real_is_not(host: str) -> None:
    assert remarks_on(MAIN.replace("localhost", host)) == []


@pytest.mark.parametrize(
    ("times", "common"),
    [
        (("06:00", "14:00", "14:00", "22:00"), None),
        (("06:00", "14:15", "14:00", "22:00"), ("14:00", "14:15")),
        (("22:00", "06:00", "06:00", "22:00"), None),
        (("22:00", "06:30", "06:00", "14:00"), ("06:00", "06:30")),
        (("05:00", "14:00", "22:00", "06:00"), ("05:00", "06:00")),
        (("20:00", "04:00", "23:00", "01:00"), ("23:00", "01:00")),
        (("00:00", "00:00", "08:00", "16:00"), ("08:00", "16:00")),
        (("08:00", "16:00", "08:00", "08:00"), ("08:00", "16:00")),
        (("22:00", "00:00", "00:00", "06:00"), None),
    ],
)
def test_shifts_that_overlap_are_told(
    times: tuple[str, str, str, str], common: tuple[str, str] | None
) -> None:
    found = remarks_on(MAIN + SHIFTS.format(*times))
    assert [(remark.line, remark.path, remark.sentence.code) for remark in found] == (
        [(SECOND_START, "calendar.shifts[1].start", "config.shifts-overlap")] if common else []
    )
    if common:
        (remark,) = found
        assert f'"one" and "two" overlap from {common[0]} to {common[1]}' in str(remark)


@pytest.mark.parametrize(
    ("rate", "meant"),
    [
        ("1.600", "1600"),
        ("25.600", "25600"),
        ("1600", None),
        ("104.167", None),
        ("51.2", None),
        ("0.500", None),
    ],
)
def test_a_point_between_thousands_is_told(rate: str, meant: str | None) -> None:
    machine = MACHINE.replace("rate_hz = 100", f"rate_hz = {rate}").replace("9600", "1000000")
    found = remarks_on(MAIN, machine)
    assert [(remark.file, remark.line, remark.sentence.code) for remark in found] == (
        [("machines/mill-1.toml", 8, "config.point-of-thousands")] if meant else []
    )
    for remark in found:
        assert f"Type {meant} if that is meant, or else {float(rate):g}." in remark.advice


def test_only_of_frequencies() -> None:
    assert remarks_on(MAIN, MACHINE + "[[tools]]\nnumber = 1\ndiameter_mm = 12.000\n") == []
    bands = MACHINE.replace("window =", "features = { bands = [{ low_hz = 10, high_hz = 1.250 }] }\nwindow =")
    with pytest.raises(ConfigError):
        remarks_on(MAIN, bands)
    (remark,) = remarks_on(MAIN, bands.replace("low_hz = 10", "low_hz = 1"))
    assert remark.path == "waveforms[0].features.bands[0].high_hz"


CLOCK = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 1, 30, 59]))


@given(CLOCK, CLOCK, CLOCK, CLOCK)
def test_the_common_time_is_that_of_a_clock_that_is_watched(
    start: str, end: str, other_start: str, other_end: str
) -> None:
    one = ShiftSettings(name="one", start=start, end=end)
    other = ShiftSettings(name="two", start=other_start, end=other_end)
    both = watched(one) & watched(other)
    common = common_time(one, other)
    assert (common is None) == (not both)
    if common:
        stretch = watched(ShiftSettings(name="both", start=common[0], end=common[1]))
        assert stretch <= both
        assert len(stretch) >= len(both - stretch)
    assert (common is None) == (common_time(other, one) is None)


def watched(shift: ShiftSettings) -> set[str]:
    """The minutes of a shift, one after the other."""
    minutes, now = {shift.start}, following(shift.start)
    while now != shift.end:
        minutes.add(now)
        now = following(now)
    return minutes


def following(clock: str) -> str:
    hour, minute = int(clock[:2]), int(clock[3:]) + 1
    return f"{(hour + minute // 60) % 24:02}:{minute % 60:02}"


@pytest.mark.parametrize(
    ("host", "exit_code", "lines"), [("localhost", 0, 1), ("broker.example.org", 1, 2), ("mqtt://x", 2, 0)]
)
def test_check_tells_remarks_and_that_it_can_be_used(
    tmp_path: Path, host: str, exit_code: int, lines: int
) -> None:
    outbox = f'[outbox]\ndirectory = "{tmp_path}/outbox"\n'
    (tmp_path / "collector.toml").write_text(MAIN.replace("localhost", host) + outbox)
    (tmp_path / "machines").mkdir()
    (tmp_path / "machines" / "mill-1.toml").write_text(MACHINE)
    done = subprocess.run([PROGRAM, "check", tmp_path], capture_output=True, text=True, check=False)
    assert (done.returncode, len(done.stdout.splitlines())) == (exit_code, lines)
    assert ("can be used" in done.stdout) == (exit_code == 1)
