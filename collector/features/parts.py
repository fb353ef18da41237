"""Which channels of a stream a group of features is for, and where they are in one or several windows."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from collector.features.feature import Group
from collector.features.settings import FeatureSettings
from collector.features.table import selected
from collector.samples import Channel, Unit


@dataclass(frozen=True, slots=True)
class Part:
    """Some channels of a stream by their numbers.

    `rows` takes them out of an array, as a view if it can: once for each window that it has, one below the
    other. `units` are those of the rows.
    """

    rows: slice | npt.NDArray[np.intp]
    channels: frozenset[int]
    units: tuple[Unit, ...]


def part_of(
    group: Group, settings: FeatureSettings, channels: tuple[Channel, ...], windows: int = 1
) -> Part | None:
    """The channels that have features of this group under these settings; None where there are none."""
    numbers = [
        number
        for number, channel in enumerate(channels)
        if any(feature.group == group for feature in selected(settings, channel.unit))
    ]
    if not numbers:
        return None
    rows = [window * len(channels) + number for window in range(windows) for number in numbers]
    consecutive = rows == list(range(rows[0], rows[-1] + 1))
    taken = slice(rows[0], rows[-1] + 1) if consecutive else np.array(rows)
    return Part(taken, frozenset(numbers), tuple(channels[number].unit for number in numbers) * windows)
