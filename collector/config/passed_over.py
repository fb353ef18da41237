"""Files that are meant for a configuration and would be passed over: for their name, or for where they lie.

What is in the files that count is judged in loading.py.
"""

import difflib
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from collector.config.model import MACHINES_FOLDER, MAIN_FILE
from collector.texts import Sentence
from collector.texts.configuration import (
    MACHINE_FILE_BESIDE,
    MACHINE_FILE_NAME,
    MACHINE_SUBFOLDER,
    NO_MACHINES,
    NO_MACHINES_NEAR,
    NO_MAIN_FILE,
    NO_MAIN_FILE_NEAR,
)
from collector.toml.problems import Problem

_MACHINE_TABLE = re.compile(rb"(?m)^[ \t]*\[machine\]")
"""What no other file than a machine's has; a file of another name may be anything."""
_ALIKE = 0.7
"""From here on two names are one, typed wrongly: .tml and .toml, but not .tmp or .yml."""


def is_toml_file(entry: Path) -> bool:
    """Whether a file counts by its name."""
    return entry.suffix == ".toml" and not entry.name.startswith(".")


def is_missing(path: Path) -> bool:
    """Whether nothing is there, for certain."""
    try:
        path.lstat()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False


def passed_over(folder: Path) -> Iterator[Problem]:
    """A problem for each file that a person takes for a machine's, and nobody reads."""
    for entry in _entries(folder / MACHINES_FOLDER):
        sentence = _in_machines(entry)
        if sentence:
            yield Problem(f"{MACHINES_FOLDER}/{entry.name}", None, "", sentence)
    for entry in _entries(folder):
        if is_toml_file(entry) and entry.name != MAIN_FILE and _is_machines(entry):
            yield Problem(entry.name, None, "", MACHINE_FILE_BESIDE(folder=MACHINES_FOLDER))


def no_main_file(folder: Path) -> Sentence:
    """That there is no collector.toml; there may be a file that is meant to be it."""
    near = _meant(folder, MAIN_FILE, stat.S_ISREG)
    return NO_MAIN_FILE_NEAR(name=near, folder=str(folder)) if near else NO_MAIN_FILE(folder=str(folder))


def no_machines(folder: Path) -> Sentence:
    """That there is no machine file; there may be a folder that is meant to have them."""
    near = _meant(folder, MACHINES_FOLDER, stat.S_ISDIR)
    if near and is_missing(folder / MACHINES_FOLDER):
        return NO_MACHINES_NEAR(name=near, folder=str(folder))
    return NO_MACHINES(folder=str(folder / MACHINES_FOLDER))


def _in_machines(entry: Path) -> Sentence | None:
    small = entry.name.lower()
    if is_toml_file(entry):
        return None
    if small.endswith((".toml", ".toml.txt")):
        return MACHINE_FILE_NAME(name=entry.name[: small.rindex(".toml")] + ".toml")
    if stat.S_ISDIR(_mode(entry)):
        inner = [file.name for file in _entries(entry) if is_toml_file(file)]
        return MACHINE_SUBFOLDER(name=inner[0], folder=MACHINES_FOLDER) if inner else None
    is_copy = entry.suffix.startswith(".toml")  # of an editor or a person, as in .toml~ or .toml-old
    mistyped = not is_copy and difflib.get_close_matches(entry.suffix.lower(), [".toml"], cutoff=_ALIKE)
    if (mistyped or not entry.suffix) and _is_machines(entry):
        return MACHINE_FILE_NAME(name=f"{entry.stem}.toml")
    return None


def _is_machines(entry: Path) -> bool:
    try:
        return stat.S_ISREG(_mode(entry)) and bool(_MACHINE_TABLE.search(entry.read_bytes()))
    except OSError:  # no one can tell from here
        return False


def _meant(folder: Path, name: str, is_kind: Callable[[int], bool]) -> str | None:
    """What in a folder has nearly this name, such as one with .txt behind it, or with a capital letter."""
    small = {entry.name.lower(): entry.name for entry in _entries(folder) if is_kind(_mode(entry))}
    near = difflib.get_close_matches(name, small, n=1, cutoff=_ALIKE)
    return small[near[0]] if near else None


def _mode(entry: Path) -> int:
    """Of what kind it is; 0 where no one can tell from here."""
    try:
        return entry.stat().st_mode
    except OSError:
        return 0


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError:
        return []
