"""All features of a window in one go: `Kernel` holds what stays the same from window to window of a stream.

What a feature means stands in the table; how it is computed, in the modules of its kind. Features that need
the spindle's speed, which is known later, are in at_speed.py.
"""

import numpy as np

from collector.features import current, octaves, spectrum, time_domain
from collector.features.envelope import EnvelopeSpectrum
from collector.features.parts import part_of
from collector.features.peaks import PeakSearch
from collector.features.quality import Doubts
from collector.features.reasons import Reason
from collector.features.settings import FeatureSettings
from collector.features.spectral_shape import SegmentKurtosis, SpectralShape
from collector.features.synchronous import Carried
from collector.features.table import FEATURES, is_selected
from collector.features.time_domain import Moments, Values
from collector.features.values import FeatureValues, Numbers, Rows
from collector.features.velocity import Covered, Motions
from collector.samples import Channel, Samples


class Kernel:
    """Computes the features of one stream's windows; not for two threads at a time, since scratch is reused.

    `hop` is the distance from one window to the next; without it, they follow one another.

    Raises:
        ValueError: a window of less than four samples, which has no spectrum to speak of.
    """

    def __init__(
        self, settings: FeatureSettings, channels: tuple[Channel, ...], n: int, hop: int | None = None
    ) -> None:
        if n < 4:
            raise ValueError("a window needs at least four samples")
        self._n = n
        self._shape = (len(channels), n)
        self._groups = frozenset(settings.groups)
        self._scalars = [(f.name, f.scalar) for f in FEATURES if f.scalar and is_selected(f, settings)]
        self._peaks = PeakSearch(len(channels), n, settings.peaks)
        self._bands = settings.bands
        self._band_names = tuple(band.name for band in settings.bands)
        self._octave_width = settings.octaves
        self._clip_low = np.array([channel.clip_low for channel in channels])
        self._clip_high = np.array([channel.clip_high for channel in channels])
        self._doubts = Doubts(channels, n)
        self._hann = spectrum.hann(n)
        self._deviation, self._scratch = np.empty(self._shape), np.empty(self._shape)
        self._power = np.empty((len(channels), n // 2 + 1))
        self._transform = np.empty(self._power.shape, dtype=np.complex128)
        if "spectrum" in self._groups:
            self._spectral_shape = SpectralShape(len(channels), n)
            self._segments = SegmentKurtosis(len(channels), n)
        self._line_hz = settings.line_hz
        self._current = part_of("current", settings, channels)
        self._moving = part_of("velocity", settings, channels)
        if self._moving is not None:
            self._motions = Motions(settings.velocity, self._moving.units, n, hop or n)
        self._enveloped = part_of("envelope", settings, channels)
        if self._enveloped is not None and settings.envelope is not None:
            count = len(self._enveloped.channels)
            self._envelope = EnvelopeSpectrum(settings.envelope, count, n)
            self._envelope_peaks = PeakSearch(count, n, settings.envelope.peaks)
        self._rate_hz: float | None = None
        self._in_bands = spectrum.bands_of((), n)
        self._octaves = octaves.NO_BANDS

    def compute(
        self, samples: Samples, rate_hz: float, first: int | None = None, *, carry: bool = False
    ) -> FeatureValues:
        """Every feature of one window that does not need the context.

        Args:
            samples: `[channels, n]`; a channel with NaN or infinity in it gets NaN for every feature.
            rate_hz: the sampling rate that sets the frequency axis.
            first: the index of the window's first sample; None: it follows on the window before.
            carry: whether the spectrum is to wait for the spindle's speed.

        Raises:
            ValueError: the samples have another shape than this kernel was made for.
        """
        if samples.shape != self._shape:
            raise ValueError(f"expected samples of shape {self._shape}, got {samples.shape}")
        self._plan(rate_hz)
        with np.errstate(all="ignore"):  # what is undefined becomes NaN, quietly
            moments = time_domain.moments(samples, self._deviation, self._scratch)
            clipped = time_domain.clipped(samples, moments, self._clip_low, self._clip_high)
            dropout = self._doubts.dropouts(samples, moments)
            # Where the squares leave the range of float64 there is no spectrum either.
            measured = np.isfinite(moments.variance)
            largest = np.maximum(-moments.low, moments.high)
            if not measured.all():
                largest[~measured] = np.nan
                self._deviation[~measured] = np.nan
                samples = np.where(measured[:, np.newaxis], samples, np.nan)
            made = Rows(len(samples), {name: function(moments) for name, function in self._scalars})
            jumped = self._doubts.jumped(moments)
            if "shape" in self._groups:
                self._add_shape(made, moments, rate_hz)
            if "spectrum" in self._groups:
                kurtosis, at = self._segments.measure(self._deviation, self._scratch)
                made.scalars["spectral_kurtosis"] = kurtosis
                made.scalars["spectral_kurtosis_hz"] = at * (rate_hz / max(self._segments.length, 1))
            transform = spectrum.transform(self._deviation, self._hann, self._scratch, self._transform)
            covered = self._add_motion(made, samples, transform, rate_hz, first)
            power = np.empty(self._power.shape) if carry else self._power
            spectrum.power(transform, out=power)
            highest = power.max(axis=1)
            noisy = self._doubts.noisy(power, highest, made.scalars["kurtosis"], moments)
            self._add_spectrum(made, power, highest, largest, rate_hz)
            envelope = self._add_envelope(made, largest, rate_hz)
            line_hz = self._add_current(made, power, rate_hz)
        carried = Carried(power, self._n, rate_hz, envelope, line_hz) if carry else None
        return FeatureValues(
            made, clipped, moments.finite, moments.constant, dropout, jumped, noisy, carried, covered
        )

    def _plan(self, rate_hz: float) -> None:
        """The bins of each band; kept while the rate stays."""
        if rate_hz != self._rate_hz:
            self._rate_hz = rate_hz
            bins = [spectrum.band_bins(band.low_hz, band.high_hz, rate_hz, self._n) for band in self._bands]
            self._in_bands = spectrum.bands_of(bins, self._n)
            self._octaves = octaves.octave_bands(self._octave_width, rate_hz, self._n)

    def _add_shape(self, made: Rows, moments: Moments, rate_hz: float) -> None:
        """What the distances from the mean tell; overwrites the scratch."""
        of = time_domain.magnitudes(moments, self._deviation, self._scratch)
        made.scalars["shape"] = moments.rms / of.absolute
        made.scalars["impulse"] = moments.peak / of.absolute
        made.scalars["clearance"] = moments.peak / (of.root * of.root)
        made.scalars["zero_crossings"] = of.crossings * (rate_hz / (self._n - 1))

    def _add_motion(
        self,
        made: Rows,
        samples: Samples,
        transform: spectrum.Transform,
        rate_hz: float,
        first: int | None,
    ) -> Covered | None:
        """Velocity and displacement of the channels of acceleration; gives the band, where there are any."""
        part = self._moving
        if part is None:
            return None
        motion = self._motions.measure(samples[part.rows], transform[part.rows], rate_hz, first)
        if isinstance(motion, Reason):
            made.add_missing(part, ("velocity_rms", "displacement_p2p"), motion)
            return None
        numbers = {"velocity_rms": motion.velocity_rms, "displacement_p2p": motion.displacement_p2p}
        made.add_scalars(part, numbers)
        return motion.covered

    def _add_spectrum(
        self, made: Rows, power: Samples, highest: Values, largest: Values, rate_hz: float
    ) -> None:
        """What the power spectrum tells."""
        found = self._peaks.find(power, largest)
        per_bin = rate_hz / self._n
        peaks = {"hz": found.bins * per_bin, "amplitude": found.amplitude}
        made.keyed["band_rms"] = self._band_names, spectrum.band_rms(power, self._n, self._in_bands)
        if "spectrum" in self._groups:
            peaks["prominence"] = self._peaks.prominence(power, found)
            shape = self._spectral_shape.measure(power, highest)
            made.scalars["total_rms"] = shape.total
            for name in ("centroid", "spread", "rolloff"):
                made.scalars[name] = getattr(shape, name) * per_bin
            made.scalars["entropy"], made.scalars["flatness"] = shape.entropy, shape.flatness
        if "octaves" in self._groups:
            rms = octaves.octave_rms(power, self._n, self._octaves)
            made.keyed["octave_rms"] = self._octaves.names, rms
        made.peaks["peaks"] = peaks

    def _add_envelope(self, made: Rows, largest: Values, rate_hz: float) -> Samples | None:
        """The peaks of the envelope's spectrum; gives the spectrum."""
        part = self._enveloped
        if part is None:
            return None
        power = self._envelope.power(self._deviation[part.rows], rate_hz)
        if power is None:
            nothing = np.empty((made.channels, 0))
            made.peaks["envelope_peaks"] = {"hz": nothing, "amplitude": nothing}
            made.reasons["envelope_peaks"] = Reason.NOT_COVERED
        else:
            found = self._envelope_peaks.find(power, largest[part.rows])
            made.peaks["envelope_peaks"] = {
                "hz": made.spread(part, found.bins * (rate_hz / self._n)),
                "amplitude": made.spread(part, found.amplitude),
            }
        made.only["envelope_peaks"] = part.channels
        return power

    def _add_current(self, made: Rows, power: Samples, rate_hz: float) -> Numbers | None:
        """The line of each current channel; gives its frequency, NaN for other channels."""
        part = self._current
        if part is None:
            return None
        line_hz = np.full(self._shape[0], np.nan)
        line = current.line(power[part.rows], self._n, self._line_hz * self._n / rate_hz)
        if line is None:
            made.add_missing(part, ("line_hz", "line_rms", "thd"), Reason.UNRESOLVABLE)
            return line_hz
        line_hz[part.rows] = line.bins * (rate_hz / self._n)
        made.add_scalars(part, {"line_hz": line_hz[part.rows], "line_rms": line.rms, "thd": line.distortion})
        return line_hz
