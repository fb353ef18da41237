"""The page that `./dev bench --report FILE` writes: the computer and all figures, to be kept or sent."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.computer import describe_computer, describe_moment
from benchmarks.tables import Table

_HEAD = """\
# What the collector costs on one computer

Written by `./dev bench --report`. The figures are of this computer and of no other. What each of them means,
and how it is measured, is told in docs/benchmarks.md. Read the ratios: each figure stands beside a reference
that was measured in turns with it.
"""


class Page:
    """Grows with every table, and is written each time: a run that is broken off leaves what it has."""

    def __init__(self, file: Path) -> None:
        """Write the page without figures.

        Raises:
            OSError: it cannot be written.
        """
        self._file = file
        self._computer = describe_computer()
        self._before = describe_moment()
        self._tables: list[Table] = []
        self._write()

    def add(self, table: Table) -> None:
        """Put a table on it."""
        self._tables.append(table)
        self._write()

    def _write(self) -> None:
        parts = [
            _HEAD,
            _facts("The computer", self._computer),
            _facts("Before", self._before),
            _facts("After", describe_moment()),
            *(table.markdown() for table in self._tables),
        ]
        self._file.write_text("\n".join(parts), encoding="utf-8")


def _facts(title: str, facts: Mapping[str, str]) -> str:
    rows: Sequence[str] = [f"| {name} | {fact} |" for name, fact in facts.items()]
    return "\n".join([f"## {title}", "", "| | |", "| --- | --- |", *rows, ""])
