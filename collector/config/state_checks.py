"""What a machine's state must have to do with its waveforms and controllers, and the calendar with the world.

What one key alone may hold is declared in activity/.
"""

from collections.abc import Iterator
from typing import get_args

from collector.activity import QUESTIONS, CalendarSettings, EvidenceSettings, StateSettings
from collector.activity.calendar import is_zone
from collector.config.declared_points import DeclaredPoints
from collector.features import FeatureSettings, selected
from collector.messages import STATE_STREAM
from collector.points import PointKind
from collector.samples import Unit
from collector.sharing import share_of
from collector.texts import configuration as texts
from collector.texts.toml import BELONGS_TOGETHER
from collector.toml.document import Document
from collector.toml.problems import Problem, choice, shown
from collector.toml.toml_lines import TomlPath

_STATE = ("machine", "state")


def check_calendar(document: Document) -> Iterator[Problem]:
    """That the time zone exists."""
    calendar = document.valid(("calendar",), CalendarSettings)
    if calendar and calendar.time_zone is not None and not is_zone(calendar.time_zone):
        sentence = texts.TIME_ZONE(found=shown(calendar.time_zone))
        yield document.problem(("calendar", "time_zone"), sentence)


def check_stream_names(document: Document, streams: list[TomlPath]) -> Iterator[Problem]:
    """That nobody takes the name of the stream that tells the machine's state."""
    for path in streams:
        if document.value((*path, "name")) == STATE_STREAM:
            yield document.problem((*path, "name"), texts.RESERVED_STREAM(found=shown(STATE_STREAM)))


def check_state(document: Document, declared: DeclaredPoints) -> Iterator[Problem]:
    """What must fit together in [machine.state]."""
    if document.value(_STATE) is None:
        return
    state = document.valid(_STATE, StateSettings)
    if state is not None and not state.asked():
        yield document.problem(_STATE, texts.STATE_ASKS_NOTHING())
    features = _features(document)
    for question in QUESTIONS:
        path = (*_STATE, question.value)
        evidence = document.valid(path, EvidenceSettings)
        if evidence is not None:
            yield from _check_evidence(document, path, evidence)
            yield from _check_input(document, path, evidence, declared, features)


def _check_evidence(document: Document, path: TomlPath, evidence: EvidenceSettings) -> Iterator[Problem]:
    levels = (evidence.above, evidence.below)
    if (evidence.point is None) == (evidence.feature is None):
        yield document.problem(path, texts.STATE_ONE_INPUT())
    if evidence.states is not None and (evidence.feature is not None or levels != (None, None)):
        yield document.problem((*path, "states"), texts.STATE_STATES())
    elif evidence.below is not None and evidence.above is None:
        sentence = BELONGS_TOGETHER(key="below", other="above", example=str(evidence.below))
        yield document.problem((*path, "below"), sentence)
    elif evidence.above is not None and evidence.below is not None and evidence.below > evidence.above:
        sentence = texts.STATE_LEVELS(found=shown(evidence.below), above=shown(evidence.above))
        yield document.problem((*path, "below"), sentence)


def _check_input(
    document: Document,
    path: TomlPath,
    evidence: EvidenceSettings,
    declared: DeclaredPoints,
    features: tuple[str, ...] | None,
) -> Iterator[Problem]:
    if evidence.point is not None:
        point = declared.points.get(evidence.point)
        if not declared.points and not declared.open_ended:
            yield document.problem((*path, "point"), texts.STATE_NO_POINTS())
        elif point is None:
            if declared.rule_out(evidence.point):
                yield document.problem((*path, "point"), choice(evidence.point, tuple(declared.points)))
        elif share_of(point) != "plain":
            yield document.problem((*path, "point"), texts.STATE_NOT_SHARED(found=shown(evidence.point)))
        elif point.kind is PointKind.NUMBER and evidence.states is not None:
            yield document.problem((*path, "states"), texts.STATE_STATES())
    if evidence.feature is not None and features is not None and evidence.feature not in features:
        beginning, _, _ = evidence.feature.rpartition("/")
        near = tuple(feature for feature in features if feature.startswith(f"{beginning}/")) or features
        yield document.problem((*path, "feature"), choice(evidence.feature, near))


def _features(document: Document) -> tuple[str, ...] | None:
    """Every number that the windows of the waveforms have; None where a waveform is not understood."""
    found = []
    for path in document.entries(("waveforms",)):
        name = document.value((*path, "name"))
        is_default = document.value((*path, "features")) is None
        settings = FeatureSettings() if is_default else document.valid((*path, "features"), FeatureSettings)
        if settings is None:
            return None
        for place in document.entries((*path, "channels")):
            channel, unit = (document.value((*place, key)) for key in ("name", "unit"))
            if unit not in get_args(Unit):
                return None
            features = [feature for feature in selected(settings, unit) if "." not in feature.name]
            numbers = [feature.name for feature in features if not feature.keyed]
            bands = [f"band_rms/{band.name}" for band in settings.bands]
            found += [f"{name}/{channel}/{feature}" for feature in (*numbers, *bands)]
    return tuple(found)
