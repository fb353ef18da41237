"""The gateway's own hardware as Linux tells it: temperature, under-voltage, free disk."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from collector.clock import UtcClock
from collector.texts import Sentence
from collector.texts import gateway as say

_SYS = Path("/sys")
_DISK_LOW_BYTES = 200 << 20
_HOT_C = 80.0
_CLOCK_PATIENCE_S = 15 * 60.0
"""A gateway that has just started may take so long to find the time."""


@dataclass(frozen=True, slots=True)
class Host:
    """Readings of the gateway; None where this computer does not tell."""

    disk_free_bytes: int | None
    temperature_c: float | None
    under_voltage: bool | None


def read_host(folder: Path, sys: Path = _SYS) -> Host:
    """Read the gateway's hardware; `folder` is where the free disk space counts."""
    return Host(_disk_free(folder), _temperature_c(sys), _under_voltage(sys))


def judge_host(host: Host, clock: UtcClock, running_s: float) -> Sentence | None:
    """What is wrong with the gateway's hardware or clock, `running_s` after the start; None if nothing is."""
    if host.disk_free_bytes is not None and host.disk_free_bytes < _DISK_LOW_BYTES:
        return say.DISK_LOW(free_mib=host.disk_free_bytes >> 20)
    if host.under_voltage:
        return say.UNDER_VOLTAGE()
    if host.temperature_c is not None and host.temperature_c > _HOT_C:
        return say.HOT(temperature=round(host.temperature_c))
    if not clock.synchronised and running_s > _CLOCK_PATIENCE_S:
        return say.CLOCK_UNSET()
    return None


def _disk_free(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def _temperature_c(sys: Path) -> float | None:
    """The hottest thermal zone in degrees Celsius."""
    try:
        zones = list(sys.glob("class/thermal/thermal_zone*/temp"))
    except OSError:  # no descriptor left
        return None
    return max((reading / 1000 for zone in zones if (reading := _integer(zone)) is not None), default=None)


def _under_voltage(sys: Path) -> bool | None:
    """A Raspberry Pi's low-voltage alarm."""
    try:
        for name in sys.glob("class/hwmon/hwmon*/name"):
            if name.read_text(encoding="ascii").strip() == "rpi_volt":
                alarm = _integer(name.parent / "in0_lcrit_alarm")
                return None if alarm is None else bool(alarm)
    except OSError:
        return None
    return None


def _integer(file: Path) -> int | None:
    try:
        return int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
