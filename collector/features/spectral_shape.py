"""Where in the spectrum the energy lies, and how it is spread: figures of the power spectrum as a whole.

Powers are |X|² of the windowed samples, one-sided: DC and Nyquist bin count half.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from collector.features.spectrum import MEAN_SQUARE
from collector.features.time_domain import Values
from collector.samples import Samples

ROLLOFF = 0.85
"""The part of the energy below the rolloff frequency."""

DUST = 1e-24
"""Bins below this part of the highest one are rounding: they count as if they had so much."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Figures of each channel's spectrum, `[channels]`; frequencies in bins. NaN without any energy."""

    total: Values
    centroid: Values
    spread: Values
    rolloff: Values
    entropy: Values
    flatness: Values


class SpectralShape:
    """Measures spectra of one shape; owns the scratch."""

    def __init__(self, channels: int, n: int) -> None:
        bins = n // 2 + 1
        self._n = n
        self._at = np.arange(bins, dtype=np.float64)
        self._one_sided = np.ones(bins)
        self._one_sided[0] = 0.5
        if n % 2 == 0:
            self._one_sided[-1] = 0.5
        self._powers, self._logarithms = np.empty((channels, bins)), np.empty((channels, bins))

    def measure(self, power: Samples) -> Shape:
        """The figures of a window's power spectrum, `[channels, bins]`."""
        powers = np.multiply(power, self._one_sided, out=self._powers)
        np.maximum(powers, DUST * powers.max(axis=1, keepdims=True), out=powers)
        bins = powers.shape[1]
        total = powers.sum(axis=1)
        centroid = np.einsum("cb,b->c", powers, self._at) / total
        # About the centroid, since the difference of two large numbers would lose what is small.
        logarithms = np.subtract(self._at, centroid[:, np.newaxis], out=self._logarithms)
        spread = np.sqrt(np.einsum("cb,cb,cb->c", powers, logarithms, logarithms) / total)
        np.log(powers, out=logarithms)
        mean_log = logarithms.sum(axis=1) / bins
        entropy = np.log(total) - np.einsum("cb,cb->c", powers, logarithms) / total
        flatness = np.exp(mean_log) / (total / bins)
        cumulated = np.cumsum(powers, axis=1, out=logarithms)
        rolloff = (cumulated < ROLLOFF * total[:, np.newaxis]).sum(axis=1).astype(np.float64)
        rolloff[~(total > 0)] = np.nan
        return Shape(
            np.sqrt(total * (2.0 / (self._n * self._n * MEAN_SQUARE))),
            centroid,
            spread,
            rolloff,
            entropy / np.log(bins),
            flatness,
        )


class SegmentKurtosis:
    """The spectral kurtosis over segments of a window; owns the scratch for one shape.

    Source: J. Antoni, The spectral kurtosis: a useful tool for characterising non-stationary signals, Mech.
    Syst. Signal Process. 20 (2006).
    """

    def __init__(self, channels: int, n: int) -> None:
        self.length = segment_length(n)
        self._count = n // self.length if self.length else 0
        angle = 2 * np.pi * np.arange(self.length) / max(self.length, 1)
        self._window = 0.5 - 0.5 * np.cos(angle)
        self._windowed = np.empty((channels, self._count, self.length))

    def measure(self, deviation: Samples) -> tuple[Values, Values]:
        """The largest value over all frequencies but DC and Nyquist, and where it is, in bins of a segment.

        Args:
            deviation: the samples less their mean, `[channels, n]`.
        """
        channels = len(deviation)
        if not self.length:
            return np.full(channels, np.nan), np.full(channels, np.nan)
        used = deviation[:, : self._count * self.length].reshape(channels, self._count, self.length)
        np.multiply(used, self._window, out=self._windowed)
        parts = np.fft.rfft(self._windowed, axis=2).view(np.float64)
        np.multiply(parts, parts, out=parts)
        power: npt.NDArray[np.float64] = parts[:, :, 2:-2:2] + parts[:, :, 3:-2:2]
        mean = power.sum(axis=1) / self._count
        np.multiply(power, power, out=power)
        kurtosis = power.sum(axis=1) / self._count / (mean * mean) - 2.0
        seen = mean > DUST * mean.max(axis=1, keepdims=True)
        np.copyto(kurtosis, -np.inf, where=~(seen & np.isfinite(kurtosis)))
        highest = kurtosis.argmax(axis=1)
        largest = np.take_along_axis(kurtosis, highest[:, np.newaxis], axis=1)[:, 0]
        return largest, np.where(np.isfinite(largest), highest + 1.0, np.nan)


def segment_length(n: int) -> int:
    """The length of a segment: the largest power of two of which 32 fit; 0 where it would be less than 8."""
    length = 1 << (n // 32).bit_length() >> 1
    return length if length >= 8 else 0
