"""How pages are printed: tables, and sentences between them, as wide as the terminal that shows them.

Sentences alone are in sentences.py. What is to be pasted or parsed (TOML, JSON) comes neither way.
"""

import os
import stat
import sys

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text as Line

from collector.cli.sentences import broken
from collector.texts import Sentence

_UNWATCHED = 160
"""Characters of a table's line in a file or for another program: enough for whole lines."""


def screen() -> Console:
    """The terminal; with a pipe to `less` or `head` between, as wide as the terminal behind it."""
    console = Console()
    return console if console.is_terminal else Console(width=_width_behind_a_pipe() or _UNWATCHED)


def print_page(page: RenderableType) -> None:
    """Print a page: tables as wide as the screen, and paragraphs."""
    console = screen()
    console.print(page, crop=console.is_terminal)


class Paragraph:
    """A sentence in a page."""

    def __init__(self, text: Sentence | str, style: str = "", indent: int = 0) -> None:
        self._text, self._style, self._indent = str(text), style, indent

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Broken at words on a terminal; else in one line, however long."""
        watched = console.is_terminal
        text = broken(self._text, options.max_width if watched else None, self._indent)
        yield Line(text, self._style, no_wrap=not watched, overflow="fold" if watched else "ignore")


def _width_behind_a_pipe() -> int | None:
    for stream in (sys.stderr, sys.stdin):
        try:
            if stat.S_ISFIFO(os.fstat(sys.stdout.fileno()).st_mode):
                return os.get_terminal_size(stream.fileno()).columns
        except (OSError, ValueError):  # no terminal
            continue
    return None
