"""A commissioning run: values watched while someone says what the machine does, and the thresholds in them.

The values are kept beside the configuration from one call to the next, until thresholds are written for them.
How thresholds are found is in activity/thresholds.py; asking people is for the command line.
"""

import csv
import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from collector.activity import Activity, FeatureInputs, LearnedFile, LearnedThreshold, Question, StateSettings
from collector.activity.thresholds import LEAST_RIGHT, LEAST_VALUES, Split, gathered, sides, split
from collector.config import LEARNED_FOLDER, MachineFile, WaveformSettings
from collector.errors import CollectorError
from collector.features import Kernel
from collector.sample_clock import SampleClock
from collector.samples import Chunk
from collector.sources import describe_source
from collector.sources.replay import ReplaySettings
from collector.texts import Sentence
from collector.texts import learning as say
from collector.waveform_records import evaluated
from collector.whole_file import write_whole
from collector.windows import Windows

LEARNABLE = (Activity.OFF, Activity.IDLE, Activity.TURNING, Activity.CUTTING)
"""What can be told of a machine that is watched."""

Values = dict[Activity, dict[str, list[float]]]
"""Values by what the machine was doing, and by input."""

_VALUES: TypeAdapter[Values] = TypeAdapter(Values)


@dataclass(frozen=True, slots=True)
class Finding:
    """What the values tell about one question: a split, or why there is none that is any good."""

    question: Question
    input: str
    split: Split | None
    refused: Sentence | None


@dataclass(frozen=True, slots=True)
class Span:
    """What the machine did in a part of a recording."""

    activity: Activity
    from_s: float
    to_s: float


def learned_file(folder: Path, machine: str) -> Path:
    """Where the thresholds of a machine stand; `folder` is that of the configuration."""
    return folder / LEARNED_FOLDER / f"{machine}.toml"


def kept_values(folder: Path, machine: str) -> Values:
    """What was watched so far; nothing, where the file is missing or no longer understood."""
    try:
        return _VALUES.validate_json(_values_file(folder, machine).read_bytes())
    except (FileNotFoundError, ValidationError):
        return {}


def keep_values(folder: Path, machine: str, values: Values) -> None:
    """Keep what was watched so far.

    Raises:
        CollectorError: it cannot be written.
    """
    _write(_values_file(folder, machine), json.dumps(values).encode())


def forget_values(folder: Path, machine: str) -> None:
    """Begin anew.

    Raises:
        CollectorError: the file cannot be removed.
    """
    try:
        _values_file(folder, machine).unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(_values_file(folder, machine), error) from None


def added(values: Values, activity: Activity, watched: Mapping[str, Sequence[float]]) -> Values:
    """The values together with newly watched ones."""
    before = values.get(activity, {})
    inputs = dict.fromkeys((*before, *watched))
    return {**values, activity: {path: [*before.get(path, ()), *watched.get(path, ())] for path in inputs}}


def findings(settings: StateSettings, values: Values) -> Iterator[Finding]:
    """What can be told of each question whose threshold is to be learned."""
    asked = settings.asked()
    for question, evidence in asked.items():
        wanted = sides(question, frozenset(asked))
        if evidence.above is None and evidence.states is None and wanted is not None:
            no, yes = (gathered(values, side, evidence.input) for side in (wanted.no, wanted.yes))
            missing = [side for side, found in ((wanted.no, no), (wanted.yes, yes)) if not found]
            yield _finding(question, evidence.input, no, yes, missing)


def learned_of(found: Iterable[Finding], now_us: int) -> LearnedFile:
    """The thresholds that were found at a moment."""
    moment = datetime.fromtimestamp(now_us // 1_000_000, UTC)
    return LearnedFile.model_validate(
        {
            finding.question.value: _threshold(finding.input, finding.split, moment)
            for finding in found
            if finding.split is not None
        }
    )


def write_learned(
    folder: Path, machine: str, found: Iterable[Finding], now_us: int, *, replace: bool = False
) -> Path:
    """Write the thresholds that were found beside those that stand there already.

    Raises:
        CollectorError: it has one for the same question, and must not be replaced; or cannot be written.
    """
    file = learned_file(folder, machine)
    new, before = learned_of(found, now_us).thresholds, read_learned(file).thresholds
    twice = [question.value for question in new if question in before]
    if twice and not replace:
        raise CollectorError(say.STANDS_ALREADY(file=str(file), questions=", ".join(twice), machine=machine))
    thresholds = before | new
    text = say.FILE_HEAD.english.format(machine=machine)
    for question in Question:
        if question in thresholds:
            text += f"\n[{question.value}]\n" + "".join(_lines(thresholds[question]))
    _write(file, text.encode(), mode=0o644)
    return file


def read_learned(file: Path) -> LearnedFile:
    """The thresholds that stand in a file; none where it is missing or damaged, for then it is made anew."""
    try:
        return LearnedFile.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return LearnedFile()


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
    clock, windows = SampleClock(signal), Windows(len(signal.channels), n, hop)
    kernel = Kernel(waveform.features, signal.channels, n)
    names = [channel.name for channel in signal.channels]
    device = source.open()
    try:
        while (runs := device.read()) is not None:
            for run in runs:
                for window in windows.push(clock.place(Chunk(run, 0))):
                    made = evaluated(window, kernel.compute(window.samples, clock.axis_hz), names, clock)
                    inputs.take(waveform.name, round(window.first * 1e9 / signal.rate_hz), made.fields)
    finally:
        device.close()


def _finding(
    question: Question,
    input_: str,
    no: list[list[float]],
    yes: list[list[float]],
    missing: list[frozenset[Activity]],
) -> Finding:
    if missing:
        activities = " / ".join(" or ".join(a for a in Activity if a in side) for side in missing)
        refused = say.MISSING(question=question.value, input=input_, activities=activities)
        return Finding(question, input_, None, refused)
    few = min(sum(map(len, side)) for side in (no, yes))
    if few < LEAST_VALUES:
        refused = say.TOO_FEW(question=question.value, input=input_, count=few, least=LEAST_VALUES)
        return Finding(question, input_, None, refused)
    found = split(no, yes)
    if found.right >= LEAST_RIGHT:
        return Finding(question, input_, found, None)
    refused = say.INSEPARABLE(
        question=question.value,
        input=input_,
        right=f"{100 * found.right:.0f}",
        least=f"{100 * LEAST_RIGHT:.0f}",
    )
    return Finding(question, input_, None, refused)


def _threshold(input_: str, found: Split, moment: datetime) -> LearnedThreshold:
    return LearnedThreshold(
        input=input_,
        above=float(f"{found.level.above:.6g}"),
        below=float(f"{found.level.below:.6g}"),
        right=round(found.right, 4),
        values_no=found.no,
        values_yes=found.yes,
        learned_at=moment,
    )


def _lines(threshold: LearnedThreshold) -> Iterator[str]:
    for key, value in threshold.model_dump().items():
        shown = value.isoformat() if isinstance(value, datetime) else json.dumps(value)
        yield f"{key} = {shown}\n"


def _values_file(folder: Path, machine: str) -> Path:
    return folder / LEARNED_FOLDER / f"{machine}.values.json"


def _write(file: Path, content: bytes, mode: int = 0o600) -> None:
    try:
        write_whole(file, content, mode)
    except OSError as error:
        raise _unwritable(file, error) from None


def _unwritable(file: Path, error: OSError) -> CollectorError:
    return CollectorError(say.UNWRITABLE(file=str(file), reason=error.strerror or str(error)))
