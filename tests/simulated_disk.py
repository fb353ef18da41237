"""A disk that exists only in memory, and everything a power cut may leave of it.

The promises are those of `collector.outbox.files` and no more. What was written since a file's last sync may
be there as a prefix, with holes of zeros (pages are written back in any order), torn inside a sector, or not
at all. What was made, renamed or removed since a folder's last sync may each have happened or not, in any
combination.
"""

import errno
import itertools
import os
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from collector.outbox.files import Lock, NewFile

SECTOR_BYTES = 64
_ALL_SUBSETS, _MOST_SECTORS = 5, 32
"""Of so many unsynced sectors every subset is tried; of more, every prefix and every single hole."""


@dataclass(slots=True)
class _Inode:
    """A file: what is on the medium for sure, and all that was written."""

    safe: bytes = b""
    written: bytes = b""
    doubtful: bool = False
    """A sync has failed: what was not safe then never is, whatever a later sync says."""


@dataclass(frozen=True, slots=True)
class _Change:
    """One change of the folder since its last sync: a name goes, a name comes, or both at once (a rename)."""

    gone: str | None
    come: str | None
    inode: _Inode | None


State = tuple[tuple[str, bytes], ...]
"""What is on a disk: names and contents, sorted."""


@dataclass(slots=True)
class _Held:
    disk: "SimulatedDisk"

    def close(self) -> None:
        self.disk.locked = False


class SimulatedDisk:
    """A file system with one folder. `before_change` is called before each change: a crash point."""

    def __init__(self, state: State = ()) -> None:
        self.before_change: Callable[[], None] = lambda: None
        self.fail: Callable[[str, str], int | None] = lambda _operation, _name: None
        """Given an operation and a file's name: the errno to fail with, or None."""
        self.capacity_bytes = 1 << 60
        self.locked = False
        self.failures = 0
        self._safe: dict[str, _Inode] = {name: _Inode(data, data) for name, data in state}
        self._names = dict(self._safe)
        self._changes: list[_Change] = []

    # What a power cut leaves

    def crash_states(self, most: int, choose: random.Random) -> Iterator[State]:
        """What may be on the medium if the power fails now: all of it, or `most` of it at random."""
        inodes = list(
            {id(i): i for i in [*self._safe.values(), *(c.inode for c in self._changes if c.inode)]}.values()
        )
        tails = [_tails(inode) for inode in inodes]
        options: list[list[Any]] = [*tails, *([True, False] for _ in self._changes)]
        total = 1
        for option in options:
            total *= len(option)
        picks: Iterator[tuple[Any, ...]]
        if total <= most:
            picks = itertools.product(*options)
        else:
            picks = (tuple(choose.choice(option) for option in options) for _ in range(most))
        for pick in picks:
            contents = {id(inode): inode.safe + tail for inode, tail in zip(inodes, pick, strict=False)}
            names = {name: id(inode) for name, inode in self._safe.items()}
            for change, happened in zip(self._changes, pick[len(inodes) :], strict=True):
                if happened:
                    if change.gone is not None:
                        names.pop(change.gone, None)
                    if change.come is not None:
                        names[change.come] = id(change.inode)
            yield tuple(sorted((name, contents[number]) for name, number in names.items()))

    # The Protocol

    def make_directory(self, path: Path) -> None:
        pass

    def lock(self, path: Path) -> Lock:
        if self.locked:
            raise BlockingIOError
        self.locked = True
        return _Held(self)

    def create(self, path: Path) -> NewFile:
        self.check("create", path.name)
        if path.name in self._names:
            raise _error(errno.EEXIST)
        inode = self._names[path.name] = _Inode()
        self._changes.append(_Change(None, path.name, inode))
        return SimulatedFile(self, path.name, inode)

    def read(self, path: Path, offset: int, size: int) -> bytes:
        if path.name not in self._names:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        return self._names[path.name].written[offset : offset + size]

    def sizes(self, directory: Path) -> dict[str, int]:
        return {name: len(inode.written) for name, inode in self._names.items()}

    def rename(self, old: Path, new: Path) -> None:
        self.check("rename", new.name)
        inode = self._names[new.name] = self._names.pop(old.name)
        self._changes.append(_Change(old.name, new.name, inode))

    def unlink(self, path: Path) -> None:
        self.check("unlink", path.name)
        if path.name not in self._names:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        del self._names[path.name]
        self._changes.append(_Change(path.name, None, None))

    def sync_directory(self, path: Path) -> None:
        self.check("sync_directory", "")
        self._safe, self._changes = dict(self._names), []

    def free_bytes(self, path: Path) -> int:
        return self.capacity_bytes - self.used_bytes()

    def used_bytes(self) -> int:
        return sum(len(inode.written) for inode in self._names.values())

    def check(self, operation: str, name: str) -> None:
        self.before_change()
        number = self.fail(operation, name)
        if number is not None:
            self.failures += 1
            raise _error(number)


@dataclass(slots=True)
class SimulatedFile:
    """A file being written."""

    disk: SimulatedDisk
    name: str
    inode: _Inode = field(repr=False)

    def write(self, data: bytes) -> None:
        room_bytes = max(0, self.disk.capacity_bytes - self.disk.used_bytes())
        try:
            self.disk.check("write", self.name)
        except OSError:
            self.inode.written += data[: len(data) // 2]
            raise
        self.inode.written += data[:room_bytes]
        if len(data) > room_bytes:
            self.disk.failures += 1
            raise _error(errno.ENOSPC)

    def sync(self) -> None:
        try:
            self.disk.check("sync", self.name)
        except OSError:
            self.inode.doubtful = True
            raise
        if not self.inode.doubtful:
            self.inode.safe = self.inode.written

    def close(self) -> None:
        pass


def _tails(inode: _Inode) -> list[bytes]:
    """What may follow the safe bytes of a file."""
    tail = inode.written[len(inode.safe) :]
    sectors = [tail[start : start + SECTOR_BYTES] for start in range(0, len(tail), SECTOR_BYTES)]
    found = {b"", tail, tail[:1], tail[: len(tail) * 2 // 3], tail[:-1]}
    if len(sectors) <= _ALL_SUBSETS:
        kept: Iterable[tuple[bool, ...]] = itertools.product([True, False], repeat=len(sectors))
    else:
        step = -(-len(sectors) // _MOST_SECTORS)
        prefixes = [tuple(i < n for i in range(len(sectors))) for n in range(0, len(sectors), step)]
        holes = [tuple(i != n for i in range(len(sectors))) for n in range(0, len(sectors), step)]
        kept = [*prefixes, *holes]
    for keep in kept:
        piece = b"".join(s if k else bytes(len(s)) for s, k in zip(sectors, keep, strict=True))
        found.add(piece)  # its length was written back, if not all of its pages
        found.add(
            piece[: sum(len(s) for s in sectors[: 1 + max((i for i, k in enumerate(keep) if k), default=-1)])]
        )
    return sorted(found)


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))
