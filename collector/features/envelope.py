"""The spectrum of the envelope of a band: what modulates a resonance, such as the blows of a bearing.

Source: R. B. Randall, J. Antoni, Rolling element bearing diagnostics - a tutorial, Mech. Syst. Signal
Process. 25 (2011): band-pass, magnitude of the analytic signal, its amplitude spectrum.
"""

import math

import numpy as np

from collector.features import spectrum
from collector.features.settings import BearingSettings, EnvelopeSettings
from collector.samples import Samples


class EnvelopeSpectrum:
    """Demodulates windows of one shape."""

    def __init__(self, settings: EnvelopeSettings, channels: int, n: int) -> None:
        self._settings = settings
        self._n = n
        self._hann = spectrum.hann(n)
        self._transform = np.empty((channels, n // 2 + 1), dtype=np.complex128)
        self._analytic = np.zeros((channels, n), dtype=np.complex128)
        self._signal = np.empty((channels, n), dtype=np.complex128)
        self._band: slice | None = None
        self._rate_hz: float | None = None

    def power(self, deviation: Samples, rate_hz: float) -> Samples | None:
        """|X|² of the envelope less its mean, under the periodic Hann window; None without the whole band.

        Args:
            deviation: the samples less their mean, `[channels, n]`.
            rate_hz: the sampling rate.
        """
        if rate_hz != self._rate_hz:
            self._rate_hz = rate_hz
            self._band = spectrum.band_bins(self._settings.low_hz, self._settings.high_hz, rate_hz, self._n)
            self._analytic[:] = 0.0
        if self._band is None:
            return None
        np.fft.rfft(deviation, axis=1, out=self._transform)
        self._analytic[:, self._band] = self._transform[:, self._band]
        self._analytic[:, self._band] *= self._one_sided()
        envelope = np.abs(np.fft.ifft(self._analytic, axis=1, out=self._signal))
        envelope -= envelope.mean(axis=1, keepdims=True)
        power = np.empty(self._transform.shape)
        spectrum.power(spectrum.transform(envelope, self._hann, envelope, self._transform), out=power)
        return power

    def _one_sided(self) -> Samples:
        """Twice each bin, but once DC and Nyquist."""
        assert self._band is not None
        at = np.arange(self._band.start, self._band.stop)
        return np.where((at == 0) | (2 * at == self._n), 1.0, 2.0)


def bearing_orders(bearing: BearingSettings) -> dict[str, float]:
    """How often per turn of the inner ring each part of a bearing meets a flaw, without slip.

    Source: R. B. Randall, J. Antoni (2011), equations 1 to 4.
    """
    ratio = bearing.roller_diameter_mm / bearing.pitch_diameter_mm
    ratio *= math.cos(math.radians(bearing.contact_deg))
    return {
        "bpfo": bearing.rollers / 2 * (1 - ratio),
        "bpfi": bearing.rollers / 2 * (1 + ratio),
        "bsf": bearing.pitch_diameter_mm / (2 * bearing.roller_diameter_mm) * (1 - ratio * ratio),
        "ftf": (1 - ratio) / 2,
    }
