"""What one key must have to do with another, within a file and between files; pure.

Only parts that are valid by themselves are looked at, so that a mistake in one hides none in another. What
one key alone may hold is declared in the settings models; what must exist on the gateway is in existence.py.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from decimal import ROUND_CEILING, ROUND_FLOOR
from typing import Any, cast

from collector.config.controller_checks import check_controllers, check_lines
from collector.config.model import GatewaySettings, SensorSettings
from collector.config.speed_checks import check_speeds
from collector.config.state_checks import check_calendar, check_stream_names
from collector.features import BandSettings, BearingSettings, EnvelopeSettings, VelocitySettings
from collector.messages.topics import GATEWAY_MACHINE, RECEIPT
from collector.mqtt.checks import check_broker
from collector.settings import PositiveFinite
from collector.sources import SourceSettings
from collector.sources.replay import ReplaySettings
from collector.sources.serial import BinaryFormat, SerialSettings, TextFormat, WitMotionFormat
from collector.sources.simulated import SimulatedSettings
from collector.texts import Sentence, Text, number
from collector.texts import configuration as texts
from collector.toml.belonging import belongs, belongs_both_ways
from collector.toml.document import Document
from collector.toml.problems import Problem, shown
from collector.toml.toml_lines import TomlPath, written
from collector.windows import MAX_SAMPLES, MIN_SAMPLES, WindowSettings

ANY_SOURCE = cast("type[SerialSettings | ReplaySettings | SimulatedSettings]", SourceSettings)
"""The union of all sources, as a type that a value can be validated against."""

Place = tuple[Document, TomlPath]

_MOST_WINDOWS_HZ = 100
"""More windows in a second only repeat each other, and would keep a small gateway busy."""


def check_gateway(document: Document) -> Iterator[Problem]:
    """What must fit together in collector.toml."""
    gateway = document.valid(("gateway",), GatewaySettings)
    if gateway and gateway.company == RECEIPT:
        yield document.problem(("gateway", "company"), texts.RESERVED_COMPANY(found=shown(gateway.company)))
    yield from check_broker(document)
    shifts = document.entries(("calendar", "shifts"))
    yield from _repeated(((document, (*path, "name")) for path in shifts), texts.SAME_NAME)
    yield from check_calendar(document)


def check_machine(document: Document) -> Iterator[Problem]:
    """What must fit together in one machine file."""
    if document.value(("machine", "name")) == GATEWAY_MACHINE:
        reserved = texts.RESERVED_MACHINE(found=shown(GATEWAY_MACHINE))
        yield document.problem(("machine", "name"), reserved)
    tools = document.entries(("tools",))
    yield from _repeated(((document, (*path, "number")) for path in tools), texts.SAME_NUMBER)
    waveforms = list(document.entries(("waveforms",)))
    streams = [*waveforms, *document.entries(("controllers",))]
    yield from _repeated(((document, (*path, "name")) for path in streams), texts.SAME_NAME)
    yield from check_stream_names(document, streams)
    for path in waveforms:
        yield from _check_waveform(document, path)
    yield from check_controllers(document)


def check_machines(documents: Iterable[Document], device: Callable[[str], str]) -> Iterator[Problem]:
    """What must fit together between the machine files; `device` finds what a port's path leads to."""
    documents = list(documents)
    yield from _repeated(((document, ("machine", "name")) for document in documents), texts.SAME_NAME)
    ports: list[Place] = [
        (document, (*path, "source", "port"))
        for document in documents
        for path in document.entries(("waveforms",))
        if document.value((*path, "source", "kind")) == "serial"
    ]
    yield from _repeated(ports, texts.SAME_PORT, device)
    yield from check_speeds(documents, device)
    yield from check_lines(documents, device)


