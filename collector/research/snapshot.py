"""Reading a snapshot: its files are checked against its manifest first."""

import csv
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from collector.errors import CollectorError
from collector.research.rows import Link, Row, Selection, StreamName
from collector.store.snapshot import CHECKSUMS, MANIFEST
from collector.texts import research as say

_LONGEST_FIELD = 1 << 30


def is_snapshot(folder: Path) -> bool:
    """Whether it looks like one."""
    return (folder / MANIFEST).is_file()


class Snapshot:
    """An `Archive` in a folder of Parquet or CSV files.

    Raises:
        CollectorError: a file is not the one that was exported.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._format = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["format"]
        for line in (folder / CHECKSUMS).read_text(encoding="utf-8").splitlines():
            digest, _, name = line.partition("  ")
            try:
                with (folder / name).open("rb") as file:
                    same = hashlib.file_digest(file, "sha256").hexdigest() == digest
            except OSError:
                same = False
            if not same:
                raise CollectorError(say.NOT_A_SNAPSHOT(folder=str(folder), file=name))

    def records(self, selection: Selection, kind: str) -> Iterator[Row]:
        """The records of a kind."""
        for row in self._rows("records", selection, kind=kind):
            t_us = int(row["t_us"])
            if selection.start_us <= t_us < selection.end_us:
                yield Row(row["gateway"], row["epoch"], int(row["seq"]), t_us, row["payload"])

    def links(self, selection: Selection) -> Iterator[Link]:
        """The chain of the records."""
        found = []
        for row in self._rows("records", selection):
            t_us, prev = int(row["t_us"]), row["prev"]
            if selection.start_us <= t_us < selection.end_us:
                seq = int(row["seq"])
                before = None if prev in {None, ""} else int(prev)
                found.append(Link(row["gateway"], row["epoch"], row["kind"], seq, before, t_us))
        yield from sorted(found, key=lambda link: (link.gateway, link.epoch, link.kind, link.seq))

    def metas(self, selection: Selection) -> dict[str, str]:
        """Every description."""
        return {row["hash"]: row["content"] for row in self._rows("meta", selection)}

    def streams(self) -> list[StreamName]:
        """Every stream that it has a record of."""
        return sorted({StreamName(*names) for names in self._names()}, key=str)

    def _names(self) -> Iterator[tuple[str, ...]]:
        columns = ["company", "machine", "stream"]
        if self._format == "parquet":
            from pyarrow import parquet  # noqa: PLC0415

            table = parquet.read_table(self._file("records"), columns=columns)
            yield from zip(*table.group_by(columns).aggregate([]).to_pydict().values(), strict=True)
            return
        for row in self._lines("records"):
            yield tuple(row[column] for column in columns)

    def _rows(self, table: str, selection: Selection, **more: str) -> Iterator[dict[str, Any]]:
        wanted = {
            "company": selection.company,
            "machine": selection.machine,
            "stream": selection.stream,
            **more,
        }
        if self._format == "parquet":
            from pyarrow import parquet  # noqa: PLC0415 (heavy, and not for CSV)

            filters = [(name, "==", value) for name, value in wanted.items()]
            yield from parquet.read_table(self._file(table), filters=filters).to_pylist()
            return
        for row in self._lines(table):
            if all(row[name] == value for name, value in wanted.items()):
                yield row

    def _lines(self, table: str) -> Iterator[dict[str, str]]:
        csv.field_size_limit(_LONGEST_FIELD)
        with self._file(table).open(encoding="utf-8", newline="") as lines:
            yield from csv.DictReader(lines)

    def _file(self, table: str) -> Path:
        return self._folder / f"{table}.{self._format}"
