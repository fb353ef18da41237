"""A channel's range: from which value it counts as clipped, and from which a value cannot be true; pure."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from collector.samples import Channel

_BEYOND = 0.05
"""A value this much (of full scale) beyond full scale is garbage, not vibration."""


def narrowed(channel: Channel, low: float, high: float) -> Channel:
    """The channel with its limits no wider than `low` and `high`, in its unit."""
    return replace(channel, clip_low=max(channel.clip_low, low), clip_high=min(channel.clip_high, high))


def believable(channels: tuple[Channel, ...]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The lowest and highest believable value of each channel, `[channels]` each; infinite if not known."""
    low = np.array([channel.clip_low for channel in channels])
    high = np.array([channel.clip_high for channel in channels])
    return low - _BEYOND * np.abs(low), high + _BEYOND * np.abs(high)


def for_channels(scale: npt.ArrayLike, channels: int) -> npt.NDArray[np.float64]:
    """One scale a channel, as a column `[channels, 1]`, of one number for all or one for each.

    Raises:
        ValueError: it is neither.
    """
    return np.broadcast_to(np.asarray(scale, np.float64), (channels,)).reshape(-1, 1)
