"""The gateway's hardware, from a fixture tree like a Raspberry Pi's /sys, and from this computer's."""

from pathlib import Path

from stand_ins import SettableClock

from collector.clock import UtcClock
from collector.gateway.host import Host, judge_host, read_host


def pi(folder: Path, temperature: str, alarm: str) -> Path:
    zone = folder / "class/thermal/thermal_zone0"
    volt = folder / "class/hwmon/hwmon1"
    other = folder / "class/hwmon/hwmon0"
    for place in (zone, volt, other):
        place.mkdir(parents=True)
    (zone / "temp").write_text(temperature)
    (volt / "name").write_text("rpi_volt\n")
    (volt / "in0_lcrit_alarm").write_text(alarm)
    (other / "name").write_text("cpu_thermal\n")
    return folder


def test_a_raspberry_pi(tmp_path: Path) -> None:
    host = read_host(tmp_path, pi(tmp_path, "51000\n", "1\n"))
    assert host.temperature_c == 51.0
    assert host.under_voltage is True
    assert host.disk_free_bytes


def test_a_computer_that_tells_nothing(tmp_path: Path) -> None:
    host = read_host(tmp_path, tmp_path)
    assert host.temperature_c is None
    assert host.under_voltage is None


def test_what_needs_attention() -> None:
    kernel = SettableClock(good=False)
    clock = UtcClock(kernel)
    good = Host(10 << 30, 50.0, False)
    assert judge_host(good, clock, 60.0) is None  # a clock may take its time after the start
    unset = judge_host(good, clock, 960.0)
    assert unset is not None
    assert unset.code == "gateway.clock-unset"
    kernel.good = True
    clock.look()
    assert judge_host(good, clock, 960.0) is None
    for host, code in (
        (Host(1 << 20, 50.0, False), "gateway.disk-low"),
        (Host(10 << 30, 85.0, None), "gateway.hot"),
        (Host(10 << 30, None, True), "gateway.under-voltage"),
    ):
        reason = judge_host(host, clock, 60.0)
        assert reason is not None
        assert reason.code == code
        assert reason.advice