def _check_waveform(document: Document, path: TomlPath) -> Iterator[Problem]:
    names = [(*channel, "name") for channel in document.entries((*path, "channels"))]
    yield from _repeated(((document, name) for name in names), texts.SAME_NAME)
    # A mistake in a channel does not change how many there are.
    channels = len(names) if all(isinstance(document.value(name[:-1]), dict) for name in names) else 0
    source = document.valid((*path, "source"), ANY_SOURCE)
    if source and channels:
        yield from _check_columns(document, (*path, "source"), source, channels)
    if isinstance(source, SerialSettings) and 1 / source.rate_hz > source.silent_after_s:
        sentence = texts.SILENT_SHORT(
            found=number(source.silent_after_s),
            rate_hz=number(source.rate_hz),
            period_s=number(1 / source.rate_hz, 6),
            least=number(3 / source.rate_hz, 6),
        )
        yield document.problem((*path, "source", "silent_after_s"), sentence)
    sensor = document.valid((*path, "sensor"), SensorSettings)
    if sensor and sensor.low_hz is not None and sensor.high_hz is not None:
        yield from _check_order(document, (*path, "sensor", "high_hz"), sensor.low_hz, sensor.high_hz)
    rate_hz = document.valid((*path, "source", "rate_hz"), PositiveFinite)
    window = document.valid((*path, "window"), WindowSettings)
    if window:
        yield from _check_window(document, (*path, "window"), window, rate_hz)
    yield from _check_features(document, (*path, "features"), rate_hz)


def _check_columns(document: Document, path: TomlPath, source: Any, channels: int) -> Iterator[Problem]:
    match source:
        case SerialSettings(format=TextFormat() as lines):
            path = (*path, "format")
            yield from belongs_both_ways(document, path, "counter_column", "counter_modulus")
            yield from belongs_both_ways(document, path, "time_column", "time_unit_s")
            yield from belongs(document, path, "time_modulus", "time_column")
            yield from _check_entries(document, (*path, "scale"), lines.scale, channels)
            yield from _check_places(document, path, lines.columns, channels)
            used = (*(lines.columns or (channels,)), lines.counter_column or 1, lines.time_column or 1)
            if lines.line_columns is not None and lines.line_columns < max(used):
                sentence = texts.LINE_COLUMNS(found=shown(lines.line_columns), column=max(used))
                yield document.problem((*path, "line_columns"), sentence)
        case SerialSettings(format=BinaryFormat() as frames):
            yield from _check_entries(document, (*path, "format", "scale"), frames.scale, channels)
        case SerialSettings(format=WitMotionFormat()) if channels != 3:
            yield document.problem((*path[:-1], "channels"), texts.WITMOTION_CHANNELS(count=channels))
        case ReplaySettings():
            yield from _check_entries(document, (*path, "scale"), source.scale, channels)
            yield from _check_places(document, path, source.columns, channels)


def _check_places(
    document: Document, path: TomlPath, columns: tuple[int, ...] | None, channels: int
) -> Iterator[Problem]:
    """Which column holds what: each column from 1, none for two things, one for each channel."""
    taken: dict[int, str] = {}
    wanted: list[TomlPath] = [(*path, "columns", index) for index in range(len(columns or ()))]
    if columns is None:
        taken = {index + 1: f"channels[{index}]" for index in range(channels)}
    else:
        yield from _check_entries(document, (*path, "columns"), columns, channels)
    wanted += [(*path, key) for key in ("counter_column", "time_column")]
    for place in wanted:
        column = document.value(place)
        if column is None:
            continue
        if column < 1:
            yield document.problem(place, texts.COLUMN_BELOW_ONE(found=shown(column)))
        elif column in taken:
            yield document.problem(place, texts.COLUMN_TAKEN(found=shown(column), use=taken[column]))
        else:
            taken[column] = written(place[len(path) :])


def _check_entries(document: Document, path: TomlPath, entries: Any, channels: int) -> Iterator[Problem]:
    if isinstance(entries, tuple) and len(entries) != channels:
        yield document.problem(path, texts.ENTRIES_FOR_CHANNELS(count=len(entries), channels=channels))


def _check_window(
    document: Document, path: TomlPath, window: WindowSettings, rate_hz: float | None
) -> Iterator[Problem]:
    one_length = (window.samples is None) != (window.seconds is None)
    if not one_length:
        length = texts.WINDOW_LENGTH_MISSING if window.samples is None else texts.WINDOW_LENGTH_TWICE
        yield document.problem((*path, "seconds"), length())
    one_hop = not {"overlap", "hop_samples"} <= window.model_fields_set
    if not one_hop:
        yield document.problem((*path, "hop_samples"), texts.WINDOW_HOP_TWICE())
    if not one_length or not one_hop or (rate_hz is None and window.samples is None):
        return
    try:
        n, hop = window.resolve(rate_hz or 1.0)
    except ValueError:  # with one length and one hop, only the seconds can be wrong
        yield document.problem((*path, "seconds"), _seconds(window, cast("float", rate_hz)))
        return
    if hop > n:
        found = shown(window.hop_samples)
        yield document.problem((*path, "hop_samples"), texts.WINDOW_HOP_LONG(found=found, samples=n))
    elif rate_hz is not None and rate_hz / hop > _MOST_WINDOWS_HZ:
        yield document.problem((*path, "hop_samples"), _often(n, hop, rate_hz))


