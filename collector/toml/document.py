"""One TOML file of a configuration: its text, its data, and the lines of its keys.

What the data means is judged elsewhere.
"""

import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from collector.texts import Sentence
from collector.texts.toml import NOT_UTF8, TOO_DEEP
from collector.toml.problems import Problem
from collector.toml.syntax import syntax_sentence
from collector.toml.toml_lines import TomlLines, TomlPath, line_of_syntax_error, written

T = TypeVar("T")


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


def parse_document(file: str, content: bytes) -> Document | Problem:
    """Parse a file's bytes; the first syntax error is the only one that can be told."""
    try:
        # Windows editors begin UTF-8 with a byte order mark; TOML allows lines to end with \r\n.
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        return Problem(file, content.count(b"\n", 0, error.start) + 1, "", NOT_UTF8())
    try:
        data = tomllib.loads(text)
        json.dumps(data, default=str)
    except ValueError as error:  # TOMLDecodeError, or a number of thousands of digits
        number = line_of_syntax_error(text, str(error))
        line = text.split("\n")[number - 1] if number else ""
        return Problem(file, number, "", syntax_sentence(str(error), line))
    except RecursionError:
        return Problem(file, None, "", TOO_DEEP())
    return Document(file, text, data)
