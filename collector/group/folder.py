"""The group's folder on disk: register, authorities, enrolments, and what the broker reads.

Everything in `broker` is made of the rest and can be made again.
"""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from collector.errors import GroupError
from collector.group.authority import Authority, read_authority
from collector.group.register import Register
from collector.texts import group as say
from collector.whole_file import write_whole

AUTHORITIES = ("broker", "gateways", "readers")
"""One that vouches for the broker, and one for each listener: a name in a certificate counts only where its
authority does."""


_OURS = {"README", "authorities", "enrolments", "broker"}


@dataclass(frozen=True, slots=True)
class GroupFolder:
    """Where everything lies."""

    path: Path

    @property
    def register_file(self) -> Path:
        """The one file that says who belongs to the group."""
        return self.path / "register.json"

    @property
    def broker(self) -> Path:
        """What mosquitto reads."""
        return self.path / "broker"

    def enrolment(self, title: str) -> Path:
        """The file that a member is given."""
        return self.path / "enrolments" / f"{title.replace('/', '.')}.enrolment"

    def check_unused(self) -> None:
        """Refuse a folder that holds something else: its rights would be changed.

        Raises:
            GroupError: it does, or cannot be looked into.
        """
        with _told(self.path):
            names = {entry.name for entry in self.path.iterdir()} if self.path.exists() else set()
        if names - _OURS:
            raise GroupError(say.FOLDER_USED(folder=str(self.path)))

    def create(self) -> None:
        """Make the folder and those in it, where they are missing.

        What is in `broker` can be read by mosquitto's user, where there is one.

        Raises:
            GroupError: it cannot be made.
        """
        with _told(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            self.path.chmod(0o711)  # mosquitto passes through to what it reads
            for name in ("authorities", "enrolments"):
                (self.path / name).mkdir(mode=0o700, exist_ok=True)
            self.broker.mkdir(exist_ok=True)
            if os.geteuid() == 0:
                with contextlib.suppress(LookupError):
                    shutil.chown(self.broker, group="mosquitto")
            self.broker.chmod(0o2750)  # files made in it belong to its group

    @contextlib.contextmanager
    def changing(self) -> Iterator[None]:
        """Keep every other command from changing the group meanwhile.

        Raises:
            GroupError: there is no group here, or it may not be changed.
        """
        if not self.register_file.exists():
            raise GroupError(say.NO_GROUP(folder=str(self.path)))
        with _told(self.path):
            lock = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def read_register(self) -> Register:
        """Who belongs to the group.

        Raises:
            GroupError: there is no group here, or its file is damaged.
        """
        try:
            return Register.model_validate_json(self.register_file.read_bytes())
        except FileNotFoundError:
            raise GroupError(say.NO_GROUP(folder=str(self.path))) from None
        except ValidationError:
            raise GroupError(say.DAMAGED(file=str(self.register_file))) from None
        except OSError as error:
            raise _unusable(self.path, error) from error

    def write_register(self, register: Register) -> None:
        """Keep it.

        Raises:
            GroupError: it cannot be written; the old one is still there.
        """
        self.write(self.register_file, register.model_dump_json(indent=1).encode() + b"\n", 0o600)

    def read_authority(self, name: str) -> Authority:
        """One of `AUTHORITIES`.

        Raises:
            GroupError: its files are missing or damaged.
        """
        file = self._authority_file(name)
        try:
            return read_authority(file.read_bytes(), file.with_suffix(".key").read_bytes())
        except (ValueError, TypeError):
            raise GroupError(say.DAMAGED(file=str(file))) from None
        except OSError as error:
            raise _unusable(self.path, error) from error

    def write_authority(self, name: str, authority: Authority) -> None:
        """Keep one of `AUTHORITIES`.

        Raises:
            GroupError: it cannot be written.
        """
        file = self._authority_file(name)
        self.write(file.with_suffix(".key"), authority.key_pem, 0o600)
        self.write(file, authority.certificate_pem, 0o644)

    def write(self, file: Path, content: bytes, mode: int) -> None:
        """Write one file of the folder, whole.

        Raises:
            GroupError: it cannot be written.
        """
        with _told(self.path):
            write_whole(file, content, mode)

    def forget_enrolment(self, title: str) -> None:
        """Delete the file that a member is given, if it is there.

        Raises:
            GroupError: it cannot be deleted.
        """
        with _told(self.path):
            self.enrolment(title).unlink(missing_ok=True)

    def _authority_file(self, name: str) -> Path:
        return self.path / "authorities" / f"{name}.pem"


@contextlib.contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _unusable(folder, error) from error


def _unusable(folder: Path, error: OSError) -> GroupError:
    return GroupError(say.FOLDER_UNUSABLE(folder=str(folder), reason=error.strerror or str(error)))
