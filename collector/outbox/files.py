"""The only way from the outbox to a file system: what it needs, and nothing more.

Everything durable goes by these rules: a file's bytes are safe after `sync`, its name after `sync_directory`
of its folder, and nothing else is. Tests put other file systems behind the same Protocol.
"""

import errno
import fcntl
import os
from pathlib import Path
from typing import Protocol


class NewFile(Protocol):
    """A file being written, from its first byte on."""

    def write(self, data: bytes) -> None:
        """Append all of `data`.

        Raises:
            OSError: it is not known how much was written.
        """

    def sync(self) -> None:
        """Return when all that was written is on the medium (fdatasync).

        Raises:
            OSError: nothing written since the last successful call can be relied on, nor can trying again.
        """

    def close(self) -> None:
        """Close the file, without syncing it."""


class Lock(Protocol):
    """A lock that is held."""

    def close(self) -> None:
        """Give it up."""


class Files(Protocol):
    """A file system. Every method raises OSError where the system does."""

    def make_directory(self, path: Path) -> None:
        """Make a folder that only its owner can enter, and those above it; leave an existing one as it is."""

    def lock(self, path: Path) -> Lock:
        """Lock a file, made where it is missing.

        Raises:
            BlockingIOError: another process holds it.
        """

    def create(self, path: Path) -> NewFile:
        """Make an empty file that only its owner can read; there must be none of this name."""

    def read(self, path: Path, offset: int, size: int) -> bytes:
        """Read up to `size` bytes; fewer only where the file ends."""

    def sizes(self, directory: Path) -> dict[str, int]:
        """Name and size of every plain file in a folder."""

    def rename(self, old: Path, new: Path) -> None:
        """Rename within a folder, replacing what has the new name."""

    def unlink(self, path: Path) -> None:
        """Remove a file's name."""

    def sync_directory(self, path: Path) -> None:
        """Return when every name made, changed or removed in the folder is so on the medium."""

    def free_bytes(self, path: Path) -> int:
        """How much more this user can write to the disk that holds `path`."""


def is_full(error: OSError) -> bool:
    """Whether the disk, or this user's share of it, is full."""
    return error.errno in {errno.ENOSPC, errno.EDQUOT}


class _OpenFile:
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]

    def sync(self) -> None:
        os.fdatasync(self._descriptor)

    def close(self) -> None:
        os.close(self._descriptor)


class RealFiles:
    """The operating system's file system."""

    def make_directory(self, path: Path) -> None:
        """See `Files`."""
        if path.is_dir():
            return
        if path.parent != path:
            self.make_directory(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)
        self.sync_directory(path.parent)

    def lock(self, path: Path) -> Lock:
        """See `Files`."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise
        return _OpenFile(descriptor)

    def create(self, path: Path) -> NewFile:
        """See `Files`."""
        return _OpenFile(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))

    def read(self, path: Path, offset: int, size: int) -> bytes:
        """See `Files`."""
        with path.open("rb", buffering=0) as file:
            pieces: list[bytes] = []
            while size > 0 and (piece := os.pread(file.fileno(), size, offset)):
                pieces.append(piece)
                offset, size = offset + len(piece), size - len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def sizes(self, directory: Path) -> dict[str, int]:
        """See `Files`."""
        with os.scandir(directory) as entries:
            return {
                entry.name: entry.stat().st_size for entry in entries if entry.is_file(follow_symlinks=False)
            }

    def rename(self, old: Path, new: Path) -> None:
        """See `Files`."""
        old.replace(new)

    def unlink(self, path: Path) -> None:
        """See `Files`."""
        path.unlink()

    def sync_directory(self, path: Path) -> None:
        """See `Files`."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def free_bytes(self, path: Path) -> int:
        """See `Files`."""
        facts = os.statvfs(path)
        return facts.f_bavail * facts.f_frsize
