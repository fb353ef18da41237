"""The table of features: what there is, in which unit, and what it means.

Researchers compare numbers of many companies by these definitions, so a row whose numbers change gets a new
version. Nothing here computes; the functions stand in the modules of their kind. The quality flags have a
table of their own, in quality.py.
"""

from typing import Any

from collector.features import time_domain
from collector.features.feature import ACCELERATION, CURRENT, Feature
from collector.features.settings import FeatureSettings
from collector.samples import Unit

_MOMENTS = (
    "D. N. Joanes, C. A. Gill, Comparing measures of sample skewness and kurtosis, The Statistician 47 (1998)"
)
_TERMS = "ISO 2041 (terms of vibration)"
_THIS = "this project"
_DENSITY = "G. Heinzel et al., Spectrum and spectral density estimation by the DFT (2002), eq. 23"
_PEAKS = "D. Agrez, Weighted multipoint interpolated DFT, IEEE Trans. Instrum. Meas. 51 (2002)"
_FORM = "M. P. Norton, D. G. Karczub, Fundamentals of noise and vibration analysis for engineers (2003), 8.3"
_SHAPE = "G. Peeters, A large set of audio features for sound description (2004), 6"
_BEARING = (
    "R. B. Randall, J. Antoni, Rolling element bearing diagnostics, Mech. Syst. Signal Process. 25 (2011)"
)
_VELOCITY = "ISO 20816-1:2016, clause 4; no zone limits are applied"
_THD = "IEC 61000-4-7:2002, 3.2.1"
_CHATTER = "Y. Altintas, Manufacturing automation (2012), chapter 4"
_SYNCHRONOUS = (
    "Null, with the reason in `nulls`, where the speed is unknown, stale, zero, or changes by more than 1 % "
    "inside the window, or where lines would be less than four bins apart."
)

