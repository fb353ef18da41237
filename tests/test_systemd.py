"""The systemd unit is valid, closed up, and fits the program and the script that installs it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from collector.run import GOODBYE_S
from collector.store.settings import DEFAULT_FILE
from collector.streams.streams import END_WAIT_S

FOLDER = Path(__file__).resolve().parent.parent / "systemd"
UNIT = FOLDER / "collector.service"
STORE = FOLDER / "collector-store.service"
UNITS = [UNIT, STORE]
INSTALLER = FOLDER / "install.sh"


def settings(unit: Path = UNIT) -> dict[str, list[str]]:
    """Every setting of a unit with all its values."""
    found: dict[str, list[str]] = {}
    for line in unit.read_text(encoding="utf-8").splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


@pytest.fixture(params=UNITS, ids=lambda unit: unit.name)
def runnable(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A unit with programs that exist here: the check looks for them."""
    text = request.param.read_text(encoding="utf-8")
    unit: Path = tmp_path / request.param.name
    unit.write_text(text.replace("/opt/collector/bin/collector", str(shutil.which("true"))), encoding="utf-8")
    return unit


def analyze(*arguments: str | Path) -> str:
    done = subprocess.run(
        ["systemd-analyze", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


def test_systemd_finds_nothing_to_complain_about(runnable: Path) -> None:
    assert analyze("verify", "--man=no", runnable) == ""


def test_exposure_is_at_most_2(runnable: Path) -> None:
    output = analyze("security", "--offline=true", "--no-pager", runnable)
    level = re.search(rf"exposure level for {re.escape(runnable.name)}: ([0-9.]+)", output)
    assert level
    assert float(level[1]) <= 2.0


def test_a_blocked_program_runs_again_within_10_s() -> None:
    unit = settings()
    waits = ("WatchdogSec", "TimeoutAbortSec", "RestartSec")
    assert sum(float(unit[name][0]) for name in waits) <= 8  # 2 s are left for starting
    assert float(unit["WatchdogSec"][0]) >= 4  # it is fed once a second


def test_a_stop_is_not_cut_short_though_something_does_not_let_go() -> None:
    longest_s = END_WAIT_S + GOODBYE_S + END_WAIT_S  # streams, last records, the connection to the broker
    assert float(settings()["TimeoutStopSec"][0]) >= longest_s + 10  # and the disk


def test_collecting_waits_for_neither_network_nor_time() -> None:
    unit = settings()
    named = " ".join(unit["After"] + unit.get("Wants", []) + unit.get("Requires", []))
    assert not re.search("online|time", named)


def test_the_clock_can_be_read_and_serial_ports_opened() -> None:
    unit = settings()
    assert "ProtectClock" not in unit
    assert {"adjtimex", "clock_adjtime"} <= set(unit["SystemCallFilter"][-1].split())
    assert unit["CapabilityBoundingSet"] == [""]
    assert "PrivateDevices" not in unit
    assert {"char-ttyUSB rw", "char-ttyACM rw"} <= set(unit["DeviceAllow"])


@pytest.mark.parametrize("file", UNITS, ids=lambda unit: unit.name)
def test_the_page_that_a_unit_names_is_installed_there(file: Path) -> None:
    home, page = settings(file)["Documentation"][0].split("/doc/")
    script = INSTALLER.read_text(encoding="utf-8")
    assert f"home={home.removeprefix('file:')}\n" in script
    assert 'cp -R README.md docs "$home/doc"\n' in script
    assert (FOLDER.parent / page).is_file()


@pytest.mark.parametrize("file", UNITS, ids=lambda unit: unit.name)
def test_a_missing_folder_of_secrets_does_not_stop_the_start(file: Path) -> None:
    unit = settings(file)
    name = unit["LoadCredential"][0].partition(":")[0]
    assert unit["SetCredential"][0].startswith(f"{name}:")


def test_the_store_starts_as_its_page_says() -> None:
    unit = settings(STORE)
    page = (FOLDER.parent / "docs" / "store.md").read_text(encoding="utf-8")
    assert unit["ExecStart"][0].endswith(f"collector store serve --config {DEFAULT_FILE}")
    for place in (unit["LoadCredential"][0].partition(":")[2], f"/var/lib/{unit['StateDirectory'][0]}"):
        assert place in page
    assert {"adjtimex", "clock_adjtime"} <= set(unit["SystemCallFilter"][-1].split())


def test_the_installer_is_sound_and_makes_what_the_unit_names(tmp_path: Path) -> None:
    subprocess.run(["sh", "-n", str(INSTALLER)], check=True)
    script, unit = INSTALLER.read_text(encoding="utf-8"), settings()
    home = re.search(r"^home=(.+)$", script, re.MULTILINE)
    assert home
    assert unit["ExecStart"][0].startswith(f"{home[1]}/bin/collector ")
    assert f"settings={unit['ExecStart'][0].split()[-1]}\n" in script
    assert "/etc/collector/secrets" in unit["LoadCredential"][0]
    assert '"$settings/secrets"' in script
    for name in ("config", "docs", "README.md", "LICENSE", "pyproject.toml", "collector"):
        assert (FOLDER.parent / name).exists()


def test_the_stores_service_fits_what_installs_it() -> None:
    unit = (FOLDER / "collector-store.service").read_text(encoding="utf-8")
    script = INSTALLER.read_text(encoding="utf-8")
    assert "LoadCredential=secrets:/etc/collector/store-secrets\n" in unit
    assert '"$settings/store-secrets"' in script
    user = re.search(r"^User=(.+)$", unit, re.MULTILINE)
    assert user
    assert f"--shell /usr/sbin/nologin {user[1]}\n" in script
    assert (FOLDER.parent / "config" / "store.toml").exists()


def test_the_installer_explains_itself() -> None:
    done = subprocess.run(["sh", str(INSTALLER), "--help"], capture_output=True, text=True, check=True)
    assert "sudo systemd/install.sh" in done.stdout
