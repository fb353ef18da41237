"""How everything is printed: sentences are broken at words, to the width of the terminal that shows them.

What goes into a file or to another program keeps each sentence in one line, so that `grep` finds it. What is
to be pasted or parsed (TOML, JSON) is never broken and does not come this way.
"""

import os
import stat
import sys
import textwrap

import typer
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text as Line

from collector.texts import Sentence

_UNWATCHED = 160
"""Characters of a table's line in a file or for another program: enough for whole lines."""
_ANSWER = 8
"""Characters that stay free behind a question."""


def screen() -> Console:
    """The terminal; with a pipe to `less` or `head` between, as wide as the terminal behind it."""
    console = Console()
    return console if console.is_terminal else Console(width=_width_behind_a_pipe() or _UNWATCHED)


def print_page(page: RenderableType) -> None:
    """Print a page: tables as wide as the screen, and paragraphs."""
    console = screen()
    console.print(page, crop=console.is_terminal)


def print_sentence(text: object, *, err: bool = False, indent: int = 0) -> None:
    """Print a sentence, or a few of them in one paragraph."""
    console = Console(stderr=err)
    typer.echo(_broken(str(text), console.width if console.is_terminal else None, indent), err=err)


def asked(sentence: Sentence) -> str:
    """A question for a prompt, with room for the answer."""
    console = Console()
    return _broken(str(sentence), max(1, console.width - _ANSWER) if console.is_terminal else None)


class Paragraph:
    """A sentence in a page."""

    def __init__(self, text: Sentence | str, style: str = "", indent: int = 0) -> None:
        self._text, self._style, self._indent = str(text), style, indent

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Broken at words on a terminal; else in one line, however long."""
        watched = console.is_terminal
        text = _broken(self._text, options.max_width if watched else None, self._indent)
        yield Line(text, self._style, no_wrap=not watched, overflow="fold" if watched else "ignore")


def _broken(text: str, width: int | None, indent: int = 0) -> str:
    """Lines of this width, each with the indent; a word that is longer, such as a path, stays whole."""
    lines = []
    for line in text.split("\n"):
        margin = " " * (indent + len(line) - len(line.lstrip(" ")))
        if width is None:
            lines.append(margin + line.lstrip(" "))
        else:
            lines.append(
                textwrap.fill(
                    line,
                    width,
                    initial_indent=" " * indent,
                    subsequent_indent=margin,
                    replace_whitespace=False,
                    break_long_words=False,
                    break_on_hyphens=False,
                )
            )
    return "\n".join(lines)


def _width_behind_a_pipe() -> int | None:
    for stream in (sys.stderr, sys.stdin):
        try:
            if stat.S_ISFIFO(os.fstat(sys.stdout.fileno()).st_mode):
                return os.get_terminal_size(stream.fileno()).columns
        except (OSError, ValueError):  # no terminal
            continue
    return None
