"""From records to named columns, with what each of them means; pure."""

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from collector.messages.envelope import Envelope
from collector.research.rows import Row
from collector.store.values import feature_values
from collector.times import moment

_OF_ALL = ("t", "gateway", "epoch", "seq", "sync", "meta")
_OF_FEATURES = ("first", "n", "hop", "rate_hz", "rate_state", "lost", "clipped")
_PARTS = ("spindle", "velocity")
_OF_SUMMARIES = ("from_us", "to_us", "lost")
_IN_HZ = ("rate_hz", "velocity.low_hz", "velocity.high_hz")
_PER_MINUTE = ("spindle.rpm", "spindle.refined_rpm")
_IN_SECONDS = ("duration_s", "seconds.")
_OF_EVERY_RECORD = {*Envelope.model_fields, "kind", "reading", "event"}

T = TypeVar("T")
Said = dict[str, T]
"""What descriptions say of one thing, by their hashes."""


@dataclass(slots=True)
class Columns:
    """A table by columns, all of the same length; what is missing in a row is None there.

    `units` are by column; `definitions` by the name of a feature or figure; `meta` is every description by
    its hash, which the column `meta` of each row names. What the descriptions of the rows do not agree about
    is in neither, but in `conflicts`, under `units` and `definitions`: what each of them says, by its hash.
    """

    values: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in _OF_ALL})
    units: dict[str, str] = field(default_factory=dict)
    definitions: dict[str, dict[str, Any]] = field(default_factory=dict)
    meta: dict[str, dict[str, Any]] = field(default_factory=dict)
    conflicts: dict[str, dict[str, Said[Any]]] = field(
        default_factory=lambda: {"units": {}, "definitions": {}}
    )
    rows: int = 0

    def add(self, row: dict[str, Any]) -> None:
        """Add a row, perhaps with columns that were not there before."""
        for name in [name for name in row if name not in self.values]:
            self.values[name] = [None] * self.rows
        for name, column in self.values.items():
            column.append(row.get(name))
        self.rows += 1


def columns_of(
    features: Iterable[Row],
    readings: Iterable[Row],
    metas: dict[str, str],
    wanted: Collection[str] | None,
) -> Columns:
    """One row for each window, or for each summary of a controller's readings.

    `wanted` names features or figures; None means all. A value's column is `channel.feature`, and where the
    feature has parts `channel.feature.part`; of the context it is `controller/point` for the value at the
    window's end, with `.quality` and `.vouched_s` beside it. `spindle` and `velocity` are the record's,
    and `nulls.feature` is why that feature is null.
    """
    columns = Columns(meta={hash_: json.loads(content) for hash_, content in metas.items()})
    for row in features:
        record = json.loads(row.payload)
        values = {name: record.get(name) for name in _OF_FEATURES}
        values["quality"] = ",".join(record["quality"])
        values |= _beside(record, wanted)
        values |= _channels(record["channels"], wanted)
        values |= _context(record.get("context", {}))
        columns.add(_envelope(row, record) | values)
    for row in readings:
        record = json.loads(row.payload)
        if record["reading"] == "summary":
            values = {name: record.get(name) for name in _OF_SUMMARIES}
            columns.add(_envelope(row, record) | values | _points(record["points"], wanted))
    _describe(columns)
    return columns


def columns_of_state(rows: Iterable[Row], said: str, metas: dict[str, str]) -> Columns:
    """One row for each record of a machine's state that says this: `cut`, `utilisation` or `state`.

    Each field is a column, of what is nested the names joined by dots; a list is its JSON text.
    """
    columns = Columns(meta={hash_: json.loads(content) for hash_, content in metas.items()})
    for row in rows:
        record = json.loads(row.payload)
        if said == record.get("reading", record.get("event")):
            own = {name: value for name, value in record.items() if name not in _OF_EVERY_RECORD}
            columns.add(_envelope(row, record) | dict(_fields(own)))
    _describe(columns)
    for name in columns.values:
        if name.startswith(_IN_SECONDS):
            columns.units[name] = "s"
    return columns