def _often(n: int, hop: int, rate_hz: float) -> Sentence:
    least = math.ceil(rate_hz / _MOST_WINDOWS_HZ)
    found: dict[str, Any] = {"hop": hop, "rate_hz": number(rate_hz), "most": _MOST_WINDOWS_HZ}
    found["windows"] = number(rate_hz / hop, 4)
    if least > n:
        return texts.WINDOW_SHORT(**found, least=least)
    overlap = math.floor((1 - least / n) * 1000) / 1000  # rounded down: rounded up, it would be refused again
    return texts.WINDOW_OFTEN(**found, least=least, overlap=number(overlap))


def _seconds(window: WindowSettings, rate_hz: float) -> Any:
    low, high = MIN_SAMPLES / rate_hz, MAX_SAMPLES / rate_hz
    return texts.WINDOW_SECONDS(
        found=shown(window.seconds),
        rate_hz=number(rate_hz),
        samples=number(cast("float", window.seconds) * rate_hz, 6),
        least=MIN_SAMPLES,
        most=MAX_SAMPLES,
        low=number(low, 4, ROUND_CEILING),
        high=number(high, 4, ROUND_FLOOR),
    )


def _check_features(document: Document, path: TomlPath, rate_hz: float | None) -> Iterator[Problem]:
    yield from _check_bands(document, (*path, "bands"), rate_hz)
    envelope = document.valid((*path, "envelope"), EnvelopeSettings)
    if envelope:
        yield from _check_band(document, (*path, "envelope"), envelope, rate_hz)
    velocity = document.valid((*path, "velocity"), VelocitySettings)
    if velocity:
        yield from _check_order(document, (*path, "velocity", "high_hz"), velocity.low_hz, velocity.high_hz)
    yield from belongs(document, path, "bearing", "envelope")
    bearing = document.valid((*path, "bearing"), BearingSettings)
    if bearing and bearing.roller_diameter_mm >= bearing.pitch_diameter_mm:
        sentence = texts.ROLLER_LARGE(
            found=number(bearing.roller_diameter_mm), pitch=number(bearing.pitch_diameter_mm)
        )
        yield document.problem((*path, "bearing", "roller_diameter_mm"), sentence)


def _check_bands(document: Document, path: TomlPath, rate_hz: float | None) -> Iterator[Problem]:
    first: dict[str, TomlPath] = {}
    for place in document.entries(path):
        band = document.valid(place, BandSettings)
        if not band:
            continue
        if band.name in first:
            yield document.problem(place, texts.SAME_BAND(line=document.line(first[band.name])))
        first.setdefault(band.name, place)
        yield from _check_band(document, place, band, rate_hz)


def _check_band(
    document: Document, place: TomlPath, band: BandSettings, rate_hz: float | None
) -> Iterator[Problem]:
    yield from _check_order(document, (*place, "high_hz"), band.low_hz, band.high_hz)
    if rate_hz is not None and band.high_hz > rate_hz / 2:
        above = texts.BAND_ABOVE_HALF_RATE(
            found=shown(band.high_hz), rate_hz=number(rate_hz), limit_hz=number(rate_hz / 2)
        )
        yield document.problem((*place, "high_hz"), above)


def _check_order(document: Document, path: TomlPath, low_hz: float, high_hz: float) -> Iterator[Problem]:
    if high_hz <= low_hz:
        yield document.problem(path, texts.BAND_ORDER(found=shown(high_hz), low_hz=number(low_hz)))


def _repeated(
    places: Iterable[Place], text: Text, meaning: Callable[[str], str] = lambda value: value
) -> Iterator[Problem]:
    """A problem for each value that an earlier place holds already."""
    first: dict[Any, Place] = {}
    for document, path in places:
        value = document.value(path)
        if not isinstance(value, str | int) or isinstance(value, bool):
            continue
        key = meaning(value) if isinstance(value, str) else value
        if key in first:
            earlier, there = first[key]
            sentence = text(found=shown(value), file=earlier.file, line=earlier.line(there))
            yield document.problem(path, sentence)
        first.setdefault(key, (document, path))
