"""`gaps`: what is missing of a stream between two times, and who says so."""

import json
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from collector.clock import STEP_LIMIT_NS
from collector.messages.topics import GATEWAY_MACHINE, GATEWAY_STREAM
from collector.research.archive import Where, must_have, open_archive
from collector.research.rows import Chain, Row, Run, Selection
from collector.store.stretch import stretch_us
from collector.times import When, moment, moment_us


@dataclass(frozen=True, slots=True)
class _RunClock:
    """By what clock a run went in the end: its boot, and UTC minus monotonic time at a moment there."""

    boot: str
    offset_us: int
    mono_us: int


Clocks = dict[Run, _RunClock]

_OLDEST_MARK_US = 120_000_000
"""Twice as old as a mark is when the next one is saved."""
_STEERED_PARTS = 2000
"""The kernel steers a clock by one part in so many at most; what moves it further has set it."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that is not there.

    `samples`: a stretch of samples was never measured or was lost; `off`: the gateway did not run; `records`:
    records were made and are gone, or are still on their way.
    """

    what: Literal["samples", "off", "records"]
    gateway: str
    start: datetime | None
    """The last moment known before, by the clock of `end`; None where nobody knows what that showed then."""
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

    A loss of records that was declared twice is here once.

    Raises:
        StoreError: the database cannot be read.
        CollectorError: there is nothing to be read, no such stream, or no such time.
    """
    selection = Selection(company, machine, stream, *stretch_us(start, end))
    with open_archive(where) as archive:
        chains = list(archive.chains(selection))
        runs = archive.runs(selection) | {(chain.gateway, chain.epoch) for chain in chains}
        if not runs:
            must_have(archive, selection)
        own = _events(archive.declared(selection))
        of_gateway = replace(selection, machine=GATEWAY_MACHINE, stream=GATEWAY_STREAM)
        of_gateways = _events(archive.declared(of_gateway))
    clocks = _clocks(of_gateways)
    reached = _reached(chains)
    own = [_after_what_is_here(event, reached) for event in own]
    concerned = (event for event in of_gateways if _concerns(event, runs))
    events = _told_once(_after_what_is_here(event, reached) for event in concerned)
    sampled = _sampled(chains, own)
    of_samples = {run: clock for run, clock in clocks.items() if run in sampled}
    declared = [*_declared(own, of_samples), *_declared(events, {}), *_off(events, own, clocks)]
    within = [missing for missing in declared if _overlaps(missing, selection)]
    always = datetime.max.replace(tzinfo=UTC)
    found = dict.fromkeys([*within, *_holes(chains, events)])
    return sorted(found, key=lambda missing: missing.end or missing.start or always)


@dataclass(frozen=True, slots=True)
class _Event:
    """What a run of a gateway declared; `said` is the record."""

    run: Run
    said: dict[str, Any]

    @property
    def gateway(self) -> str:
        return self.run[0]

    @property
    def is_restart_gap(self) -> bool:
        return bool(self.said["event"] == "gap" and self.said["cause"] == "restart")

    @property
    def is_loss(self) -> bool:
        return bool(self.said["event"] == "records-lost")


def _events(rows: Iterable[Row]) -> list[_Event]:
    return [_Event((row.gateway, row.epoch), json.loads(row.payload)) for row in rows]


def _concerns(event: _Event, runs: Set[Run]) -> bool:
    """Whether an event of a gateway is about a run that had the stream."""
    named = (event.said.get(name) for name in ("epoch", "previous_epoch", "lost_epoch"))
    return any((event.gateway, epoch) in runs for epoch in named)


def _told_once(events: Iterable[_Event]) -> list[_Event]:
    """The events without the losses that a larger one repeats: those that begin or end with the same record.

    A record is lost once. A gateway that cannot know whether it was heard declares a loss again, perhaps with
    others.
    """
    known: set[tuple[Any, ...]] = set()
    once: list[_Event] = []
    for event in sorted(events, key=lambda event: -(event.said.get("records") or 0)):
        ends = _ends(event) if event.is_loss else set()
        if not ends & known:
            once.append(event)
        known |= ends
    return once


def _ends(loss: _Event) -> set[tuple[Any, ...]]:
    """The first and the last of the lost records; of damage, where they may be there, both together."""
    said = loss.said
    of, first, last = (loss.gateway, said["lost_epoch"], said["cause"]), said["first_seq"], said["last_seq"]
    if said["cause"] == "corrupt":
        return {(*of, first, last)}
    return {(*of, name, end) for name, end in (("first", first), ("last", last)) if end is not None}


def _reached(chains: Iterable[Chain]) -> dict[Run, int]:
    """Up to which moment there are records of each run."""
    reached: dict[Run, int] = {}
    for chain in chains:
        run = chain.gateway, chain.epoch
        reached[run] = max(reached.get(run, 0), chain.links[-1].t_us)
    return reached


def _after_what_is_here(event: _Event, reached: dict[Run, int]) -> _Event:
    """A restart, beginning no earlier than the last record of the run before.

    The gateway knows that run's end by a mark, which is up to a minute old where it came suddenly. What is
    later by much more is by another clock.
    """
    since, until = ("from_us", "to_us") if event.is_restart_gap else ("last_us", "t_us")
    marked_us = event.said.get(since)
    last_us = reached.get((event.gateway, event.said.get("previous_epoch", "")))
    if marked_us is None or last_us is None:
        return event
    if not marked_us < last_us <= min(marked_us + _OLDEST_MARK_US, event.said[until]):
        return event
    return replace(event, said=event.said | {since: last_us})


def _overlaps(missing: Missing, selection: Selection) -> bool:
    """Whether something is missing between the times asked for; what nobody knows the time of may be.

    An end before the start is by a clock that was not set.
    """
    known = [moment_us(when) for when in (missing.start, missing.end) if when is not None]
    return not known or (known[0] < selection.end_us and max(known) >= selection.start_us)


def _declared(events: Iterable[_Event], clocks: Clocks) -> Iterator[Missing]:
    for event in events:
        match event.said:
            case {"event": "gap", "cause": "restart"} as gap:
                yield _off_since(event.gateway, gap, clocks)
            case {"event": "gap"} as gap:
                yield _missing("samples", event.gateway, gap, gap["lost"])
            case {"event": "records-lost"} as loss:
                yield _missing("records", event.gateway, loss, loss["records"])


def _off(events: Iterable[_Event], own: Iterable[_Event], clocks: Clocks) -> Iterator[Missing]:
    """Restarts of which the stream itself says nothing: a controller's has no samples to be missing."""
    told = {event.run for event in own if event.is_restart_gap}
    for event in events:
        match event.said:
            case {"event": "restart", "last_us": int(last_us)} as restart:
                if event.run not in told:
                    bounds = {
                        "cause": "restart",
                        "from_us": last_us,
                        "from_sync": restart.get("last_sync"),
                        "to_us": restart["t_us"],
                        "lost": None,
                        "estimated": True,
                    }
                    yield _off_since(event.gateway, restart | bounds, clocks)


