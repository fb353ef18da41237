"""The store in PostgreSQL, for any number of ingesters at once; with TimescaleDB where that extension is."""

from collector.store.postgresql.connection import reading
from collector.store.postgresql.database import Postgresql

__all__ = ["Postgresql", "reading"]
