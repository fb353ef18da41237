"""The features of one window, as arrays and as the plain numbers that go into a record.

Nothing here computes a feature.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from collector.features.parts import Part
from collector.features.reasons import Reason
from collector.features.synchronous import Carried
from collector.features.velocity import Covered

Numbers = npt.NDArray[np.float64]

_Scalar = TypeVar("_Scalar", bound=np.generic)


def apart(rows: npt.NDArray[_Scalar], windows: int) -> Iterable[npt.NDArray[_Scalar]]:
    """The `[channels, ...]` of each window, from an array of all of them, one window below the other."""
    if windows == 1:
        return (rows,)
    return rows.reshape(windows, len(rows) // windows, *rows.shape[1:])


@dataclass(slots=True)
class Rows:
    """Numbers by the name of their row in the table; where one is not finite, the feature is undefined.

    `scalars` are `[channels]`. `keyed` are `[channels, keys]` with the names of the keys. `peaks` are
    `[channels, count]` by the part of the row's name before the point (`peaks`) and after it (`hz`), the
    strongest first, padded with NaN. `only` has the channels of those that not every channel has, `missing`
    those of scalars that are null for all of them; `reasons` tells why a row is null for all channels.
    """

    channels: int
    scalars: dict[str, Numbers] = field(default_factory=dict)
    keyed: dict[str, tuple[tuple[str, ...], Numbers]] = field(default_factory=dict)
    peaks: dict[str, dict[str, Numbers]] = field(default_factory=dict)
    only: dict[str, frozenset[int]] = field(default_factory=dict)
    missing: dict[str, frozenset[int]] = field(default_factory=dict)
    reasons: dict[str, Reason] = field(default_factory=dict)

    def spread(self, part: Part, numbers: Numbers) -> Numbers:
        """Numbers of some channels as those of all channels; NaN for the others."""
        if len(numbers) == self.channels:
            return numbers
        every = np.full((self.channels, *numbers.shape[1:]), np.nan)
        every[part.rows] = numbers
        return every

    def add_scalars(self, part: Part, numbers: dict[str, Numbers]) -> None:
        """Take rows that only some channels have."""
        for name, row in numbers.items():
            self.scalars[name] = self.spread(part, row)
            self.only[name] = part.channels

    def add_missing(self, part: Part, names: Iterable[str], reason: Reason) -> None:
        """Take scalars that are null, which costs nothing for each number."""
        for name in names:
            self.missing[name] = part.channels
            self.reasons[name] = reason

    def apart(self, windows: int) -> list["Rows"]:
        """Each window's own rows, where `channels` are those of several windows, one below the other.

        `only` counts the channels of one window.
        """
        if windows == 1:
            return [self]
        each = [
            Rows(
                self.channels // windows,
                only=dict(self.only),
                missing=dict(self.missing),
                reasons=dict(self.reasons),
            )
            for _ in range(windows)
        ]
        for name, column in self.scalars.items():
            for rows, of_window in zip(each, apart(column, windows), strict=True):
                rows.scalars[name] = of_window
        for name, (keys, numbers) in self.keyed.items():
            for rows, of_window in zip(each, apart(numbers, windows), strict=True):
                rows.keyed[name] = keys, of_window
        for name, parts in self.peaks.items():
            by_window = zip(*(apart(part, windows) for part in parts.values()), strict=True)
            for rows, found in zip(each, by_window, strict=True):
                rows.peaks[name] = dict(zip(parts, found, strict=True))
        return each

    def per_channel(self) -> list[dict[str, Any]]:
        """One dictionary of plain Python numbers a channel, in the shape of the `features` record.

        Scalars by name, what is keyed as a dictionary, peaks as a list without padding. None stands for what
        is undefined. Names and numbers are paired without `strict`, which would take as long as all the rest.
        """
        columns = [column.tolist() for column in self.scalars.values()]
        rows = zip(*columns, strict=True) if columns else [()] * self.channels
        made: list[dict[str, Any]] = [_plain(self.scalars, scalars) for scalars in rows]
        for name, has in self.missing.items():
            for row in has:
                made[row][name] = None
        for name, (keys, numbers) in self.keyed.items():
            for channel, values in zip(made, numbers.tolist(), strict=True):
                channel[name] = _plain(keys, values)
        for name, parts in self.peaks.items():
            by_channel = zip(*[part.tolist() for part in parts.values()], strict=True)
            for channel, found in zip(made, by_channel, strict=True):
                channel[name] = _peaks(parts, found)
        for name, has in self.only.items():
            if len(has) < self.channels:
                for row in range(self.channels):
                    if row not in has:
                        made[row].pop(name, None)
        return made

    def nulls(self) -> dict[str, str]:
        """Why rows are null for all channels, as plain text."""
        return {name: reason.value for name, reason in self.reasons.items()}


class FeatureValues(NamedTuple):
    """Every feature of a window for all channels that does not need the context.

    `finite`, `constant`, `dropout`, `jumped` and `noisy` (`[channels]`) are what the quality flags are about.
    `carried` is what waits for the spindle's speed, `covered` what velocity is about.
    """

    rows: Rows
    clipped: npt.NDArray[np.int64]
    finite: npt.NDArray[np.bool_]
    constant: npt.NDArray[np.bool_]
    dropout: npt.NDArray[np.bool_]
    jumped: npt.NDArray[np.bool_]
    noisy: npt.NDArray[np.bool_]
    carried: Carried | None = None
    covered: Covered | None = None


def per_channel(values: FeatureValues) -> list[dict[str, Any]]:
    """One dictionary of plain Python numbers a channel, in the shape of the `features` record."""
    made = values.rows.per_channel()
    for channel, clipped, finite in zip(made, values.clipped.tolist(), values.finite.tolist(), strict=True):
        channel["clipped"] = clipped if finite else None
    return made


def _plain(names: Iterable[str], numbers: Sequence[float]) -> dict[str, float | None]:
    """Numbers by name, None for what is not finite. That there is none, their sum tells with one look."""
    if isfinite(sum(numbers)):
        return dict(zip(names, numbers))  # noqa: B905
    return {name: x if isfinite(x) else None for name, x in zip(names, numbers, strict=True)}


def _peaks(names: Iterable[str], columns: Iterable[Sequence[float]]) -> list[dict[str, float]]:
    """The peaks of a channel, without padding: only NaN differs from itself."""
    peaks = zip(*columns, strict=True)
    return [dict(zip(names, peak)) for peak in peaks if peak[0] == peak[0]]  # noqa: B905
