"""What a benchmark brings: tables of figures, to be printed on a terminal or put on a page.

A benchmark is a module with a function `tables`, named in __main__.py. It measures; how figures look is here.
"""

import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

_TERMINAL = 100
"""Characters in a line of text; a table may be wider."""

Cell = str | float | None
"""Text, a number, or nothing."""

Benchmark = Callable[[float], Iterable["Table"]]
"""Measures, and gives each table once it is complete; daemons are watched for so many seconds."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column's title, and how many digits its numbers have behind the point."""

    title: str
    digits: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """Figures with a title; `about` says what they are, what stands beside them, and what the aim is."""

    title: str
    about: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]

    def text(self) -> str:
        """As for a terminal."""
        lines = [[column.title for column in self.columns], *self._cells()]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        aligned = (
            "  ".join(
                _aligned(cell, width, left)
                for cell, width, left in zip(line, widths, self._left, strict=True)
            )
            for line in lines
        )
        about = textwrap.wrap(f"({self.about})", _TERMINAL)
        return "\n".join(["", self.title, *about, "", *map(str.rstrip, aligned)])

    def markdown(self) -> str:
        """As for a page."""
        lines = [
            [column.title for column in self.columns],
            ["---" if left else "---:" for left in self._left],
            *self._cells(),
        ]
        rows = ("| " + " | ".join(line) + " |" for line in lines)
        return "\n".join(
            [f"## {self.title}", "", f"{self.about[:1].upper()}{self.about[1:]}.", "", *rows, ""]
        )

    @property
    def _left(self) -> list[bool]:
        """Which columns begin at the left: those with words in them."""
        columns = zip(*self.rows, strict=True)
        return [any(isinstance(cell, str) for cell in column) for column in columns]

    def _cells(self) -> list[list[str]]:
        digits = [column.digits for column in self.columns]
        return [[_cell(cell, n) for cell, n in zip(row, digits, strict=True)] for row in self.rows]


def _cell(cell: Cell, digits: int) -> str:
    if isinstance(cell, str):
        return cell
    return "" if cell is None else f"{cell:.{digits}f}"


def _aligned(cell: str, width: int, left: bool) -> str:
    return cell.ljust(width) if left else cell.rjust(width)
