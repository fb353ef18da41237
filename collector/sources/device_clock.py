"""What a device's own counter or time stamps say about missing samples; pure, and independent of any cut."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from collector.samples import Loss, Run, Samples

Counts = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

UNKNOWN = -1
"""Samples are missing, but only the gateway's clock can tell how many."""
UNJUDGED = -2
"""Nothing can be said yet."""

_FIRST_LESSON = 16
_LESSON = 256
_LESSONS_KEPT = 16


def split(samples: Samples, losses: dict[int, Loss]) -> list[Run]:
    """Cut samples `[channels, n]` before each index that has a loss."""
    edges = sorted({0, *losses, samples.shape[1]})
    return [
        Run(np.ascontiguousarray(samples[:, start:end]), losses.get(start)) for start, end in pairwise(edges)
    ]


class SampleCounter:
    """A counter that goes up by one with each sample and starts again at `modulus`."""

    def __init__(self, modulus: int) -> None:
        self._modulus = modulus
        self._last: int | None = None

    def missing(self, counts: Counts) -> Counts:
        """Samples missing before each one, modulo the counter's range; -1 marks a sample sent twice."""
        if not len(counts):
            return counts
        before = counts[0] - 1 if self._last is None else self._last
        self._last = int(counts[-1])
        return np.diff(counts, prepend=before) % self._modulus - 1


@dataclass(frozen=True, slots=True)
class _Pattern:
    """What the usual intervals between stamps are like, in steps of the stamp."""

    period: float
    resolution: float


class DeviceTime:
    """Time stamps that the device puts on each sample.

    The period is learned from the stamps themselves, because the nominal one is off by some per cent; both
    are in steps of the stamp. Nothing is judged by stamps that stand still for most samples (one a packet) or
    whose period is not even near the nominal one (a wrong column).
    """

    def __init__(self, nominal_period: float, modulus: float | None = None) -> None:
        self._nominal_period = nominal_period
        self._modulus = modulus
        self._last: float | None = None
        self._pattern: _Pattern | None = None
        self._lessons = 0
        self._stamps: list[npt.NDArray[np.float64]] = []
        self._intervals: list[npt.NDArray[np.float64]] = []
        self._until_lesson = _FIRST_LESSON

    def missing(self, stamps: npt.NDArray[np.float64]) -> tuple[Counts, Flags]:
        """Samples missing before each one, and whether that is a guess because the stamp's step is coarse.

        The count is UNKNOWN where time went back, and UNJUDGED until the period is learned.
        """
        lost, guessed = np.zeros(len(stamps), np.int64), np.zeros(len(stamps), np.bool_)
        if not len(stamps):
            return lost, guessed
        first = self._last is None
        before = float(stamps[0]) if self._last is None else self._last
        intervals = np.diff(stamps, prepend=before)
        if self._modulus is not None:
            intervals %= self._modulus
        self._last = float(stamps[-1])
        at = 1 if first else 0
        while at < len(stamps):
            end = min(len(stamps), at + self._until_lesson)
            lost[at:end] = self._judge(intervals[at:end])
            guessed[at:end] = (
                self._pattern is not None and self._pattern.resolution > self._pattern.period / 4
            )
            self._stamps.append(stamps[at:end])
            self._intervals.append(intervals[at:end])
            self._until_lesson -= end - at
            if not self._until_lesson:
                self._learn()
            at = end
        return lost, guessed

    def _judge(self, intervals: npt.NDArray[np.float64]) -> Counts:
        if self._pattern is None:
            lost = np.full(len(intervals), UNJUDGED)
        else:
            period, resolution = self._pattern.period, self._pattern.resolution
            gap = intervals > 1.5 * period + resolution
            lost = np.where(gap, np.maximum(np.rint(intervals / period) - 1, 1), 0).astype(np.int64)
        lost[intervals < 0] = UNKNOWN
        return lost

    def _learn(self) -> None:
        """Take the period from a lesson: the mean of its intervals without those that look like gaps."""
        intervals, stamps = np.concatenate(self._intervals), np.concatenate(self._stamps)
        self._intervals, self._stamps, self._until_lesson = [], [], _LESSON
        intervals = intervals[intervals >= 0]
        usual = float(np.median(intervals)) if len(intervals) else 0.0
        if not 0.5 < usual / self._nominal_period < 2.0:
            self._pattern, self._lessons = None, 0
            return
        resolution = _resolution(stamps)
        period = float(intervals[intervals <= 1.5 * usual + resolution].mean())
        if self._pattern is not None and abs(period / self._pattern.period - 1) < 0.25:
            self._lessons = min(self._lessons + 1, _LESSONS_KEPT)
            period = self._pattern.period + (period - self._pattern.period) / self._lessons
        else:
            self._lessons = 0  # the next lesson, a longer one, replaces this first guess
        self._pattern = _Pattern(period, resolution)


def _resolution(stamps: npt.NDArray[np.float64]) -> float:
    """The smallest step of these stamps: 1, 0.1, 0.01 … as they have decimals."""
    for decimals in range(9):
        shifted = stamps * 10.0**decimals
        if np.all(np.abs(shifted - np.rint(shifted)) < 1e-3):
            return float(10.0**-decimals)
    return 0.0
