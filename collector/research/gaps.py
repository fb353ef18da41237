"""`gaps`: what is missing of a stream between two times, and who says so."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from collector.messages.topics import GATEWAY_MACHINE, GATEWAY_STREAM
from collector.research.archive import Where, must_have, open_archive
from collector.research.rows import Link, Row, Selection
from collector.store.stretch import stretch_us
from collector.times import When, moment

Clocks = dict[tuple[str, str], tuple[str, int]]
"""By gateway and epoch."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that is not there.

    `samples`: a stretch of samples was never measured or was lost; `off`: the gateway did not run; `records`:
    records were made and are gone, or are still on their way.
    """

    what: Literal["samples", "off", "records"]
    gateway: str
    start: datetime | None
    """The last moment known before; None where its clock was not set, and is not that of the end."""
    end: datetime | None
    """The first moment known after."""
    cause: str
    """As in the wire contract; `unknown` for a hole in the chain of records that nobody has declared."""
    count: int | None
    """How many samples or records; None where it cannot be told."""
    estimated: bool
    """Whether the count, or that there is any loss at all, is an estimate."""
    declared: bool
    """Whether the gateway has declared it."""


def gaps(
    company: str,
    machine: str,
    stream: str,
    start: When | None = None,
    end: When | None = None,
    *,
    where: Where = None,
) -> list[Missing]:
    """What is missing of a stream, in order of time: what the gateway declares, and holes among the records.

    Raises:
        StoreError: the database cannot be read.
        CollectorError: there is nothing to be read, no such stream, or no such time.
    """
    selection = Selection(company, machine, stream, *stretch_us(start, end))
    history = replace(selection, start_us=stretch_us(None, None)[0])
    with open_archive(where) as archive:
        links = list(archive.links(selection))
        if not links:
            must_have(archive, selection)
        gateways = {link.gateway for link in links}
        all_own = list(archive.records(history, "event"))
        of_gateway = replace(history, machine=GATEWAY_MACHINE, stream=GATEWAY_STREAM)
        all_events = [row for row in archive.records(of_gateway, "event") if row.gateway in gateways]
    own, events = ([row for row in rows if row.t_us >= selection.start_us] for rows in (all_own, all_events))
    clocks = _clocks(all_events)
    sampled = _sampled(links, all_own)
    of_samples = {run: clock for run, clock in clocks.items() if run in sampled}
    declared = [*_declared(own, of_samples), *_declared(events, {}), *_off(events, own, clocks)]
    holes = _holes(links, [(row.gateway, json.loads(row.payload)) for row in events])
    always = datetime.max.replace(tzinfo=UTC)
    return sorted([*declared, *holes], key=lambda missing: missing.end or missing.start or always)


def _declared(rows: Iterable[Row], clocks: Clocks) -> Iterator[Missing]:
    for row in rows:
        match json.loads(row.payload):
            case {"event": "gap", "cause": "restart"} as gap:
                yield _off_since(row, gap, clocks)
            case {"event": "gap"} as gap:
                yield _missing("samples", row, gap, gap["lost"])
            case {"event": "records-lost"} as loss:
                yield _missing("records", row, loss, loss["records"])


def _off(events: Iterable[Row], own: Iterable[Row], clocks: Clocks) -> Iterator[Missing]:
    """Restarts of which the stream itself says nothing: a controller's has no samples to be missing."""
    told = {(row.gateway, row.epoch) for row in own if _is_restart(json.loads(row.payload))}
    for row in events:
        match json.loads(row.payload):
            case {"event": "restart", "last_us": int(last_us)} as restart:
                if (row.gateway, row.epoch) not in told:
                    bounds = {
                        "cause": "restart",
                        "from_us": last_us,
                        "from_sync": restart.get("last_sync"),
                        "to_us": restart["t_us"],
                        "lost": None,
                        "estimated": True,
                    }
                    yield _off_since(row, restart | bounds, clocks)


def _is_restart(event: dict[str, Any]) -> bool:
    return bool(event["event"] == "gap" and event["cause"] == "restart")


def _clocks(events: Iterable[Row]) -> Clocks:
    """By what clock each run of a gateway went in the end: its boot, and UTC minus monotonic time there."""
    made = [((row.gateway, row.epoch), json.loads(row.payload)) for row in events]
    return {run: (event["boot"], event["t_us"] - event["mono_us"]) for run, event in made}


def _sampled(links: Iterable[Link], own: Iterable[Row]) -> set[tuple[str, str]]:
    """Runs that surely had samples of the stream; the gap after one that had none began in an earlier run."""
    windows = {(link.gateway, link.epoch) for link in links if link.kind == "features"}
    return windows | {(row.gateway, row.epoch) for row in own if _is_restart(json.loads(row.payload))}


def _off_since(row: Row, gap: dict[str, Any], clocks: Clocks) -> Missing:
    """A time between two runs; where the beginning's clock was not set, both ends go by the later run's.

    That can be told within a boot alone: there the monotonic clock goes on.
    """
    missing = _missing("off", row, gap, gap["lost"])
    if gap.get("from_sync") is not False:
        return missing
    boot, offset_us = clocks.get((row.gateway, gap["previous_epoch"]), (None, 0))
    start_us = gap["from_us"] - offset_us + gap["t_us"] - gap["mono_us"]
    knowable = boot == gap["boot"] and start_us <= gap["to_us"]
    return replace(missing, start=moment(start_us) if knowable else None)


def _missing(
    what: Literal["samples", "off", "records"], row: Row, event: dict[str, Any], count: int | None
) -> Missing:
    return Missing(
        what,
        row.gateway,
        _moment(event["from_us"]),
        _moment(event["to_us"]),
        event["cause"],
        count,
        estimated=bool(event.get("estimated", False)),
        declared=True,
    )


def _holes(links: Iterable[Link], losses: list[tuple[str, dict[str, Any]]]) -> Iterator[Missing]:
    """Where a record's predecessor is not the one that is there, and no loss of records covers that.

    Of the first record of the first run nothing can be told: what was before it may lie before the selection.
    A later run began inside of it.
    """
    first_epoch: dict[str, str] = {}
    last: dict[tuple[str, str], Link] = {}
    for link in links:
        of, prev = (link.gateway, link.kind), link.prev
        before = last.get(of)
        last[of] = link
        if first_epoch.setdefault(link.gateway, link.epoch) == link.epoch and before is None:
            continue
        known = before.seq if before and before.epoch == link.epoch else 0
        if prev in {known, None} or _covered(link.gateway, link.epoch, known, prev, losses):
            continue
        start, end = _moment(before.t_us if before else None), _moment(link.t_us)
        yield Missing("records", link.gateway, start, end, "unknown", None, estimated=False, declared=False)


def _covered(
    gateway: str, epoch: str, before: int, prev: int, losses: list[tuple[str, dict[str, Any]]]
) -> bool:
    """Whether the predecessor is among records that were declared lost, of which bounds may be unknown."""
    return any(
        of == gateway
        and loss["event"] == "records-lost"
        and loss["lost_epoch"] in {epoch, None}
        and (loss["first_seq"] is None or loss["first_seq"] <= prev)
        and (loss["last_seq"] is None or loss["last_seq"] > before)
        for of, loss in losses
    )


def _moment(t_us: int | None) -> datetime | None:
    return None if t_us is None else moment(t_us)
