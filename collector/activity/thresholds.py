"""From values watched while someone said what the machine was doing to thresholds; pure.

The two levels lie in the gap between the upper edge of the values that mean no and the lower edge of those
that mean yes, a third of it apart from either, on a scale of ratios: rms, speeds and currents differ by
factors. How good that is, is found on values that took no part in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from collector.activity.recogniser import Activity
from collector.activity.rules import Level
from collector.activity.settings import Question

Values = npt.NDArray[np.float64]

LEAST_VALUES = 10
"""So many values of each side are needed."""
LEAST_RIGHT = 0.9
"""That part of the values must come to lie on the right side."""

_EDGE = 0.05
"""That part of the values may lie beyond the edge of its side: nobody says at once when a cut begins."""
_FLOOR = 1e-3
"""Zero is taken for that part of the values that mean yes, so that there is a ratio."""
_NARROW = 0.05
"""Where the edges overlap, the levels lie that part of the distance of the medians from the best cut."""


@dataclass(frozen=True, slots=True)
class Split:
    """Two levels, and the mean part of the values of both sides that come to lie on the right one."""

    level: Level
    right: float
    no: int
    yes: int


@dataclass(frozen=True, slots=True)
class Sides:
    """Which activities answer a question with no, and which with yes."""

    no: frozenset[Activity]
    yes: frozenset[Activity]


def sides(question: Question, asked: frozenset[Question]) -> Sides | None:
    """What must be watched for a question, where these are asked of the machine; None for an alarm.

    A question is only asked once those before it are answered: whether it cuts, only while it turns.
    """
    off, idle = {Activity.OFF}, {Activity.IDLE}
    turning, cutting = {Activity.TURNING}, {Activity.CUTTING}
    match question:
        case Question.ON:
            no, yes = off, idle | turning | cutting
        case Question.TURNING:
            no, yes = idle if Question.ON in asked else off | idle, turning | cutting
        case Question.CUTTING:
            no, yes = turning if Question.TURNING in asked else idle | turning, cutting
        case Question.ALARM:
            return None
    return Sides(frozenset(no), frozenset(yes))


def gathered(
    values: Mapping[Activity, Mapping[str, Sequence[float]]], activities: frozenset[Activity], input_: str
) -> list[list[float]]:
    """The values of an input during these activities, one list each; without those never watched."""
    lists = [list(values[a].get(input_, ())) for a in Activity if a in activities and a in values]
    return [found for found in lists if found]


def split(no: Sequence[Sequence[float]], yes: Sequence[Sequence[float]]) -> Split:
    """Find the levels between values that mean no and such that mean yes, each side a list an activity.

    Raises:
        ValueError: a side has less than `LEAST_VALUES` values.
    """
    everything = _joined(no), _joined(yes)
    if min(map(len, everything)) < LEAST_VALUES:
        raise ValueError("too few values")
    first, second = _half(no, 0), _half(yes, 0)
    third, fourth = _half(no, 1), _half(yes, 1)
    right = (
        _right(_levels(first, second), third, fourth) + _right(_levels(third, fourth), first, second)
    ) / 2
    return Split(_levels(*everything), right, len(everything[0]), len(everything[1]))


def _joined(lists: Sequence[Sequence[float]]) -> Values:
    return np.array([value for values in lists for value in values], dtype=np.float64)


def _half(lists: Sequence[Sequence[float]], which: int) -> Values:
    """The earlier or the later half of every activity: neighbours are too alike to judge each other."""
    return _joined(
        [values[: len(values) // 2] if which == 0 else values[len(values) // 2 :] for values in lists]
    )


def _levels(no: Values, yes: Values) -> Level:
    low, high = float(np.quantile(no, 1 - _EDGE)), float(np.quantile(yes, _EDGE))
    if low >= high:
        middle, distance = _best_cut(no, yes), abs(float(np.median(yes) - np.median(no)))
        return Level(above=middle + _NARROW * distance, below=middle - _NARROW * distance)
    if high <= 0:
        return Level(above=low + (high - low) * 2 / 3, below=low + (high - low) / 3)
    low = max(low, _FLOOR * high)
    ratio = high / low
    return Level(above=low * ratio ** (2 / 3), below=low * ratio ** (1 / 3))


def _best_cut(no: Values, yes: Values) -> float:
    """The value that puts most of both sides, each taken as a whole, where it belongs."""
    candidates = np.unique(np.concatenate([no, yes]))
    missed = np.searchsorted(np.sort(yes), candidates) / len(yes)
    mistaken = 1 - np.searchsorted(np.sort(no), candidates) / len(no)
    return float(candidates[np.argmin(missed + mistaken)])


def _right(level: Level, no: Values, yes: Values) -> float:
    """The mean part of both sides on the right side of the middle between the levels."""
    middle = (level.above + level.below) / 2
    return float((np.mean(no < middle) + np.mean(yes >= middle)) / 2)
