"""Octave and third-octave bands.

Source: IEC 61260-1:2014, base-ten system: band x has its middle at 1000 Hz · G^(x/b) with G = 10^0.3, and its
edges half a band to either side. Powers are summed in bins; no filter is imitated.
"""

from functools import cache
from itertools import compress
from typing import Literal

import numpy as np
import numpy.typing as npt

_RATIO = 10**0.3
_NOMINAL = (1, 1.25, 1.6, 2, 2.5, 3.15, 4, 5, 6.3, 8)
"""The ten preferred third-octave middles of a decade; each third of them is an octave's."""
_LEAST_BINS = 4
"""A band of less bins than the Hann window's line is wide tells little of itself."""

Width = Literal["octave", "third-octave"]


def octave_bands(width: Width, rate_hz: float, n: int) -> tuple[tuple[str, ...], list[slice]]:
    """The bands that a spectrum covers, lowest first: nominal middles in Hz, and bins.

    A band counts its bins from the lower edge up to below the upper one. Those of less than four bins, or
    that reach beyond half the sampling rate, are left out: where bins are few, also one between two others.
    """
    names, edges_hz = _all_bands(width)
    edges = np.ceil(edges_hz * n / rate_hz).astype(np.intp)
    covered = (edges[:, 1] - edges[:, 0] >= _LEAST_BINS) & (edges_hz[:, 1] <= rate_hz / 2)
    return tuple(compress(names, covered.tolist())), [slice(*band) for band in edges[covered].tolist()]


@cache
def _all_bands(width: Width) -> tuple[list[str], npt.NDArray[np.float64]]:
    """The nominal middle of each band from 1 mHz to 1 GHz, and its exact edges in Hz, `[bands, 2]`."""
    step = 3 if width == "octave" else 1
    thirds = range(-30, 60, step)
    names = [f"{_NOMINAL[third % 10] * 10.0 ** (3 + third // 10):.12g}" for third in thirds]
    middle_hz = 1000.0 * _RATIO ** (np.array(thirds) / 3)
    half = _RATIO ** (step / 6)
    return names, np.stack((middle_hz / half, middle_hz * half), axis=1)
