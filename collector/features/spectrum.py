"""The power spectrum of a window and the rms in frequency bands.

Nothing here removes the mean or knows units. Arrays are `[channels, bins]`, for all channels at once.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from collector.samples import Samples

Transform = npt.NDArray[np.complex128]
"""X by bin, one-sided, `[channels, n // 2 + 1]`."""

COHERENT_GAIN = 0.5
"""The mean of the periodic Hann window; S1, the sum of the window, is this times n."""

MEAN_SQUARE = 0.375
"""The mean square of the periodic Hann window; S2, the sum of squares, is this times n."""

_EDGE_TOLERANCE = 1e-6
"""In bins: a band's edge that lies on a bin must not miss it by rounding."""


@dataclass(frozen=True, slots=True)
class Bands:
    """Bands for `band_rms`: `edges` are the first bin of each and where it ends, by turns.

    `ends` are the first (0) and last bin (-1) of the spectrum, as far as they count beyond that, with how
    often in each band; NaN stands for a band without bins.
    """

    edges: npt.NDArray[np.intp]
    ends: tuple[tuple[int, npt.NDArray[np.float64]], ...]


def hann(n: int) -> npt.NDArray[np.float64]:
    """The periodic Hann window `[n]` (`numpy.hanning` is the symmetric one, which adds error).

    Source: F. J. Harris, On the use of windows for harmonic analysis with the DFT, Proc. IEEE 66 (1978).
    """
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n), dtype=np.float64)


def transform(
    deviation: Samples, window: npt.NDArray[np.float64], windowed: Samples, out: Transform
) -> Transform:
    """Write X of the windowed samples to `out`, and give it; `windowed` is scratch."""
    np.multiply(deviation, window, out=windowed)
    return np.fft.rfft(windowed, axis=1, out=out)


def power(spectrum: Transform, out: Samples) -> None:
    """Write |X|² to `out`, both contiguous; what `spectrum` held is destroyed."""
    parts = spectrum.view(np.float64).reshape(-1)  # real and imaginary parts take turns
    np.multiply(parts, parts, out=parts)
    np.add(parts[0::2], parts[1::2], out=out.reshape(-1))


def band_bins(low_hz: float, high_hz: float, rate_hz: float, n: int) -> slice | None:
    """The bins from `low_hz` to `high_hz`, both included; None where there is none or beyond Nyquist."""
    low, high = low_hz * n / rate_hz, high_hz * n / rate_hz
    if low > high or high > n / 2 + _EDGE_TOLERANCE:
        return None
    first, last = math.ceil(low - _EDGE_TOLERANCE), math.floor(high + _EDGE_TOLERANCE)
    return slice(first, last + 1) if first <= last else None


def bands_of(bins: Sequence[slice | None], n: int) -> Bands:
    """What `band_rms` needs of the bins of some bands, each of which may be None."""
    last = n // 2
    half = 0.5 if n % 2 == 0 else 1.0  # of the last bin, which is Nyquist's where n is even
    edges = [(0, 1) if band is None else (band.start, min(band.stop, last)) for band in bins]
    first = [math.nan if band is None else -0.5 * (band.start == 0) for band in bins]
    at_end = [0.0 if band is None or band.stop <= last else half - (band.start == last) for band in bins]
    ends = ((0, np.array(first)), (-1, np.array(at_end)))
    counting = tuple((end, counts) for end, counts in ends if counts.any())
    return Bands(np.array(edges, dtype=np.intp).reshape(-1), counting)


def band_rms(power: Samples, n: int, bands: Bands) -> npt.NDArray[np.float64]:
    """The root of the power spectral density integrated over each band, `[channels, bands]`.

    One-sided density 2|X|²/(rate·S2), with S2 the sum of the window's squares; DC and Nyquist not doubled.

    Args:
        power: |X|² of samples under the periodic Hann window, `[channels, bins]`.
        n: the window's length.
        bands: the bands; NaN for those without bins.

    Source: G. Heinzel, A. Ruediger, R. Schilling, Spectrum and spectral density estimation by the discrete
    Fourier transform (2002), equation 23.
    """
    if not bands.edges.size:
        return np.empty((len(power), 0))
    # Every second sum is asked for, since bands may overlap or leave gaps.
    total = np.add.reduceat(power, bands.edges, axis=1)[:, ::2]
    for end, counts in bands.ends:  # nothing of an end that overflowed may reach the other bands
        np.add(total, counts * power[:, end, np.newaxis], out=total, where=counts != 0)
    # The density times the distance between bins, rate / n: the rate cancels.
    rms: npt.NDArray[np.float64] = np.sqrt(total * (2.0 / (n * n * MEAN_SQUARE)))
    return rms
