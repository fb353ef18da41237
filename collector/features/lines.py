"""Amplitudes of spectral lines whose frequency is known beforehand, nearly.

Frequencies are in bins here. The spectrum is |X|² under the periodic Hann window.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from collector.features.peaks import interpolated
from collector.features.spectrum import COHERENT_GAIN
from collector.samples import Samples

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Lines:
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
    at = np.broadcast_to(at, (channels, at.shape[-1]))
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
    lines = index.shape[0] * index.shape[1]
    choice = candidates.reshape(lines, -1).argmax(axis=1)
    top = index.reshape(lines, -1)[np.arange(lines), choice].reshape(at.shape) + starts
    left, middle, right = (np.sqrt(flat[top + step]) for step in (-1, 0, 1))
    delta, amplitude = interpolated(left, middle, right, n * COHERENT_GAIN)
    clear = (middle >= left) & (middle >= right) & covered & (middle > 0) & np.isfinite(middle)
    amplitude = np.where(clear, amplitude, 2.0 / (n * COHERENT_GAIN) * middle)
    found = np.where(covered, top - starts + np.where(clear, delta, 0.0), np.nan)
    return Lines(found, np.where(covered, amplitude, np.nan), clear)
