"""What every stream would send, field by field, and why, for `collector share`.

It is derived from what makes the records: the wire models, the descriptions for meta, the sharing of points.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from collector.activity import SUMMARISED, LearnedFile, calendar_of, rules_of
from collector.config import Config, ControllerSettings, MachineFile, WaveformSettings
from collector.context import Context
from collector.features import definitions as feature_definitions
from collector.history import History, new_history
from collector.messages import (
    STATE_STREAM,
    Alarm,
    Change,
    ClockSet,
    ContextNumber,
    ContextState,
    Cut,
    Features,
    Gap,
    MetaContent,
    NumberSummary,
    Readings,
    RecordsLost,
    Restart,
    StateChange,
    StateSummary,
    Status,
    Topics,
    Utilisation,
)
from collector.messages.envelope import Envelope
from collector.points import Point, PointKind
from collector.sharing import PSEUDONYM_LENGTH, share_of
from collector.sources import describe_controller_source, describe_source, known_points
from collector.sources.source import PointSource
from collector.streams.metadata import describe_controller, describe_state, describe_waveform
from collector.texts import Sentence
from collector.texts import sharing as say

_ENVELOPE = tuple(Envelope.model_fields)
_DEFINING = ("features", "flags", "nulls", "statistics")
_TABLES = {
    "machine": "[machine]",
    "tools": "[[tools]]",
    "sensor": "[waveforms.sensor]",
    "channels": "[[waveforms.channels]]",
    "window": "[waveforms.window]",
    "context": "[machine.context]",
    "state": "[machine.state]",
}
_TABLES_OF_CONTROLLERS = {**_TABLES, "window": "[[controllers]]"}
_NOT_ONE_TABLE = {"source": say.KIND_OF_SOURCE, "points": say.POINT_LISTED}


@dataclass(frozen=True, slots=True)
class Sent:
    """Some fields of one kind of record: what they hold (values of meta as they are), and why they leave."""

    record: str
    fields: tuple[str, ...]
    what: Sentence | str
    why: Sentence


@dataclass(frozen=True, slots=True)
class Disclosure:
    """Everything that one stream sends below its topic; the gateway itself has no name."""

    name: str
    topic: str
    sent: tuple[Sent, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """A controller that has said nothing yet, as the context knows one; `more` points may be found on it."""

    source: PointSource
    points: Sequence[Point]
    more: bool
    histories: Mapping[str, History]
    offset_us: None = None


def disclosures(config: Config, found: Mapping[str, Sequence[Point]]) -> Iterator[Disclosure]:
    """What each stream sends; `found` has the points of controllers that are known from a connection."""
    topics = Topics(config.gateway.root, config.gateway.company, config.gateway.name)
    for machine in config.machines:
        known = {
            settings.name: _known(settings, found.get(f"{machine.name}/{settings.name}"))
            for settings in machine.controllers
        }
        for settings in machine.streams:
            name = f"{machine.name}/{settings.name}"
            topic = topics.of(machine.name, settings.name, "meta").removesuffix("/meta")
            if isinstance(settings, ControllerSettings):
                yield Disclosure(name, topic, tuple(_of_controller(machine, settings, known[settings.name])))
            else:
                yield Disclosure(name, topic, tuple(_of_waveform(machine, settings, known)))
        if machine.machine.state is not None:
            topic = topics.of(machine.name, STATE_STREAM, "meta").removesuffix("/meta")
            yield Disclosure(f"{machine.name}/{STATE_STREAM}", topic, tuple(_of_state(config, machine)))
    yield Disclosure("", topics.status.removesuffix("/status"), tuple(_of_gateway()))


def _known(settings: ControllerSettings, found: Sequence[Point] | None) -> _Known:
    known, more = known_points(settings.source)
    points, more = (known, more) if found is None else (found, False)
    source = describe_controller_source(settings.source)
    shared = (point for point in points if share_of(point) != "none")
    histories = {p.name: new_history(p, source.silent_after_s, settings.stale_after_s) for p in shared}
    return _Known(source, points, more, histories)


def _of_waveform(
    machine: MachineFile, settings: WaveformSettings, known: Mapping[str, _Known]
) -> Iterator[Sent]:
    context = Context()
    context.refer(machine.machine.context, known)
    source = describe_source(settings.source, settings.signal_channels())
    yield from _meta(describe_waveform(machine, settings, source, context))
    yield Sent("features", _ENVELOPE, say.NUMBERING(), say.TO_COUNT())
    facts = tuple(_own(Features, "kind", "channels", "context"))
    yield Sent("features", ("kind", *facts), say.WINDOW(), say.TO_EVALUATE())
    for channel in settings.channels:
        names = ", ".join(
            str(entry["name"]) for entry in feature_definitions(settings.features, channel.unit)
        )
        yield Sent("features", (f"channels.{channel.name}",), say.VALUES(names=names), say.TO_EVALUATE())
    chosen = machine.machine.context.points
    for name, controller in known.items():
        for point in controller.points:
            path = f"{name}/{point.name}"
            model = ContextNumber if point.kind is PointKind.NUMBER else ContextState
            if chosen is None or path in chosen:
                yield _of_point("features", f"context.{path}", point, model)
        if controller.more and chosen is None:
            yield Sent("features", (f"context.{name}/…",), say.FOUND_LATER(), say.FOUND())
    yield from _events(Gap, Alarm)


def _of_controller(machine: MachineFile, settings: ControllerSettings, controller: _Known) -> Iterator[Sent]:
    content = describe_controller(machine, settings, controller.source, controller.points)
    yield from _meta(content, _TABLES_OF_CONTROLLERS)
    yield Sent("readings", _ENVELOPE, say.NUMBERING(), say.TO_COUNT())
    period = ("kind", *_own(Readings, "kind", "points"))
    yield Sent("readings", period, say.PERIOD(), say.TO_EVALUATE())
    for point in controller.points:
        model = NumberSummary if point.kind is PointKind.NUMBER else StateSummary
        yield _of_point("readings", f"points.{point.name}", point, model)
    if controller.more:
        yield Sent("readings", ("points.…",), say.FOUND_LATER(), say.FOUND())
    changing = ("kind", *_own(Change, "kind"))
    yield Sent("readings", changing, say.CHANGES(), say.TO_EVALUATE())
    yield from _events(Alarm)


def _of_state(config: Config, machine: MachineFile) -> Iterator[Sent]:
    state = machine.machine.state
    assert state is not None
    learned = config.learned.get(machine.name, LearnedFile())
    rules = rules_of(state, learned.thresholds)
    yield from _meta(describe_state(machine, rules, learned, calendar_of(config.calendar)))
    yield Sent("event", _ENVELOPE, say.NUMBERING(), say.TO_COUNT())
    inputs = ", ".join(dict.fromkeys(rule.input for rule in rules))
    why = say.CONFIGURED(table=_TABLES["state"])
    yield Sent("event", ("kind", *_own(StateChange, "kind")), say.STATE_CHANGES(inputs=inputs), why)
    yield Sent("readings", _ENVELOPE, say.NUMBERING(), say.TO_COUNT())
    yield Sent("readings", ("kind", *_own(Utilisation, "kind")), say.UTILISATION(), why)
    yield Sent("readings", ("kind", *_own(Cut, "kind")), say.CUTS(names=", ".join(SUMMARISED)), why)


def _of_gateway() -> Iterator[Sent]:
    yield Sent("status", tuple(Status.model_fields), say.STATUS(), say.TO_HELP())
    for model in (Restart, ClockSet, RecordsLost):
        yield Sent("event", (*_ENVELOPE, *_own(model)), say.RESTARTS(), say.TO_KNOW_HOLES())


def _of_point(record: str, field: str, point: Point, model: type[BaseModel]) -> Sent:
    share = share_of(point)
    said = None if point.share is None else say.SAID_SO(share=point.share)
    usual = {
        PointKind.NUMBER: say.USUAL_NUMBER,
        PointKind.STATE: say.USUAL_STATE,
        PointKind.TEXT: say.USUAL_TEXT,
    }[point.kind]()
    if share == "none":
        return Sent(record, (field,), say.NOTHING(), said or usual)
    what = say.PSEUDONYM(length=PSEUDONYM_LENGTH) if share == "pseudonym" else say.AS_IT_IS()
    return Sent(record, tuple(f"{field}.{name}" for name in model.model_fields), what, said or usual)


def _events(*models: type[BaseModel]) -> Iterator[Sent]:
    for model in models:
        what, why = (say.GAPS(), say.TO_KNOW_HOLES()) if model is Gap else (say.ALARMS(), say.TO_HELP())
        yield Sent("event", (*_ENVELOPE, *_own(model)), what, why)


def _meta(content: MetaContent, tables: Mapping[str, str] = _TABLES) -> Iterator[Sent]:
    yield Sent("meta", _ENVELOPE, say.NUMBERING(), say.TO_COUNT())
    described = content.model_dump(mode="json")
    for key, value in described.items():
        if key in _DEFINING:
            names = ", ".join(_names_in(value))
            if names:
                yield Sent("meta", (key,), say.DEFINITIONS(names=names), say.TO_UNDERSTAND())
            for field, leaf in _settings_in(key, value):
                yield Sent("meta", (field,), leaf, say.CONFIGURED(table="[waveforms.features]"))
            continue
        table = tables.get(key)
        why = _NOT_ONE_TABLE.get(key, say.TO_UNDERSTAND)() if table is None else say.CONFIGURED(table=table)
        for field, leaf in _leaves(key, value):
            yield Sent("meta", (field,), leaf, why)


def _names_in(definitions_: Any) -> list[str]:
    lists = definitions_.values() if isinstance(definitions_, dict) else [definitions_]
    return list(dict.fromkeys(str(entry["name"]) for list_ in lists for entry in list_))


def _settings_in(path: str, definitions_: Any) -> Iterator[tuple[str, str]]:
    """What the configuration says of how features are computed, with its path."""
    if isinstance(definitions_, dict):
        for unit, list_ in definitions_.items():
            for index, entry in enumerate(list_):
                yield from _leaves(f"{path}.{unit}[{index}].settings", entry.get("settings", {}))


def _leaves(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """Every value of a description with its path, as it is sent."""
    match value:
        case dict() | list() if not value:
            return
        case dict():
            for key, inner in value.items():
                yield from _leaves(f"{path}.{key}", inner)
        case list() if any(isinstance(entry, dict) for entry in value):
            for index, entry in enumerate(value):
                yield from _leaves(f"{path}[{index}]", entry)
        case _:
            yield path, json.dumps(value, ensure_ascii=False)


def _own(model: type[BaseModel], *without: str) -> list[str]:
    """The fields that a record adds to the envelope."""
    return [name for name in model.model_fields if name not in _ENVELOPE and name not in without]