def _clocks(events: Iterable[_Event]) -> Clocks:
    """By what clock each run of a gateway went in the end."""
    made = ((event.run, event.said) for event in events)
    return {
        run: _RunClock(said["boot"], said["t_us"] - said["mono_us"], said["mono_us"]) for run, said in made
    }


def _sampled(chains: Iterable[Chain], own: Iterable[_Event]) -> set[Run]:
    """Runs that surely had samples of the stream; the gap after one that had none began in an earlier run."""
    windows = {(chain.gateway, chain.epoch) for chain in chains if chain.kind == "features"}
    return windows | {event.run for event in own if event.is_restart_gap}


def _off_since(gateway: str, gap: dict[str, Any], clocks: Clocks) -> Missing:
    """A time between two runs; where the clock was set in between, or never, both ends go by the later run's.

    That can be told within a boot alone: there the monotonic clock goes on.
    """
    missing = _missing("off", gateway, gap, gap["lost"])
    start_us, unset = gap["from_us"], gap.get("from_sync") is False
    before = clocks.get((gateway, gap.get("previous_epoch", "")))
    if before is not None and before.boot == gap["boot"]:
        moved_us = gap["t_us"] - gap["mono_us"] - before.offset_us
        steered_us = STEP_LIMIT_NS // 1000 + (gap["mono_us"] - before.mono_us) // _STEERED_PARTS
        start_us += moved_us if unset or abs(moved_us) > steered_us else 0
    elif unset:
        return replace(missing, start=None)
    return replace(missing, start=moment(start_us) if start_us <= gap["to_us"] else None)


def _missing(
    what: Literal["samples", "off", "records"], gateway: str, event: dict[str, Any], count: int | None
) -> Missing:
    return Missing(
        what,
        gateway,
        _moment(event["from_us"]),
        _moment(event["to_us"]),
        event["cause"],
        count,
        estimated=bool(event.get("estimated", False)),
        declared=True,
    )


def _holes(chains: Iterable[Chain], events: Iterable[_Event]) -> Iterator[Missing]:
    """Where a record's predecessor is not the one that is there, or the loss that has been declared there."""
    losses = [event for event in events if event.is_loss]
    last: dict[tuple[str, str], int] = {}
    for chain in chains:
        of = chain.gateway, chain.kind
        known = chain.first - 1
        for link in chain.links:
            if link.prev is not None and link.prev > known:
                covering = [
                    loss
                    for loss in losses
                    if loss.gateway == chain.gateway and _covers(loss.said, chain.epoch, known, link.prev)
                ]
                yield from _declared(covering, {})
                if not covering:
                    start, end = _moment(last.get(of)), _moment(link.t_us)
                    yield Missing(
                        "records", chain.gateway, start, end, "unknown", None, estimated=False, declared=False
                    )
            known, last[of] = link.seq, link.t_us


def _covers(loss: dict[str, Any], epoch: str, before: int, prev: int) -> bool:
    """Whether the predecessor is among records that were declared lost, of which bounds may be unknown."""
    return (
        loss["lost_epoch"] in {epoch, None}
        and (loss["first_seq"] is None or loss["first_seq"] <= prev)
        and (loss["last_seq"] is None or loss["last_seq"] > before)
    )


def _moment(t_us: int | None) -> datetime | None:
    return None if t_us is None else moment(t_us)
