"""Whether a folder that a file of settings names can be written, by the user who will write it.

That may be another user than the one who looks: the service's, while a person checks. Then only what the
rights of the folders show can be said; where they do not show it, nothing is. Nothing is changed by looking.
"""

import os
import pwd
import shlex
import stat
from dataclasses import dataclass
from pathlib import Path

from collector.texts import Sentence
from collector.texts import toml as texts
from collector.toml.named_files import anchored
from collector.toml.problems import shown

_ACCESS_LIST = "system.posix_acl_access"
"""Where a folder keeps the rights of single users and groups, beside its owner, its group and everybody."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who will write; `name` as it is typed."""

    name: str
    uid: int
    groups: frozenset[int]


def own_account() -> Account:
    """Who is looking."""
    uid = os.geteuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:  # a user without a name
        name = str(uid)
    return Account(name, uid, frozenset({os.getegid(), *os.getgroups()}))


def service_account(name: str) -> Account:
    """The user of a service; who is looking where there is no such user, since no service is installed."""
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        return own_account()
    return Account(name, user.pw_uid, frozenset(os.getgrouplist(name, user.pw_gid)))


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
        if not _may(writer, step, os.X_OK):
            return texts.FOLDER_CLOSED(found=found, user=writer.name, folder=str(step))
        there = step
    if os.statvfs(there).f_flag & os.ST_RDONLY:
        return texts.FOLDER_READ_ONLY(found=found, folder=str(there))
    return None if _may(writer, there, os.W_OK) else _unwritable(found, there, target, writer)


def _unwritable(found: str, there: Path, target: Path, writer: Account) -> Sentence:
    if there != target:
        wanted = shlex.quote(str(target))
        return texts.FOLDER_UNWRITABLE(found=found, user=writer.name, folder=str(there), wanted=wanted)
    inside = str(target / writer.name)  # the folder itself may be in use by others
    makes = {"wanted": shlex.quote(inside), "typed": shown(inside)}
    return texts.FOLDER_OF_OTHERS(found=found, user=writer.name, **makes)


def _may(account: Account, folder: Path, wanted: int) -> bool:
    """Whether an account may do this in a folder; yes, where the rights do not show it."""
    if account.uid == os.geteuid():
        return os.access(folder, wanted, effective_ids=True)
    about = folder.stat()
    if account.uid == 0 or _ACCESS_LIST in _attributes(folder):
        return True
    if account.uid == about.st_uid:
        granted = about.st_mode >> 6
    elif about.st_gid in account.groups:
        granted = about.st_mode >> 3
    else:
        granted = about.st_mode
    return granted & wanted == wanted


def _attributes(folder: Path) -> list[str]:
    try:
        return os.listxattr(folder)
    except OSError:  # a file system that has none
        return []
