"""Deleting on purpose: what retention lets go, and a company that withdraws its data. Both are logged.

What the store lets go by itself is counted back from the newest record: its own clock may have jumped ahead.
"""

import getpass
from typing import get_args

from collector.messages.topics import Kind
from collector.store.databases import reading
from collector.store.settings import PostgresqlSettings, RetentionSettings, SqliteSettings
from collector.store.sink import Deleted, Deletion, Reader, Sink
from collector.texts import Sentence
from collector.texts import store as say
from collector.times import iso8601

_DAY_US = 24 * 3600 * 1_000_000
_DOUBTFUL_US = 30 * _DAY_US
"""A clock that is further ahead of the newest record is told of: a group may well rest for some weeks."""

RETENTION, WITHDRAWAL = "retention", "withdrawal"


def cutoffs(retention: RetentionSettings, now_us: int) -> dict[str, int]:
    """Before when `records` and `dead_letters` may go; without those that are kept for ever."""
    days = {"records": retention.records_days, "dead_letters": retention.dead_letters_days}
    return {name: now_us - kept * _DAY_US for name, kept in days.items() if kept is not None}


_KINDS = " UNION ALL ".join(f"SELECT '{kind}' AS kind" for kind in get_args(Kind))
_NEWEST = f"""
SELECT max(newest) FROM (
    SELECT (
        SELECT t_us FROM record WHERE stream_id = stream.id AND kind = one.kind AND sync
        ORDER BY t_us DESC LIMIT 1
    ) AS newest
    FROM stream CROSS JOIN ({_KINDS}) AS one
) AS of_streams
"""
"""An index has it for each stream and kind."""


def newest_us(reader: Reader) -> int | None:
    """The time of the newest record by a gateway's synchronised clock; None where there is none."""
    ((newest,),) = reader.rows(_NEWEST)
    return None if newest is None else int(newest)


def clock_doubt(newest_us: int | None, now_us: int) -> Sentence | None:
    """What is to be said where the store's clock is far ahead of all that it has."""
    if newest_us is None or now_us - newest_us <= _DOUBTFUL_US:
        return None
    return say.CLOCK_AHEAD(now=iso8601(now_us)[:10], newest=iso8601(newest_us)[:10])


def expire_by_itself(
    sink: Sink,
    settings: SqliteSettings | PostgresqlSettings,
    retention: RetentionSettings,
    now_us: int,
    *,
    doubted: bool = False,
) -> Sentence | None:
    """Delete what is older, counted back from the newest record; returns what is to be said of the clock.

    Where it was `doubted` before, and still is, no more is old than was then.
    """
    if not cutoffs(retention, now_us):
        return None
    with reading(settings) as reader:
        newest = newest_us(reader)
    doubt = clock_doubt(newest, now_us)
    if doubt is None or not doubted:
        expire(sink, retention, now_us if newest is None else min(now_us, newest))
    return doubt


def expire(sink: Sink, retention: RetentionSettings, now_us: int) -> Deleted:
    """Delete what is older than the configuration says."""
    deleted = Deleted(0, 0)
    for name, before_us in cutoffs(retention, now_us).items():
        delete = sink.delete_records if name == "records" else sink.delete_letters
        part = delete(Deletion(now_us, who(), RETENTION, before_us=before_us))
        deleted = Deleted(deleted.records + part.records, deleted.dead_letters + part.dead_letters)
    return deleted


def withdraw(sink: Sink, company: str, now_us: int) -> Deleted:
    """Delete all that there is of a company; only the log says that there was something."""
    return sink.delete_company(Deletion(now_us, who(), WITHDRAWAL, company=company))


def who() -> str:
    """The user on whose behalf we run."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name
        return "unknown"
