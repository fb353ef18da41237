"""One TOML file of a configuration: its text, its data, and the lines of its keys.

What the data means is judged elsewhere.
"""

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from collector.texts import Sentence, Text
from collector.texts.toml import (
    NOT_UTF8,
    SYNTAX,
    SYNTAX_BRACKET,
    SYNTAX_END,
    SYNTAX_EQUALS,
    SYNTAX_QUOTES,
    SYNTAX_STRING,
    SYNTAX_TWICE,
    SYNTAX_VALUE,
    TOO_DEEP,
)
from collector.toml.problems import Problem
from collector.toml.toml_lines import TomlLines, TomlPath, line_of_syntax_error, written

T = TypeVar("T")

_BENT_QUOTES = re.compile("[\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u00ab\u00bb\u300c\u300d]")

# How tomllib's messages begin, and what we say to people who never heard of it.
_SYNTAX: dict[str, Text] = {
    "Invalid value": SYNTAX_VALUE,
    "Invalid date": SYNTAX_VALUE,
    "Expected '=' after": SYNTAX_EQUALS,
    "Expected newline": SYNTAX_END,
    "Illegal character": SYNTAX_STRING,
    "Unterminated string": SYNTAX_STRING,
    "Unescaped": SYNTAX_STRING,
    "Invalid hex value": SYNTAX_STRING,
    "Unclosed": SYNTAX_BRACKET,
    "Expected ']'": SYNTAX_BRACKET,
    "Expected ']]'": SYNTAX_BRACKET,
    "Cannot declare": SYNTAX_TWICE,
    "Cannot overwrite": SYNTAX_TWICE,
    "Cannot redefine": SYNTAX_TWICE,
    "Cannot mutate": SYNTAX_TWICE,
    "Duplicate": SYNTAX_TWICE,
}


@dataclass(frozen=True)
class Document:
    """A file that is valid TOML; `file` counts from the configuration folder."""

    file: str
    text: str
    data: dict[str, Any]

    def problem(self, path: TomlPath, sentence: Sentence) -> Problem:
        """A problem of this file at a path, which need not exist."""
        return Problem(self.file, self.line(path), written(path), sentence)

    def line(self, path: TomlPath) -> int:
        """The line, from 1, where a path stands, or where the innermost table around it begins."""
        return self._lines.line_of(path)

    def value(self, path: TomlPath) -> Any:
        """What stands at a path; None where nothing does."""
        value: Any = self.data
        for part in path:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def entries(self, path: TomlPath) -> Iterator[TomlPath]:
        """The paths of a list's entries; none where no list stands."""
        value = self.value(path)
        yield from ((*path, index) for index in range(len(value) if isinstance(value, list) else 0))

    def valid(self, path: TomlPath, kind: type[T]) -> T | None:
        """What stands at a path, if it is valid by itself."""
        value = self.value(path)
        if value is None:
            return None
        try:
            return validate(kind, value)
        except ValidationError:
            return None

    @cached_property
    def _lines(self) -> TomlLines:
        return TomlLines(self.text)


def validate(kind: type[T], value: Any) -> T:
    """Validate a value that came from TOML.

    By way of JSON, because pydantic's strict JSON rules are those of a typed file: no number from text or
    from a yes or no, but lists become tuples, whole numbers decimals, and text paths and dates.

    Raises:
        ValidationError: it is not valid.
    """
    return TypeAdapter(kind).validate_json(json.dumps(value, default=str), strict=True)


def text_of(content: bytes) -> str:
    """What a file's bytes say, with plain line ends; Windows editors begin UTF-8 with a byte order mark.

    Raises:
        UnicodeDecodeError: it is no UTF-8.
    """
    return content.decode("utf-8-sig").replace("\r\n", "\n")


def parse_document(file: str, content: bytes) -> Document | Problem:
    """Parse a file's bytes; the first syntax error is the only one that can be told."""
    try:
        text = text_of(content)
    except UnicodeDecodeError as error:
        return Problem(file, content.count(b"\n", 0, error.start) + 1, "", NOT_UTF8())
    try:
        data = tomllib.loads(text)
        json.dumps(data, default=str)
    except ValueError as error:  # TOMLDecodeError, or a number of thousands of digits
        number = line_of_syntax_error(text, str(error))
        line = text.split("\n")[number - 1] if number else ""
        return Problem(file, number, "", _syntax_sentence(str(error), line))
    except RecursionError:
        return Problem(file, None, "", TOO_DEEP())
    return Document(file, text, data)


def _syntax_sentence(message: str, line: str) -> Sentence:
    bent = _BENT_QUOTES.findall(line)
    if bent:
        return SYNTAX_QUOTES(found=" ".join(dict.fromkeys(bent)))
    for beginning, text in _SYNTAX.items():
        if message.startswith(beginning):
            return text()
    return SYNTAX(reason=message.partition(" (at ")[0])
