"""A seeded model of a spindle, for trying things out: rotation, tooth passing, chatter, noise, tool changes."""

from typing import Literal

from pydantic import Field

from collector.settings import PositiveFinite, Settings


class SimulatedSettings(Settings):
    """A spindle that exists only in numbers."""

    kind: Literal["simulated"]
    rate_hz: PositiveFinite
    seed: int = 1
    """The same seed gives the same samples."""
    spindle_rpm: PositiveFinite = 6000.0
    teeth: int = Field(default=4, gt=0)
