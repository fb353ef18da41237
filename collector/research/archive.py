"""Where data is read from: a store's database, or a snapshot that was exported from one.

Both give the same rows. What becomes of them is not known here.
"""

import contextlib
import difflib
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

from collector.errors import CollectorError, UsageError
from collector.research.rows import Link, Row, Selection, StreamName
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

    def links(self, selection: Selection) -> Iterator[Link]:
        """The chain of the records of every kind, by gateway, epoch, kind and seq."""

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


_RECORDS = """
SELECT gateway, epoch, seq, t_us, CAST(payload AS text) FROM records
WHERE company = :company AND machine = :machine AND stream = :stream AND kind = :kind
    AND t_us >= :start_us AND t_us < :end_us
ORDER BY gateway, epoch, seq
"""
_LINKS = """
SELECT gateway, epoch, kind, seq, prev, t_us FROM records
WHERE company = :company AND machine = :machine AND stream = :stream AND t_us >= :start_us AND t_us < :end_us
ORDER BY gateway, epoch, kind, seq
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

    def links(self, selection: Selection) -> Iterator[Link]:
        """The chain of the records."""
        yield from (Link(*row) for row in self._reader.rows(_LINKS, **asdict(selection)))

    def metas(self, selection: Selection) -> dict[str, str]:
        """Every description."""
        rows = self._reader.rows(
            _METAS, company=selection.company, machine=selection.machine, stream=selection.stream
        )
        return dict(rows)

    def streams(self) -> list[StreamName]:
        """Every stream."""
        return [StreamName(*row) for row in self._reader.rows(_STREAMS)]
