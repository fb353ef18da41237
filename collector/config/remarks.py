"""What a good configuration says and probably does not mean; pure.

It is told by `collector check` and refuses nothing: what is collected until then is kept, and a gateway that
runs must not stop at an update over what was good before.
"""

from collections.abc import Iterator
from itertools import combinations

from collector.activity import CalendarSettings, common_time
from collector.config.model import MAIN_FILE, Config
from collector.mqtt import BrokerSettings
from collector.texts import configuration as texts
from collector.toml.document import Document, parse_document
from collector.toml.problems import Problem, shown

_RESERVED = (".example", ".invalid", ".example.com", ".example.net", ".example.org")
"""Ends of names that stand in examples alone, and that nobody can have (RFC 2606)."""


def remarks(config: Config) -> Iterator[Problem]:
    """What to look at in a configuration that was loaded, in the order of the lines."""
    document = parse_document(MAIN_FILE, config.texts[MAIN_FILE].encode())
    if isinstance(document, Document):
        found = [*_untouched_broker(document, config.broker), *_overlapping_shifts(document, config.calendar)]
        yield from sorted(found, key=lambda remark: remark.line or 0)


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
