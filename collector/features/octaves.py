"""Octave and third-octave bands.

Source: IEC 61260-1:2014, base-ten system: band x has its middle at 1000 Hz · G^(x/b) with G = 10^0.3, and its
edges half a band to either side. Powers are summed in bins; no filter is imitated.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from collector.features.spectrum import MEAN_SQUARE
from collector.samples import Samples

_RATIO = 10**0.3
_NOMINAL = (1, 1.25, 1.6, 2, 2.5, 3.15, 4, 5, 6.3, 8)
"""The ten preferred third-octave middles of a decade; each third of them is an octave's."""
_LEAST_BINS = 4
"""A band of less bins than the Hann window's line is wide tells little of itself."""

Width = Literal["octave", "third-octave"]


@dataclass(frozen=True, slots=True)
class OctaveBands:
    """Neighbouring bands by nominal middle in Hz; `edges` are their first bins, and the last one's end."""

    names: tuple[str, ...]
    edges: npt.NDArray[np.intp]


NO_BANDS = OctaveBands((), np.array([], dtype=np.intp))


def octave_bands(width: Width, rate_hz: float, n: int) -> OctaveBands:
    """The bands that a spectrum covers, lowest first.

    A band counts its bins from the lower edge up to below the upper one. Those of less than four bins, or
    that reach beyond half the sampling rate, are left out.
    """
    step = 3 if width == "octave" else 1
    half = _RATIO ** (step / 6)
    names: list[str] = []
    edges: list[int] = []
    for third in range(-30, 60):  # 1 mHz to 1 GHz
        if third % step:
            continue
        middle = 1000.0 * _RATIO ** (third / 3)
        first, end = (math.ceil(edge * n / rate_hz) for edge in (middle / half, middle * half))
        if end - first < _LEAST_BINS or middle * half > rate_hz / 2:
            continue
        names.append(f"{_NOMINAL[third % 10] * 10.0 ** (3 + third // 10):.12g}")
        edges = [*(edges or [first]), end]  # a band ends where the next one begins
    return OctaveBands(tuple(names), np.array(edges, dtype=np.intp))


def octave_rms(power: Samples, n: int, bands: OctaveBands) -> npt.NDArray[np.float64]:
    """The rms in each band, `[channels, bands]`, from |X|² under the periodic Hann window."""
    if not bands.names:
        return np.empty((len(power), 0))
    covered = power[:, : bands.edges[-1]]
    total = np.add.reduceat(covered, bands.edges[:-1], axis=1)
    rms: npt.NDArray[np.float64] = np.sqrt(total * (2.0 / (n * n * MEAN_SQUARE)))
    return rms
