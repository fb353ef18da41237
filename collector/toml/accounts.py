"""Who reads and writes what a file of settings names: the service's user, or whoever looks.

While a person checks, that may be another user than the one who looks. Then only what owner, group and rights
of files show can be said. Nothing is changed by looking.
"""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

_ACCESS_LIST = "system.posix_acl_access"
"""Where a file keeps the rights of single users and groups, beside its owner, its group and everybody."""


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the system; `name` as it is typed."""

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


def may(account: Account, path: Path, wanted: int) -> bool:
    """Whether an account may do this (os.R_OK and the like) with a file or folder, apart from the way to it.

    Yes, where the rights do not show it.
    """
    if account.uid == os.geteuid():
        return os.access(path, wanted, effective_ids=True)
    try:
        about = path.stat()
    except OSError:  # for who looks
        return True
    if account.uid == 0 or _ACCESS_LIST in _attributes(path):
        return True
    if account.uid == about.st_uid:
        granted = about.st_mode >> 6
    elif about.st_gid in account.groups:
        granted = about.st_mode >> 3
    else:
        granted = about.st_mode
    return granted & wanted == wanted


def may_read(account: Account, path: Path) -> bool:
    """Whether an account may read a file, the way to it included, also to where a link leads."""
    folders = {*path.parents, *path.resolve().parents}
    return all(may(account, folder, os.X_OK) for folder in folders) and may(account, path, os.R_OK)


def _attributes(path: Path) -> list[str]:
    try:
        return os.listxattr(path)
    except OSError:  # a file system that has none
        return []
