"""Where in a TOML file a key stands; pure.

tomllib tells no line numbers. A path's line is found by parsing prefixes of the file: the line with which
the path first appears is its line. A prefix that ends inside a value of several lines does not parse; the
next one that does stands for it, so that such a value counts from its first line (docs/decisions/0003).
"""

import re
import tomllib
from typing import Any

TomlPath = tuple[str | int, ...]
"""Keys and list positions from the top of the file, as in `("waveforms", 0, "source", "baud")`."""

_PLACE_IN_MESSAGE = re.compile(r"\(at line (\d+), column \d+\)$")
_LINES_SEARCHED = 200


class TomlLines:
    """Finds lines in one valid TOML text; remembers the prefixes that it has parsed."""

    def __init__(self, text: str) -> None:
        # Only \n ends a line in TOML; str.splitlines() would also cut elsewhere.
        self._lines = text.split("\n")
        self._parsed: dict[int, dict[str, Any] | None] = {}

    def line_of(self, path: TomlPath) -> int:
        """The line, from 1, where a path first appears.

        A path that does not exist has the line of the innermost table around it, the whole file line 1.
        """
        whole = self._prefix(len(self._lines)) or {}
        while path and not _contains(whole, path):
            path = path[:-1]
        first, last = 1, len(self._lines)
        while first < last:
            middle = (first + last) // 2
            end, data = self._next_that_parses(middle)
            if _contains(data, path):
                last = middle
            else:
                first = end + 1
        return first

    def _next_that_parses(self, length: int) -> tuple[int, dict[str, Any]]:
        while (data := self._prefix(length)) is None:
            length += 1
        return length, data

    def _prefix(self, length: int) -> dict[str, Any] | None:
        if length not in self._parsed:
            try:
                self._parsed[length] = tomllib.loads("\n".join(self._lines[:length]))
            except tomllib.TOMLDecodeError:
                self._parsed[length] = None
        return self._parsed[length]


def line_of_syntax_error(text: str, message: str) -> int:
    """The line that tomllib's message names; else the first line of the statement that does not end.

    Where that one is far from the end, the last line of the file.
    """
    lines = text.split("\n")
    named = _PLACE_IN_MESSAGE.search(message)
    if named:
        return min(int(named.group(1)), len(lines))
    for length in range(len(lines) - 1, max(-1, len(lines) - _LINES_SEARCHED), -1):
        try:
            tomllib.loads("\n".join(lines[:length]))
        except ValueError:
            continue
        return length + 1
    return len(lines)


def written(path: TomlPath) -> str:
    """A path as a reader writes it: `waveforms[0].source.baud`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")


def _contains(data: Any, path: TomlPath) -> bool:
    for part in path:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return False
    return True
