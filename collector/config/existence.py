"""Whether what a configuration names exists on this gateway: files that are read, the folder that is written.

Nothing is changed by looking. Devices are not looked for: one that is off today must not stop the others.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from collector.config.checks import ANY_SOURCE
from collector.config.controller_checks import ANY_CONTROLLER_SOURCE
from collector.control import ControlSettings
from collector.mqtt.checks import check_broker_files
from collector.outbox import OutboxSettings
from collector.pseudonym_key import SharingSettings
from collector.sources.replay import ReplaySettings
from collector.texts import Sentence
from collector.texts import configuration as texts
from collector.toml.accounts import Account
from collector.toml.document import Document
from collector.toml.folders_to_write import folder_to_write
from collector.toml.named_files import anchored, file_to_read, named_file
from collector.toml.problems import Problem, shown

_LONGEST_SOCKET = 100
"""Bytes; the system allows 107, other programs a little less."""


def check_gateway_files(document: Document, folder: Path, writer: Account) -> Iterator[Problem]:
    """Whether what collector.toml names is there; relative paths count from `folder`; `writer` will write."""
    yield from check_broker_files(document, folder)
    sharing = document.valid(("sharing",), SharingSettings)
    sentence = named_file(sharing.key_file, folder) if sharing and sharing.key_file else None
    if sentence:
        yield document.problem(("sharing", "key_file"), sentence)
    absent = document.value(("outbox",)) is None
    outbox = OutboxSettings() if absent else document.valid(("outbox",), OutboxSettings)
    sentence = folder_to_write(outbox.directory, folder, writer) if outbox else None
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
            sentence = file_to_read(source.file, str(source.file), folder)
            if sentence:
                yield document.problem((*path, "source", "file"), sentence)
    for path in document.entries(("controllers",)):
        settings = document.valid((*path, "source"), ANY_CONTROLLER_SOURCE)
        for key in type(settings).model_fields if settings else ():
            file = getattr(settings, key) if key.endswith("_file") else None
            sentence = named_file(file, folder) if file else None
            if sentence:
                yield document.problem((*path, "source", key), sentence)


def device(port: str) -> str:
    """The device that a port's path leads to over symbolic links, whether it is there now or not."""
    try:
        return os.path.realpath(port)
    except (OSError, ValueError):
        return port


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