def _fields(record: dict[str, Any], within: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in record.items():
        if isinstance(value, dict):
            yield from _fields(value, f"{within}{name}.")
        else:
            yield f"{within}{name}", json.dumps(value) if isinstance(value, list) else value


def _envelope(row: Row, record: dict[str, Any]) -> dict[str, Any]:
    return {
        "t": moment(row.t_us),
        "gateway": row.gateway,
        "epoch": row.epoch,
        "seq": row.seq,
        "sync": record["sync"],
        "meta": record["meta"],
    }


def _beside(record: dict[str, Any], wanted: Collection[str] | None) -> dict[str, Any]:
    """By which speed and over which band features were computed, and why some are null."""
    found = {f"{name}.{part}": value for name in _PARTS for part, value in (record.get(name) or {}).items()}
    nulls = record.get("nulls") or {}
    return found | {f"nulls.{name}": why for name, why in nulls.items() if wanted is None or name in wanted}


def _channels(channels: dict[str, Any], wanted: Collection[str] | None) -> dict[str, Any]:
    return {
        f"{channel}.{feature}.{part}".rstrip("."): value
        for channel, feature, part, value in feature_values(channels)
        if wanted is None or feature in wanted
    }


def _context(context: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for point, said in context.items():
        found[point] = said["last"]
        found[f"{point}.quality"] = said["quality"]
        found[f"{point}.vouched_s"] = said["vouched_s"]
    return found


def _points(points: dict[str, Any], wanted: Collection[str] | None) -> dict[str, Any]:
    return {
        f"{point}.{figure}": value
        for point, figures in points.items()
        for figure, value in figures.items()
        if figure != "kind" and (wanted is None or figure in wanted)
    }


def _describe(columns: Columns) -> None:
    """Units and definitions, from the descriptions of the rows that are there, in the order of their use."""
    units: dict[str, Said[str]] = {}
    definitions: dict[tuple[str, str], Said[dict[str, Any]]] = {}
    for hash_ in dict.fromkeys(columns.values["meta"]):
        content = columns.meta.get(hash_, {})
        for channel, definition in _definitions(content):
            definitions.setdefault((channel, definition["name"]), {})[hash_] = definition
            for name in _of_feature(columns, channel, definition["name"]):
                units.setdefault(name, {})[hash_] = definition["unit"]
        for name, unit in _units_of_points(content):
            if name in columns.values:
                units.setdefault(name, {})[hash_] = unit
    for name, unit_said in units.items():
        _settle(name, unit_said, columns.units, columns.conflicts["units"])
    for (_, name), definition_said in definitions.items():
        _settle(name, definition_said, columns.definitions, columns.conflicts["definitions"])
    always = dict.fromkeys(_IN_HZ, "Hz") | dict.fromkeys(_PER_MINUTE, "/min")
    columns.units |= {name: unit for name, unit in always.items() if name in columns.values}
    columns.units = {name: unit for name, unit in columns.units.items() if unit}


def _definitions(content: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Of each channel, and under no channel those of figures."""
    for channel in content.get("channels", []):
        for feature in content.get("features", {}).get(channel["unit"], []):
            yield channel["name"], feature
    for figure in content.get("statistics", []):
        yield "", figure


def _units_of_points(content: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for point in content.get("points", []):
        for figure in ("mean", "min", "max", "std", "rms", "last"):
            yield f"{point['name']}.{figure}", point["unit"]
    for point in content.get("context", {}).get("points", []):
        yield point["name"], point["unit"]


def _settle(name: str, said: Said[T], agreed: dict[str, T], conflicts: dict[str, Said[T]]) -> None:
    """Take what all descriptions say; where one says something else, only what each of them says.

    What is of several channels is the last one's, unless there is a conflict about any.
    """
    first, *others = said.values()
    if any(other != first for other in others):
        conflicts[name] = said
        agreed.pop(name, None)
    elif name not in conflicts:
        agreed[name] = first


def _of_feature(columns: Columns, channel: str, feature: str) -> list[str]:
    """The columns of a feature and its parts; a definition such as `peaks.hz` is of one part of each peak."""
    feature, _, ending = feature.partition(".")
    return [
        name
        for name in columns.values
        if (name == f"{channel}.{feature}" or name.startswith(f"{channel}.{feature}."))
        and name.endswith(ending)
    ]
