"""All features of a window in one go: `Kernel` holds what stays the same from window to window of a stream.

What a feature means stands in the table; how it is computed, in the modules of its kind.
"""

from typing import Annotated

import numpy as np
from pydantic import Field

from collector.features import spectrum, time_domain
from collector.features.peaks import PeakSearch
from collector.features.table import SCALARS
from collector.features.values import FeatureValues
from collector.samples import Channel, Samples
from collector.settings import Finite, PositiveFinite, Settings


class BandSettings(Settings):
    """A frequency band, both edges included."""

    low_hz: Annotated[Finite, Field(ge=0)]
    """The lower edge."""
    high_hz: PositiveFinite
    """The upper edge, at most half of the sample rate."""

    @property
    def name(self) -> str:
        """The band's name in records, as in `10-100`."""
        return f"{self.low_hz:.12g}-{self.high_hz:.12g}"


class FeatureSettings(Settings):
    """Which features a stream's windows give beyond the time-domain ones, which are always there."""

    bands: tuple[BandSettings, ...] = ()
    """Bands whose rms is computed."""
    peaks: Annotated[int, Field(ge=0, le=50)] = 5
    """How many of the strongest spectral peaks of each channel."""


class Kernel:
    """Computes the features of one stream's windows; not for two threads at a time, since scratch is reused.

    Raises:
        ValueError: a window of less than four samples, which has no spectrum to speak of.
    """

    def __init__(self, settings: FeatureSettings, channels: tuple[Channel, ...], n: int) -> None:
        if n < 4:
            raise ValueError("a window needs at least four samples")
        self._n = n
        self._peaks = PeakSearch(len(channels), n, settings.peaks)
        self._bands = settings.bands
        self._band_names = tuple(band.name for band in settings.bands)
        self._clip_low = np.array([channel.clip_low for channel in channels])
        self._clip_high = np.array([channel.clip_high for channel in channels])
        self._hann = spectrum.hann(n)
        self._shape = (len(channels), n)
        self._deviation, self._scratch = np.empty(self._shape), np.empty(self._shape)
        self._power = np.empty((len(channels), n // 2 + 1))
        self._band_bins: list[slice | None] = []
        self._band_rate_hz: float | None = None

    def compute(self, samples: Samples, rate_hz: float) -> FeatureValues:
        """Every feature of one window.

        Args:
            samples: `[channels, n]`; a channel with NaN or infinity in it gets NaN for every feature.
            rate_hz: the sampling rate that sets the frequency axis.

        Raises:
            ValueError: the samples have another shape than this kernel was made for.
        """
        if samples.shape != self._shape:
            raise ValueError(f"expected samples of shape {self._shape}, got {samples.shape}")
        with np.errstate(all="ignore"):  # what is undefined becomes NaN, quietly
            moments = time_domain.moments(samples, self._deviation, self._scratch)
            scalars = np.array([function(moments) for _, function in SCALARS])
            scalars[~np.isfinite(scalars)] = np.nan
            clipped = time_domain.clipped(samples, moments, self._clip_low, self._clip_high)
            spectrum.power(self._deviation, self._hann, self._scratch, out=self._power)
            # Where the squares leave the range of float64 there is no spectrum either.
            measured = np.isfinite(moments.variance)
            largest = np.where(measured, np.maximum(np.abs(moments.low), np.abs(moments.high)), np.nan)
            peaks_bins, amplitudes = self._peaks.find(self._power, largest)
            band_rms = spectrum.band_rms(self._power, self._n, self._bins_of_bands(rate_hz))
            band_rms[~(np.isfinite(band_rms) & measured[:, np.newaxis])] = np.nan
        return FeatureValues(
            scalars={name: row for (name, _), row in zip(SCALARS, scalars, strict=True)},
            clipped=clipped,
            bands=self._band_names,
            band_rms=band_rms,
            peaks_hz=peaks_bins * (rate_hz / self._n),
            peaks_amplitude=amplitudes,
            finite=moments.finite,
            constant=moments.constant,
        )

    def _bins_of_bands(self, rate_hz: float) -> list[slice | None]:
        """The bins of each band; kept while the rate stays."""
        if rate_hz != self._band_rate_hz:
            self._band_rate_hz = rate_hz
            self._band_bins = [
                spectrum.band_bins(band.low_hz, band.high_hz, rate_hz, self._n) for band in self._bands
            ]
        return self._band_bins
