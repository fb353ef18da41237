"""A seeded model spindle as a source, for trying things out: rotation, tooth passing, chatter, tool changes.

The spindle's life repeats: it spins up, turns in the air and cuts a few times, spins down, and stands while
the tool is changed; each tool has its own speed, and some cuts chatter. What is felt of it is in spindle.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from collector.samples import Channel, Run, Signal
from collector.settings import PositiveFinite, Settings
from collector.sources.pacing import Pace
from collector.sources.spindle import Course, Cut, Life, SpindleModel, life

_RAMP_S = 0.5


class SimulatedSettings(Settings):
    """A spindle that exists only in numbers."""

    kind: Literal["simulated"]
    rate_hz: PositiveFinite
    """Samples a second."""
    seed: int = 1
    """The same seed gives the same samples."""
    speed: PositiveFinite | Literal["max"] = 1.0
    """1 plays in real time, 10 ten times faster, "max" as fast as the gateway can."""
    spindle_rpm: PositiveFinite = 6000.0
    """The first tool's speed; the others turn at 0.6 to 1.2 times this."""
    teeth: int = Field(default=4, gt=0)
    """Cutting edges of every tool."""
    noise_g: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.02
    """Standard deviation of the noise; as for everything here, other units than g are made from it."""
    air_s: PositiveFinite = 2.0
    """How long it turns in the air before each cut."""
    cut_s: PositiveFinite = 4.0
    """How long a cut lasts."""
    cuts_per_tool: int = Field(default=3, gt=0)
    """Cuts until the next tool change."""
    tool_change_s: PositiveFinite = 3.0
    """How long the spindle stands still at a tool change."""
    chatter_share: Annotated[float, Field(ge=0, le=1)] = 0.3
    """The part of all cuts that chatter."""
    chatter_hz: PositiveFinite | None = None
    """The resonance at which they do; without it 0.17 of the sample rate, at most 870 Hz."""
    full_scale_g: PositiveFinite = 16.0
    """The sensor's range; larger values are clipped."""


def simulated_source(settings: SimulatedSettings, channels: tuple[Channel, ...]) -> "SimulatedSource":
    """The source that the settings describe."""
    model = spindle_model(settings, channels)
    signal = Signal(model.channels, settings.rate_hz, rate_exact=True)
    return SimulatedSource(settings, signal, model, waits=settings.speed == "max")


@dataclass(frozen=True, slots=True)
class SimulatedSource:
    """A model spindle; each opening starts its life anew."""

    settings: SimulatedSettings
    signal: Signal
    model: SpindleModel
    waits: bool
    origin: str = "simulated"
    silent_after_s: None = None

    def open(self) -> "SimulatedDevice":
        """Start it."""
        return SimulatedDevice(self.model, Pace(self.settings.rate_hz, self.settings.speed))


class SimulatedDevice:
    """A running model."""

    def __init__(self, model: SpindleModel, pace: Pace) -> None:
        self._model = model
        self._pace = pace
        self._first = 0

    def read(self) -> Sequence[Run]:
        """The next block once it is due."""
        end = self._first + self._pace.block
        if not self._pace.await_sample(end):
            return ()
        run = Run(self._model.samples(self._first, self._pace.block))
        self._first = end
        return [run]

    def bad_bytes(self) -> int:
        """None."""
        return 0

    def close(self) -> None:
        """Nothing is held."""


def spindle_model(settings: SimulatedSettings, channels: tuple[Channel, ...]) -> SpindleModel:
    """The spindle that the settings describe."""
    turning_s = 2 * _RAMP_S + settings.cuts_per_tool * (settings.air_s + settings.cut_s)
    return SpindleModel(
        channels,
        settings.rate_hz,
        partial(_life, settings, turning_s),
        turning_s + settings.tool_change_s,
        nominal_hz=settings.spindle_rpm / 60,
        chatter_hz=settings.chatter_hz or min(870.0, 0.17 * settings.rate_hz),
        noise_g=settings.noise_g,
        full_scale_g=settings.full_scale_g,
        seed=settings.seed,
    )


def _life(settings: SimulatedSettings, turning_s: float, number: int) -> Life:
    """What happens with one tool."""
    draw = np.random.default_rng([settings.seed % 2**64, 1, number])
    hz = settings.spindle_rpm / 60 * (float(draw.uniform(0.6, 1.2)) if number else 1.0)
    speed = Course([(0, 0), (_RAMP_S, hz), (turning_s - _RAMP_S, hz), (turning_s, 0)])
    chatters = draw.random(settings.cuts_per_tool) < settings.chatter_share
    pass_s = settings.air_s + settings.cut_s
    ends_s = (_RAMP_S + (cut + 1) * pass_s for cut in range(settings.cuts_per_tool))
    cuts = [Cut(end - settings.cut_s, end, chatters=bool(c)) for end, c in zip(ends_s, chatters, strict=True)]
    return life(speed, cuts, settings.teeth)