FEATURES: tuple[Feature, ...] = (
    Feature(
        "mean",
        "same",
        "Mean of the window's samples. Every other feature but `clipped` is computed after removing it.",
        "m = Σx / n",
        _TERMS,
        scalar=time_domain.mean,
    ),
    Feature(
        "rms",
        "same",
        "Root mean square about the mean.",
        "√m2, with mk = Σ(x - m)^k / n",
        _TERMS,
        scalar=time_domain.rms,
    ),
    Feature(
        "peak",
        "same",
        "Largest distance of a sample from the mean, to either side.",
        "max |x - m|",
        _TERMS,
        scalar=time_domain.peak,
    ),
    Feature(
        "p2p",
        "same",
        "Peak to peak: the largest sample less the smallest.",
        "max x - min x",
        _TERMS,
        scalar=time_domain.p2p,
    ),
    Feature(
        "crest",
        "1",
        "Crest factor: peak over rms. Null where all samples are equal.",
        "peak / rms",
        _TERMS,
        scalar=time_domain.crest,
    ),
    Feature(
        "kurtosis",
        "1",
        "Pearson's kurtosis from biased moments; Gaussian noise has 3. Null where all samples are equal.",
        "m4 / m2²",
        _MOMENTS + ", b2",
        scalar=time_domain.kurtosis,
    ),
    Feature(
        "skewness",
        "1",
        "Skewness from biased moments; positive with a long tail upwards. Null where all samples are equal.",
        "m3 / m2^1.5",
        _MOMENTS + ", g1",
        scalar=time_domain.skewness,
    ),
    Feature(
        "clipped",
        "1",
        "Number of samples at or beyond the sensor's limits, where the true value is unknown. The limits "
        "are 99.5 % of the channel's `full_scale` in meta, to either side; without it there are none.",
        "count of x ≤ clip_low or x ≥ clip_high",
        _THIS,
    ),
    Feature(
        "band_rms",
        "same",
        "Rms in a frequency band, both edges included, from the one-sided power spectral density of the "
        "window (mean removed, periodic Hann window w, DC and Nyquist bin not doubled). Null where the "
        "band reaches beyond half the sampling rate or holds no bin.",
        "√(Σ PSD · rate / n) over low ≤ k · rate / n ≤ high, PSD = 2 |X|² / (rate · Σw²)",
        _DENSITY,
        keyed=True,
    ),
    Feature(
        "peaks.hz",
        "Hz",
        "Frequency of a spectral peak: a local maximum of the amplitude spectrum (mean removed, periodic "
        "Hann window) between DC and Nyquist bin, interpolated between bins. Peaks are ordered by the "
        "height of their highest bin, strongest first; what is below 1e-12 of the largest sample is left "
        "out.",
        "(k + δ) · rate / n, δ = 2 (c - a) / (a + 2 b + c), a, b, c = |X[k-1]|, |X[k]|, |X[k+1]|",
        _PEAKS,
    ),
    Feature(
        "peaks.amplitude",
        "same",
        "Amplitude (not rms) of the sine that makes the peak, interpolated between bins.",
        "(2 b / Σw) · π δ (1 - δ²) / sin(π δ)",
        _PEAKS,
    ),
    Feature(
        "std",
        "same",
        "Standard deviation as a sample estimates it; `rms` divides by n instead of n - 1.",
        "√(Σ(x - m)² / (n - 1))",
        "ISO 3534-1:2006, 1.17",
        group="shape",
        scalar=time_domain.std,
    ),
    Feature(
        "shape",
        "1",
        "Shape factor: rms over the mean distance from the mean. Null where all samples are equal.",
        "rms / (Σ|x - m| / n)",
        _FORM,
        group="shape",
    ),
    Feature(
        "impulse",
        "1",
        "Impulse factor: peak over the mean distance from the mean. Null where all samples are equal.",
        "peak / (Σ|x - m| / n)",
        _FORM,
        group="shape",
    ),
    Feature(
        "clearance",
        "1",
        "Clearance factor: peak over the square of the mean root of the distance from the mean. Null "
        "where all samples are equal.",
        "peak / (Σ√|x - m| / n)²",
        _FORM,
        group="shape",
    ),
    Feature(
        "zero_crossings",
        "Hz",
        "How often per second the samples cross their mean, in either direction. Null where all samples "
        "are equal.",
        "#{i: (x[i] > m) ≠ (x[i-1] > m)} · rate / (n - 1)",
        _FORM,
        group="shape",
    ),
    Feature(
        "total_rms",
        "same",
        "Rms over the whole spectrum: of the samples weighted by w², so that what happens in the middle "
        "of the window counts most.",
        "√(Σ PSD · rate / n) over all bins",
        _DENSITY,
        group="spectrum",
    ),
    Feature(
        "centroid",
        "Hz",
        "Centre of gravity of the power spectrum. P is |X|², with half of it for DC and Nyquist bin; bins"
        " below 1e-24 of the highest count as that much. Null without any energy.",
        "c = Σ f P / Σ P, f = k · rate / n",
        _SHAPE + ".1",
        group="spectrum",
    ),
    Feature(
        "spread",
        "Hz",
        "How far the power spectrum spreads about its centroid. P as for `centroid`; null without any "
        "energy.",
        "√(Σ (f - c)² P / Σ P)",
        _SHAPE + ".1",
        group="spectrum",
    ),
    Feature(
        "rolloff",
        "Hz",
        "The lowest bin up to which at least 85 % of the energy lies. P as for `centroid`; null without "
        "any energy.",
        "min f: Σ P up to f ≥ 0.85 Σ P",
        _SHAPE + ".1",
        group="spectrum",
    ),
    Feature(
        "entropy",
        "1",
        "Spectral entropy over that of a flat spectrum: near 0 for a single tone, 1 for a flat spectrum. "
        "P as for `centroid`; null without any energy.",
        "-Σ p ln p / ln(number of bins), p = P / Σ P",
        "T. Inouye et al., Electroencephalogr. Clin. Neurophysiol. 79 (1991)",
        group="spectrum",
    ),
    Feature(
        "flatness",
        "1",
        "Spectral flatness: geometric over arithmetic mean of P. Near 0 for tones, 0.56 for white noise. "
        "P as for `centroid`; null without any energy.",
        "exp(mean ln P) / mean P",
        "J. D. Johnston, IEEE J. Sel. Areas Commun. 6 (1988)",
        group="spectrum",
    ),
    Feature(
        "spectral_kurtosis",
        "1",
        "The largest spectral kurtosis over segments of the window: how much a frequency comes in bursts."
        " The segments, as many as fit, do not overlap; their length is the largest power of two of which"
        " 32 fit into the window, and X is the transform of x - m, the window's mean removed, under a "
        "periodic Hann window of that length. DC and Nyquist bin are left out. A steady tone has -1, "
        "noise 0 on average; the largest of many bins of noise lies above. Null where a segment would be "
        "shorter than 8 samples, or all samples are equal.",
        "max over k of <|X|⁴> / <|X|²>² - 2",
        "J. Antoni, The spectral kurtosis, Mech. Syst. Signal Process. 20 (2006)",
        group="spectrum",
    ),
    Feature(
        "spectral_kurtosis_hz",
        "Hz",
        "The frequency at which the spectral kurtosis is largest, as that of the segments' bin.",
        "k · rate / length of a segment",
        "J. Antoni, The spectral kurtosis, Mech. Syst. Signal Process. 20 (2006)",
        group="spectrum",
    ),
    Feature(
        "peaks.prominence",
        "same",
        "How far the peak's highest bin stands out of the higher of the two valleys beside it: the lowest"
        " bins between it and the nearest higher peak, or the end of the spectrum.",
        "2 (b - valley) / Σw, valley = max(min |X| to the left, min |X| to the right)",
        "topographic prominence",
        group="spectrum",
    ),
    Feature(
        "octave_rms",
        "same",
        "Rms in octave or third-octave bands (b = 1 or 3, see `settings` in meta) by the nominal middle "
        "in Hz, each from its lower edge up to below its upper one. Only bands of four bins or more that "
        "end below half the sampling rate.",
        "√(Σ PSD · rate / n) over 1000 · G^((x - ½)/b) ≤ f < 1000 · G^((x + ½)/b), G = 10^0.3, x whole",
        "IEC 61260-1:2014, 5.2 to 5.4",
        group="octaves",
        keyed=True,
        made_with=("octaves",),
    ),
    Feature(
        "velocity_rms",
        "mm/s",
        "Rms of the vibration velocity over the band that `velocity` in the record tells: that is what "
        "the bins, from the second one on, cover of the configured one, at most 1/2.56 of the rate. X is "
        "of the window where its bins are at most 1.5 Hz apart, else of the shortest stretch of whole "
        "hops without a gap for which they are; then the value stands in the record of the window that "
        "ends the stretch, and others have null. Stretches follow one another; `velocity` tells how many "
        "samples, up to the end of the window, X and n are of. Of a stretch at 24 times the band's upper end "
        "or more, X comes by decimation, its filter taken back: a tone above the band adds less than 3·10⁻⁸ "
        "of its own velocity.",
        "√(Σ PSD / (2πf)² · rate / n), with 1 g = 9.80665 m/s²",
        _VELOCITY,
        group="velocity",
        units=ACCELERATION,
        made_with=("velocity",),
    ),
    Feature(
        "displacement_p2p",
        "um",
        "Peak to peak of the vibration displacement over the same band, of the same samples: X over "
        "-(2πf)² is transformed back to M points and divided by w, of that many points; of them those "
        "from M/4 to 3M/4 count, where w is at least one half. M is the smallest power of two that is at "
        "least 4 (k + 1), k the highest bin of the band; or n, where that is less.",
        "max d - min d, d = F⁻¹(X / -(2πf)²) / w",
        "ISO 20816-1:2016, clause 4",
        group="velocity",
        units=ACCELERATION,
        made_with=("velocity",),
    ),
    Feature(
        "envelope_peaks.hz",
        "Hz",
        "Frequency of a peak in the spectrum of the envelope of the configured band (`settings` in meta),"
        " both edges included, as for `peaks.hz`. The envelope is the magnitude of the analytic signal of"
        " the band, in which DC and Nyquist bin are not doubled, less its mean. No window is put on x "
        "before it. There are none where the band reaches beyond half the sampling rate.",
        "as peaks.hz, with x = |F⁻¹(2 F(x - m) inside the band)|",
        _BEARING,
        group="envelope",
        units=ACCELERATION,
        needs=("envelope",),
        made_with=("envelope",),
    ),
    Feature(
        "envelope_peaks.amplitude",
        "same",
        "Amplitude of that peak.",
        "as peaks.amplitude, of the envelope",
        _BEARING,
        group="envelope",
        units=ACCELERATION,
        needs=("envelope",),
        made_with=("envelope",),
    ),
    Feature(
        "bearing",
        "same",
        "Amplitudes in the envelope's spectrum at the frequencies with which a flaw of the outer ring "
        "(`bpfo`), the inner ring (`bpfi`), a roller (`bsf`) or the cage (`ftf`) is met: the highest bin "
        "within 1 % or one bin, as for `rotation`. The bearing is that of `settings` in meta: z rollers "
        "of diameter d, pitch diameter D. Where the record has a `refined_rpm`, r is by that. A frequency"
        " below four bins is null alone. " + _SYNCHRONOUS,
        "at r times: z/2 (1 - q), z/2 (1 + q), (1 - q²) D / 2d, (1 - q)/2; q = d cos(contact) / D",
        _BEARING + ", eq. 1 to 4",
        group="envelope",
        units=ACCELERATION,
        needs=("envelope", "bearing"),
        keyed=True,
        made_with=("envelope", "bearing"),
    ),
    Feature(
        "rotation",
        "same",
        "Amplitudes at the multiples of the spindle's rotation by `rpm` in the record: the highest bin "
        "within 1 % or one bin (the larger of both), but never nearer than half a bin to half way to the "
        "next multiple, one bin at least; interpolated as for `peaks.amplitude`; where there is no peak, "
        "that of the bin. DC and Nyquist bin are left out; a multiple beyond those between is null alone."
        " " + _SYNCHRONOUS,
        "(2 b / Σw) · π δ (1 - δ²) / sin(π δ) at h · r",
        _PEAKS,
        group="synchronous",
        keyed=True,
    ),
    Feature(
        "tooth_passing",
        "same",
        "Amplitudes at the multiples of tooth passing, found in the same way; the next multiple is one of"
        " the rotation, or of tooth passing where those are less than four bins apart. The number of "
        "teeth z is that of the tool table for the tool in the spindle. " + _SYNCHRONOUS,
        "as rotation, at h · z · r",
        _CHATTER,
        group="synchronous",
        keyed=True,
    ),
    Feature(
        "chatter",
        "1",
        "The part of the energy that is off the harmonics of rotation and tooth passing: of the bins from"
        " half the rotation's frequency up, those further than 1.5 bins from every multiple. The speed is"
        " refined by the lines found: `refined_rpm` in the record. Noise is in it, so compare it with the"
        " same cut without chatter. " + _SYNCHRONOUS,
        "Σ |X|² off h · r / Σ |X|²",
        _CHATTER,
        group="synchronous",
    ),
    Feature(
        "chatter_hz",
        "Hz",
        "Frequency of the strongest bin off all harmonics, but Nyquist's, if it is a peak. Null where "
        "none stands out: it must have more than 30 times the median power of those bins, and its "
        "amplitude be at least a quarter of the strongest that `rotation` and `tooth_passing` of the "
        "channel have.",
        "as peaks.hz",
        _CHATTER,
        group="synchronous",
    ),
    Feature(
        "chatter_amplitude",
        "same",
        "Amplitude of that line.",
        "as peaks.amplitude",
        _CHATTER,
        group="synchronous",
    ),
    Feature(
        "line_hz",
        "Hz",
        "Frequency of the current's own line: the highest bin within 3 % or one bin of the configured "
        "frequency (`settings` in meta), if it is a peak, interpolated as for `peaks.hz`. Null below four"
        " bins.",
        "as peaks.hz",
        _PEAKS,
        group="current",
        units=CURRENT,
        made_with=("line_hz",),
    ),
    Feature(
        "line_rms",
        "same",
        "Rms of that line.",
        "amplitude / √2",
        _PEAKS,
        group="current",
        units=CURRENT,
        made_with=("line_hz",),
    ),
    Feature(
        "thd",
        "1",
        "Total harmonic distortion: the root of the squares of the amplitudes at 2 to 40 times the line, "
        "as far as they are below half the sampling rate, over the line's. Each is the highest bin within"
        " one bin, interpolated as for `rotation`. Noise at these places is in it.",
        "√(Σ A²[h]) / A[1], h = 2 ... 40",
        _THD,
        group="current",
        units=CURRENT,
        made_with=("line_hz",),
    ),
    Feature(
        "line_sidebands",
        "same",
        "Amplitudes at the line less and plus the spindle's rotation: the highest bin within one bin or 1"
        " % of the rotation's frequency, but at most half of that, interpolated as for `rotation`. Where "
        "the record has a `refined_rpm`, r is by that. Below the first bin it is null alone, without a "
        "line both are. " + _SYNCHRONOUS,
        "as rotation, at line_hz ± r",
        "W. T. Thomson, M. Fenger, IEEE Ind. Appl. Mag. 7 (2001)",
        group="current",
        units=CURRENT,
        keyed=True,
        made_with=("line_hz",),
    ),
)
"""The whole set, in the order in which they are documented: the first set, then by group."""


