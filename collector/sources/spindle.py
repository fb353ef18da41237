"""A spindle that exists only in numbers: what it does over time, and what an accelerometer on it feels; pure.

What it does when is said by whoever uses it, as one life after another: the simulated source makes them up
from its settings, the demo's shop from its programs. The numbers are plausible, no more.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from collector.samples import Channel, Samples, Unit
from collector.sources.full_scale import narrowed
from collector.sources.witmotion import STANDARD_GRAVITY

Array = npt.NDArray[np.float64]

_BLOCK = 2048
"""Samples are made in blocks of this length, whatever is asked for: so no call changes what another gives."""
_EDGE_S = 0.05
"""A tool is in the material after this time, and out of it again."""
_CHATTER_GROWS_S = 0.6
_UNIT_PER_G: dict[Unit, float] = {"g": 1.0, "m/s2": STANDARD_GRAVITY, "A": 1.0, "V": 0.1, "count": 1000.0}
"""How the model's g becomes each unit; V as from a sensor of 100 mV/g."""
_STRENGTH = (1.0, 0.7, 0.4)
"""How strongly the first, second and third axis move."""
_ROTATION_G = (0.06, 0.02, 0.01)
"""Amplitudes of the rotation and its harmonics at the nominal speed; they grow with the speed's square."""
_TOOTH_G = (0.5, 0.2, 0.1, 0.05)
_CHATTER_G = 1.2
_IDLE_A, _CUTTING_A = 3.0, 5.0


class Course:
    """A quantity over time, straight between points of (seconds, value), and steady before and after them."""

    def __init__(self, points: Iterable[tuple[float, float]]) -> None:
        self._seconds, self._values = np.array(list(points), dtype=np.float64).T
        areas = np.diff(self._seconds) * (self._values[1:] + self._values[:-1]) / 2
        self._areas = np.concatenate(([0.0], np.cumsum(areas)))

    @property
    def ends_s(self) -> float:
        """When its last point is."""
        return float(self._seconds[-1])

    def at(self, seconds: Array) -> Array:
        """Its value."""
        value: Array = np.interp(seconds, self._seconds, self._values)
        return value

    def total(self, seconds: Array) -> Array:
        """Its integral from the first point on, up to the last."""
        until = np.clip(seconds, self._seconds[0], self._seconds[-1])
        before = np.clip(np.searchsorted(self._seconds, until, "right") - 1, 0, len(self._seconds) - 2)
        width = until - self._seconds[before]
        area: Array = self._areas[before] + width * (self._values[before] + self.at(until)) / 2
        return area


@dataclass(frozen=True, slots=True)
class Cut:
    """A tool in the material, in seconds of its life; `load` is how hard it cuts, usually 0 to 1."""

    from_s: float
    to_s: float
    load: float = 1.0
    load_at_end: float | None = None
    """Where the load changes on the way."""
    chatters: bool = False


@dataclass(frozen=True, slots=True)
class Life:
    """What the spindle does with one tool, in seconds since it came in."""

    rotation_hz: Course
    load: Course
    chatter: Course
    """How strongly it chatters, from 0 to 1."""
    teeth: int


def life(rotation_hz: Course, cuts: Iterable[Cut], teeth: int) -> Life:
    """A life with these cuts, which follow one another while the spindle turns."""
    load, chatter = [(0.0, 0.0)], [(0.0, 0.0)]
    for cut in cuts:
        length_s = cut.to_s - cut.from_s
        edge_s = min(_EDGE_S, length_s / 2)
        end = cut.load if cut.load_at_end is None else cut.load_at_end
        at_full, leaving = cut.from_s + edge_s, cut.to_s - edge_s
        load += [(cut.from_s, 0.0), (at_full, cut.load), (leaving, end), (cut.to_s, 0.0)]
        if cut.chatters:
            grown = cut.from_s + min(_CHATTER_GROWS_S, length_s / 2)
            chatter += [(cut.from_s, 0.0), (grown, 1.0), (max(grown, leaving), 1.0), (cut.to_s, 0.0)]
    over = (rotation_hz.ends_s, 0.0)
    return Life(rotation_hz, Course([*load, over]), Course([*chatter, over]), teeth)


class SpindleModel:
    """The samples of an accelerometer on a spindle by their index; pure, but for the last blocks being kept.

    `lives` gives each life by its number; all are `life_s` long. Amplitudes hold at `nominal_hz` of rotation.
    """

    def __init__(
        self,
        channels: tuple[Channel, ...],
        rate_hz: float,
        lives: Callable[[int], Life],
        life_s: float,
        *,
        nominal_hz: float,
        chatter_hz: float,
        noise_g: float,
        full_scale_g: float,
        seed: int,
    ) -> None:
        self.channels = tuple(_limited(channel, full_scale_g) for channel in channels)
        self._rate_hz = rate_hz
        self._lives = lives
        self._life_samples = max(1, round(life_s * rate_hz))
        self._nominal_hz = nominal_hz
        self._chatter_hz = chatter_hz
        self._noise_g = noise_g
        self._seed = seed % 2**64
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
        lives = index // self._life_samples
        since_s = (index - lives * self._life_samples) / self._rate_hz
        rotation_hz, revolutions, load, chatter, teeth = (np.empty(_BLOCK) for _ in range(5))
        for life_number in np.unique(lives):
            here = lives == life_number
            now = self._lives(int(life_number))
            rotation_hz[here] = now.rotation_hz.at(since_s[here])
            revolutions[here] = now.rotation_hz.total(since_s[here])
            load[here], chatter[here] = now.load.at(since_s[here]), now.chatter.at(since_s[here])
            teeth[here] = now.teeth
        noise = np.random.default_rng([self._seed, 0, number]).standard_normal((len(self.channels), _BLOCK))
        wave = partial(self._wave, revolutions, rotation_hz)
        seconds = index / self._rate_hz
        wobble = 2 * np.pi * self._chatter_hz * seconds + 0.8 * np.sin(2 * np.pi * 3.1 * seconds)
        turning = rotation_hz / self._nominal_hz
        block = np.empty((len(self.channels), _BLOCK))
        for axis, channel in enumerate(self.channels):
            turn = 0.5 * np.pi * axis
            motion = turning**2 * sum(
                g * wave(harmonic, turn) for harmonic, g in enumerate(_ROTATION_G, start=1)
            )
            motion += load * sum(
                g * wave(harmonic * teeth, turn) for harmonic, g in enumerate(_TOOTH_G, start=1)
            )
            motion += _CHATTER_G * chatter * np.sin(wobble + turn)
            value = _STRENGTH[axis % len(_STRENGTH)] * motion + self._noise_g * noise[axis]
            block[axis] = _UNIT_PER_G[channel.unit] * value + self._steady(axis, turning, load)
        return np.clip(block, self._low, self._high)

    def _wave(self, revolutions: Array, rotation_hz: Array, order: Array | int, turn: float) -> Array:
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
