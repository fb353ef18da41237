"""Whether a folder that a file of settings names can be written, by the user who will write it.

Where the rights of the folders do not show it, nothing is said. Nothing is changed by looking.
"""

import os
import shlex
import stat
from pathlib import Path

from collector.texts import Sentence
from collector.texts import toml as texts
from collector.toml.accounts import Account, may
from collector.toml.named_files import anchored
from collector.toml.problems import shown


def folder_to_write(path: Path, folder: Path, writer: Account) -> Sentence | None:
    """What keeps the writer from a folder, or from making it; None where nothing does, or no one can tell."""
    target, found = anchored(path, folder), shown(str(path))
    there = Path("/")
    for step in (*reversed(target.parents), target):
        try:
            is_folder = stat.S_ISDIR(step.stat().st_mode)
        except PermissionError:  # for who looks; what the writer may not enter has been told before
            return None
        except FileNotFoundError:
            if not step.is_symlink():
                break
            is_folder = False
        except (OSError, ValueError):  # a path that nothing can have
            is_folder = False
        if not is_folder:
            return texts.NOT_A_FOLDER(found=found, file=str(step))
        if not may(writer, step, os.X_OK):
            return texts.FOLDER_CLOSED(found=found, user=writer.name, folder=str(step))
        there = step
    if os.statvfs(there).f_flag & os.ST_RDONLY:
        return texts.FOLDER_READ_ONLY(found=found, folder=str(there))
    return None if may(writer, there, os.W_OK) else _unwritable(found, there, target, writer)


def _unwritable(found: str, there: Path, target: Path, writer: Account) -> Sentence:
    if there != target:
        wanted = shlex.quote(str(target))
        return texts.FOLDER_UNWRITABLE(found=found, user=writer.name, folder=str(there), wanted=wanted)
    inside = str(target / writer.name)  # the folder itself may be in use by others
    makes = {"wanted": shlex.quote(inside), "typed": shown(inside)}
    return texts.FOLDER_OF_OTHERS(found=found, user=writer.name, **makes)
