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
        self._middle = bins // 2
        self._from_middle = np.arange(bins, dtype=np.float64) - self._middle
        self._square = self._from_middle * self._from_middle
        self._powers, self._logarithms = np.empty((channels, bins)), np.empty((channels, bins))

    def measure(self, power: Samples, highest: Values) -> Shape:
        """The figures of a window's power spectrum, `[channels, bins]`, whose largest value is `highest`."""
        powers = np.maximum(power, (DUST * highest)[:, np.newaxis], out=self._powers)
        powers[:, 0] *= 0.5
        if self._n % 2 == 0:
            powers[:, -1] *= 0.5
        bins = powers.shape[1]
        total = np.einsum("cb->c", powers)
        # From the middle of the spectrum, so that the difference of squares keeps ten digits at least.
        offset = np.einsum("cb,b->c", powers, self._from_middle) / total
        square = np.einsum("cb,b->c", powers, self._square) / total
        logarithms = np.log(powers, out=self._logarithms)
        mean_log = np.einsum("cb->c", logarithms) / bins
        entropy = np.log(total) - np.einsum("cb,cb->c", powers, logarithms) / total
        lower = np.cumsum(powers, axis=1, out=logarithms) < (ROLLOFF * total)[:, np.newaxis]
        rolloff = np.einsum("cb->c", lower.view(np.uint8), dtype=np.int32)
        return Shape(
            np.sqrt(total * (2.0 / (self._n * self._n * MEAN_SQUARE))),
            offset + self._middle,
            np.sqrt(np.maximum(square - offset * offset, 0.0)),
            np.where(total > 0, rolloff, np.nan),
            entropy / np.log(bins),
            np.exp(mean_log) * bins / total,
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
        self._rows = np.arange(channels)
        self._windowed = np.empty((channels, self._count, self.length))
        self._transform = np.empty((channels, self._count, self.length // 2 + 1), dtype=np.complex128)

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
        parts = np.fft.rfft(self._windowed, axis=2, out=self._transform).view(np.float64)
        np.multiply(parts, parts, out=parts)
        power: npt.NDArray[np.float64] = parts[:, :, 2:-2:2] + parts[:, :, 3:-2:2]
        total = power.sum(axis=1)
        fourth = np.einsum("csk,csk->ck", power, power)
        seen = total > DUST * total.max(axis=1, keepdims=True)
        ratio = np.where(seen, fourth / (total * total), -np.inf)
        highest = ratio.argmax(axis=1)
        largest = ratio[self._rows, highest] * self._count - 2.0
        return largest, np.where(np.isfinite(largest), highest + 1.0, np.nan)


def segment_length(n: int) -> int:
    """The length of a segment: the largest power of two of which 32 fit; 0 where it would be less than 8."""
    length = 1 << (n // 32).bit_length() >> 1
    return length if length >= 8 else 0
