"""Files that a person takes for the configuration, and that nobody would read."""

import shutil
import tempfile
from pathlib import Path

import pytest
from test_config import as_ordinary_user
from test_config_controllers import MACHINE, MAIN

from collector.config import ConfigError, Problem, load


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration that is good."""
    return written(tmp_path / "etc")


def written(folder: Path) -> Path:
    (folder / "machines").mkdir(parents=True)
    (folder / "collector.toml").write_text(f'{MAIN}[outbox]\ndirectory = "{folder}/outbox"\n')
    (folder / "machines" / "mill-1.toml").write_text(MACHINE)
    load(folder)
    return folder


def problems(path: Path) -> list[Problem]:
    with pytest.raises(ConfigError) as error:
        load(path)
    return list(error.value.problems)


@pytest.mark.parametrize(
    "name", ["collector.toml.txt", "Collector.toml", "collector", "collector.tml", "colector.toml"]
)
def test_a_main_file_with_another_name_is_found(folder: Path, name: str) -> None:
    (folder / "collector.toml").rename(folder / name)
    (problem,) = problems(folder)
    assert (problem.file, problem.sentence.code) == ("collector.toml", "config.no-main-file.near")
    assert problem.advice.endswith(f'sudo mv "{folder}/{name}" "{folder}/collector.toml"')


@pytest.mark.parametrize("name", ["Machines", "machine", "maschines"])
def test_a_folder_of_machines_with_another_name_is_found(folder: Path, name: str) -> None:
    (folder / "machines").rename(folder / name)
    (problem,) = problems(folder)
    assert (problem.file, problem.sentence.code) == ("machines", "config.no-machines.near")
    assert f'"{folder}/{name}"' in problem.advice


def test_what_is_something_else_is_not_offered(folder: Path) -> None:
    (folder / "collector.toml").rename(folder / "notes.txt")
    (folder / "collector.tom").mkdir()
    shutil.rmtree(folder / "machines")
    (folder / "machine").touch()
    assert [p.sentence.code for p in problems(folder)] == ["config.no-main-file", "config.no-machines"]


@pytest.mark.parametrize("name", ["mill-2.tml", "mill-2.tom", "mill-2.TOLM"])
def test_a_mistyped_ending_is_told(folder: Path, name: str) -> None:
    shutil.copy(folder / "machines" / "mill-1.toml", folder / "machines" / name)
    (problem,) = problems(folder)
    assert (problem.file, problem.sentence.code) == (f"machines/{name}", "config.machine-file-name")
    assert "mill-2.toml" in problem.advice


@pytest.mark.parametrize(
    "name", ["mill-1.toml.bak", "mill-1.tmp", "mill-1.yml", "mill-1.toml~", "mill.toml-old", ".mill.tml"]
)
def test_copies_that_editors_and_people_keep_are_left_alone(folder: Path, name: str) -> None:
    shutil.copy(folder / "machines" / "mill-1.toml", folder / "machines" / name)
    load(folder)


def test_a_machine_file_beside_the_main_file_is_told(folder: Path) -> None:
    (folder / "store.toml").write_text(MAIN)
    (folder / "mill-2.toml.old").write_text(MACHINE)
    load(folder)
    (folder / "mill-2.toml").write_text(MACHINE)
    (problem,) = problems(folder)
    assert (problem.file, problem.sentence.code) == ("mill-2.toml", "config.machine-file-beside")
    assert "folder machines" in str(problem)


def test_a_file_that_is_named_must_be_there(folder: Path) -> None:
    (folder / "learned").mkdir()
    (folder / "learned" / "mill-1.toml").touch()
    for good in ("", "collector.toml", "machines", "machines/mill-1.toml", "learned/mill-1.toml"):
        assert load(folder / good).folder == folder
    for wrong in ("mill-1.toml", "machines/mill-2.toml"):
        (problem,) = problems(folder / wrong)
        assert problem.sentence.code == "config.no-such-file"
        assert (problem.file, str((folder / wrong).parent)) == (
            Path(wrong).name,
            problem.sentence.values["folder"],
        )


def test_what_may_not_be_looked_at_is_no_bug() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        Path(temporary).chmod(0o755)
        folder = written(Path(temporary) / "etc")
        for closed in (folder / "machines", folder):
            closed.chmod(0o600)  # root passes this, so the others are asked
            codes = as_ordinary_user(
                lambda: " ".join(p.sentence.code for p in problems(folder / "machines" / "mill-1.toml"))
            )
            assert "config.unreadable" in codes
        folder.chmod(0o700)
        (folder / "machines").chmod(0o700)
