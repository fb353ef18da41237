"""The databases that are a sink: the one that is configured is loaded and opened."""

from contextlib import AbstractContextManager
from typing import Any

from collector.store.settings import PostgresqlSettings, SqliteSettings
from collector.store.sink import Reader, Sink, StoreError
from collector.texts import store as say


def open_sink(settings: SqliteSettings | PostgresqlSettings) -> Sink:
    """Open a database, and bring its tables up to date.

    Raises:
        StoreError: it cannot be used.
    """
    if isinstance(settings, SqliteSettings):
        from collector.store.sqlite import Sqlite  # noqa: PLC0415 (only what is configured)

        return Sqlite(settings.file)
    opened: Sink = _postgresql().Postgresql(settings)
    return opened


def reading(settings: SqliteSettings | PostgresqlSettings) -> AbstractContextManager[Reader]:
    """Read a database while the context lasts; the right to read is enough.

    Raises:
        StoreError: it cannot be read.
    """
    if isinstance(settings, SqliteSettings):
        from collector.store import sqlite  # noqa: PLC0415 (only what is configured)

        return sqlite.reading(settings.file)
    opened: AbstractContextManager[Reader] = _postgresql().reading(settings)
    return opened


def _postgresql() -> Any:
    try:
        from collector.store import postgresql  # noqa: PLC0415 (psycopg is an extra)
    except ImportError as error:
        raise StoreError(say.POSTGRESQL_MISSING()) from error
    return postgresql
