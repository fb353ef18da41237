"""The serial ports of this computer, by names that last, and who uses them."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from serial.tools.list_ports import comports
from serial.tools.list_ports_common import ListPortInfo

_LASTING = Path("/dev/serial")
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Port:
    """A serial port."""

    name: str
    """The name to write into a configuration."""
    device: str
    """What it is called now."""
    description: str
    lasting: bool
    """Whether the name stays when things are plugged in."""


def serial_ports(found: Iterable[ListPortInfo] | None = None, lasting: Path = _LASTING) -> list[Port]:
    """Every port; named after the device where that names only one, else after the plug."""
    ports = sorted(comports() if found is None else found, key=lambda port: port.device)
    identities = Counter(_identity(port) for port in ports)
    by_id, by_path = (_links(lasting / folder) for folder in ("by-id", "by-path"))
    named = []
    for port in ports:
        device = os.path.realpath(port.device)
        # Two devices without serial numbers of their own share one name, which leads to either.
        twins = port.vid is not None and identities[_identity(port)] > 1
        name = (None if twins else by_id.get(device)) or by_path.get(device)
        description = " ".join(word for word in (port.manufacturer, port.product) if word)
        named.append(Port(name or port.device, port.device, description, name is not None))
    return named


def users_of(port: str, proc: Path = _PROC) -> list[str]:
    """The programs that have a port open, as `name (number)`; those of others only root can see."""
    device = os.path.realpath(port)
    return [
        f"{_program(process)} ({process.name})"
        for process in sorted(proc.glob("[0-9]*"), key=lambda process: int(process.name))
        if process.name != str(os.getpid()) and device in _open_files(process)
    ]


def _open_files(process: Path) -> Sequence[str]:
    try:
        return [str(file.readlink()) for file in (process / "fd").iterdir()]
    except OSError:  # it has ended, or belongs to somebody else
        return ()


def _program(process: Path) -> str:
    try:
        return (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return "?"


def _links(folder: Path) -> dict[str, str]:
    """The names in a folder of links, by the device that each leads to."""
    return {os.path.realpath(link): str(link) for link in sorted(folder.glob("*"), reverse=True)}


def _identity(port: ListPortInfo) -> tuple[object, ...]:
    return port.vid, port.pid, port.serial_number, port.interface
