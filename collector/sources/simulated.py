"""A seeded model of a spindle, for trying things out: rotation, tooth passing, chatter, noise, tool changes.

The spindle's life repeats: it spins up, turns in the air and cuts a few times, spins down, and stands while
the tool is changed; each tool has its own speed, and some cuts chatter. The numbers are plausible, no more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from collector.samples import Channel, Run, Samples, Signal, Unit
from collector.settings import PositiveFinite, Settings
from collector.sources.full_scale import narrowed
from collector.sources.pacing import Pace
from collector.sources.witmotion import STANDARD_GRAVITY

Array = npt.NDArray[np.float64]

_BLOCK = 2048
"""Samples are made in blocks of this length, whatever is asked for: so no call changes what another gives."""
_RAMP_S = 0.5
_EDGE_S = 0.05
_UNIT_PER_G: dict[Unit, float] = {"g": 1.0, "m/s2": STANDARD_GRAVITY, "A": 1.0, "V": 0.1, "count": 1000.0}
"""How the model's g becomes each unit; V as from a sensor of 100 mV/g."""
_STRENGTH = (1.0, 0.7, 0.4)
"""How strongly the first, second and third axis move."""
_ROTATION_G = (0.06, 0.02, 0.01)
"""Amplitudes of the rotation and its harmonics at the nominal speed; they grow with the speed's square."""
_TOOTH_G = (0.5, 0.2, 0.1, 0.05)
_CHATTER_G = 1.2
_IDLE_A, _CUTTING_A = 3.0, 5.0


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
    model = SpindleModel(settings, channels)
    signal = Signal(model.channels, settings.rate_hz, rate_exact=True)
    return SimulatedSource(settings, signal, model, waits=settings.speed == "max")


@dataclass(frozen=True, slots=True)
class SimulatedSource:
    """A model spindle; each opening starts its life anew."""

    settings: SimulatedSettings
    signal: Signal
    model: "SpindleModel"
    waits: bool
    origin: str = "simulated"
    silent_after_s: None = None

    def open(self) -> "SimulatedDevice":
        """Start it."""
        return SimulatedDevice(self.model, Pace(self.settings.rate_hz, self.settings.speed))


class SimulatedDevice:
    """A running model."""

    def __init__(self, model: "SpindleModel", pace: Pace) -> None:
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


@dataclass(frozen=True, slots=True)
class _Tool:
    """What differs from one tool to the next."""

    rotation_hz: float
    chatters: npt.NDArray[np.bool_]


