"""What a window's spectrum says once the spindle's speed is known: rotation, tooth passing, chatter, bearing.

The speed comes with the context, which is joined later than the window is complete; so the spectrum waits as
`Carried`. Which speed it was, and whether it may be used, is decided in spindle.py.
"""

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from collector.features.lines import Lines, find_lines, lines_at
from collector.features.reasons import Reason
from collector.samples import Samples

APART_BINS = 4
"""Lines closer than this are one hump under a Hann window."""
TOLERANCE = 0.01
"""How far, relatively, the true speed may be from what the controller says."""
_HALF_LINE_BINS = 1.5
"""What of a line's hump belongs to it, to either side; beyond it less than 2 % of the power is left."""
_STANDS_OUT = 30.0
"""Power over the median of the bins off all harmonics; noise alone reaches it once in 10^9 bins."""
_COMPARABLE = 0.25
"""The part of the strongest synchronous line's amplitude from which a line can be chatter."""


class Carried(NamedTuple):
    """What of a window waits for the speed: |X|² under the periodic Hann window, `[channels, bins]`.

    `envelope` is that of the envelope of the channels that have it, `line_hz` the frequency of each current
    channel's own line, NaN for the others.
    """

    power: Samples
    n: int
    rate_hz: float
    envelope: Samples | None = None
    line_hz: npt.NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True)
class Turning:
    """How the spindle turned during a window: the speed, the tool's number, and its teeth.

    They are None where they are not known or may not be used, with the reason.
    """

    rotation_hz: float | None = None
    tool: int | None = None
    teeth: int | None = None
    speed_reason: Reason | None = None
    teeth_reason: Reason | None = None


class Rotation(NamedTuple):
    """Amplitudes of lines that belong to the rotation, and the speed that they show.

    `rotation` and `tooth_passing` are `[channels, harmonics]`, `refined_hz` is the speed by the lines found.
    """

    rotation: npt.NDArray[np.float64]
    tooth_passing: npt.NDArray[np.float64]
    refined_hz: float
    rotation_reason: Reason | None
    tooth_reason: Reason | None


class Chatter(NamedTuple):
    """The part of the energy off all harmonics, and the strongest line there, `[channels]`; bins."""

    share: npt.NDArray[np.float64]
    bins: npt.NDArray[np.float64]
    amplitude: npt.NDArray[np.float64]


def rotation(carried: Carried, rotation_hz: float, teeth: int | None, harmonics: int) -> Rotation:
    """The lines at multiples of the rotation and of tooth passing.

    Each is searched as far as the speed may be off, but not up to the next multiple.
    """
    per_turn = rotation_hz * carried.n / carried.rate_hz  # in bins, as everything here
    orders = _orders(harmonics, teeth or 1)
    apart = per_turn if per_turn >= APART_BINS else (teeth or 1) * per_turn
    at = orders * per_turn
    radius = np.minimum(np.maximum(TOLERANCE * at, 1.0), max(apart / 2 - 0.5, 1.0))
    found = find_lines(carried.power, carried.n, at, radius)
    known = np.repeat((per_turn >= APART_BINS, teeth is not None and apart >= APART_BINS), harmonics)
    amplitude = np.where(known, found.amplitude, np.nan)
    refined = _refined(found, orders, known, harmonics) or per_turn
    return Rotation(
        amplitude[:, :harmonics],
        amplitude[:, harmonics:],
        refined * carried.rate_hz / carried.n,
        None if per_turn >= APART_BINS else Reason.UNRESOLVABLE,
        Reason.UNRESOLVABLE if teeth is not None and apart < APART_BINS else None,
    )


@cache
def _orders(harmonics: int, teeth: int) -> npt.NDArray[np.float64]:
    """Multiples of the rotation: first its own harmonics, then those of tooth passing."""
    order = np.arange(1.0, harmonics + 1)
    return np.concatenate((order, order * teeth))


