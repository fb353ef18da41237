"""Whether the files on disk still say what is in use: what counts as a change, and since when."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from servers import write_configuration

from collector.config import Config, changed_us, load

SIMULATED = """\
channels = [{ name = "x", unit = "g" }]
window = { samples = 256 }
source = { kind = "simulated", rate_hz = 3200 }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration of one machine, with a file of thresholds."""
    write_configuration(tmp_path, 1883, SIMULATED)
    (tmp_path / "learned").mkdir()
    (tmp_path / "learned" / "mill-1.toml").write_text("")
    return tmp_path


def test_what_was_loaded_is_in_use_however_its_files_are_written_anew(folder: Path) -> None:
    config = load(folder)
    assert changed_us(config) is None
    file = folder / "machines" / "mill-1.toml"
    os.utime(file)
    assert changed_us(config) is None
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    assert changed_us(config) is None
    (folder / "learned" / "mill-1.values.json").write_text("{}")
    (folder / "machines" / "notes.txt").write_text("no part of it")
    assert changed_us(config) is None


def _edited(folder: Path) -> Path:
    file = folder / "machines" / "mill-1.toml"
    file.write_text(file.read_text().replace("3200", "1600"))
    return file


def _wrong(folder: Path) -> Path:
    file = folder / "collector.toml"
    file.write_bytes(b"\xff")
    return file


def _added(folder: Path) -> Path:
    return Path(shutil.copy2(folder / "machines" / "mill-1.toml", folder / "machines" / "mill-2.toml"))


def _removed(folder: Path) -> Path:
    (folder / "machines" / "mill-1.toml").unlink()
    return folder / "machines"


def _learned(folder: Path) -> Path:
    file = folder / "learned" / "mill-1.toml"
    file.write_text("# nothing yet\n")
    return file


@pytest.mark.parametrize("change", [_edited, _wrong, _added, _removed, _learned])
def test_a_change_is_told_with_its_moment_until_it_is_loaded(
    folder: Path, change: Callable[[Path], Path]
) -> None:
    config = load(folder)
    touched = change(folder)
    assert changed_us(config) == touched.stat().st_ctime_ns // 1000


def test_a_change_that_was_taken_back_is_none(folder: Path) -> None:
    config, file = load(folder), folder / "machines" / "mill-1.toml"
    before = file.read_text()
    _edited(folder)
    assert changed_us(config) is not None
    changed: Config = load(folder)
    assert changed_us(changed) is None
    file.write_text(before)
    assert changed_us(config) is None


def test_a_folder_that_is_gone_is_a_change(folder: Path) -> None:
    config = load(folder)
    shutil.rmtree(folder / "machines")
    assert changed_us(config) is not None
