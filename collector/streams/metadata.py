"""The content of `meta`: what makes a stream's numbers comparable with those of others."""

from collections.abc import Iterable
from typing import Any

from collector import __version__
from collector.activity import RATIOS, SUMMARISED, Activity, Calendar, LearnedFile, Level, Names, Rule
from collector.aggregate import definitions as definitions_of_statistics
from collector.config import ControllerSettings, MachineFile, WaveformSettings
from collector.context import Context
from collector.features import REASONS, definitions, flag_definitions
from collector.messages import MetaContent
from collector.points import Point
from collector.samples import UCUM
from collector.sharing import share_of
from collector.sources import describe_source
from collector.sources.source import PointSource, WaveformSource
from collector.spindle import spindle_points


def describe_waveform(
    machine: MachineFile, settings: WaveformSettings, source: WaveformSource, context: Context
) -> MetaContent:
    """Everything a researcher needs beside the records of one waveform.

    Only what is listed here leaves the gateway: neither the port nor a file's name is part of it.
    """
    signal = source.signal
    n, hop = settings.window.resolve(signal.rate_hz)
    units = dict.fromkeys(channel.unit for channel in signal.channels)
    return MetaContent(
        version=__version__,
        **_machine(machine),
        source={
            "kind": settings.source.kind,
            "origin": source.origin,
            "nominal_hz": signal.rate_hz,
            "rate_exact": signal.rate_exact,
        },
        sensor=_given(settings.sensor),
        channels=[_given(channel) | {"ucum": UCUM[channel.unit]} for channel in settings.channels],
        window={"n": n, "hop": hop},
        features={unit: definitions(settings.features, unit) for unit in units},
        flags=flag_definitions(),
        nulls=[{"name": reason.value, "definition": text} for reason, text in REASONS.items()],
        context=_context(context, machine),
    )


def describe_controller(
    machine: MachineFile, settings: ControllerSettings, source: PointSource, points: Iterable[Point]
) -> MetaContent:
    """Everything a researcher needs beside the records of one controller, neither address nor node of it."""
    return MetaContent(
        version=__version__,
        **_machine(machine),
        source={"kind": settings.source.kind, "origin": source.origin},
        sensor={},
        channels=[],
        window={"seconds": settings.publish_every_s},
        features={},
        flags=[],
        points=[_point(point) for point in points],
        statistics=definitions_of_statistics(),
    )


def describe_state(
    machine: MachineFile, rules: Iterable[Rule], learned: LearnedFile, calendar: Calendar
) -> MetaContent:
    """Everything a researcher needs beside the records of a machine's state."""
    settings = machine.machine.state
    assert settings is not None
    return MetaContent(
        version=__version__,
        **_machine(machine),
        source={"kind": "state", "origin": _origin(machine)},
        sensor={},
        channels=[],
        window={},
        features={},
        flags=[],
        statistics=[{"name": name, "definition": text} for name, text in RATIOS.items()],
        state={
            "states": list(Activity),
            "rules": [_rule(rule, learned) for rule in rules],
            "dwell_s": settings.dwell_s,
            "cut_features": list(SUMMARISED),
            **calendar.described(),
        },
    )


def _origin(machine: MachineFile) -> str:
    """A state that follows from a simulation or a recording, even in part, is told as such."""
    origins = {describe_source(w.source, w.signal_channels()).origin for w in machine.waveforms}
    return next((origin for origin in ("simulated", "replay") if origin in origins), "live")


def _rule(rule: Rule, learned: LearnedFile) -> dict[str, Any]:
    described: dict[str, Any] = {"question": rule.question.value, "input": rule.input}
    match rule.criterion:
        case Level(above, below, magnitude):
            described |= {"above": above, "below": below, "magnitude": magnitude}
            found = learned.thresholds.get(rule.question)
            if found is not None and (found.above, found.below) == (above, below):
                described["learned"] = _given(found)
        case Names(names):
            described["states"] = sorted(names)
    return described


def _machine(machine: MachineFile) -> dict[str, Any]:
    described = _given(machine.machine)
    for other in ("context", "state", "spindle"):  # no description: they say where to look
        described.pop(other, None)
    return {"machine": described, "tools": [_given(tool) for tool in machine.tools]}


def _context(context: Context, machine: MachineFile) -> dict[str, Any]:
    points = context.points
    if not points:
        return {}
    known = {path: history.point for path, (_, history) in points.items()}
    spindle = spindle_points(machine.machine.spindle, known)
    return {
        "join_delay_s": context.join_delay_ns / 1e9,
        "points": [
            {**_point(history.point), "name": path, "stale_after_s": history.limit_ns / 1e9}
            for path, (_, history) in points.items()
        ],
        "spindle": {"speed": spindle.speed, "tool": spindle.tool},
    }


def _point(point: Point) -> dict[str, Any]:
    """What is told of a point; the names of an enumeration only where they are shared as they are."""
    share = share_of(point)
    states = {str(number): name for number, name in sorted(point.states.items())} if share == "plain" else {}
    described = {"name": point.name, "kind": point.kind.value, "unit": point.unit, "share": share}
    return described | ({"states": states} if states else {})


def _given(settings: Any) -> dict[str, Any]:
    """What the configuration says, without what it leaves out."""
    given: dict[str, Any] = settings.model_dump(mode="json", exclude_none=True)
    return given
