"""A commissioning run: values watched while someone says what the machine does, and the thresholds in them.

The values are kept beside the configuration from one call to the next, until thresholds are written for them.
How thresholds are found is in activity/thresholds.py; asking people is for the command line.
"""

import json
import math
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from collector.activity import Activity, LearnedFile, LearnedThreshold, Question, StateSettings
from collector.activity.rules import goes_by_magnitude
from collector.activity.thresholds import LEAST_RIGHT, LEAST_VALUES, Split, gathered, sides, split
from collector.config import LEARNED_FOLDER
from collector.errors import CollectorError
from collector.texts import Sentence
from collector.texts import learning as say
from collector.whole_file import write_whole

LEARNABLE = (Activity.OFF, Activity.IDLE, Activity.TURNING, Activity.CUTTING)
"""What can be told of a machine that is watched."""

_USUAL_S = 20
_STEPS = LEAST_VALUES + 2
"""That many are watched; one may be cut off at either end."""

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
            if goes_by_magnitude(question, evidence):
                no, yes = ([[abs(value) for value in found] for found in side] for side in (no, yes))
            missing = [side for side, found in ((wanted.no, no), (wanted.yes, yes)) if not found]
            yield _finding(question, evidence.input, no, yes, missing)


def too_few(settings: StateSettings, values: Values, activity: Activity) -> bool:
    """Whether something that is to be learned has fewer values of this activity than a side needs."""
    watched = values.get(activity, {})
    return any(len(watched.get(finding.input, ())) < LEAST_VALUES for finding in findings(settings, {}))


def seconds_for(steps_s: Iterable[float]) -> int:
    """For how long to watch, so that enough values come of the slowest input."""
    return max(_USUAL_S, math.ceil(_STEPS * max(steps_s, default=0.0)))


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
