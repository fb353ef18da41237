"""A dated copy of the data, fit to cite: tables, a manifest, checksums; the same bytes whenever it is made.

What differs between two exports is only what came in between. So the manifest says up to which moment of
arrival records are in it (`as_of`); with the same one, and the same version of the library that writes
Parquet, it is made again byte by byte, from either database.
"""

import contextlib
import csv
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from collector import __version__
from collector.errors import CollectorError
from collector.store.sink import Reader
from collector.store.values import feature_values
from collector.texts import store as say
from collector.times import iso8601

MANIFEST, CHECKSUMS = "manifest.json", "SHA256SUMS"
Format = Literal["parquet", "csv"]

_ROWS_TOGETHER = 10_000
_TEXT, _WHOLE, _YES, _NUMBER = "text", "whole", "yes", "number"

_TABLES: dict[str, dict[str, tuple[str, str]]] = {
    "records": {
        "company": (_TEXT, "the company, from the topic"),
        "gateway": (_TEXT, "the gateway, from the topic"),
        "machine": (_TEXT, "the machine"),
        "stream": (_TEXT, "the stream"),
        "kind": (_TEXT, "features, readings, event or meta"),
        "type": (_TEXT, "of readings and events: which"),
        "epoch": (_TEXT, "the run of the gateway's program"),
        "seq": (_WHOLE, "the record's number within the epoch"),
        "prev": (_WHOLE, "the number of the record before it on its topic"),
        "t_us": (_WHOLE, "UTC in microseconds"),
        "sync": (_YES, "whether the gateway's clock was synchronised"),
        "meta": (_TEXT, "the hash of the description in the table meta"),
        "first": (_WHOLE, "the index of the first sample of the window or gap"),
        "received_us": (_WHOLE, "when the store received it, UTC in microseconds"),
        "payload": (_TEXT, "the record as it was published"),
    },
    "feature_values": {
        "company": (_TEXT, "as in records"),
        "gateway": (_TEXT, "as in records"),
        "machine": (_TEXT, "as in records"),
        "stream": (_TEXT, "as in records"),
        "epoch": (_TEXT, "as in records"),
        "seq": (_WHOLE, "as in records"),
        "t_us": (_WHOLE, "of the window's first sample, UTC in microseconds"),
        "channel": (_TEXT, "the channel"),
        "feature": (_TEXT, "the feature, defined in meta"),
        "part": (_TEXT, "a band's edges in Hz; of peaks the place and hz or amplitude; else empty"),
        "value": (_NUMBER, "the value; nothing where it is undefined"),
    },
    "meta": {
        "company": (_TEXT, "as in records"),
        "gateway": (_TEXT, "as in records"),
        "machine": (_TEXT, "as in records"),
        "stream": (_TEXT, "as in records"),
        "hash": (_TEXT, "what records name in meta"),
        "content": (_TEXT, "the description"),
    },
}

_SYNC = list(_TABLES["records"]).index("sync")
_WITHIN = "t_us >= :from_us AND t_us < :to_us AND received_us <= :as_of_us"
_RECORDS = """
SELECT company, gateway, machine, stream, kind, type, epoch, seq, prev, t_us, sync, meta, first, received_us,
    CAST(payload AS text)
FROM records WHERE {where} ORDER BY company, gateway, epoch, seq
"""
_METAS = """
SELECT company, gateway, machine, stream, hash, CAST(content AS text)
FROM meta JOIN stream ON stream.id = meta.stream_id
WHERE EXISTS (SELECT 1 FROM record WHERE record.stream_id = stream.id AND record.meta = meta.hash
    AND {where})
ORDER BY company, gateway, machine, stream, hash
"""


@dataclass(frozen=True, slots=True)
class Extent:
    """What is in a snapshot: records of these companies (all, if none is named) between two times."""

    from_us: int
    to_us: int
    companies: Sequence[str] = ()
    as_of_us: int | None = None
    """Only what came until then; until the newest of it, unless given."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A snapshot that was written: its records, and the SHA-256 of its checksums, which stands for it."""

    records: int
    digest: str


class _Table(Protocol):
    rows: int

    def write(self, row: Sequence[Any]) -> None: ...


def export(reader: Reader, extent: Extent, folder: Path, form: Format) -> Exported:
    """Write a snapshot into a new folder.

    Raises:
        CollectorError: the folder has something in it, or cannot be written.
    """
    where, values = _condition(reader, extent)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise CollectorError(say.FOLDER_NOT_EMPTY(folder=str(folder)))
        counts = _write_tables(reader, where, values, folder, form)
        manifest = _manifest(values, extent, form, counts)
        (folder / MANIFEST).write_text(manifest, encoding="utf-8")
        names = sorted([MANIFEST, *(f"{table}.{form}" for table in _TABLES)])
        sums = "".join(f"{_sha256(folder / name)}  {name}\n" for name in names)
        (folder / CHECKSUMS).write_text(sums, encoding="utf-8")
    except OSError as error:
        reason = error.strerror or str(error)
        raise CollectorError(say.FOLDER_UNUSABLE(folder=str(folder), reason=reason)) from error
    return Exported(counts["records"], hashlib.sha256(sums.encode()).hexdigest())


