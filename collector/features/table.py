"""The table of features and the table of quality flags: what there is, in which unit, and what it means.

Researchers compare numbers of many companies by these definitions, so a row whose numbers change gets a new
version. Nothing here computes; the functions stand in the modules of their kind.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from collector.features import time_domain
from collector.features.time_domain import Moments, Values
from collector.features.values import FeatureValues
from collector.samples import Unit

UnitRule = Literal["same", "1", "Hz"]
"""A fixed unit, or `same`: the channel's."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One row: what a number means. `scalar` computes it where it is one number a channel."""

    name: str
    unit: UnitRule
    definition: str
    formula: str
    source: str
    version: int = 1
    scalar: Callable[[Moments], Values] | None = None

    def unit_of(self, channel_unit: Unit) -> str:
        """The unit for a channel of this unit."""
        return channel_unit if self.unit == "same" else self.unit


@dataclass(frozen=True, slots=True)
class QualityFlag:
    """One row: a reason to look twice at a window. `raised` decides."""

    name: str
    definition: str
    raised: Callable[[FeatureValues], bool]
    version: int = 1


_MOMENTS = (
    "D. N. Joanes, C. A. Gill, Comparing measures of sample skewness and kurtosis, The Statistician 47 (1998)"
)
_TERMS = "ISO 2041 (terms of vibration)"
_DENSITY = "G. Heinzel et al., Spectrum and spectral density estimation by the DFT (2002), eq. 23"
_PEAKS = "D. Agrez, Weighted multipoint interpolated DFT, IEEE Trans. Instrum. Meas. 51 (2002)"

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
        "Number of samples at or beyond the sensor's limits, where the true value is unknown.",
        "count of x ≤ clip_low or x ≥ clip_high",
        "this project",
    ),
    Feature(
        "band_rms",
        "same",
        "Rms in a frequency band, both edges included, from the one-sided power spectral density of the "
        "window (mean removed, periodic Hann window w, DC and Nyquist bin not doubled). Null where the band "
        "reaches beyond half the sampling rate or holds no bin.",
        "√(Σ PSD · rate / n) over low ≤ k · rate / n ≤ high, PSD = 2 |X|² / (rate · Σw²)",
        _DENSITY,
    ),
    Feature(
        "peaks.hz",
        "Hz",
        "Frequency of a spectral peak: a local maximum of the amplitude spectrum (mean removed, periodic "
        "Hann window) between DC and Nyquist bin, interpolated between bins. Peaks are ordered by the height "
        "of their highest bin, strongest first; what is below 1e-12 of the largest sample is left out.",
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
)
"""The whole set, in the order of the records."""

SCALARS: tuple[tuple[str, Callable[[Moments], Values]], ...] = tuple(
    (feature.name, feature.scalar) for feature in FEATURES if feature.scalar is not None
)
"""Name and function of each feature that is one number a channel."""

FLAGS: tuple[QualityFlag, ...] = (
    QualityFlag(
        "clipped",
        "At least one sample of a channel lies at or beyond the sensor's limits.",
        lambda values: bool(values.clipped.any()),
    ),
    QualityFlag(
        "stuck",
        "A channel kept exactly the same value over the whole window: a live sensor always has some noise.",
        lambda values: bool(values.constant.any()),
    ),
    QualityFlag(
        "not-finite",
        "A channel holds a sample that is not a number; all its features are null.",
        lambda values: not values.finite.all(),
    ),
)
"""Every quality flag, in the order of the records."""


def flags(values: FeatureValues) -> list[str]:
    """The names of the quality flags that hold for a window, in the order of the table."""
    return [flag.name for flag in FLAGS if flag.raised(values)]


def definitions(channel_unit: Unit) -> list[dict[str, str | int]]:
    """Each feature's name, unit, definition, formula, version and source, for `meta`.

    Args:
        channel_unit: the unit of the channel that the definitions are for.
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
        for feature in FEATURES
    ]


def flag_definitions() -> list[dict[str, str | int]]:
    """Every quality flag's name, definition and version, for `meta`."""
    return [{"name": flag.name, "definition": flag.definition, "version": flag.version} for flag in FLAGS]