def _refined(
    found: Lines, orders: npt.NDArray[np.float64], known: npt.NDArray[np.bool_], harmonics: int
) -> float | None:
    """Bins per turn by the clear lines: least squares, weighed by power over that of the family's strongest.

    None without any line.
    """
    clear = found.clear & known
    amplitude = np.where(clear, found.amplitude, 0.0).reshape(len(clear), 2, harmonics)
    strongest = np.maximum.reduce(amplitude, axis=2, keepdims=True)
    relative = np.where(strongest > 0, amplitude / strongest, 0.0).reshape(clear.shape)
    weights = relative * relative * orders
    total = float((weights * orders).sum())
    return float((weights * np.where(clear, found.bins, 0.0)).sum()) / total if total > 0 else None


def chatter(carried: Carried, turning_hz: float, synchronous: npt.NDArray[np.float64]) -> Chatter:
    """Energy off the harmonics of the rotation over the total, from half the rotation's frequency up.

    Args:
        carried: the spectrum.
        turning_hz: the rotation's frequency, as exactly as it is known.
        synchronous: amplitudes of the synchronous lines, `[channels, lines]`, to compare with.
    """
    channels, bins = carried.power.shape
    per_turn = turning_hz * carried.n / carried.rate_hz
    first = max(1, int(np.ceil(per_turn / 2)))
    turns = np.arange(first, bins) / per_turn
    off = np.flatnonzero(np.abs(turns - np.rint(turns)) > _HALF_LINE_BINS / per_turn) + first
    nothing = np.full(channels, np.nan)
    if not len(off):
        return Chatter(nothing, nothing, nothing)
    aside = carried.power.take(off, axis=1)
    share = np.add.reduce(aside, axis=1) / np.add.reduce(carried.power[:, first:], axis=1)
    if off[-1] == bins - 1:  # no peak
        off, aside = off[:-1], aside[:, :-1]
        if not len(off):
            return Chatter(share, nothing, nothing)
    highest = aside.argmax(axis=1)
    top = off[highest] + np.arange(channels) * bins
    found = lines_at(carried.power, carried.n, top[:, np.newaxis])
    amplitude = found.amplitude[:, 0]
    clear = found.clear[:, 0] & (amplitude >= _COMPARABLE * np.fmax.reduce(synchronous, axis=1))
    if np.count_nonzero(clear):  # the median costs more than all the rest
        rows = np.flatnonzero(clear)
        clear[rows] = aside[rows, highest[rows]] > _STANDS_OUT * np.median(aside[rows], axis=1)
    return Chatter(share, np.where(clear, found.bins[:, 0], np.nan), np.where(clear, amplitude, np.nan))


def at_orders(
    power: Samples, carried: Carried, rotation_hz: float, orders: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Amplitudes of the lines at these multiples of the rotation; NaN where they cannot be resolved."""
    at = orders * (rotation_hz * carried.n / carried.rate_hz)
    found = find_lines(power, carried.n, at, np.maximum(1.0, TOLERANCE * at))
    return np.where(at >= APART_BINS, found.amplitude, np.nan)


def sidebands(
    carried: Carried, rotation_hz: float, rows: slice | npt.NDArray[np.intp]
) -> npt.NDArray[np.float64] | None:
    """Amplitudes below and above the currents' line at the rotation's distance, `[rows, 2]`.

    None where they are too close to the line. The line's frequency is measured, so the nearest bins do.
    """
    per_turn = rotation_hz * carried.n / carried.rate_hz
    if per_turn < APART_BINS:
        return None
    assert carried.line_hz is not None  # the stream has currents
    line = carried.line_hz[rows, np.newaxis] * (carried.n / carried.rate_hz)
    at = np.where(np.isnan(line), 0.0, line + per_turn * np.array([-1.0, 1.0]))
    radius = np.full(2, min(max(1.0, TOLERANCE * per_turn), per_turn / 2))
    return find_lines(carried.power[rows], carried.n, at, radius).amplitude
