"""Where pages are printed: as wide as the terminal that somebody reads them on."""

import os
import stat
import sys

from rich.console import Console

_UNWATCHED = 160
"""Characters of a line in a file or for another program: enough for whole lines."""


def screen() -> Console:
    """The terminal; with a pipe to `less` or `head` between, as wide as the terminal behind it."""
    console = Console()
    return console if console.is_terminal else Console(width=_width_behind_a_pipe() or _UNWATCHED)


def _width_behind_a_pipe() -> int | None:
    for stream in (sys.stderr, sys.stdin):
        try:
            if stat.S_ISFIFO(os.fstat(sys.stdout.fileno()).st_mode):
                return os.get_terminal_size(stream.fileno()).columns
        except (OSError, ValueError):  # no terminal
            continue
    return None
