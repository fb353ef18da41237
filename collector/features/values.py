"""The features of one window, as arrays and as the plain numbers that go into a record.

Nothing here computes a feature.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class FeatureValues:
    """Every feature of a window for all channels; NaN where a feature is undefined, never an infinity.

    `scalars` holds `[channels]` by the feature's name. `band_rms` is `[channels, bands]` in the order of
    `bands`, the bands' names. The peaks are `[channels, count]`, the strongest first, padded with NaN.
    `finite` and `constant` (`[channels]`) say of each channel whether all of its samples were numbers, and
    whether all were the same.
    """

    scalars: dict[str, npt.NDArray[np.float64]]
    clipped: npt.NDArray[np.int64]
    bands: tuple[str, ...]
    band_rms: npt.NDArray[np.float64]
    peaks_hz: npt.NDArray[np.float64]
    peaks_amplitude: npt.NDArray[np.float64]
    finite: npt.NDArray[np.bool_]
    constant: npt.NDArray[np.bool_]


def per_channel(values: FeatureValues) -> list[dict[str, Any]]:
    """One dictionary of plain Python numbers a channel, in the shape of the `features` record.

    Scalars by name, `clipped`, `band_rms` by the band's name, `peaks` as a list of `hz` and `amplitude`
    without padding. None stands for what is undefined.
    """
    scalars = {name: _plain(array) for name, array in values.scalars.items()}
    clipped = values.clipped.tolist()
    finite = values.finite.tolist()
    band_rms = values.band_rms.tolist()
    hertz, amplitudes = values.peaks_hz.tolist(), values.peaks_amplitude.tolist()
    return [
        {name: column[row] for name, column in scalars.items()}
        | {
            "clipped": clipped[row] if finite[row] else None,
            "band_rms": dict(zip(values.bands, map(_none, band_rms[row]), strict=True)),
            "peaks": [
                {"hz": hz, "amplitude": amplitude}
                for hz, amplitude in zip(hertz[row], amplitudes[row], strict=True)
                if hz == hz  # noqa: PLR0124 (only NaN differs from itself)
            ],
        }
        for row in range(len(clipped))
    ]


def _plain(array: npt.NDArray[np.float64]) -> list[float | None]:
    return [_none(value) for value in array.tolist()]


def _none(value: float) -> float | None:
    return None if value != value else value  # noqa: PLR0124 (only NaN differs from itself)
