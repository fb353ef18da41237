"""A commissioning run of a recording: what the machine did in which part of it, and the values there.

What becomes of the values is in commissioning.py.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from collector.activity import Activity, FeatureInputs
from collector.commissioning import LEARNABLE, Values, added
from collector.config import MachineFile, WaveformSettings
from collector.errors import CollectorError
from collector.features import Kernel
from collector.sample_clock import SampleClock
from collector.samples import Chunk
from collector.sources import describe_source
from collector.sources.replay import ReplaySettings
from collector.sources.source import Device
from collector.streams.waveform_records import Placed, evaluated, placed
from collector.texts import learning as say
from collector.windows import Windows


@dataclass(frozen=True, slots=True)
class Span:
    """What the machine did in a part of a recording."""

    activity: Activity
    from_s: float
    to_s: float


def read_spans(file: Path) -> list[Span]:
    """The parts of a recording, from lines `activity,from_s,to_s`.

    Raises:
        CollectorError: it cannot be read, or a line is none.
    """
    try:
        rows = list(csv.reader(file.read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError) as error:
        raise CollectorError(say.SPANS_UNREADABLE(file=str(file), reason=str(error))) from None
    spans = []
    for number, row in enumerate(rows, start=1):
        if not row or row[0].startswith("#"):
            continue
        try:
            activity, from_s, to_s = row
            known = LEARNABLE.index(Activity(activity.strip()))
            spans.append(Span(LEARNABLE[known], float(from_s), float(to_s)))
        except ValueError:
            wrong = say.SPAN_WRONG(file=str(file), line=number, known=", ".join(LEARNABLE))
            raise CollectorError(wrong) from None
    return spans


def watch_recordings(machine: MachineFile, spans: Sequence[Span]) -> Values:
    """The values of the machine's recordings in these parts of them, played as fast as possible.

    Raises:
        SourceError: a recording cannot be read.
        CollectorError: the machine has none.
    """
    assert machine.machine.state is not None
    recordings = [w for w in machine.waveforms if isinstance(w.source, ReplaySettings)]
    if not recordings:
        raise CollectorError(say.NO_RECORDING(machine=machine.name))
    asked = machine.machine.state.asked().values()
    units = {f"{w.name}/{channel.name}": channel.unit for w in recordings for channel in w.channels}
    inputs = FeatureInputs([evidence.feature for evidence in asked if evidence.feature], units)
    for waveform in recordings:
        _play(waveform, inputs)
    values: Values = {}
    for span in spans:
        from_ns, to_ns = round(span.from_s * 1e9), round(span.to_s * 1e9)
        watched = {path: inputs.within(path, from_ns, to_ns) for path in inputs.histories}
        values = added(values, span.activity, watched)
    return values


def _play(waveform: WaveformSettings, inputs: FeatureInputs) -> None:
    """Cut a whole recording into windows, and take their features."""
    settings = waveform.source.model_copy(update={"speed": "max", "repeat": False})
    source = describe_source(settings, waveform.signal_channels())
    signal = source.signal
    n, hop = waveform.window.resolve(signal.rate_hz)
    kernel = Kernel(waveform.features, signal.channels, n, hop)
    device = source.open()
    try:
        complete = _cut(device, SampleClock(signal), Windows(len(signal.channels), n, hop))
        while some := list(islice(complete, kernel.at_once)):
            values = kernel.compute_all([of.window for of in some], signal.rate_hz)
            for of, features in zip(some, values, strict=True):
                made = evaluated(of, features, signal)
                inputs.take(waveform.name, round(of.window.first * 1e9 / signal.rate_hz), made.fields)
    finally:
        device.close()


def _cut(device: Device, clock: SampleClock, windows: Windows) -> Iterator[Placed]:
    while (runs := device.read()) is not None:
        for run in runs:
            for window in windows.push(clock.place(Chunk(run, 0))):
                yield placed(window, clock)
