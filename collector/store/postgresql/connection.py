"""A connection to PostgreSQL, reading over it, and its errors as ours."""

import contextlib
import itertools
import re
from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg import errors

from collector.errors import BrokerError
from collector.mqtt.credentials import read_password
from collector.store.settings import PostgresqlSettings
from collector.store.sink import NoDatabaseError, Reader, RefusedError, StoreError
from collector.texts import store as say

_CONNECT_S = 10
_SILENT_MS = 30_000
"""So long the server may leave sent bytes unanswered before the connection counts as lost."""
_NAMED = re.compile(r"(?<![:\w]):([a-z]\w*)")


def connect(settings: PostgresqlSettings) -> psycopg.Connection:
    """A connection on which every statement is a transaction, unless one is begun.

    Raises:
        StoreError: the server cannot be reached, or refuses us.
    """
    try:
        password = read_password(settings.password_file) if settings.password_file else None
    except BrokerError as error:  # its words are right for any secret
        raise StoreError(error.sentence) from error
    with translated(settings.url):
        return psycopg.connect(
            settings.url,
            password=password,
            autocommit=True,
            connect_timeout=_CONNECT_S,
            tcp_user_timeout=_SILENT_MS,
            application_name="collector store",
        )


@contextlib.contextmanager
def reading(settings: PostgresqlSettings) -> Iterator[Reader]:
    """Read what is there; one state is seen, and no writing delayed.

    Raises:
        StoreError: it cannot be read.
    """
    with contextlib.closing(connect(settings)) as connection:
        with translated(settings.url):
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield _Reader(connection, settings.url)


class _Reader:
    def __init__(self, connection: psycopg.Connection, where: str) -> None:
        self._connection = connection
        self._where = where
        self._names = itertools.count()

    def rows(self, query: str, **values: Any) -> Iterator[tuple[Any, ...]]:
        """The rows of a query, fetched as they are asked for."""
        name = f"rows_{next(self._names)}"
        with translated(self._where), self._connection.cursor(name=name) as cursor:
            try:
                cursor.execute(_NAMED.sub(r"%(\1)s", query), values)
            except errors.UndefinedTable as error:
                raise NoDatabaseError(say.POSTGRESQL_EMPTY(url=self._where)) from error
            yield from cursor


@contextlib.contextmanager
def translated(where: str) -> Iterator[None]:
    """Tell errors of the data, which come again with it, from those of the server."""
    try:
        yield
    except (
        psycopg.DataError,
        psycopg.IntegrityError,
        errors.ProgramLimitExceeded,
        errors.StatementTooComplex,
        UnicodeError,
    ) as error:
        raise RefusedError(_first_line(error)) from error
    except psycopg.Error as error:
        raise StoreError(say.POSTGRESQL_FAILED(url=where, reason=_first_line(error))) from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].strip() or type(error).__name__
