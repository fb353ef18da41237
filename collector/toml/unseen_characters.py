"""Signs of copied text that look like a plain blank or like nothing, and are no TOML; pure."""

import unicodedata

from collector.texts import Sentence
from collector.texts import toml as texts

_WIDE_BLANK = "\u3000"
_UNSEEN = {"Zs", "Zl", "Zp", "Cf"}
"""Unicode's blanks of any width, ends of lines and paragraphs, and what has no form of its own."""


def unseen_sentence(code: str) -> Sentence | None:
    """Where such a character stands in a line without its strings and remarks; None where none does."""
    for column, sign in enumerate(code, start=1):
        if unicodedata.category(sign) in _UNSEEN and sign not in (" ", _WIDE_BLANK):
            return texts.SYNTAX_UNSEEN(column=column, sign=f"U+{ord(sign):04X}")
    return None
