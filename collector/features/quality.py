"""What makes a window doubtful: the marks that quality flags are made of, and the table of these flags.

A flag is no verdict: it says that a number of the window may not mean what it seems to.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from collector.features.time_domain import Mask, Moments, Values, parts_of
from collector.features.values import FeatureValues
from collector.samples import Channel, RateState, Samples

RATE_TOLERANCE = 0.05
"""A measured rate further than this from the configured one needs attention."""

_JUMP = 5.0
"""Over the rms about both levels; a ramp reaches 3.5 of it, one cycle of a sine 4.1."""
_RUN_SAMPLES, _RUN_PART = 32, 64
_NOISE_MARGIN = 3.0
"""The highest of N bins of noise exceeds (ln N + 3) times their mean once in e³ = 20 windows."""
_LOOKS_LIKE_NOISE = 4.0
"""A kurtosis above this means blows, whose spectrum may be as flat as noise."""


class Judged(NamedTuple):
    """A window's values, and the rate as the sample clock knows it."""

    values: FeatureValues
    nominal_hz: float
    measured_hz: float | None
    rate_state: RateState


@dataclass(frozen=True, slots=True)
class QualityFlag:
    """One row: a reason to look twice at a window. `raised` decides."""

    name: str
    definition: str
    raised: Callable[[Judged], bool]
    version: int = 1


def _drifted(of: Judged) -> bool:
    if of.rate_state is not RateState.MEASURED or of.measured_hz is None:
        return False
    return abs(of.measured_hz / of.nominal_hz - 1) > RATE_TOLERANCE


FLAGS: tuple[QualityFlag, ...] = (
    QualityFlag(
        "clipped",
        "At least one sample of a channel lies at or beyond the sensor's limits.",
        lambda of: any(of.values.clipped.tolist()),
    ),
    QualityFlag(
        "stuck",
        "A channel kept exactly the same value over the whole window: a live sensor always has some noise.",
        lambda of: any(of.values.constant.tolist()),
    ),
    QualityFlag(
        "not-finite",
        "A channel holds a sample that is not a number; all its features are null.",
        lambda of: not all(of.values.finite.tolist()),
    ),
    QualityFlag(
        "dropout",
        "A channel kept exactly the same value for at least 32 samples and 1/64 of the window, within its "
        "limits, though it moved before or after, and of its other samples less than half repeat the one "
        "before, as they do where a signal is weaker than a step of its resolution.",
        lambda of: any(of.values.dropout.tolist()),
    ),
    QualityFlag(
        "dc-jump",
        "The level of a channel (not of a current, which may rise with the load) jumped: at one of the "
        "places that divide the window in 64 parts (of four samples at least), the means before and after "
        "differ by more than 5 times the rms about both of them.",
        lambda of: any(of.values.jumped.tolist()),
    ),
    QualityFlag(
        "rate-drift",
        "The measured sampling rate, once settled, is more than 5 % off the nominal one.",
        _drifted,
    ),
    QualityFlag(
        "low-snr",
        "A channel shows hardly more than noise: the highest of the N bins of its power spectrum (mean "
        "removed, periodic Hann window) is below ln N + 3 times their mean, as that of noise is in 19 of 20 "
        "windows, and its kurtosis is below 4. Usual while a machine stands still.",
        lambda of: any(of.values.noisy.tolist()),
    ),
)
"""Every quality flag, in the order of the records."""


def flags(of: Judged) -> list[str]:
    """The names of the quality flags that hold for a window, in the order of the table."""
    return [flag.name for flag in FLAGS if flag.raised(of)]


def flag_definitions() -> list[dict[str, str | int]]:
    """Every quality flag's name, definition and version, for `meta`."""
    return [{"name": flag.name, "definition": flag.definition, "version": flag.version} for flag in FLAGS]


class Doubts:
    """Looks for dropouts, jumps and mere noise in windows of one shape; owns the scratch."""

    def __init__(self, channels: tuple[Channel, ...], n: int) -> None:
        self._n = n
        self._levelled = np.array([channel.unit != "A" for channel in channels])
        self._low = np.array([channel.clip_low for channel in channels])
        self._high = np.array([channel.clip_high for channel in channels])
        bins = n // 2 + 1
        self._of_noise = (math.log(bins) + _NOISE_MARGIN) / bins
        self._same = np.empty((len(channels), n), dtype=np.bool_)
        self._same[:, 0] = False
        self._shortest = max(_RUN_SAMPLES, -(-n // _RUN_PART))
        parts, length = parts_of(n)
        before = np.arange(1.0, parts) * length
        # The step s between the means is the sum before times n / (before (n - before)). It exceeds _JUMP
        # times the rms about both levels if s² > _JUMP² (variance - s² w), w = before (n - before) / n².
        weight = before * (n - before) / (n * n)
        self._jumping = (1 / _JUMP**2 + weight) / (weight * n) ** 2

    def dropouts(self, samples: Samples, of: Moments) -> Mask:
        """Whether a channel stood still for a while, `[channels]`."""
        found = np.zeros(len(samples), dtype=np.bool_)
        few = samples[:, :: self._shortest // 4].copy()  # four of them at least lie in such a run
        level = few[:, 1:] == few[:, :-1]
        if np.count_nonzero(level) < 3:  # the usual case of a signal of fine resolution
            return found
        if not np.count_nonzero(level[:, 2:] & level[:, 1:-1] & level[:, :-2]):
            return found
        np.equal(samples[:, 1:], samples[:, :-1], out=self._same[:, 1:])
        # The ends of runs, over all channels as one long row: each channel begins with a False.
        same = self._same.reshape(-1)
        edges = np.flatnonzero(same[1:] != same[:-1]) + 1
        edges = np.append(edges, len(same)) if len(edges) % 2 else edges
        begins, lengths = edges[0::2], edges[1::2] - edges[0::2]
        rows = begins // self._n
        value = samples.reshape(-1)[begins]
        inside = (value > self._low[rows]) & (value < self._high[rows])
        others = np.bincount(rows, weights=lengths, minlength=len(samples))[rows] - lengths
        coarse = others * 2 >= self._n - 1 - lengths
        long = (lengths + 1 >= self._shortest) & inside & ~coarse
        found[rows[long]] = True
        return found & ~of.constant & of.finite

    def jumped(self, of: Moments) -> Mask:
        """Whether the level of a channel changed at once, `[channels]`."""
        # Up to the last part, which follows from the others with what is left over.
        before = np.add.accumulate(of.part_sums[:, :-1], axis=1)
        before *= before
        before *= self._jumping
        mask: Mask = np.maximum.reduce(before, axis=1) > of.variance
        if np.count_nonzero(mask):
            mask &= self._levelled & ~of.constant & np.isfinite(of.variance)
        return mask

    def noisy(self, energy: Values, highest: Values, kurtosis: Values, of: Moments) -> Mask:
        """Whether a channel's spectrum is as flat as that of noise, `[channels]`.

        Args:
            energy: the sum of |X|² over all bins.
            highest: the largest of them.
            kurtosis: that of the samples.
            of: their moments.
        """
        mask: Mask = highest < self._of_noise * energy
        if np.count_nonzero(mask):
            mask &= (kurtosis < _LOOKS_LIKE_NOISE) & ~of.constant & of.finite
        return mask
