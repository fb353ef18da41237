"""What is typed wrongly: the sentence says what there is instead, and the exit code is that of wrong use."""

import subprocess
from pathlib import Path

import pytest
from servers import PROGRAM

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
