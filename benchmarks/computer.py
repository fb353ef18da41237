"""The computer that figures were measured on, as their reader has to know it.

Nothing here names the computer or its owner.
"""

import os
import platform
import shutil
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from collector import __version__
from collector.gateway.host import read_host

_LIBRARIES = ("numpy", "pydantic", "paho-mqtt", "pymodbus", "asyncua")


def describe_computer() -> dict[str, str]:
    """What it is made of, and what runs on it."""
    return {
        "model": _model(),
        "processor": f"{os.cpu_count()} x {_processor()}, {platform.machine()}",
        "highest clock": _highest_clock(),
        "memory": f"{_memory_mib()} MiB",
        "system": f"{platform.freedesktop_os_release().get('PRETTY_NAME', '?')}, Linux {platform.release()}",
        "Python": platform.python_version(),
        "libraries": ", ".join(f"{name} {version(name)}" for name in _LIBRARIES),
        "broker": _mosquitto(),
        "collector": f"{__version__}, {_commit()}",
    }


def describe_moment() -> dict[str, str]:
    """How it is at the moment: a busy or a hot computer makes other figures."""
    host = read_host(Path.cwd())
    return {
        "time": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "load (1, 5, 15 min)": " ".join(f"{load:.2f}" for load in os.getloadavg()),
        "temperature": "not told" if host.temperature_c is None else f"{host.temperature_c:.0f} °C",
        "under-voltage": {None: "not told", True: "yes", False: "no"}[host.under_voltage],
    }


def _model() -> str:
    """A Raspberry Pi tells its model here, a PC there."""
    for file in ("/proc/device-tree/model", "/sys/class/dmi/id/product_name"):
        try:
            return Path(file).read_text(encoding="utf-8").strip("\0\n ")
        except OSError:
            continue
    return "not told"


def _processor() -> str:
    """Its name; on ARM Linux gives a number that names the core."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    fields = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return fields.get("model name") or f"CPU part {fields.get('CPU part', '?')}"


def _highest_clock() -> str:
    try:
        khz = Path("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq").read_text(encoding="ascii")
    except OSError:
        return "not told"
    return f"{int(khz) // 1000} MHz"


def _memory_mib() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20


def _mosquitto() -> str:
    program = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin")
    return _first_line(program, "-h") if program else "no mosquitto"


def _commit() -> str:
    git = shutil.which("git")
    commit = _first_line(git, "describe", "--always", "--dirty", "--abbrev=12") if git else ""
    return f"commit {commit}" if commit else "commit not known"


def _first_line(*command: str) -> str:
    here = Path(__file__).parent
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=here)
    return done.stdout.partition("\n")[0]
