"""What a good configuration says and probably does not mean; pure.

It is told by `collector check` and refuses nothing: what is collected until then is kept, and a gateway that
runs must not stop at an update over what was good before.
"""

import re
import tomllib
from collections.abc import Iterator
from itertools import combinations
from typing import Any

from collector.activity import CalendarSettings, common_time
from collector.config.model import MAIN_FILE, Config
from collector.mqtt import BrokerSettings
from collector.texts import configuration as texts
from collector.texts import number
from collector.toml.document import Document
from collector.toml.problems import Problem, shown
from collector.toml.toml_lines import TomlPath

_RESERVED = (".example", ".invalid", ".example.com", ".example.net", ".example.org")
"""Ends of names that stand in examples alone, and that nobody can have (RFC 2606)."""

_FREQUENCIES = ("_hz", "_rpm")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}\.\d\d0")
"""A number as thousands are written; nobody writes decimals with a nought behind them, of a frequency."""


class _Decimals(str):
    """A number with decimals, as it is written."""

    __slots__ = ()


def remarks(config: Config) -> Iterator[Problem]:
    """What to look at in a configuration that was loaded, in the order of the lines."""
    for file, text in sorted(config.texts.items(), key=lambda named: (named[0] != MAIN_FILE, named[0])):
        document = Document(file, text, tomllib.loads(text, parse_float=_Decimals))
        found = [*_thousands(document)]
        if file == MAIN_FILE:
            found += _untouched_broker(document, config.broker)
            found += _overlapping_shifts(document, config.calendar)
        yield from sorted(found, key=lambda remark: remark.line or 0)


def _thousands(document: Document) -> Iterator[Problem]:
    """Frequencies such as 25.600, which in German and other languages is 25600, and here 25.6."""
    for path, value in _values(document.data, ()):
        if (
            isinstance(value, _Decimals)
            and str(path[-1]).endswith(_FREQUENCIES)
            and _THOUSANDS.fullmatch(value)
        ):
            meant = value.replace(".", "")
            sentence = texts.POINT_OF_THOUSANDS(found=value, number=number(float(value)), meant=meant)
            yield document.problem(path, sentence)


def _values(value: Any, path: TomlPath) -> Iterator[tuple[TomlPath, Any]]:
    match value:
        case dict():
            for key, inner in value.items():
                yield from _values(inner, (*path, key))
        case list():
            for index, inner in enumerate(value):
                yield from _values(inner, (*path, index))
        case _:
            yield path, value


def _untouched_broker(document: Document, broker: BrokerSettings) -> Iterator[Problem]:
    if f".{broker.host.lower().rstrip('.')}".endswith(_RESERVED):
        yield document.problem(("broker", "host"), texts.EXAMPLE_HOST(found=shown(broker.host)))


def _overlapping_shifts(document: Document, calendar: CalendarSettings) -> Iterator[Problem]:
    for (_, one), (place, other) in combinations(enumerate(calendar.shifts), 2):
        common = common_time(one, other)
        if common is not None:
            names = {"one": shown(one.name), "other": shown(other.name)}
            sentence = texts.SHIFTS_OVERLAP(**names, start=common[0], end=common[1])
            yield document.problem(("calendar", "shifts", place, "start"), sentence)
