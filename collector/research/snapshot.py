"""Reading a snapshot: its files are checked against its manifest first."""

import csv
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from collector.errors import CollectorError
from collector.research.rows import OF_GAPS, Chain, Link, Row, Run, Selection, StreamName
from collector.store.snapshot import CHECKSUMS, MANIFEST
from collector.texts import research as say
from collector.times import moment_us

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
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        self._format = manifest["format"]
        self._start_us, self._end_us = moment_us(manifest["from"]), moment_us(manifest["to"])
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

    def declared(self, selection: Selection) -> Iterator[Row]:
        """What the stream declares missing, as far as it is in the snapshot."""
        for row in self._rows("records", selection, kind="event"):
            if row["type"] in OF_GAPS:
                yield Row(row["gateway"], row["epoch"], int(row["seq"]), int(row["t_us"]), row["payload"])

    def runs(self, selection: Selection) -> set[Run]:
        """The runs that there is any record of the stream of."""
        return {(row["gateway"], row["epoch"]) for row in self._rows("records", selection)}

    def chains(self, selection: Selection) -> Iterator[Chain]:
        """The chains; they begin no earlier and end no later than it is known which records were made.

        What carries a time outside of the snapshot's is not here: the first records of a run whose clock was
        not set yet, and at the edges what was made later than the time it carries.
        """
        chains: dict[tuple[str, str, str], list[Link]] = {}
        longest_us = 0
        for row in self._rows("records", selection):
            prev = None if row["prev"] in {None, ""} else int(row["prev"])
            of = row["gateway"], row["epoch"], row["kind"]
            chains.setdefault(of, []).append(Link(int(row["seq"]), prev, int(row["t_us"])))
            if row["kind"] in {"event", "readings"}:
                record = json.loads(row["payload"])
                longest_us = max(longest_us, (record.get("to_us") or 0) - (record.get("from_us") or 0))
        for of, links in sorted(chains.items()):
            late_us = 0 if of[2] == "features" else longest_us
            start_us = max(selection.start_us, self._start_us + late_us)
            end_us = min(selection.end_us, self._end_us - late_us)
            numbers = [link.seq for link in links if start_us <= link.t_us < end_us]
            if numbers:
                first, last = min(numbers), max(numbers)
                yield Chain(*of, first, [link for link in links if first <= link.seq <= last])

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
