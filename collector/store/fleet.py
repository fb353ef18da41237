"""How every gateway of the group is, as far as the store can tell: what came last, what it says of itself.

Silence is judged by the store's clock; what a gateway's own clock said counts only where it was synchronised.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from collector.health import Said
from collector.store.sink import Reader
from collector.texts import Sentence
from collector.texts import store as say

_SILENT_S = 120.0
"""A gateway publishes its status every 10 s."""
_LATE_S = 300.0
_REJECTED_S = 24 * 3600.0

_RUNS = "SELECT company, gateway, max(epoch) FROM run GROUP BY company, gateway"
_LAST = """
SELECT record.t_us, record.received_us FROM record JOIN run ON run.id = record.run_id
WHERE run.company = :company AND run.gateway = :gateway AND run.epoch = :epoch
ORDER BY record.seq DESC LIMIT 1
"""
_STATUSES = "SELECT company, gateway, received_us, CAST(payload AS text) FROM gateway_status"
_LETTERS = """
SELECT company, gateway, count(*), max(last_us) FROM dead_letter
WHERE company IS NOT NULL GROUP BY company, gateway
"""


class GatewayHealth(BaseModel):
    """One gateway; times are UTC in microseconds."""

    company: str
    gateway: str
    state: str | None
    """What it last said of itself."""
    version: str | None
    sync: bool | None
    epoch: str | None
    heard_us: int | None
    """When anything last came, by the store's clock.

    A status that the broker had kept counts by the gateway's clock, and only where nothing else is known.
    """
    record_us: int | None
    """The time of the last record."""
    pending: int | None
    """Records that waited in it when it last said so."""
    oldest_us: int | None
    """Since when the oldest of them did."""
    dead_letters: int
    """What it sent and was no record, as far as that is kept."""
    complaints: list[Said]
    """What needs attention."""


@dataclass(slots=True)
class _Facts:
    epoch: str | None = None
    record_us: int | None = None
    heard_us: int | None = None
    status: dict[str, Any] | None = None
    letters: int = 0
    letter_us: int = 0


def fleet(reader: Reader, now_us: int) -> list[GatewayHealth]:
    """Every gateway that was ever heard of, by company and name."""
    facts = _facts(reader)
    newest = max((_version(found) for found in facts.values()), default=())
    return [
        _health(company, gateway, found, newest, now_us)
        for (company, gateway), found in sorted(facts.items())
    ]


def _facts(reader: Reader) -> dict[tuple[str, str], _Facts]:
    facts: dict[tuple[str, str], _Facts] = {}
    for company, gateway, epoch in list(reader.rows(_RUNS)):
        found = facts[company, gateway] = _Facts(epoch)
        for t_us, received_us in reader.rows(_LAST, company=company, gateway=gateway, epoch=epoch):
            found.record_us, found.heard_us = t_us, received_us
    for company, gateway, received_us, payload in reader.rows(_STATUSES):
        found = facts.setdefault((company, gateway), _Facts())
        found.heard_us = max(received_us, found.heard_us or 0) or None
        found.status = json.loads(payload)
    for company, gateway, count, last_us in reader.rows(_LETTERS):
        found = facts.setdefault((company, gateway), _Facts())
        found.letters, found.letter_us = count, last_us
    return facts


def _health(company: str, gateway: str, found: _Facts, newest: tuple[int, ...], now_us: int) -> GatewayHealth:
    status = found.status or {}
    outbox = status.get("outbox") or {}
    return GatewayHealth(
        company=company,
        gateway=gateway,
        state=status.get("state"),
        version=status.get("version"),
        sync=status.get("sync"),
        epoch=found.epoch,
        heard_us=found.heard_us,
        record_us=found.record_us,
        pending=outbox.get("pending"),
        oldest_us=outbox.get("oldest_us"),
        dead_letters=found.letters,
        complaints=[Said.of(sentence) for sentence in _complaints(found, newest, now_us)],
    )


def _complaints(found: _Facts, newest: tuple[int, ...], now_us: int) -> Iterator[Sentence]:
    status = found.status or {}
    state = status.get("state")
    if state in {"offline", "stopped"}:
        yield (say.FLEET_OFFLINE if state == "offline" else say.FLEET_STOPPED)()
    elif found.heard_us is None:
        yield say.FLEET_UNHEARD()
    elif now_us - found.heard_us > _SILENT_S * 1e6:
        yield say.FLEET_SILENT(minutes=(now_us - found.heard_us) // 60_000_000)
    if state == "degraded":
        codes = (str(problem.get("code")) for problem in status.get("problems") or ())
        yield say.FLEET_DEGRADED(problems=", ".join(codes) or "?")
    outbox = status.get("outbox") or {}
    oldest_us = outbox.get("oldest_us")
    if oldest_us is not None and outbox.get("oldest_sync") and now_us - oldest_us > _LATE_S * 1e6:
        yield say.FLEET_LATE(minutes=(now_us - oldest_us) // 60_000_000)
    if status.get("sync") is False:
        yield say.FLEET_UNSYNCHRONISED()
    if found.status and _version(found) < newest:
        latest = ".".join(map(str, newest))
        yield say.FLEET_OUTDATED(version=str(status.get("version")), newest=latest)
    if now_us - found.letter_us <= _REJECTED_S * 1e6:
        yield say.FLEET_REJECTED(count=found.letters)


def _version(found: _Facts) -> tuple[int, ...]:
    """A version for comparing; nothing where there is none or it is no plain one."""
    parts: Iterable[str] = str((found.status or {}).get("version", "")).split(".")
    try:
        return tuple(int(part) for part in parts)
    except ValueError:
        return ()