def is_selected(feature: Feature, settings: FeatureSettings) -> bool:
    """Whether these settings ask for a feature, of channels that can have it."""
    tables = (getattr(settings, table) for table in feature.needs)
    return (feature.group is None or feature.group in settings.groups) and None not in tables


def selected(settings: FeatureSettings, unit: Unit) -> list[Feature]:
    """The features that a channel of this unit has under these settings, in the order of the table."""
    return [feature for feature in FEATURES if feature.is_for(unit) and is_selected(feature, settings)]


def definitions(settings: FeatureSettings, channel_unit: Unit) -> list[dict[str, Any]]:
    """Name, unit, definition, formula, version and source of each selected feature, for `meta`.

    With them, where there are any, the settings without which nobody can compute its numbers again.
    """
    return [
        {
            "name": feature.name,
            "unit": feature.unit_of(channel_unit),
            "definition": feature.definition,
            "formula": feature.formula,
            "version": feature.version,
            "source": feature.source,
        }
        | _made_with(feature, settings)
        for feature in selected(settings, channel_unit)
    ]


def _made_with(feature: Feature, settings: FeatureSettings) -> dict[str, Any]:
    if not feature.made_with:
        return {}
    given = settings.model_dump(mode="json", exclude={"envelope": {"peaks"}})  # how many changes no number
    return {"settings": {name: given[name] for name in feature.made_with}}
