"""What the tests of features share: everything of a window in one go, and one row of the table out of it."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from collector.features import (
    BandSettings,
    BearingSettings,
    EnvelopeSettings,
    FeatureSettings,
    FeatureValues,
    Kernel,
    SpeedFeatures,
    Turning,
    VelocitySettings,
    per_channel,
    selected,
)
from collector.samples import Channel, Samples, Unit

Array = npt.NDArray[np.float64]

RATE_HZ = 1000.0
CLIP = 1.5
BANDS = ((10.0, 100.0), (0.0, 500.0), (62.5, 250.0))
EVERYTHING = FeatureSettings(
    bands=tuple(BandSettings(low_hz=low, high_hz=high) for low, high in BANDS),
    peaks=4,
    octaves="third-octave",
    velocity=VelocitySettings(low_hz=15, high_hz=200),
    envelope=EnvelopeSettings(low_hz=150, high_hz=300, peaks=3),
    bearing=BearingSettings(rollers=8, roller_diameter_mm=10, pitch_diameter_mm=40, contact_deg=15),
    harmonics=2,
    line_hz=60,
)


@dataclass(frozen=True)
class Window:
    """All features of a window, as they stand in its record, by channel."""

    channels: list[dict[str, Any]]
    values: FeatureValues
    nulls: dict[str, str]
    refined_hz: float | None
    units: tuple[Unit, ...]
    settings: FeatureSettings = field(default=EVERYTHING)

    def column(self, name: str, channel: int) -> Array:
        """The numbers of one row of the table, None as NaN; lists of peaks padded to their full length."""
        list_name, _, part = name.partition(".")
        value = self.channels[channel][list_name]
        if part:
            count = self.settings.peaks if list_name == "peaks" else 3
            found = [peak[part] for peak in value]
            return np.array(found + [np.nan] * (count - len(found)))
        numbers = list(value.values()) if isinstance(value, dict) else [value]
        return np.array([np.nan if number is None else number for number in numbers], dtype=np.float64)

    def rows(self, channel: int) -> set[str]:
        """The names of the rows that the channel's record has; of a list of peaks those of its first one."""
        found = set()
        for name, value in self.channels[channel].items():
            parts = {f"{name}.{part}" for part in value[0]} if isinstance(value, list) and value else {name}
            found |= parts
        return found

    def expected(self, channel: int) -> set[str]:
        """The names of the rows that it must have."""
        return {feature.name for feature in selected(self.settings, self.units[channel])}


def compute(
    samples: Samples,
    *units: Unit,
    rotation_hz: float | None = 150.0,
    teeth: int | None = 2,
    rate_hz: float = RATE_HZ,
    settings: FeatureSettings = EVERYTHING,
) -> Window:
    """Every feature of a window, at a known speed."""
    every: list[Unit] = ["g"] * len(samples)
    of = units or tuple(every)
    channels = tuple(Channel(f"c{i}", unit, -CLIP, CLIP) for i, unit in enumerate(of))
    values = Kernel(settings, channels, samples.shape[1]).compute(samples, rate_hz, carry=True)
    turning = Turning(rotation_hz, None, teeth)
    late = SpeedFeatures(settings, channels).compute(values.carried, turning)
    made = [early | more for early, more in zip(per_channel(values), late.channels, strict=True)]
    nulls = {name: str(reason) for name, reason in (values.rows.reasons | late.rows.reasons).items()}
    return Window(made, values, nulls, late.refined_hz, of, settings)
