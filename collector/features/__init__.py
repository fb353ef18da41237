"""The features of a window: the table of what there is, and the kernel that computes them; pure, numpy only.

A new feature is one function in the module of its kind, and one row in the table.
"""

from collector.features.kernel import BandSettings, FeatureSettings, Kernel
from collector.features.table import (
    FEATURES,
    FLAGS,
    Feature,
    QualityFlag,
    definitions,
    flag_definitions,
    flags,
)
from collector.features.values import FeatureValues, per_channel

__all__ = [
    "FEATURES",
    "FLAGS",
    "BandSettings",
    "Feature",
    "FeatureSettings",
    "FeatureValues",
    "Kernel",
    "QualityFlag",
    "definitions",
    "flag_definitions",
    "flags",
    "per_channel",
]
