"""What is typed wrongly: the sentence says what there is instead, and the exit code is that of wrong use."""

import subprocess
from pathlib import Path

import pytest
from commands import typed
from servers import PROGRAM

from collector import __version__
from collector.cli import app

MACHINE = """\
[machine]
name = "mill-1"

[[waveforms]]
name = "spindle"
channels = [{ name = "x", unit = "g" }]
window = { samples = 256 }
source = { kind = "simulated", rate_hz = 6400 }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A good configuration that nobody runs."""
    main = '[gateway]\ncompany = "works"\nname = "gw"\n[broker]\nhost = "localhost"\n'
    (tmp_path / "collector.toml").write_text(
        f'{main}[control]\nsocket = "{tmp_path}/control.sock"\n', encoding="utf-8"
    )
    (tmp_path / "machines").mkdir()
    (tmp_path / "machines" / "mill-1.toml").write_text(MACHINE, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("command", "instead"),
    [
        (("test", "mill-1/spindel"), "mill-1/spindle"),
        (("test", "mill-1/state"), "computed"),
        (("test", "mill-2"), "mill-1/spindle"),
        (("share", "mill-1/spindel"), "mill-1/spindle"),
        (("features", "mill-1/spindel"), "mill-1/spindle"),
        (("learn", "mill-2"), "mill-1"),
        (("learn", "mill-1"), "[machine.state]"),
        (("trust", "192.168.0.10"), "opc.tcp://192.168.0.10:4840"),
        (("scan", "localhost:modbus"), "502"),
        (("scan", "localhost", "--units", "1..5"), "1-32"),
        (("statsu",), "status"),
    ],
)
def test_what_there_is_instead_is_said(folder: Path, command: tuple[str, ...], instead: str) -> None:
    where = () if command == ("statsu",) else ("--config", str(folder))
    done = subprocess.run(
        [PROGRAM, *command, *where], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert instead in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("store", "run"), 'Type "collector store serve";'),
        (("outbox", "exprt"), 'Type "collector outbox export";'),
        (("group", "ad-gateway"), 'Type "collector group add-gateway";'),
        (("demmo",), 'Type "collector demo";'),
        (("store", "prun"), "collector store --help lists"),
        (("store", "withdrawal"), "collector store --help lists"),
        (("outbox", "purg"), "collector outbox --help lists"),
        (("group", "revok"), "collector group --help lists"),
    ],
)
def test_no_slip_of_the_finger_leads_to_a_command_that_deletes(command: tuple[str, ...], said: str) -> None:
    done = subprocess.run([PROGRAM, *command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert not any(word in done.stderr.split() for word in ("prune", "withdraw", "purge", "revoke"))
    assert f'has no command "{command[-1]}"' in done.stderr


@pytest.mark.parametrize("group", [(), ("store",), ("store", "prune"), ("outbox", "purge"), ("status",)])
def test_help_has_a_short_name_in_every_command(group: tuple[str, ...]) -> None:
    (long_code, long), (short_code, short) = (typed(app, *group, option) for option in ("--help", "-h"))
    assert "Usage: " in long
    assert (short_code, short) == (long_code, long)
    assert long_code == 0


def test_the_version_is_printed_by_option_and_by_command() -> None:
    option, command = (
        subprocess.run([PROGRAM, version], capture_output=True, text=True, check=True).stdout
        for version in ("--version", "version")
    )
    assert option == command == f"{__version__}\n"


def test_a_port_as_windows_calls_it_is_no_port_here(folder: Path) -> None:
    source = (
        'source = { kind = "serial", port = "COM3", baud = 9600, rate_hz = 100, format = { kind = "text" } }'
    )
    machine = MACHINE.replace('source = { kind = "simulated", rate_hz = 6400 }', source)
    (folder / "machines" / "mill-1.toml").write_text(machine, encoding="utf-8")
    done = subprocess.run([PROGRAM, "check", folder], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert 'machines/mill-1.toml:8: waveforms[0].source.port: found "COM3"' in done.stderr
    assert "/dev/serial/by-id/" in done.stderr


def test_a_folder_where_a_machine_file_belongs_is_called_one(folder: Path) -> None:
    (folder / "machines" / "lathe.toml").mkdir()
    done = subprocess.run([PROGRAM, "check", folder], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "machines/lathe.toml: this is a folder, where a file belongs." in done.stderr
    assert "chmod" not in done.stderr


def test_without_a_name_the_only_source_is_tested_and_of_several_their_names_are_told(folder: Path) -> None:
    def tested() -> "subprocess.CompletedProcess[str]":
        command: list[str | Path] = [PROGRAM, "test", "--seconds", "0.5", "--config", folder]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    only = tested()
    assert only.returncode == 0, only.stderr
    assert only.stdout.startswith("mill-1/spindle: ")
    second = MACHINE.replace("mill-1", "mill-2")
    (folder / "machines" / "mill-2.toml").write_text(second, encoding="utf-8")
    several = tested()
    assert several.returncode == 2
    assert "Type one of them: mill-1/spindle, mill-2/spindle" in several.stderr
