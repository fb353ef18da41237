"""The current that feeds a motor: its frequency, its rms, and its distortion by harmonics.

Sidebands need the spindle's speed: synchronous.py.
"""

from dataclasses import dataclass

import numpy as np

from collector.features.lines import find_lines
from collector.features.synchronous import APART_BINS
from collector.features.time_domain import Values
from collector.samples import Samples

TOLERANCE = 0.03
"""How far, relatively, the line may be from the configured frequency."""
HIGHEST_HARMONIC = 40


@dataclass(frozen=True, slots=True)
class Line:
    """The line of each channel, `[channels]`; NaN where there is none. `bins` is where it was found."""

    bins: Values
    rms: Values
    distortion: Values


def line(power: Samples, n: int, at_bins: float) -> Line | None:
    """The line near `at_bins`, and the root of its harmonics' squares over it; None if it is too low.

    Args:
        power: |X|² under the periodic Hann window, `[channels, bins]`.
        n: the window's length.
        at_bins: the configured frequency, in bins.

    Source: IEC 61000-4-7:2002, total harmonic distortion, up to the 40th harmonic or half the sampling rate.
    """
    bins = power.shape[1]
    if at_bins < APART_BINS or at_bins > bins - 2:
        return None
    found = find_lines(power, n, np.array([at_bins]), np.array([max(1.0, TOLERANCE * at_bins)]))
    there = found.clear[:, 0]
    fundamental = np.where(there, found.bins[:, 0], np.nan)
    amplitude = np.where(there, found.amplitude[:, 0], np.nan)
    orders = np.arange(2.0, HIGHEST_HARMONIC + 1)
    at = np.where(there, found.bins[:, 0], at_bins)[:, np.newaxis] * orders
    harmonics = find_lines(power, n, at, np.ones(len(orders)))
    squares = np.where(np.isfinite(harmonics.amplitude), harmonics.amplitude, 0.0) ** 2
    return Line(fundamental, amplitude / np.sqrt(2.0), np.sqrt(squares.sum(axis=1)) / amplitude)
