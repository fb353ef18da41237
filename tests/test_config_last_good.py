"""The last good configuration: kept as a whole, found again, and never in the way."""

import json
import shutil
from pathlib import Path

import pytest

from collector.config import Config, ConfigError, load, load_last_good, save_last_good

EXAMPLES = Path(__file__).resolve().parent.parent / "config"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "etc"
    shutil.copytree(EXAMPLES, folder)
    main = folder / "collector.toml"
    main.write_text(main.read_text("utf-8").replace("/var/lib/collector", str(tmp_path)), "utf-8")
    return folder


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def kept(folder: Path, state: Path) -> Config:
    assert save_last_good(folder, state) is None
    config = load_last_good(state)
    assert config is not None
    return config


def test_what_was_kept_is_what_was_loaded(folder: Path, state: Path) -> None:
    assert kept(folder, state) == load(folder)


def test_it_does_not_follow_the_folder(folder: Path, state: Path) -> None:
    before = kept(folder, state)
    (folder / "collector.toml").write_text("broken", "utf-8")
    shutil.rmtree(folder / "machines")
    with pytest.raises(ConfigError):
        load(folder)
    assert load_last_good(state) == before


def test_relative_paths_count_from_the_folder_of_old(
    folder: Path, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    assert save_last_good(Path("etc"), state) is None
    monkeypatch.chdir("/")
    config = load_last_good(state)
    assert config is not None
    assert config.folder == folder
    assert config == load(folder)


def test_a_missing_file_does_not_stop_the_last_good_one(folder: Path, state: Path) -> None:
    before = kept(folder, state)
    (folder / "recordings" / "example.csv").unlink()
    assert load_last_good(state) == before


def test_a_wrong_configuration_never_replaces_it(folder: Path, state: Path) -> None:
    before = kept(folder, state)
    (folder / "collector.toml").write_text("broken", "utf-8")
    reason = save_last_good(folder, state)
    assert reason is not None
    assert reason.code == "config.last-good-not-kept"
    assert load_last_good(state) == before


def test_an_unchanged_one_is_not_written_again(folder: Path, state: Path) -> None:
    kept(folder, state)
    (file,) = state.iterdir()
    before = file.stat()
    kept(folder, state)
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


def test_no_copy_can_be_kept(folder: Path, state: Path) -> None:
    state.touch()
    reason = save_last_good(folder, state)
    assert reason is not None
    assert str(state) in str(reason)
    assert load_last_good(state) is None


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"folder": 1, "files": {}}',
        '{"folder": "/", "files": []}',
        '{"folder": "/", "files": {"a": 1}}',
    ],
)
def test_a_spoilt_copy_is_none(state: Path, content: str) -> None:
    assert load_last_good(state) is None
    state.mkdir()
    (state / "last-good-configuration.json").write_text(content, "utf-8")
    assert load_last_good(state) is None


def test_a_torn_write_leaves_the_old_one(folder: Path, state: Path) -> None:
    before = kept(folder, state)
    (file,) = state.iterdir()
    file.with_suffix(".new").write_bytes(file.read_bytes()[:100])
    assert load_last_good(state) == before
    assert json.loads(file.read_bytes())["folder"] == str(folder)
