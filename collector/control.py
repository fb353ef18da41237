"""The local API: newline-separated JSON on a unix socket, for the CLI on the same gateway."""

from pathlib import Path

from collector.settings import Settings


class ControlSettings(Settings):
    """Where the CLI finds the running daemon."""

    socket: Path = Path("/run/collector/control.sock")
