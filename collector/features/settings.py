"""Which features a stream's windows give. What each of them means stands in the table."""

from typing import Annotated, Literal, get_args

from pydantic import Field

from collector.features.feature import Group
from collector.settings import Finite, PositiveFinite, Settings

ALL_GROUPS: tuple[Group, ...] = get_args(Group)


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


class EnvelopeSettings(BandSettings):
    """The band, around a resonance of the structure, whose envelope is looked at."""

    peaks: Annotated[int, Field(ge=0, le=50)] = 3
    """How many of the strongest peaks of the envelope's spectrum."""


class VelocitySettings(Settings):
    """The band of vibration velocity and displacement."""

    low_hz: PositiveFinite = 10.0
    """The lower edge."""
    high_hz: PositiveFinite = 1000.0
    """The upper edge; 1/2.56 of the sample rate where that is lower."""


class BearingSettings(Settings):
    """The geometry of the spindle's bearing, from its maker; the inner ring turns."""

    rollers: Annotated[int, Field(ge=3, le=1000)] = Field(examples=[13])
    """The number of balls or rollers in one row."""
    roller_diameter_mm: PositiveFinite = Field(examples=[11.1])
    """The diameter of a ball or roller."""
    pitch_diameter_mm: PositiveFinite = Field(examples=[70.0])
    """The diameter of the circle through their centres."""
    contact_deg: Annotated[Finite, Field(ge=0, lt=90)] = 0.0
    """The contact angle."""


class FeatureSettings(Settings):
    """Which features a stream's windows give beyond the first set, which is always there."""

    groups: tuple[Group, ...] = Field(default=ALL_GROUPS, examples=[["shape", "spectrum"]])
    """Which groups of features; without it, all of them that the channel's unit allows."""
    bands: tuple[BandSettings, ...] = ()
    """Bands whose rms is computed."""
    peaks: Annotated[int, Field(ge=0, le=50)] = 5
    """How many of the strongest spectral peaks of each channel."""
    octaves: Literal["octave", "third-octave"] = "octave"
    """How wide the bands of the group octaves are."""
    velocity: VelocitySettings = VelocitySettings()
    """The band of the group velocity."""
    envelope: EnvelopeSettings | None = None
    """The band of the group envelope, which is not there without it."""
    bearing: BearingSettings | None = None
    """The bearing whose frequencies are looked for in the envelope; needs `envelope`."""
    harmonics: Annotated[int, Field(ge=1, le=20)] = 3
    """How many multiples of the spindle's rotation and of tooth passing."""
    line_hz: PositiveFinite = 50.0
    """Of the group current: the frequency of the current that feeds the motor, within 3 %."""
