"""Whether the files that a file of settings names are there and can be read, by the user who looks.

Folders are in folders_to_write.py. Which keys name files is known to the settings of each part.
"""

import difflib
import os
import pwd
import stat
from pathlib import Path

from collector.settings import credential_path
from collector.texts import Sentence
from collector.texts import toml as texts
from collector.toml.problems import shown


def anchored(path: Path | str, folder: Path) -> Path:
    """A path as the configuration means it: relative ones count from its folder."""
    return Path(os.path.abspath(folder / path))  # noqa: PTH100 (Path.resolve would follow symbolic links)


def absolute(file: str | None, folder: Path) -> str | None:
    """The same for what may also be `credential:NAME`, which stays as it is, or be left out."""
    return file if file is None or file.startswith("credential:") else str(anchored(file, folder))


def named_file(file: str, folder: Path) -> Sentence | None:
    """What is wrong with a named file or credential; None where nothing is."""
    if not file.startswith("credential:"):
        return file_to_read(Path(file), file, folder)
    if "CREDENTIALS_DIRECTORY" not in os.environ or _is_file(credential_path(file)):
        return None  # outside the service no one can tell
    name = file.removeprefix("credential:").removeprefix("secrets_")
    return texts.CREDENTIAL_MISSING(found=shown(file), name=name)


def file_to_read(path: Path, written: str, folder: Path) -> Sentence | None:
    """What is wrong with a file that is read, and that `written` names; None where nothing is."""
    file = anchored(path, folder)
    try:
        there = _is_file(file)
    except PermissionError:
        return texts.FILE_UNREADABLE(found=shown(written), user=_user(), file=str(file))
    if not there:
        others = [name for name in _names(file.parent) if name != file.name]
        near = difflib.get_close_matches(file.name, others, n=1)
        if near:
            nearest = str(path.with_name(near[0]))
            return texts.FILE_MISSING_NEAREST(found=shown(written), file=str(file), nearest=nearest)
        return texts.FILE_MISSING(found=shown(written), file=str(file))
    if not os.access(file, os.R_OK):
        return texts.FILE_UNREADABLE(found=shown(written), user=_user(), file=str(file))
    return None


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except PermissionError:
        raise
    except (OSError, ValueError):  # not there, or a path that no file can have
        return False


def _names(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in folder.iterdir()]
    except (OSError, ValueError):
        return []


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a user without a name
        return str(os.getuid())
