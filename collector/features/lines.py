"""Amplitudes of spectral lines whose frequency is known beforehand, nearly.

Frequencies are in bins here. The spectrum is |X|² under the periodic Hann window.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from collector.features.peaks import interpolated
from collector.features.spectrum import COHERENT_GAIN
from collector.samples import Samples

Array = npt.NDArray[np.float64]

_AROUND = np.array([-1, 0, 1])


class Lines(NamedTuple):
    """Where lines were found, in bins with fraction, and their amplitudes; `[channels, lines]`.

    `clear` says whether there is a peak. Where there is none, the amplitude is that of the highest bin, which
    is the most that a line can have there.
    """

    bins: Array
    amplitude: Array
    clear: npt.NDArray[np.bool_]


def find_lines(power: Samples, n: int, at: Array, radius: Array) -> Lines:
    """The highest bin around each place, interpolated; NaN where a place is beyond the spectrum.

    Args:
        power: |X|², `[channels, bins]`.
        n: the window's length.
        at: places in bins, `[lines]` or `[channels, lines]`.
        radius: how far around a place is searched, in bins, `[lines]`; the nearest bin at least.
    """
    channels, bins = power.shape
    at = at + np.zeros((channels, 1))
    covered = (at >= 1) & (at <= bins - 2)
    places = np.where(covered, at, 1.0)
    reach = int(np.ceil(radius.max(initial=0.0)))
    index = np.rint(places).astype(np.intp)[:, :, np.newaxis] + np.arange(-reach, reach + 1)
    near = np.abs(index - places[:, :, np.newaxis]) <= np.maximum(radius, 0.5)[:, np.newaxis]
    near &= (index >= 1) & (index <= bins - 2)
    starts = np.arange(channels)[:, np.newaxis] * bins
    flat = power.reshape(-1)
    # What is taken from beyond the ends belongs to another channel, and is not near.
    candidates = np.where(near, flat.take(index + starts[:, :, np.newaxis], mode="clip"), -1.0)
    count = at.size
    choice = candidates.reshape(count, -1).argmax(axis=1)
    top = index.reshape(count, -1)[np.arange(count), choice].reshape(at.shape) + starts
    lines = lines_at(power, n, top)
    if np.count_nonzero(covered) == covered.size:
        return lines
    return Lines(
        np.where(covered, lines.bins, np.nan),
        np.where(covered, lines.amplitude, np.nan),
        lines.clear & covered,
    )


def lines_at(power: Samples, n: int, top: npt.NDArray[np.intp]) -> Lines:
    """The lines at these bins, flat indices into `power`, `[channels, lines]`; never a first or last bin."""
    flat = power.reshape(-1)
    near = np.sqrt(flat[top[..., np.newaxis] + _AROUND])
    left, middle, right = near[..., 0], near[..., 1], near[..., 2]
    delta, amplitude = interpolated(left, middle, right, n * COHERENT_GAIN)
    clear = (middle >= left) & (middle >= right) & (middle > 0) & np.isfinite(middle)
    at = top - np.arange(len(power))[:, np.newaxis] * power.shape[1]
    if np.count_nonzero(clear) == clear.size:
        return Lines(at + delta, amplitude, clear)
    bare = 2.0 / (n * COHERENT_GAIN) * middle
    return Lines(at + np.where(clear, delta, 0.0), np.where(clear, amplitude, bare), clear)
