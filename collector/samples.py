"""Sampled signals and how they travel: Run -> Chunk -> Block -> Window.

Arrays are channel-major, `float64 [channels, n]`, in the channel's unit. Sample indices count from 0 at the
start of the daemon, over every gap, so that index and rate always give the time. Nothing here does I/O.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float64]
"""Values `[channels, n]` in each channel's unit."""

Unit = Literal["g", "m/s2", "A", "V", "count"]

UCUM: dict[Unit, str] = {"g": "[g]", "m/s2": "m/s2", "A": "A", "V": "V", "count": "{count}"}
"""The UCUM code of each unit (Unified Code for Units of Measure)."""

OTHER_UNITS: dict[str, tuple[Unit, float]] = {
    "mg": ("g", 0.001), "ug": ("g", 0.000001),
    "gal": ("m/s2", 0.01), "mgal": ("m/s2", 0.00001), "mm/s2": ("m/s2", 0.001), "cm/s2": ("m/s2", 0.01),
    "ma": ("A", 0.001), "ua": ("A", 0.000001), "ka": ("A", 1000),
    "mv": ("V", 0.001), "uv": ("V", 0.000001), "kv": ("V", 1000),
}  # fmt: skip
"""Units of the same quantities, in small letters: the unit to take instead, and how much of it one is."""

VELOCITY_UNITS = frozenset({"m/s", "cm/s", "mm/s", "um/s", "in/s", "ips", "kine"})
"""What a vibration may be told in that is no acceleration, in small letters."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One measured quantity; `clip_low` and `clip_high` are the values from which it counts as clipped."""

    name: str
    unit: Unit
    clip_low: float = -np.inf
    clip_high: float = np.inf


@dataclass(frozen=True, slots=True)
class Signal:
    """What is true of a stream for as long as it is configured so.

    `rate_exact` says that `rate_hz` is the true rate (a recording), not a device's nominal one.
    """

    channels: tuple[Channel, ...]
    rate_hz: float
    rate_exact: bool = False


class LossCause(StrEnum):
    """Why samples are missing."""

    DEVICE = "device"
    """The device's counter or time stamp jumped."""
    GARBAGE = "garbage"
    """Bytes arrived that are no sample; what they replaced is lost."""
    OVERRUN = "overrun"
    """This gateway was too slow: the reader's queue was full."""
    RECONNECT = "reconnect"
    """The device was away and came back."""
    LATE = "late"
    """The stream stayed behind its own clock: samples vanished without a trace."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Samples missing before a run.

    `samples` is None where only the clock can tell. `modulus` is the device counter's range: the true number
    is `samples` plus a multiple of it.
    """

    cause: LossCause
    samples: int | None = None
    modulus: int | None = None
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """Samples that a decoder knows to follow one another; `loss` is what is missing before them."""

    samples: Samples
    loss: Loss | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """A run with its arrival on the monotonic clock, as the reader thread hands it over."""

    run: Run
    arrived_ns: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Missing samples `first` to `first + lost - 1`."""

    cause: LossCause
    first: int
    lost: int
    estimated: bool


class Block(NamedTuple):
    """A contiguous run of samples on the stream's index; `gap` is what is missing just before `first`.

    A tuple, for one is made of every chunk: a frozen dataclass takes three times as long.
    """

    first: int
    samples: Samples
    gap: Gap | None = None

    @property
    def end(self) -> int:
        """The index after the last sample."""
        return self.first + int(self.samples.shape[1])


class RateState(StrEnum):
    """How far the rate that goes with a record can be trusted."""

    NOMINAL = "nominal"
    """Configured; nothing measured yet."""
    SETTLING = "settling"
    """Measured, not yet to the promised precision; the nominal rate sets the frequency axis."""
    MEASURED = "measured"
    """Measured; it sets the frequency axis."""
    EXACT = "exact"
    """Declared exact by the source (a recording)."""


@dataclass(frozen=True, slots=True)
class Window:
    """Exactly `n` samples without a gap inside.

    `hop` is the distance to the next window's start where no gap comes between; `lost` counts the samples
    missing between the end of the previous window's last used sample and this window.
    """

    first: int
    samples: Samples
    hop: int
    lost: int = 0

    @property
    def n(self) -> int:
        """The window's length in samples."""
        return int(self.samples.shape[1])
