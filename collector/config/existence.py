"""Whether what a configuration names exists on this gateway: files that are read, the folder that is written.

Nothing is changed by looking. Devices are not looked for: one that is off today must not stop the others.
"""

import difflib
import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

from collector.config.checks import ANY_SOURCE
from collector.config.controller_checks import ANY_CONTROLLER_SOURCE
from collector.config.document import Document
from collector.config.model import anchored
from collector.config.problems import Problem, shown
from collector.config.toml_lines import TomlPath
from collector.control import ControlSettings
from collector.mqtt import BrokerSettings, TlsSettings
from collector.outbox import OutboxSettings
from collector.pseudonym_key import SharingSettings
from collector.settings import credential_path
from collector.sources.replay import ReplaySettings
from collector.texts import Sentence
from collector.texts import configuration as texts

_LONGEST_SOCKET = 100
"""Bytes; the system allows 107, other programs a little less."""


def check_gateway_files(document: Document, folder: Path) -> Iterator[Problem]:
    """Whether what collector.toml names is there; relative paths count from `folder`."""
    named: list[tuple[TomlPath, str | None]] = []
    broker = document.valid(("broker",), BrokerSettings)
    if broker:
        named.append((("broker", "password_file"), broker.password_file))
    tls = document.valid(("broker", "tls"), TlsSettings)
    if tls:
        named += [(("broker", "tls", key), getattr(tls, key)) for key in ("ca_file", "cert_file", "key_file")]
    sharing = document.valid(("sharing",), SharingSettings)
    if sharing:
        named.append((("sharing", "key_file"), sharing.key_file))
    for path, file in named:
        sentence = _named_file(file, folder) if file else None
        if sentence:
            yield document.problem(path, sentence)
    absent = document.value(("outbox",)) is None
    outbox = OutboxSettings() if absent else document.valid(("outbox",), OutboxSettings)
    sentence = _folder_to_write(outbox.directory, folder) if outbox else None
    if sentence:
        yield document.problem(("outbox", "directory"), sentence)
    control = document.valid(("control",), ControlSettings)
    sentence = _socket(control.socket, folder) if control else None
    if sentence:
        yield document.problem(("control", "socket"), sentence)


def check_machine_files(document: Document, folder: Path) -> Iterator[Problem]:
    """Whether the files that a machine file names are there; relative paths count from `folder`."""
    for path in document.entries(("waveforms",)):
        source = document.valid((*path, "source"), ANY_SOURCE)
        if isinstance(source, ReplaySettings):
            sentence = _file_to_read(source.file, str(source.file), folder)
            if sentence:
                yield document.problem((*path, "source", "file"), sentence)
    for path in document.entries(("controllers",)):
        settings = document.valid((*path, "source"), ANY_CONTROLLER_SOURCE)
        for key in type(settings).model_fields if settings else ():
            file = getattr(settings, key) if key.endswith("_file") else None
            sentence = _named_file(file, folder) if file else None
            if sentence:
                yield document.problem((*path, "source", key), sentence)


def device(port: str) -> str:
    """The device that a port's path leads to over symbolic links, whether it is there now or not."""
    try:
        return os.path.realpath(port)
    except (OSError, ValueError):
        return port


def _named_file(file: str, folder: Path) -> Sentence | None:
    if not file.startswith("credential:"):
        return _file_to_read(Path(file), file, folder)
    if "CREDENTIALS_DIRECTORY" not in os.environ or _is_file(credential_path(file)):
        return None  # outside the service no one can tell
    name = file.removeprefix("credential:").removeprefix("secrets_")
    return texts.CREDENTIAL_MISSING(found=shown(file), name=name)


def _file_to_read(path: Path, written: str, folder: Path) -> Sentence | None:
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


def _folder_to_write(path: Path, folder: Path) -> Sentence | None:
    """Whether the folder can be written; if it is still to be made, the nearest one above it."""
    there = anchored(path, folder)
    while not _exists(there) and there != there.parent:
        there = there.parent
    if not there.is_dir():
        return texts.NOT_A_FOLDER(found=shown(str(path)), file=str(there))
    if there.stat().st_uid not in {0, os.geteuid()}:
        return None  # the service's own folder, looked at by somebody else: no one can tell from here
    if not os.access(there, os.W_OK | os.X_OK):
        return texts.FOLDER_UNWRITABLE(found=shown(str(path)), user=_user(), folder=str(there))
    return None


def _socket(path: Path, folder: Path) -> Sentence | None:
    """Whether a socket can be made there, without anything being removed but a socket."""
    file, found = anchored(path, folder), shown(str(path))
    length = len(os.fsencode(file))
    if length > _LONGEST_SOCKET:
        return texts.SOCKET_LONG(found=found, length=length, most=_LONGEST_SOCKET)
    try:
        mode = file.stat().st_mode
    except OSError:  # not there, or no one can tell from here
        return None
    except ValueError:  # a path that nothing can have
        return texts.SOCKET_TAKEN(found=found, file=shown(str(file)))
    if stat.S_ISDIR(mode):
        return texts.SOCKET_FOLDER(found=found, file=str(file), socket=shown(str(path / "control.sock")))
    return None if stat.S_ISSOCK(mode) else texts.SOCKET_TAKEN(found=found, file=str(file))


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except PermissionError:
        raise
    except (OSError, ValueError):  # not there, or a path that no file can have
        return False


def _exists(path: Path) -> bool:
    try:
        path.lstat()
    except (OSError, ValueError):
        return False
    return True


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
