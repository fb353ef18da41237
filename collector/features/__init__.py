"""The features of a window: the table of what there is, and `compute`; pure, numpy only."""

from typing import Annotated

from pydantic import Field

from collector.settings import Finite, PositiveFinite, Settings


class BandSettings(Settings):
    """A frequency band, both edges included."""

    low_hz: Annotated[Finite, Field(ge=0)]
    high_hz: PositiveFinite


class FeatureSettings(Settings):
    """Which features a stream's windows give beyond the time-domain ones, which are always there."""

    bands: tuple[BandSettings, ...] = ()
    """Bands whose rms is computed."""
    peaks: Annotated[int, Field(ge=0, le=50)] = 5
    """How many of the strongest spectral peaks of each channel."""
