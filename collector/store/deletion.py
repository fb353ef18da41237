"""Deleting on purpose: what retention lets go, and a company that withdraws its data. Both are logged."""

import getpass

from collector.store.settings import RetentionSettings
from collector.store.sink import Deleted, Deletion, Sink

_DAY_US = 24 * 3600 * 1_000_000

RETENTION, WITHDRAWAL = "retention", "withdrawal"


def cutoffs(retention: RetentionSettings, now_us: int) -> dict[str, int]:
    """Before when `records` and `dead_letters` may go; without those that are kept for ever."""
    days = {"records": retention.records_days, "dead_letters": retention.dead_letters_days}
    return {name: now_us - kept * _DAY_US for name, kept in days.items() if kept is not None}


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
