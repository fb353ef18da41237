"""Vibration velocity and displacement, from the spectrum of an acceleration.

A spectrum integrates without drift: naive integration in time turns the smallest offset into a ramp. What the
low end needs is resolution, so where a window is short the spectrum is that of a longer stretch of samples.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from collector.features import spectrum
from collector.features.decimation import OTHER_RATE
from collector.features.reasons import Reason
from collector.features.scratch import kept
from collector.features.settings import VelocitySettings
from collector.features.stretch import Stretch, stretch_length
from collector.features.time_domain import Values
from collector.samples import Samples, Unit

STANDARD_GRAVITY = 9.80665
_LOWEST_BIN = 2
"""What is below belongs to the mean, under a Hann window."""
_RATE_OVER_BAND = 2.56
"""The part of the sampling rate that an anti-alias filter leaves: 1000 Hz need 2560 samples a second."""
_POINTS_A_CYCLE = 4
"""At the upper edge, where a displacement hardly matters; ten times as many at a tenth of it."""
_M_PER_S2: dict[Unit, float] = {"g": STANDARD_GRAVITY, "m/s2": 1.0}


@dataclass(frozen=True, slots=True)
class Covered:
    """The band that velocity and displacement really cover, and the samples that they are of.

    The samples are the last `n` up to the end of the window.
    """

    low_hz: float
    high_hz: float
    n: int


class Motion(NamedTuple):
    """Velocity in mm/s and displacement in µm, `[channels]`."""

    velocity_rms: Values
    displacement_p2p: Values
    covered: Covered


class MotionSpectrum:
    """Integrates spectra of `n` samples of some channels of acceleration; `bins` are those of the band."""

    def __init__(self, settings: VelocitySettings, units: tuple[Unit, ...], n: int) -> None:
        self._settings = settings
        self._n = n
        self._m_per_s2 = np.array([_M_PER_S2[unit] for unit in units])
        self._rate_hz = 0.0
        self._covered: Covered | None = None
        self.bins = slice(0, 0)
        self._per_radian = np.empty(0)
        self._path_parts = slice(0, 0)
        self._points = n
        self._inside = slice(0, 0)
        self._over_hann = np.empty(0)
        self._path_bins: spectrum.Transform = np.empty((0, 0), dtype=np.complex128)
        self._path = np.empty((0, 0))

    def covered(self, rate_hz: float) -> Covered | None:
        """The band that is covered at a rate, of which `measure` is from now on; None where there is none."""
        if rate_hz != self._rate_hz:
            self._plan(rate_hz)
        return self._covered

    def windowed(self, transform: spectrum.Transform) -> spectrum.Transform:
        """X in `bins` from the transform of samples without any window, and with their mean.

        The Hann window is a sum of three waves, and the mean is in the lowest two bins alone.
        """
        first, end = self.bins.start, self.bins.stop
        inside = transform[:, first - 1 : end - 1] + transform[:, first + 1 : end + 1]
        inside *= -0.25
        inside += 0.5 * transform[:, first:end]
        return inside

    def measure(self, inside: spectrum.Transform, covered: Covered) -> Motion:
        """Integrate once and twice.

        Args:
            inside: X of these channels' samples under the periodic Hann window, in `bins`.
            covered: what `covered` said for the rate.
        """
        parts = inside.view(np.float64)
        velocity = parts * self._per_radian  # as far as magnitudes go
        square = np.vecdot(velocity, velocity)
        rms = np.sqrt(square * (2.0 / (self._n * self._n * spectrum.MEAN_SQUARE)))
        np.multiply(velocity, -self._per_radian, out=self._path_bins.view(np.float64)[:, self._path_parts])
        path = np.fft.irfft(self._path_bins, n=self._points, axis=1, out=self._path)[:, self._inside]
        path *= self._over_hann
        p2p = np.maximum.reduce(path, axis=1) - np.minimum.reduce(path, axis=1)
        p2p *= self._points / self._n
        second, m_per_s2 = 1 / self._rate_hz, self._m_per_s2
        return Motion(rms * (1e3 * second * m_per_s2), p2p * (1e6 * second * second * m_per_s2), covered)

    def _plan(self, rate_hz: float) -> None:
        """What stays while the rate does; one that is measured a little better hardly ever has other bins."""
        self._rate_hz = rate_hz
        high_hz = _high_hz(self._settings, rate_hz)
        bins = spectrum.band_bins(self._settings.low_hz, high_hz, rate_hz, self._n) or slice(0, 0)
        bins = slice(max(bins.start, _LOWEST_BIN), bins.stop)
        step_hz = rate_hz / self._n
        empty = bins.start >= bins.stop
        self._covered = None if empty else Covered(bins.start * step_hz, (bins.stop - 1) * step_hz, self._n)
        if bins != self.bins and not empty:
            self._lay_out(bins)

    def _lay_out(self, bins: slice) -> None:
        """What stays while the bins do; time is counted in samples."""
        self.bins = bins
        # For real and imaginary parts, which take turns.
        self._per_radian = self._n / np.repeat(2 * np.pi * np.arange(bins.start, bins.stop), 2)
        self._path_parts = slice(2 * bins.start, 2 * bins.stop)
        # The path needs no more points than its highest frequency asks for.
        needed = 1 << max(_POINTS_A_CYCLE * bins.stop - 1, 1).bit_length()
        self._points = min(needed, self._n)
        # Where the window has come up to half, dividing by it brings the path back.
        self._inside = slice(-(-self._points // 4), self._points * 3 // 4 + 1)
        self._over_hann = 1 / spectrum.hann(self._points)[self._inside]
        channels = len(self._m_per_s2)
        self._path_bins = np.zeros((channels, self._points // 2 + 1), dtype=np.complex128)
        self._path = kept(channels, self._points)


class Motions:
    """Velocity and displacement of a stream's windows of `n` samples, every `hop` samples."""

    def __init__(self, settings: VelocitySettings, units: tuple[Unit, ...], n: int, hop: int) -> None:
        self._settings = settings
        self._units = units
        self._n, self._hop = n, hop
        self._planned_hz = 0.0
        self._spectrum: MotionSpectrum | None = None
        self._stretch: Stretch | None = None

    def measure(
        self, samples: Samples, transform: spectrum.Transform, rate_hz: float, first: int | None
    ) -> Motion | Reason:
        """What a window, or the stretch that ends with it, shows; or why it shows nothing.

        Args:
            samples: the window's samples, `[channels, n]`.
            transform: X of the window, `[channels, bins]`.
            rate_hz: the sampling rate.
            first: the index of the first sample; None: it follows on the window before.
        """
        if abs(rate_hz - self._planned_hz) > OTHER_RATE * self._planned_hz:
            self._plan(rate_hz)
        covered = None if self._spectrum is None else self._spectrum.covered(rate_hz)
        if self._spectrum is None or covered is None:
            return Reason.NOT_COVERED
        if self._stretch is not None:
            longer = self._stretch.add(samples, first)
            if longer is None:
                return Reason.STRETCH_OPEN
            return self._spectrum.measure(self._spectrum.windowed(longer), covered)
        return self._spectrum.measure(transform[:, self._spectrum.bins], covered)

    def _plan(self, rate_hz: float) -> None:
        """Choose how many samples it takes; a rate that is measured a little better changes nothing."""
        self._planned_hz = rate_hz
        n = stretch_length(rate_hz, self._n, self._hop)
        self._spectrum = None if n is None else MotionSpectrum(self._settings, self._units, n)
        self._stretch = None
        if n is not None and n > self._n:
            high_hz = _high_hz(self._settings, rate_hz)
            self._stretch = Stretch(len(self._units), n, self._hop, high_hz, rate_hz)


def _high_hz(settings: VelocitySettings, rate_hz: float) -> float:
    """The upper end of the band, as far as the rate allows."""
    return min(settings.high_hz, rate_hz / _RATE_OVER_BAND)
