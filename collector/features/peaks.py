"""The strongest peaks of a window's spectrum, interpolated between bins.

The interpolation holds for the periodic Hann window and no other. Frequencies are in bins here, not in hertz.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from collector.features.scratch import kept
from collector.features.spectrum import COHERENT_GAIN
from collector.features.time_domain import Values
from collector.samples import Samples

_FLAT = 1.0 + 1e-12
"""Neighbours in power closer than this factor count as level: the difference is rounding."""

_TINY = 1e-300
"""Changes no angle but 0."""

_DUST = 1e-12
"""Peaks below this part of the channel's largest sample are rounding, not signal."""

_BOTH_WAYS = np.array([1, -1])[:, np.newaxis, np.newaxis]
"""Places counted from below and from above; `[2, 1, 1]`."""

_AROUND = np.array([-1, 0, 1])[:, np.newaxis, np.newaxis]
"""From a bin to the one before, itself, and the one after; `[3, 1, 1]`."""


def interpolated(
    left: Samples, middle: Samples, right: Samples, gain: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Where between the bins a tone lies, from the magnitudes of three of them, and its amplitude.

    Args:
        left: the magnitudes |X| just below, of any shape, as the others.
        middle: those of the highest bins.
        right: those just above.
        gain: the sum of the Hann window.

    Source: D. Agrez, Weighted multipoint interpolated DFT to improve amplitude estimation of multifrequency
    signal, IEEE Trans. Instrum. Meas. 51 (2002): three points, Hann.
    """
    delta = (right - left) / (0.5 * (left + right) + middle)
    # At δ = 0 the factor πδ/sin(πδ) is 0/0, and its limit 1. |δ| stays below 0.7, far from the next zero.
    angle = np.pi * delta + _TINY
    amplitude = (2.0 / gain) * middle * (1.0 - delta * delta) * (angle / np.sin(angle))
    return delta, amplitude


class Peaks(NamedTuple):
    """The strongest peaks: positions in bins with fraction, and amplitudes, `[channels, count]`.

    `at` are the flat indices of their highest bins, `[count, channels]`, and `height` the magnitudes there,
    NaN where there is no peak.
    """

    bins: npt.NDArray[np.float64]
    amplitude: npt.NDArray[np.float64]
    at: npt.NDArray[np.intp]
    height: npt.NDArray[np.float64]


class PeakSearch:
    """Finds the `count` strongest peaks of each channel's spectrum.

    `scratch` is `[channels, bins]`, which others may use between two searches.
    """

    def __init__(self, channels: int, n: int, count: int) -> None:
        bins = n // 2 + 1
        self._count = count
        self._gain = n * COHERENT_GAIN
        self.scratch = kept(channels, bins)
        self._maxima = kept(channels, bins, dtype=np.bool_)
        self._ends = self._maxima[:, :: bins - 1]
        self._row_starts = np.arange(channels) * bins
        row_ends = np.array([self._row_starts, self._row_starts + bins - 1])[:, np.newaxis, np.newaxis]
        self._row_ends = row_ends * _BOTH_WAYS[:, np.newaxis]
        self._stronger = np.tri(count, k=-1, dtype=np.bool_)[:, :, np.newaxis]  # [peak, earlier peak, 1]

    def find(self, power: Samples, highest: Values, largest: Values) -> "Peaks":
        """The strongest peaks, strongest first, then NaN.

        Args:
            power: |X|² under the periodic Hann window, contiguous, `[channels, bins]`.
            highest: the largest power of each channel, `[channels]`.
            largest: the largest magnitude among each channel's samples, `[channels]`; NaN gives no peaks.
        """
        if self._count == 0:
            none = np.empty((len(power), 0))
            return Peaks(none, none, np.empty((0, len(power)), dtype=np.intp), none.T)
        flat = power.reshape(-1)
        self._mark_summits(power)
        at = self._strongest(power)
        near = self._around(flat, at)
        good = self._maxima.take(at)
        clear = good & (near[1] > _FLAT * np.maximum(near[0], near[2]))
        if np.count_nonzero(clear) < at.size:  # too few, or level ones among the strongest
            self._mark_maxima(power)
            at = self._strongest(power)
            near = self._around(flat, at)
            good = self._maxima.take(at)
        left, middle, right = np.sqrt(near)
        delta, amplitude = interpolated(left, middle, right, self._gain)
        good &= amplitude > _DUST * largest
        good &= np.isfinite(highest)  # a power that overflowed hides the order of the others
        bins = at - self._row_starts + delta
        if np.count_nonzero(good) < at.size:
            bins[~good] = amplitude[~good] = middle[~good] = np.nan
        return Peaks(bins.T, amplitude.T, at, middle)

    def prominence(self, power: Samples, peaks: "Peaks") -> npt.NDArray[np.float64]:
        """How far each peak's highest bin stands out of the valleys to either side, as an amplitude.

        A valley is the lowest bin between the peak and the nearest stronger one of these, or the end of the
        spectrum. Stronger peaks come first, and no bin that is higher than a peak lies between it and the
        nearest stronger one but on the slope of the latter; so this is the usual prominence.

        Args:
            power: the |X|² that was searched, `[channels, bins]`.
            peaks: what was found in it.
        """
        if not peaks.at.size:
            return np.empty(peaks.bins.shape)
        at, flat = peaks.at, power.reshape(-1)
        # Seen from above what is to the right is to the left: both sides are one question.
        seen = at * _BOTH_WAYS
        other, this = seen[:, np.newaxis], seen[:, :, np.newaxis]
        nearest = np.where(self._stronger & (other < this), other, self._row_ends)
        starts, stops = np.maximum.reduce(nearest, axis=2) * _BOTH_WAYS
        # From start to peak, and from peak to stop; from there to the next start is not asked for.
        bounds = np.empty((*at.shape, 3), dtype=np.intp)
        bounds[..., 0], bounds[..., 1], bounds[..., 2] = starts, at, stops
        lowest = np.minimum.reduceat(flat, bounds.reshape(-1)).reshape(bounds.shape)
        before, after = lowest[..., 0], lowest[..., 1]
        valleys = np.maximum(before, np.minimum(after, flat[stops]))
        prominence: npt.NDArray[np.float64] = (peaks.height - np.sqrt(valleys)).T
        prominence *= 2.0 / self._gain
        return prominence

    def _strongest(self, power: Samples) -> npt.NDArray[np.intp]:
        """Flat indices of the highest maxima, `[count, channels]`; where there are no more, other bins."""
        np.multiply(power, self._maxima, out=self.scratch)
        heights = self.scratch.reshape(-1)
        at = np.empty((self._count, len(power)), dtype=np.intp)
        for highest in at:  # a partition of all bins costs more than some scans
            np.add(self.scratch.argmax(axis=1), self._row_starts, out=highest)
            heights[highest] = 0.0
        return at

    @staticmethod
    def _around(flat: Values, at: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
        """The powers before, at and after these places; what is taken from beyond the ends is no peak's."""
        near: npt.NDArray[np.float64] = flat.take(at + _AROUND, mode="clip")
        return near

    def _mark_summits(self, power: Samples) -> None:
        """Mark the bins higher than the one before and not lower than the one after, by however little.

        They are all that can be a maximum, at half the cost: where the strongest of them are clear of both
        neighbours, they are the strongest maxima.
        """
        row, summits = power.reshape(-1), self._maxima.reshape(-1)
        rises = row[1:] > row[:-1]
        np.greater(rises[:-1], rises[1:], out=summits[1:-1])
        self._ends[...] = False

    def _mark_maxima(self, power: Samples) -> None:
        """Mark the bins higher than both neighbours; never the first or last bin of a channel.

        A tone midway between two bins makes them level: the left one stands for both. More than two level
        bins are no peak. All channels are compared as one long row, since the ends of each are left out.
        """
        row, maxima = power.reshape(-1), self._maxima.reshape(-1)
        margin = np.multiply(power, _FLAT, out=self.scratch).reshape(-1)
        rises = row[1:] > margin[:-1]
        falls = row[:-1] > margin[1:]
        np.logical_and(rises[:-1], falls[1:], out=maxima[1:-1])
        if np.count_nonzero(rises) + np.count_nonzero(falls) < len(rises):
            pairs = np.zeros_like(self._maxima)
            pairs.reshape(-1)[1:-2] = rises[:-2] & ~(rises | falls)[1:-1] & falls[2:]
            pairs[:, -2] = False  # its partner would be the last bin
            self._maxima |= pairs
        self._ends[...] = False
