"""All features of some windows in one go: `Pass` holds what stays the same for so many windows of a stream.

What a feature means stands in the table; how it is computed, in the modules of its kind. Windows stand below
one another, so that each channel of each is a row like any other. Which windows go together, and what
outlives them, is the kernel's business (kernel.py). Features that need the spindle's speed, which is known
later, are in at_speed.py.
"""

from collections.abc import Sequence

import numpy as np

from collector.features import current, octaves, spectrum, time_domain
from collector.features.envelope import EnvelopeSpectrum
from collector.features.parts import part_of
from collector.features.peaks import PeakSearch
from collector.features.quality import Doubts
from collector.features.reasons import Reason
from collector.features.scratch import kept, laid
from collector.features.settings import FeatureSettings
from collector.features.spectral_shape import SegmentKurtosis, SpectralShape, segments_bins
from collector.features.synchronous import Carried
from collector.features.table import FEATURES, is_selected
from collector.features.time_domain import Moments, Values
from collector.features.values import FeatureValues, Numbers, Rows, apart
from collector.features.velocity import Covered, Motion, Motions
from collector.samples import Channel, Samples


class Pass:
    """Computes the features of `windows` windows of a stream at a time; owns the scratch.

    Numpy must be quiet (scratch.py) meanwhile. `motions` is the stream's, since it remembers what came
    before.
    """

    def __init__(
        self,
        settings: FeatureSettings,
        channels: tuple[Channel, ...],
        n: int,
        windows: int,
        motions: Motions | None,
    ) -> None:
        rows = len(channels) * windows
        self._n = n
        self._windows, self._channels = windows, len(channels)
        self._groups = frozenset(settings.groups)
        self._scalars = [(f.name, f.scalar) for f in FEATURES if f.scalar and is_selected(f, settings)]
        self._peaks = PeakSearch(rows, n, settings.peaks)
        self._bands = settings.bands
        self._band_names = tuple(band.name for band in settings.bands)
        self._octave_width = settings.octaves if "octaves" in self._groups else None
        self._clip_low = np.array([channel.clip_low for channel in channels] * windows)
        self._clip_high = np.array([channel.clip_high for channel in channels] * windows)
        self._doubts = Doubts(channels * windows, n)
        self._hann = spectrum.hann(n)
        self._deviation, self._scratch = kept(rows, n), kept(rows, n)
        # Segments are done with before the window's own spectrum begins.
        bins = n // 2 + 1
        numbers = rows * max(bins, segments_bins(n))
        spectra, powers = kept(numbers, dtype=np.complex128), kept(numbers)
        self._transform, self._power = laid(spectra, rows, bins), laid(powers, rows, bins)
        if "spectrum" in self._groups:
            self._spectral_shape = SpectralShape(rows, n, self._peaks.scratch)
            self._segments = SegmentKurtosis(rows, n, spectra, powers)
        self._line_hz = settings.line_hz
        self._current = part_of("current", settings, channels, windows)
        self._moving = part_of("velocity", settings, channels)
        self._motions = motions
        self._enveloped = part_of("envelope", settings, channels, windows)
        if self._enveloped is not None and settings.envelope is not None:
            count = len(self._enveloped.units)
            self._envelope = EnvelopeSpectrum(settings.envelope, count, n)
            self._envelope_peaks = PeakSearch(count, n, settings.envelope.peaks)
        self._rate_hz: float | None = None
        self._in_bands = spectrum.bands_of((), n)
        self._octave_names: tuple[str, ...] = ()

    def compute(
        self, samples: Samples, rate_hz: float, firsts: Sequence[int | None], *, carry: bool
    ) -> list[FeatureValues]:
        """Every feature of the windows that does not need the context, one after the other.

        Args:
            samples: `[windows * channels, n]`; a row with NaN or infinity in it gets NaN for every feature.
            rate_hz: the sampling rate that sets the frequency axis.
            firsts: the index of each window's first sample; None: it follows on the window before.
            carry: whether the spectra are to wait for the spindle's speed.
        """
        self._plan(rate_hz)
        moments = time_domain.moments(samples, self._deviation, self._scratch)
        clipped = time_domain.clipped(samples, moments, self._clip_low, self._clip_high)
        dropout = self._doubts.dropouts(samples, moments)
        # Where the squares leave the range of float64 there is no spectrum either.
        measured = np.isfinite(moments.variance)
        largest = np.maximum(-moments.low, moments.high)
        if np.count_nonzero(measured) < len(measured):
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
        motions = self._measure_motions(samples, transform, rate_hz, firsts)
        # What waits is a new array each time: to lay it on a line of the cache would cost more than it saves.
        power = np.empty(self._power.shape) if carry else self._power
        spectrum.power(transform, out=power)
        highest = np.maximum.reduce(power, axis=1)
        energy = self._add_spectrum(made, power, highest, largest, rate_hz)
        noisy = self._doubts.noisy(energy, highest, made.scalars["kurtosis"], moments)
        envelope = self._add_envelope(made, largest, rate_hz)
        line_hz = self._add_current(made, power, rate_hz)
        each = made.apart(self._windows)
        covered = [self._add_motion(rows, motion) for rows, motion in zip(each, motions, strict=True)]
        carried = self._carried(power, rate_hz, envelope, line_hz) if carry else [None] * self._windows
        marks = (clipped, moments.finite, moments.constant, dropout, jumped, noisy)
        if self._windows == 1:  # the usual case needs nothing taken apart
            return [FeatureValues(made, *marks, carried[0], covered[0])]
        by_window = (apart(mark, self._windows) for mark in marks)
        return [FeatureValues(*of) for of in zip(each, *by_window, carried, covered, strict=True)]

    def _plan(self, rate_hz: float) -> None:
        """The bins of each band; kept while the rate stays."""
        if rate_hz != self._rate_hz:
            self._rate_hz = rate_hz
            bins = [spectrum.band_bins(band.low_hz, band.high_hz, rate_hz, self._n) for band in self._bands]
            if self._octave_width is not None:
                self._octave_names, covered = octaves.octave_bands(self._octave_width, rate_hz, self._n)
                bins += covered
            self._in_bands = spectrum.bands_of(bins, self._n)

    def _add_shape(self, made: Rows, moments: Moments, rate_hz: float) -> None:
        """What the distances from the mean tell; overwrites the scratch."""
        of = time_domain.magnitudes(moments, self._deviation, self._scratch)
        made.scalars["shape"] = shape = moments.rms / of.absolute  # NaN for a constant
        made.scalars["impulse"] = moments.peak / of.absolute
        made.scalars["clearance"] = moments.peak / (of.root * of.root)
        made.scalars["zero_crossings"] = of.crossings * (rate_hz / (self._n - 1)) + 0.0 * shape

    def _measure_motions(
        self, samples: Samples, transform: spectrum.Transform, rate_hz: float, firsts: Sequence[int | None]
    ) -> Sequence[Motion | Reason | None]:
        """Velocity and displacement, window by window, as stretches grow; None without acceleration."""
        part, motions = self._moving, self._motions
        if part is None or motions is None:
            return [None] * self._windows
        by_window = zip(apart(samples, self._windows), apart(transform, self._windows), firsts, strict=True)
        return [motions.measure(x[part.rows], of[part.rows], rate_hz, first) for x, of, first in by_window]

    def _add_motion(self, made: Rows, motion: Motion | Reason | None) -> Covered | None:
        """Take what one window has of velocity and displacement; gives the band, where there are any."""
        if self._moving is None or motion is None:
            return None
        if isinstance(motion, Reason):
            made.add_missing(self._moving, ("velocity_rms", "displacement_p2p"), motion)
            return None
        numbers = {"velocity_rms": motion.velocity_rms, "displacement_p2p": motion.displacement_p2p}
        made.add_scalars(self._moving, numbers)
        return motion.covered

    def _add_spectrum(
        self, made: Rows, power: Samples, highest: Values, largest: Values, rate_hz: float
    ) -> Values:
        """What the power spectrum tells; gives its energy."""
        found = self._peaks.find(power, highest, largest)
        per_bin = rate_hz / self._n
        peaks = {"hz": found.bins * per_bin, "amplitude": found.amplitude}
        rms = spectrum.band_rms(power, self._n, self._in_bands)
        made.keyed["band_rms"] = self._band_names, rms[:, : len(self._bands)]
        if self._octave_width is not None:
            made.keyed["octave_rms"] = self._octave_names, rms[:, len(self._bands) :]
        energy = None
        if "spectrum" in self._groups:
            peaks["prominence"] = self._peaks.prominence(power, found)
            shape = self._spectral_shape.measure(power, highest)
            energy = shape.energy
            made.scalars["total_rms"] = shape.total
            for name in ("centroid", "spread", "rolloff"):
                made.scalars[name] = getattr(shape, name) * per_bin
            made.scalars["entropy"], made.scalars["flatness"] = shape.entropy, shape.flatness
        made.peaks["peaks"] = peaks
        return np.add.reduce(power, axis=1) if energy is None else energy

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
            found = self._envelope_peaks.find(power, np.maximum.reduce(power, axis=1), largest[part.rows])
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
        line_hz = np.full(len(power), np.nan)
        line = current.line(power[part.rows], self._n, self._line_hz * self._n / rate_hz)
        if line is None:
            made.add_missing(part, ("line_hz", "line_rms", "thd"), Reason.UNRESOLVABLE)
            return line_hz
        line_hz[part.rows] = line.bins * (rate_hz / self._n)
        made.add_scalars(part, {"line_hz": line_hz[part.rows], "line_rms": line.rms, "thd": line.distortion})
        return line_hz

    def _carried(
        self, power: Samples, rate_hz: float, envelope: Samples | None, line_hz: Numbers | None
    ) -> list[Carried]:
        """What of each window waits for the speed."""
        nothing = [None] * self._windows
        by_window = zip(
            apart(power, self._windows),
            nothing if envelope is None else apart(envelope, self._windows),
            nothing if line_hz is None else apart(line_hz, self._windows),
            strict=True,
        )
        return [Carried(of, self._n, rate_hz, around, line) for of, around, line in by_window]