def _condition(reader: Reader, extent: Extent) -> tuple[str, dict[str, Any]]:
    """The condition for the rows, and its values."""
    companies = {f"company_{number}": name for number, name in enumerate(extent.companies)}
    listed = ", ".join(f":{name}" for name in companies)
    where = f"company IN ({listed}) AND {_WITHIN}" if companies else _WITHIN
    as_of_us = 2**62 if extent.as_of_us is None else extent.as_of_us
    values = {"from_us": extent.from_us, "to_us": extent.to_us, "as_of_us": as_of_us, **companies}
    if extent.as_of_us is None:
        query = f"SELECT coalesce(max(received_us), 0) FROM records WHERE {where}"
        ((values["as_of_us"],),) = reader.rows(query, **values)
    return where, values


def _write_tables(
    reader: Reader, where: str, values: dict[str, Any], folder: Path, form: Format
) -> dict[str, int]:
    tables: dict[str, _Table] = {}
    with contextlib.ExitStack() as files:
        for name, columns in _TABLES.items():
            make = _parquet if form == "parquet" else _csv
            tables[name] = files.enter_context(make(folder / f"{name}.{form}", columns))
        for row in reader.rows(_RECORDS.format(where=where), **values):
            company, gateway, machine, stream, kind, _, epoch, seq, _, t_us, sync, *_, payload = row
            tables["records"].write((*row[:_SYNC], bool(sync), *row[_SYNC + 1 :]))
            if kind == "features":
                window = (company, gateway, machine, stream, epoch, seq, t_us)
                for value in feature_values(json.loads(payload)["channels"]):
                    tables["feature_values"].write((*window, *value))
        for row in reader.rows(_METAS.format(where=where.replace("t_us", "record.t_us")), **values):
            tables["meta"].write(row)
    return {name: table.rows for name, table in tables.items()}


def _manifest(values: dict[str, Any], extent: Extent, form: Format, counts: dict[str, int]) -> str:
    made_with = {"collector": __version__}
    if form == "parquet":
        import pyarrow as pa  # noqa: PLC0415 (heavy)

        made_with["pyarrow"] = pa.__version__
    manifest = {
        "format": form,
        "from": iso8601(extent.from_us),
        "to": iso8601(extent.to_us),
        "as_of": iso8601(values["as_of_us"]),
        "companies": sorted(extent.companies) or "all",
        "made_with": made_with,
        "tables": {
            name: {
                "rows": counts[name],
                "columns": {column: meaning for column, (_, meaning) in columns.items()},
            }
            for name, columns in _TABLES.items()
        },
    }
    return json.dumps(manifest, indent=2) + "\n"


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


class _Csv:
    def __init__(self, writer: Any) -> None:
        self._writer = writer
        self.rows = 0

    def write(self, row: Sequence[Any]) -> None:
        self._writer.writerow(row)
        self.rows += 1


@contextlib.contextmanager
def _csv(file: Path, columns: dict[str, tuple[str, str]]) -> Iterator[_Table]:
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened, lineterminator="\n")
        writer.writerow(columns)
        yield _Csv(writer)


class _Parquet:
    def __init__(self, writer: Any, schema: Any) -> None:
        self._writer = writer
        self._schema = schema
        self._waiting: list[Sequence[Any]] = []
        self.rows = 0

    def write(self, row: Sequence[Any]) -> None:
        self._waiting.append(row)
        self.rows += 1
        if len(self._waiting) >= _ROWS_TOGETHER:
            self.flush()

    def flush(self) -> None:
        import pyarrow as pa  # noqa: PLC0415

        columns = zip(*self._waiting, strict=True) if self._waiting else [[] for _ in self._schema]
        arrays = [pa.array(column, kind.type) for column, kind in zip(columns, self._schema, strict=True)]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))
        self._waiting.clear()


@contextlib.contextmanager
def _parquet(file: Path, columns: dict[str, tuple[str, str]]) -> Iterator[_Table]:
    try:
        import pyarrow as pa  # noqa: PLC0415 (an extra, and heavy)
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError:
        raise CollectorError(say.PYARROW_MISSING()) from None
    kinds = {_TEXT: pa.string(), _WHOLE: pa.int64(), _YES: pa.bool_(), _NUMBER: pa.float64()}
    schema = pa.schema([(name, kinds[kind]) for name, (kind, _) in columns.items()])
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        table = _Parquet(writer, schema)
        yield table
        table.flush()
