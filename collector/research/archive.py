"""Where data is read from: a store's database, or a snapshot that was exported from one.

Both give the same rows. What becomes of them is not known here.
"""

import contextlib
import difflib
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Protocol, get_args

from collector.errors import CollectorError, UsageError
from collector.messages.topics import Kind
from collector.research.rows import OF_GAPS, Chain, Link, Row, Run, Selection, StreamName
from collector.research.snapshot import Snapshot, is_snapshot
from collector.store.databases import reading
from collector.store.settings import DEFAULT_FILE, PostgresqlSettings, SqliteSettings, load_store
from collector.store.sink import Reader
from collector.texts import research as say

Where = str | Path | None
"""A store.toml, a file of SQLite, a postgresql:// URL, or the folder of a snapshot.

None takes the one that the environment variable COLLECTOR_STORE names, or else /etc/collector/store.toml.
"""


_NEAR = 5
"""So many names are told to who gave a wrong one."""


class Archive(Protocol):
    """What can be read."""

    def records(self, selection: Selection, kind: str) -> Iterator[Row]:
        """The records of a kind, by gateway, epoch and seq."""

    def declared(self, selection: Selection) -> Iterator[Row]:
        """What the stream declares missing, restarts and clocks too, by gateway, epoch and seq.

        Gaps within a run that lie outside of the selection's times need not be among it; all others are.
        """

    def runs(self, selection: Selection) -> set[Run]:
        """The runs that have described the stream, whenever."""

    def chains(self, selection: Selection) -> Iterator[Chain]:
        """The chains of every kind, by gateway, epoch and kind."""

    def metas(self, selection: Selection) -> dict[str, str]:
        """Every description that the stream has had, as JSON text by its hash."""

    def streams(self) -> list[StreamName]:
        """Every stream that there is anything of, in the order of their names."""


@contextlib.contextmanager
def open_archive(where: Where = None) -> Iterator[Archive]:
    """Open what is to be read.

    Raises:
        StoreError: the database cannot be read.
        CollectorError: there is nothing to be read.
        UsageError: nothing says what to read.
    """
    named = where or os.environ.get("COLLECTOR_STORE")
    if not named and not os.access(DEFAULT_FILE, os.R_OK):
        raise UsageError(say.NOTHING_NAMED(file=str(DEFAULT_FILE)))
    text = str(named or DEFAULT_FILE)
    path = Path(text)
    if text.startswith(("postgresql://", "postgres://")):
        settings: SqliteSettings | PostgresqlSettings = PostgresqlSettings(kind="postgresql", url=text)
    elif path.suffix == ".toml":
        settings = load_store(path).sink
    elif is_snapshot(path):
        yield Snapshot(path)
        return
    elif path.is_file():
        settings = SqliteSettings(file=path)
    else:
        raise CollectorError(say.NOTHING_THERE(where=text))
    with reading(settings) as reader:
        yield _Database(reader)


def must_have(archive: Archive, selection: Selection) -> None:
    """See that there is such a stream: a name that is wrong must not look like a stream without data.

    Raises:
        CollectorError: there is none.
    """
    known = [str(name) for name in archive.streams()]
    wanted = str(StreamName(selection.company, selection.machine, selection.stream))
    if wanted not in known:
        near = ", ".join(difflib.get_close_matches(wanted, known, n=_NEAR, cutoff=0)) or "—"
        raise CollectorError(say.NO_STREAM(name=wanted, near=near))


_OF_STREAM = """
FROM stream CROSS JOIN record CROSS JOIN run
WHERE stream.company = :company AND stream.machine = :machine AND stream.stream = :stream
    AND record.stream_id = stream.id AND run.id = record.run_id
"""
"""SQLite goes through the tables in this order; left to itself it reads all that there is of a company."""
_WITHIN = "record.t_us >= :start_us AND record.t_us < :end_us"
_RECORDS = f"""
SELECT run.gateway, run.epoch, record.seq, record.t_us, CAST(record.payload AS text) {_OF_STREAM}
    AND record.kind = :kind AND {_WITHIN}
ORDER BY run.gateway, run.epoch, record.seq
"""
_FROM, _TO = (f"CAST(record.payload ->> '{end}' AS bigint)" for end in ("from_us", "to_us"))
_DECLARED = f"""
SELECT run.gateway, run.epoch, record.seq, record.t_us, CAST(record.payload AS text) {_OF_STREAM}
    AND record.kind = 'event' AND record.type IN {OF_GAPS}
    AND (record.type <> 'gap' OR record.payload ->> 'cause' = 'restart'
        OR {_FROM} < :end_us AND ({_TO} >= :start_us OR {_FROM} >= :start_us))
ORDER BY run.gateway, run.epoch, record.seq
"""
"""No index has when it was; but a stream may have tens of thousands of gaps, which need not all be read."""
_RUNS = f"SELECT DISTINCT run.gateway, run.epoch {_OF_STREAM} AND record.kind = 'meta'"
_CHAINS = f"""
SELECT run.gateway, run.epoch, record.kind, min(record.seq), max(record.seq) {_OF_STREAM}
    AND record.kind IN {get_args(Kind)} AND {_WITHIN}
GROUP BY run.gateway, run.epoch, record.kind ORDER BY run.gateway, run.epoch, record.kind
"""
_LINKS = """
SELECT seq, prev, t_us FROM records
WHERE company = :company AND machine = :machine AND stream = :stream
    AND gateway = :gateway AND epoch = :epoch AND kind = :kind AND seq >= :first AND seq <= :last
ORDER BY seq
"""
_METAS = """
SELECT meta.hash, CAST(meta.content AS text) FROM meta JOIN stream ON stream.id = meta.stream_id
WHERE stream.company = :company AND stream.machine = :machine AND stream.stream = :stream
ORDER BY meta.t_us, meta.hash
"""
_STREAMS = "SELECT DISTINCT company, machine, stream FROM stream ORDER BY company, machine, stream"


class _Database:
    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def records(self, selection: Selection, kind: str) -> Iterator[Row]:
        """The records of a kind."""
        yield from (Row(*row) for row in self._reader.rows(_RECORDS, **asdict(selection), kind=kind))

    def declared(self, selection: Selection) -> Iterator[Row]:
        """What the stream declares missing."""
        yield from (Row(*row) for row in self._reader.rows(_DECLARED, **asdict(selection)))

    def runs(self, selection: Selection) -> set[Run]:
        """The runs that have described the stream."""
        return {(gateway, epoch) for gateway, epoch in self._reader.rows(_RUNS, **_stream(selection))}

    def chains(self, selection: Selection) -> Iterator[Chain]:
        """The chains; a run that is not its gateway's first one there began inside, with its first record."""
        first_epochs: dict[str, str] = {}
        for gateway, epoch, kind, first, last in list(self._reader.rows(_CHAINS, **asdict(selection))):
            begun = first_epochs.setdefault(gateway, epoch) != epoch
            of = {"gateway": gateway, "epoch": epoch, "kind": kind, "first": 1 if begun else first}
            rows = self._reader.rows(_LINKS, **_stream(selection), **of, last=last)
            yield Chain(**of, links=[Link(*row) for row in rows])

    def metas(self, selection: Selection) -> dict[str, str]:
        """Every description."""
        return dict(self._reader.rows(_METAS, **_stream(selection)))

    def streams(self) -> list[StreamName]:
        """Every stream."""
        return [StreamName(*row) for row in self._reader.rows(_STREAMS)]


def _stream(selection: Selection) -> dict[str, str]:
    return {"company": selection.company, "machine": selection.machine, "stream": selection.stream}
