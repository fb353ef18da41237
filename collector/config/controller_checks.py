"""What the controllers of a machine must have to do with each other, with waveforms, and with sharing; pure.

What a source's own keys must have to do with each other is known by the source (its `mistakes`).
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

from collector.config.declared_points import DeclaredPoints
from collector.config.state_checks import check_state
from collector.context import ContextSettings
from collector.points import Point, PointKind
from collector.sharing import share_of
from collector.sources import AnyControllerSource, ControllerSourceSettings, known_points, mistakes
from collector.sources.modbus import ModbusRtuSettings, is_other_line
from collector.spindle import SpindleSettings
from collector.texts import Sentence
from collector.texts import configuration as texts
from collector.toml.document import Document
from collector.toml.problems import Problem, choice, shown
from collector.toml.toml_lines import TomlPath

ANY_CONTROLLER_SOURCE = cast("type[AnyControllerSource]", ControllerSourceSettings)
"""The union of all sources of points, as a type that a value can be validated against."""


def check_controllers(document: Document) -> Iterator[Problem]:
    """What must fit together in the controllers of one machine file, and what refers to their points."""
    if all(document.value((key,)) is None for key in ("waveforms", "controllers")):
        yield document.problem((), texts.NOTHING_COLLECTED())
    points: dict[str, Point] = {}
    open_ended: set[str] = set()
    for path in document.entries(("controllers",)):
        source = document.valid((*path, "source"), ANY_CONTROLLER_SOURCE)
        wrong = [] if source is None else list(mistakes(source))
        yield from (document.problem((*path, "source", *key), sentence) for key, sentence in wrong)
        name = str(document.value((*path, "name")))
        if source is None or wrong:
            open_ended.add(name)
            continue
        known, more = known_points(source)
        yield from _check_shares(document, (*path, "source", "points"), known)
        points |= {f"{name}/{point.name}": point for point in known}
        if more:
            open_ended.add(name)
    declared = DeclaredPoints(points, open_ended)
    yield from _check_context(document, declared)
    yield from check_state(document, declared)


def check_lines(documents: Iterable[Document], device: Callable[[str], str]) -> Iterator[Problem]:
    """That devices on one serial line agree about it and its name, and share it with no waveform.

    `device` finds what a port's path leads to.
    """
    taken: dict[str, tuple[Document, TomlPath]] = {}
    lines: dict[str, tuple[Document, TomlPath, ModbusRtuSettings]] = {}
    documents = list(documents)
    for document, path in _sources(documents, "waveforms"):
        port = document.value((*path, "port"))
        if document.value((*path, "kind")) == "serial" and isinstance(port, str):
            taken.setdefault(device(port), (document, (*path, "port")))
    for document, path in _sources(documents, "controllers"):
        source = document.valid(path, ANY_CONTROLLER_SOURCE)
        if not isinstance(source, ModbusRtuSettings):
            continue
        port = device(source.port)
        if port in taken:
            other, place = taken[port]
            sentence = texts.SAME_PORT(found=shown(source.port), file=other.file, line=other.line(place))
            yield document.problem((*path, "port"), sentence)
        if port not in lines:
            lines[port] = (document, path, source)
            continue
        other, place, first = lines[port]
        if is_other_line(first.model_copy(update={"port": port}), source.model_copy(update={"port": port})):
            sentence = texts.OTHER_LINE(file=other.file, line=other.line(place), baud=first.baud,
                                        parity=first.parity, stop_bits=first.stop_bits)  # fmt: skip
            yield document.problem((*path, "baud"), sentence)
        elif source.port != first.port:
            found, there = shown(source.port), other.line((*place, "port"))
            sentence = texts.OTHER_PORT_NAME(found=found, port=shown(first.port), file=other.file, line=there)
            yield document.problem((*path, "port"), sentence)


def _sources(documents: Iterable[Document], list_: str) -> Iterator[tuple[Document, TomlPath]]:
    for document in documents:
        yield from ((document, (*path, "source")) for path in document.entries((list_,)))


def _check_shares(document: Document, path: TomlPath, known: Iterable[Point]) -> Iterator[Problem]:
    kinds = {point.name: point.kind for point in known}
    for point in document.entries(path):
        name = document.value((*point, "name"))
        if (
            document.value((*point, "share")) == "pseudonym"
            and kinds.get(cast("Any", name)) is PointKind.NUMBER
        ):
            yield document.problem((*point, "share"), texts.NUMBER_PSEUDONYM())


def _check_context(document: Document, declared: DeclaredPoints) -> Iterator[Problem]:
    """That the points of context and spindle exist, as far as is known beforehand, and are shared."""
    context = document.valid(("machine", "context"), ContextSettings) or ContextSettings()
    points = declared.points
    named: list[tuple[TomlPath, str]] = [
        (("machine", "context", "points", index), path) for index, path in enumerate(context.points or ())
    ]
    chosen = (
        points
        if context.points is None
        else {path: points[path] for path in context.points if path in points}
    )
    spindle = document.valid(("machine", "spindle"), SpindleSettings) or SpindleSettings()
    for key, spindle_path in (("speed", spindle.speed), ("tool", spindle.tool)):
        if spindle_path in points and spindle_path not in chosen:
            yield document.problem(
                ("machine", "spindle", key), texts.SPINDLE_NOT_JOINED(found=shown(spindle_path))
            )
        elif spindle_path is not None:
            named.append((("machine", "spindle", key), spindle_path))
    for place, path in named:
        sentence = _not_joined(path, declared)
        if sentence is not None:
            yield document.problem(place, sentence)


def _not_joined(path: str, declared: DeclaredPoints) -> Sentence | None:
    point = declared.points.get(path)
    if point is not None:
        return None if share_of(point) != "none" else texts.CONTEXT_NOT_SHARED(found=shown(path))
    return choice(path, declared.points) if declared.rule_out(path) else None
