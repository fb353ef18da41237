"""Deleting on purpose: what retention lets go, and a company that withdraws its data. Both are logged."""

import getpass

from collector.store.settings import RetentionSettings
from collector.store.sink import Deleted, Deletion, Sink

_DAY_US = 24 * 3600 * 1_000_000

RETENTION, WITHDRAWAL = "retention", "withdrawal"


def expire(sink: Sink, retention: RetentionSettings, now_us: int) -> Deleted:
    """Delete what is older than the configuration says."""
    records = dead_letters = 0
    if retention.records_days is not None:
        before_us = now_us - retention.records_days * _DAY_US
        records = sink.delete_records(Deletion(now_us, who(), RETENTION, before_us=before_us)).records
    if retention.dead_letters_days is not None:
        before_us = now_us - retention.dead_letters_days * _DAY_US
        deletion = Deletion(now_us, who(), RETENTION, before_us=before_us)
        dead_letters = sink.delete_letters(deletion).dead_letters
    return Deleted(records, dead_letters)


def withdraw(sink: Sink, company: str, now_us: int) -> Deleted:
    """Delete all that there is of a company; only the log says that there was something."""
    return sink.delete_company(Deletion(now_us, who(), WITHDRAWAL, company=company))


def who() -> str:
    """The user on whose behalf we run."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name
        return "unknown"
