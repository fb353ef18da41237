"""How sentences are printed: broken at words, to the width of the terminal that shows them.

What goes into a file or to another program keeps each sentence in one line, so that `grep` finds it. Pages
with tables are in screen.py. The daemon is a command, too: nothing here loads rich.
"""

import os
import sys
import textwrap
from typing import TextIO

import typer

from collector.texts import Sentence

_UNKNOWN = 80
_ANSWER = 8
"""Characters that stay free behind a question."""


def print_sentence(text: object, *, err: bool = False, indent: int = 0) -> None:
    """Print a sentence, or a few of them in one paragraph."""
    typer.echo(broken(str(text), _width(sys.stderr if err else sys.stdout), indent), err=err)


def asked(sentence: Sentence) -> str:
    """A question for a prompt, with room for the answer."""
    width = _width(sys.stdout)
    return broken(str(sentence), max(1, width - _ANSWER) if width else None)


def broken(text: str, width: int | None, indent: int = 0) -> str:
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


def _width(stream: TextIO) -> int | None:
    """Of the terminal that a stream goes to; None where it goes elsewhere."""
    if not stream.isatty():
        return None
    return os.get_terminal_size(stream.fileno()).columns or _UNKNOWN
