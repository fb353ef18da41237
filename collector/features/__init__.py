"""The features of a window: the table of what there is, and the kernel that computes them; pure, numpy only.

A new feature is one function in the module of its kind, and one row in the table.
"""

from collector.features.at_speed import AtSpeed, SpeedFeatures
from collector.features.feature import Feature
from collector.features.kernel import Kernel
from collector.features.quality import (
    FLAGS,
    RATE_TOLERANCE,
    Judged,
    QualityFlag,
    flag_definitions,
    flags,
)
from collector.features.reasons import REASONS, Reason
from collector.features.settings import (
    BandSettings,
    BearingSettings,
    EnvelopeSettings,
    FeatureSettings,
    VelocitySettings,
)
from collector.features.synchronous import TOLERANCE, Carried, Turning
from collector.features.table import FEATURES, definitions, selected
from collector.features.values import FeatureValues, per_channel
from collector.features.velocity import Covered

__all__ = [
    "FEATURES",
    "FLAGS",
    "RATE_TOLERANCE",
    "REASONS",
    "TOLERANCE",
    "AtSpeed",
    "BandSettings",
    "BearingSettings",
    "Carried",
    "Covered",
    "EnvelopeSettings",
    "Feature",
    "FeatureSettings",
    "FeatureValues",
    "Judged",
    "Kernel",
    "QualityFlag",
    "Reason",
    "SpeedFeatures",
    "Turning",
    "VelocitySettings",
    "definitions",
    "flag_definitions",
    "flags",
    "per_channel",
    "selected",
]
