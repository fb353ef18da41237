"""A file layer for the outbox's tests: real files below, with counts, a size limit, and errors on demand."""

import errno
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from collector.outbox.files import Lock, NewFile, RealFiles

Fault = Callable[[str, Path], int | None]
"""Given the name of an operation and its path: the errno to fail with, or None."""


def os_error(number: int, path: Path) -> OSError:
    """The error as the system would raise it."""
    return OSError(number, os.strerror(number), str(path))


class FaultyFiles(RealFiles):
    """Counts what is done; fails where `fault` says so, and beyond `capacity_bytes` as a full disk does."""

    def __init__(self, capacity_bytes: int | None = None) -> None:
        self.fault: Fault = lambda _operation, _path: None
        self.capacity_bytes = capacity_bytes
        self.bad_bytes = range(0)
        """What no segment can be read at."""
        self.counts: Counter[str] = Counter()
        self.written_bytes = 0
        self.directory: Path | None = None
        self._lock: Lock | None = None

    def check(self, operation: str, path: Path) -> None:
        self.counts[operation] += 1
        number = self.fault(operation, path)
        if number is not None:
            raise os_error(number, path)

    def used_bytes(self) -> int:
        return sum(self.sizes(self.directory).values()) if self.directory else 0

    def create(self, path: Path) -> NewFile:
        self.check("create", path)
        return _FaultyFile(self, path, super().create(path))

    def read(self, path: Path, offset: int, size: int) -> bytes:
        self.check("read", path)
        if path.suffix == ".log" and offset < self.bad_bytes.stop and offset + size > self.bad_bytes.start:
            raise os_error(errno.EIO, path)
        return super().read(path, offset, size)

    def rename(self, old: Path, new: Path) -> None:
        self.check("rename", new)
        super().rename(old, new)

    def unlink(self, path: Path) -> None:
        self.check("unlink", path)
        super().unlink(path)

    def sync_directory(self, path: Path) -> None:
        self.check("sync_directory", path)
        super().sync_directory(path)

    def lock(self, path: Path) -> Lock:
        self.check("lock", path)
        self.directory = path.parent
        self._lock = super().lock(path)
        return self._lock

    def kill(self) -> None:
        """Give the lock up, as the system does for a process that dies."""
        assert self._lock is not None
        self._lock.close()


class _FaultyFile:
    def __init__(self, files: FaultyFiles, path: Path, file: NewFile) -> None:
        self._files = files
        self._path = path
        self._file = file

    def write(self, data: bytes) -> None:
        self._files.check("write", self._path)
        capacity_bytes = self._files.capacity_bytes
        if capacity_bytes is not None:
            room_bytes = capacity_bytes - self._files.used_bytes()
            if len(data) > room_bytes:
                self._file.write(data[: max(0, room_bytes)])
                raise os_error(errno.ENOSPC, self._path)
        self._files.written_bytes += len(data)
        self._file.write(data)

    def sync(self) -> None:
        self._files.check("sync", self._path)
        self._file.sync()

    def close(self) -> None:
        self._file.close()