class SpindleModel:
    """The samples of a spindle's life by their index; pure, but for the last blocks being remembered."""

    def __init__(self, settings: SimulatedSettings, channels: tuple[Channel, ...]) -> None:
        self.channels = tuple(_limited(channel, settings.full_scale_g) for channel in channels)
        self._settings = settings
        self._rate_hz = settings.rate_hz
        self._rotation_hz = settings.spindle_rpm / 60
        self._chatter_hz = settings.chatter_hz or min(870.0, 0.17 * settings.rate_hz)
        self._pass_s = settings.air_s + settings.cut_s
        self._turning_s = 2 * _RAMP_S + settings.cuts_per_tool * self._pass_s
        self._tool_samples = max(1, round((self._turning_s + settings.tool_change_s) * settings.rate_hz))
        self._low = np.array([[channel.clip_low] for channel in self.channels])
        self._high = np.array([[channel.clip_high] for channel in self.channels])
        self._blocks: dict[int, Samples] = {}

    def samples(self, first: int, n: int) -> Samples:
        """Samples `first` to `first + n - 1`, `[channels, n]`, in the channels' units."""
        start, end = first // _BLOCK, -(-(first + n) // _BLOCK)
        blocks = [self._block(number) for number in range(start, max(end, start + 1))]
        skip = first - start * _BLOCK
        return np.ascontiguousarray(np.concatenate(blocks, axis=1)[:, skip : skip + n])

    def _block(self, number: int) -> Samples:
        block = self._blocks.get(number)
        if block is None:
            block = self._make(number)
            self._blocks = {**dict(list(self._blocks.items())[-1:]), number: block}
        return block

    def _make(self, number: int) -> Samples:
        index = np.arange(number * _BLOCK, (number + 1) * _BLOCK)
        tools = index // self._tool_samples
        since_s = (index - tools * self._tool_samples) / self._rate_hz
        turning, load, chatter, revolutions, rotation_hz = (np.empty(_BLOCK) for _ in range(5))
        for tool_number in np.unique(tools):
            here = tools == tool_number
            tool = self._tool(int(tool_number))
            turning[here], revolutions[here] = self._turn(since_s[here], tool.rotation_hz)
            load[here], chatter[here] = self._cut(since_s[here], tool)
            rotation_hz[here] = turning[here] * tool.rotation_hz
        noise = np.random.default_rng([self._seed, 0, number]).standard_normal((len(self.channels), _BLOCK))
        wave = partial(self._wave, revolutions, rotation_hz)
        seconds = index / self._rate_hz
        wobble = 2 * np.pi * self._chatter_hz * seconds + 0.8 * np.sin(2 * np.pi * 3.1 * seconds)
        block = np.empty((len(self.channels), _BLOCK))
        for axis, channel in enumerate(self.channels):
            turn = 0.5 * np.pi * axis
            motion = (rotation_hz / self._rotation_hz) ** 2 * sum(
                g * wave(harmonic, turn) for harmonic, g in enumerate(_ROTATION_G, start=1)
            )
            motion += load * sum(
                g * wave(harmonic * self._settings.teeth, turn)
                for harmonic, g in enumerate(_TOOTH_G, start=1)
            )
            motion += _CHATTER_G * chatter * np.sin(wobble + turn)
            value = _STRENGTH[axis % len(_STRENGTH)] * motion + self._settings.noise_g * noise[axis]
            block[axis] = _UNIT_PER_G[channel.unit] * value + self._steady(axis, turning, load)
        return np.clip(block, self._low, self._high)

    @property
    def _seed(self) -> int:
        return self._settings.seed % 2**64

    def _tool(self, number: int) -> _Tool:
        draw = np.random.default_rng([self._seed, 1, number])
        factor = draw.uniform(0.6, 1.2) if number else 1.0
        chatters = draw.random(self._settings.cuts_per_tool) < self._settings.chatter_share
        return _Tool(self._rotation_hz * float(factor), chatters)

    def _turn(self, since_s: Array, rotation_hz: float) -> tuple[Array, Array]:
        """Speed as a part of the tool's own, and revolutions since the tool came in (its integral)."""
        up = np.clip(since_s, 0, _RAMP_S)
        full = np.clip(since_s - _RAMP_S, 0, self._turning_s - 2 * _RAMP_S)
        down = np.clip(since_s - self._turning_s + _RAMP_S, 0, _RAMP_S)
        travelled_s = up**2 / (2 * _RAMP_S) + full + down - down**2 / (2 * _RAMP_S)
        return (up - down) / _RAMP_S, rotation_hz * travelled_s

    def _cut(self, since_s: Array, tool: _Tool) -> tuple[Array, Array]:
        """How far the tool is in the cut, and how strongly it chatters, both from 0 to 1."""
        number, in_pass_s = np.divmod(since_s - _RAMP_S, self._pass_s)
        into_s, left_s = in_pass_s - self._settings.air_s, self._pass_s - in_pass_s
        load = np.clip(into_s / _EDGE_S, 0, 1) * np.clip(left_s / _EDGE_S, 0, 1)
        known = (number >= 0) & (number < len(tool.chatters))
        load[~known] = 0
        chatters = tool.chatters[np.where(known, number, 0).astype(np.intp)]
        return load, load * chatters * (1 - np.exp(-np.clip(into_s, 0, None) / 0.3))

    def _wave(self, revolutions: Array, rotation_hz: Array, order: int, turn: float) -> Array:
        """A sine `order` times a revolution, faded out near half the rate as by an anti-alias filter."""
        kept = np.clip((0.48 - order * rotation_hz / self._rate_hz) / 0.04, 0, 1)
        sine: Array = kept * np.sin(2 * np.pi * np.remainder(order * revolutions, 1.0) + turn)
        return sine

    def _steady(self, axis: int, turning: Array, load: Array) -> Array | float:
        """What does not swing: the drive's current, or gravity on the third axis (or the last)."""
        unit = self.channels[axis].unit
        if unit == "A":
            return _IDLE_A * turning + _CUTTING_A * load
        return _UNIT_PER_G[unit] if axis == min(2, len(self.channels) - 1) else 0.0


def _limited(channel: Channel, full_scale_g: float) -> Channel:
    limit = full_scale_g * _UNIT_PER_G[channel.unit]
    return narrowed(channel, -limit, limit)
