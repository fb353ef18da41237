"""How the store is: what its ingesters last said of themselves, and what it could not read."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from collector.health import Said
from collector.store.report import IngesterReport
from collector.store.sink import Reader
from collector.texts import Sentence
from collector.texts import store as say

_SILENT_US = 30_000_000
"""Ingesters report every 5 s, unless a commit takes its time."""
_FORGOTTEN_US = 7 * 24 * 3600 * 1_000_000
_DAY_US = 24 * 3600 * 1_000_000

_REPORTS = "SELECT CAST(report AS text) FROM ingester WHERE reported_us >= :since_us ORDER BY name"
_LETTERS = """
SELECT count(*), coalesce(sum(CASE WHEN last_us >= :since_us THEN 1 ELSE 0 END), 0) FROM dead_letter
"""
_LIST = """
SELECT digest, last_us, times, reason, detail, topic, company, gateway, epoch, seq
FROM dead_letter ORDER BY last_us DESC, digest
"""


class StoreHealth(BaseModel):
    """The whole store."""

    now_us: int
    ingesters: list[IngesterReport]
    dead_letters: int
    complaints: list[Said]

    @property
    def running(self) -> list[IngesterReport]:
        """The ingesters that have spoken lately, and not to say goodbye."""
        return [
            report
            for report in self.ingesters
            if not report.stopped and self.now_us - report.reported_us <= _SILENT_US
        ]


class Letter(BaseModel):
    """A dead letter, without its payload."""

    digest: str
    last_us: int
    times: int
    reason: str
    detail: str
    topic: str
    company: str | None
    gateway: str | None
    epoch: str | None
    seq: int | None


def store_health(reader: Reader, now_us: int) -> StoreHealth:
    """How the store is now."""
    reports = [
        IngesterReport.model_validate_json(report)
        for (report,) in reader.rows(_REPORTS, since_us=now_us - _FORGOTTEN_US)
    ]
    ((letters, recent),) = reader.rows(_LETTERS, since_us=now_us - _DAY_US)
    health = StoreHealth(now_us=now_us, ingesters=reports, dead_letters=letters, complaints=[])
    complaints = _complaints(health, int(recent))
    return health.model_copy(update={"complaints": [Said.of(sentence) for sentence in complaints]})


def letters(reader: Reader) -> Iterator[Letter]:
    """Every dead letter, the newest first."""
    for row in reader.rows(_LIST):
        yield Letter.model_validate(dict(zip(Letter.model_fields, row, strict=True)))


def payload(reader: Reader, digest: str) -> bytes | None:
    """The bytes of the dead letter whose digest begins so; None if there is none, or more than one."""
    query = "SELECT payload FROM dead_letter WHERE substr(digest, 1, :length) = :digest"
    found: list[tuple[Any, ...]] = list(reader.rows(query, digest=digest, length=len(digest)))
    return bytes(found[0][0]) if len(found) == 1 else None


def _complaints(health: StoreHealth, recent: int) -> Iterator[Sentence]:
    running = health.running
    if not health.ingesters:
        yield say.NO_INGESTER()
    for report in health.ingesters:
        if report.stopped:
            yield say.INGESTER_STOPPED(name=report.name)
        elif report not in running:
            minutes = (health.now_us - report.reported_us) // 60_000_000
            yield say.INGESTER_SILENT(name=report.name, minutes=minutes)
        elif report.reason is not None:
            yield report.reason.sentence()
    if recent:
        yield say.SOME_DEAD_LETTERS(count=health.dead_letters, recent=recent)
