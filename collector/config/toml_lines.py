"""Where in a TOML file a key stands; pure.

tomllib tells no line numbers. A path's line is found by parsing growing prefixes of the file: the line at
which the path first appears is its line. A prefix that ends inside a value of several lines does not
parse and is passed over; the statement then began on the line after the last prefix that did. The price is
one parse a line, paid only where there is a problem to report (docs/decisions/0003).
"""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

TomlPath = tuple[str | int, ...]
"""Keys and list positions from the top of the file, as in `("waveforms", 0, "source", "baud")`."""

_PLACE_IN_MESSAGE = re.compile(r"\(at line (\d+), column \d+\)$")


def lines_of_paths(text: str) -> dict[TomlPath, int]:
    """The line, counted from 1, on which each path of a valid TOML text first appears."""
    lines: dict[TomlPath, int] = {(): 1}
    statement = 1
    for number, prefix in _prefixes(text):
        try:
            data = tomllib.loads(prefix)
        except tomllib.TOMLDecodeError:
            continue
        for path in _paths(data):
            lines.setdefault(path, statement)
        statement = number + 1
    return lines


def line_of(path: TomlPath, lines: dict[TomlPath, int]) -> int:
    """The line of a path, or of the innermost table around it: a missing key points at its table."""
    while path not in lines:
        path = path[:-1]
    return lines[path]


def line_of_syntax_error(text: str, message: str) -> int:
    """The line that tomllib's message names; else the first line of the statement that does not end."""
    last = text.count("\n") + 1
    named = _PLACE_IN_MESSAGE.search(message)
    if named:
        return min(int(named.group(1)), last)
    statement = 1
    for number, prefix in _prefixes(text):
        try:
            tomllib.loads(prefix)
        except ValueError:  # as the caller met
            continue
        statement = number + 1
    return min(statement, last)


def written(path: TomlPath) -> str:
    """A path as a reader writes it: `waveforms[0].source.baud`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")


def _prefixes(text: str) -> Iterator[tuple[int, str]]:
    # Only \n ends a line in TOML (with or without \r before it); str.splitlines() would also cut elsewhere.
    end = 0
    for number, line in enumerate(text.split("\n"), start=1):
        end += len(line) + 1
        yield number, text[: end - 1]


def _paths(value: Any, path: TomlPath = ()) -> Iterator[TomlPath]:
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _paths(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _paths(inner, (*path, index))
