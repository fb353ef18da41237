"""Features of a window's samples as such: the moments, and what follows from them.

Nothing here knows of frequencies. Every function takes the moments of all channels at once.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from collector.samples import Samples

Values = npt.NDArray[np.float64]
"""One number a channel, `[channels]`."""

Mask = npt.NDArray[np.bool_]
"""One truth a channel, `[channels]`."""

_PARTS, _PART_SAMPLES = 64, 4
"""A window is divided into so many parts, or less where they would have less samples."""

SMALLEST_VARIANCE = 1e-140
"""Below it the fourth powers leave the range of float64: better no moments than wrong ones."""


class Magnitudes(NamedTuple):
    """Means of what lies on either side of the mean, `[channels]`; 0 for a constant.

    `absolute` is the mean of |x - m|, `root` the mean of √|x - m|, `crossings` how often x - m changes its
    sign.
    """

    absolute: Values
    root: Values
    crossings: Values


class Moments(NamedTuple):
    """What the time-domain features are made of; every array is `[channels]`, `n` the window's length.

    `rms` and `peak` are about the mean. `variance`, `third` and `fourth` are the biased central moments.
    `finite` says that no sample was NaN or infinite, `constant` that all samples of the window are the same
    number.

    `part_sums` are those of the samples less their mean in each of the window's equal parts (see `parts_of`),
    `[channels, parts]`; what is left over at the end is in none.
    """

    n: int
    mean: Values
    low: Values
    high: Values
    rms: Values
    peak: Values
    variance: Values
    third: Values
    fourth: Values
    finite: Mask
    constant: Mask
    part_sums: npt.NDArray[np.float64]


def moments(samples: Samples, deviation: Samples, square: Samples) -> Moments:
    """Measure a window; leaves `samples` less their mean in `deviation`.

    Args:
        samples: `[channels, n]`.
        deviation: written, `[channels, n]`.
        square: scratch, `[channels, n]`.
    """
    n = samples.shape[1]
    low, high = np.minimum.reduce(samples, axis=1), np.maximum.reduce(samples, axis=1)
    finite = np.isfinite(low) & np.isfinite(high)
    constant = finite & (low == high)
    parts, length = parts_of(n)
    part_sums = samples[:, : parts * length].reshape(-1, parts, length) @ _ones(length)
    mean = np.add.reduce(part_sums, axis=1)
    if parts * length < n:
        mean += np.add.reduce(samples[:, parts * length :], axis=1)
    mean /= n
    # The mean of equal numbers may round to another number; then a dead sensor would seem to move.
    np.copyto(mean, low, where=constant)
    part_sums -= (mean * length)[:, np.newaxis]
    np.subtract(samples, mean[:, np.newaxis], out=deviation)
    np.multiply(deviation, deviation, out=square)
    variance = np.vecdot(deviation, deviation) / n
    small = variance < SMALLEST_VARIANCE
    if np.count_nonzero(small):
        variance[small & ~constant] = np.nan
    third = np.vecdot(square, deviation) / n
    fourth = np.vecdot(square, square) / n
    distance = np.maximum(high - mean, mean - low)
    rms = np.sqrt(variance)
    return Moments(n, mean, low, high, rms, distance, variance, third, fourth, finite, constant, part_sums)


@cache
def parts_of(n: int) -> tuple[int, int]:
    """How many equal parts a window has, and how many samples each of them."""
    parts = max(2, min(_PARTS, n // _PART_SAMPLES))
    return parts, n // parts


@cache
def _ones(n: int) -> Values:
    """What sums up `n` numbers by a product of matrices, in half the time of a sum along an axis."""
    return np.ones(n)


def magnitudes(of: Moments, deviation: Samples, scratch: Samples) -> Magnitudes:
    """Measure what the moments do not tell.

    Args:
        of: the moments of the window.
        deviation: the samples less their mean, `[channels, n]`.
        scratch: overwritten, `[channels, n]`.
    """
    above = deviation > 0.0
    turns = np.zeros((len(above), -(-of.n // 64) * 64), dtype=np.bool_)  # as many as whole words have bits
    np.not_equal(above[:, 1:], above[:, :-1], out=turns[:, : of.n - 1])
    np.sqrt(np.abs(deviation, out=scratch), out=scratch)
    absolute = np.vecdot(scratch, scratch) / of.n
    root = np.add.reduce(scratch, axis=1) / of.n
    words = np.packbits(turns, axis=1).view(np.uint64)
    crossings = np.add.reduce(np.bitwise_count(words), axis=1, dtype=np.float64)
    return Magnitudes(absolute, root, crossings)


def mean(of: Moments) -> Values:
    """The arithmetic mean."""
    return of.mean


def rms(of: Moments) -> Values:
    """The root of the mean square about the mean."""
    return of.rms


def peak(of: Moments) -> Values:
    """The largest distance from the mean."""
    return of.peak


def p2p(of: Moments) -> Values:
    """The largest less the smallest sample."""
    return of.high - of.low


def crest(of: Moments) -> Values:
    """Peak over rms; NaN for a constant."""
    return of.peak / of.rms


def kurtosis(of: Moments) -> Values:
    """Pearson's kurtosis, biased (Gaussian noise has 3); NaN for a constant."""
    return of.fourth / (of.variance * of.variance)


def skewness(of: Moments) -> Values:
    """The skewness, biased; NaN for a constant."""
    return of.third / (of.variance * of.rms)


def std(of: Moments) -> Values:
    """The standard deviation that a sample estimates (divided by n - 1)."""
    return np.sqrt(of.variance * (of.n / (of.n - 1)))


def clipped(samples: Samples, of: Moments, clip_low: Values, clip_high: Values) -> npt.NDArray[np.int64]:
    """How many samples of each channel lie at or beyond its limits, `[channels]`."""
    inside = (of.low > clip_low) & (of.high < clip_high)
    if np.count_nonzero(inside) == len(inside):  # the usual case needs no look at the samples
        return np.zeros(len(inside), dtype=np.int64)
    beyond = (samples <= clip_low[:, np.newaxis]) | (samples >= clip_high[:, np.newaxis])
    counts: npt.NDArray[np.int64] = beyond.sum(axis=1, dtype=np.int64)
    return counts
