"""Where in the spectrum the energy lies, and how it is spread: figures of the power spectrum as a whole.

Powers are |X|² of the windowed samples, one-sided: DC and Nyquist bin count half.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from collector.features import spectrum
from collector.features.scratch import laid
from collector.features.spectrum import MEAN_SQUARE
from collector.features.time_domain import Values
from collector.samples import Samples

ROLLOFF = 0.85
"""The part of the energy below the rolloff frequency."""

DUST = 1e-24
"""Bins below this part of the highest one are rounding: they count as if they had so much."""

_PART = 64
"""Bins whose energy is added in one go on the way to the rolloff."""
_LN_2 = math.log(2)


class Shape(NamedTuple):
    """Figures of each channel's spectrum, `[channels]`; frequencies in bins. NaN without any energy.

    `energy` is the sum of the powers, DC and Nyquist bin in full.
    """

    energy: Values
    total: Values
    centroid: Values
    spread: Values
    rolloff: Values
    entropy: Values
    flatness: Values


class SpectralShape:
    """Measures spectra of one shape; `scratch` is `[channels, bins]`."""

    def __init__(self, channels: int, n: int, scratch: Samples) -> None:
        bins = n // 2 + 1
        self._n = n
        self._middle = bins // 2
        self._log_bins = math.log(bins)
        self._halves = slice(0, None, bins - 1) if n % 2 == 0 else slice(0, 1)  # both ends, or the first
        self._counted = np.ones(bins)
        self._counted[self._halves] = 0.5
        from_middle = np.arange(bins, dtype=np.float64) - self._middle
        self._from_middle = self._counted * from_middle
        self._square = self._from_middle * from_middle
        self._logarithms = scratch
        self._parts = np.arange(0, bins, _PART)
        self._below = np.zeros((channels, len(self._parts) + 1))
        self._below_starts = np.arange(channels) * self._below.shape[1]
        self._in_part = np.arange(_PART)
        self._row_starts = np.arange(channels) * bins

    def measure(self, power: Samples, highest: Values) -> Shape:
        """The figures of a window's power spectrum, `[channels, bins]`, whose largest value is `highest`."""
        dust = DUST * highest
        if np.count_nonzero(np.minimum.reduce(power, axis=1) < dust):
            power = np.maximum(power, dust[:, np.newaxis])
        bins = power.shape[1]
        total = np.vecdot(power, self._counted)
        # From the middle of the spectrum, so that the difference of squares keeps ten digits at least.
        offset = np.vecdot(power, self._from_middle) / total
        square = np.vecdot(power, self._square) / total
        logarithms = np.log(power, out=self._logarithms)
        halves = logarithms[:, self._halves]
        halves -= _LN_2
        mean_log = np.add.reduce(logarithms, axis=1) / bins
        halves *= 0.5
        entropy = np.log(total) - np.vecdot(power, logarithms) / total
        rolloff = self._rolloff(power, ROLLOFF * total)
        return Shape(
            self._below[:, -1],
            np.sqrt(total * (2.0 / (self._n * self._n * MEAN_SQUARE))),
            offset + self._middle,
            np.sqrt(np.maximum(square - offset * offset, 0.0)),
            rolloff + 0.0 * offset,  # NaN where that is
            entropy / self._log_bins,
            np.exp(mean_log) * bins / total,
        )

    def _rolloff(self, power: Samples, share: Values) -> npt.NDArray[np.intp]:
        """How many bins from the lowest on stay below a share of the energy together.

        The sums of parts tell in which part that ends; only there bins are added one by one.
        """
        below = self._below[:, 1:]
        np.add.reduceat(power, self._parts, axis=1, out=below)
        np.add.accumulate(below, axis=1, out=below)
        share = (share + 0.5 * power[:, 0])[:, np.newaxis]  # of DC the bin has twice what counts
        whole = np.add.reduce(below < share, axis=1)
        first: npt.NDArray[np.intp] = whole * _PART
        rest = share - self._below.take(self._below_starts + whole)[:, np.newaxis]
        # What is taken from beyond the last part belongs to another channel, and comes after the share's end.
        at = (self._row_starts + first)[:, np.newaxis] + self._in_part
        inside = np.add.accumulate(power.reshape(-1).take(at, mode="clip"), axis=1)
        first += np.add.reduce(inside < rest, axis=1)
        return first


class SegmentKurtosis:
    """The spectral kurtosis over segments of a window; lies in memory for spectra and for powers.

    Source: J. Antoni, The spectral kurtosis: a useful tool for characterising non-stationary signals, Mech.
    Syst. Signal Process. 20 (2006).
    """

    def __init__(
        self, channels: int, n: int, spectra: npt.NDArray[np.complex128], powers: npt.NDArray[np.float64]
    ) -> None:
        self.length = segment_length(n)
        self._count = n // self.length if self.length else 0
        angle = 2 * np.pi * np.arange(self.length) / max(self.length, 1)
        # One long row for all segments, since each row costs a numpy loop some time to begin.
        self._window = np.tile(0.5 - 0.5 * np.cos(angle), self._count)
        shape = channels, self._count, self.length // 2 + 1
        self._transform, self._power = laid(spectra, *shape), laid(powers, *shape)
        self._ones = np.ones((1, self._count))

    def measure(self, deviation: Samples, scratch: Samples) -> tuple[Values, Values]:
        """The largest value over all frequencies but DC and Nyquist, and where it is, in bins of a segment.

        Args:
            deviation: the samples less their mean, `[channels, n]`.
            scratch: overwritten, of the same shape.
        """
        channels = len(deviation)
        if not self.length:
            return np.full(channels, np.nan), np.full(channels, np.nan)
        used = len(self._window)
        windowed = np.multiply(deviation[:, :used], self._window, out=scratch[:, :used])
        segments = windowed.reshape(channels, self._count, self.length)
        power = self._power
        spectrum.power(np.fft.rfft(segments, axis=2, out=self._transform), out=power)
        total = (self._ones @ power)[:, 0, 1:-1]
        fourth = (self._ones @ np.multiply(power, power, out=power))[:, 0, 1:-1]
        dead = total <= DUST * np.maximum.reduce(total, axis=1)[:, np.newaxis]
        ratio = np.divide(fourth, np.multiply(total, total, out=total), out=fourth)
        if np.count_nonzero(dead):
            ratio[dead] = -np.inf
        largest = np.maximum.reduce(ratio, axis=1) * self._count - 2.0
        return largest, ratio.argmax(axis=1) + 1.0 + 0.0 * largest  # NaN where there is none


def segment_length(n: int) -> int:
    """The length of a segment: the largest power of two of which 32 fit; 0 where it would be less than 8."""
    length = 1 << (n // 32).bit_length() >> 1
    return length if length >= 8 else 0


def segments_bins(n: int) -> int:
    """How many bins the segments of a window have together."""
    length = segment_length(n)
    return n // length * (length // 2 + 1) if length else 0
