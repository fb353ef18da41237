"""Cuts, each summed up over its windows; pure, and of the same size however long one lasts.

A window belongs to a cut if its middle lies in it. Only good values enter the summary of what the machine
did.
"""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NamedTuple

from collector.activity.recogniser import Activity
from collector.messages import (
    ContextNumber,
    ContextState,
    CutFeature,
    CutNumber,
    CutState,
    CutWaveform,
)
from collector.points import PointQuality

SUMMARISED = ("mean", "rms", "peak", "crest", "kurtosis")
"""The features that a cut sums up, where a channel has them."""

_MOST_STATES = 20
"""So many values of a state are told; a cut with more has no state to speak of."""


@dataclass(slots=True)
class _Figures:
    count: int = 0
    mean: float = 0.0
    least: float = float("inf")
    greatest: float = float("-inf")

    def add(self, value: float, least: float | None = None, greatest: float | None = None) -> None:
        self.count += 1
        self.mean += value / self.count - self.mean / self.count  # neither a sum nor a difference overflows
        self.least = min(self.least, value if least is None else least)
        self.greatest = max(self.greatest, value if greatest is None else greatest)


@dataclass(slots=True)
class _Waveform:
    windows: int = 0
    lost: int = 0
    clipped: int = 0
    quality: dict[str, int] = field(default_factory=dict)
    channels: dict[str, dict[str, _Figures]] = field(default_factory=dict)


class CutSummary:
    """What is known of a cut so far, which began at `since_ns`, when the state was `previous`."""

    def __init__(self, since_ns: int = 0, previous: Activity = Activity.UNKNOWN) -> None:
        self.since_ns, self.previous = since_ns, previous
        self._waveforms: dict[str, _Waveform] = {}
        self._numbers: dict[str, tuple[str, _Figures]] = {}
        self._states: dict[str, dict[str | bool, None]] = {}

    def add(
        self,
        waveform: str,
        window: Mapping[str, Any],
        context: Mapping[str, ContextNumber | ContextState],
    ) -> None:
        """Take a window that belongs to it: the fields of its features record, and its context."""
        summed = self._waveforms.setdefault(waveform, _Waveform())
        summed.windows += 1
        summed.lost += window["lost"]
        summed.clipped += window["clipped"]
        for flag in window["quality"]:
            summed.quality[flag] = summed.quality.get(flag, 0) + 1
        for channel, values in window["channels"].items():
            present = (name for name in SUMMARISED if name in values)
            figures = summed.channels.setdefault(channel, {name: _Figures() for name in present})
            for name, sums in figures.items():
                if values.get(name) is not None:
                    sums.add(values[name])
        for path, said in context.items():
            self._join(path, said)

    def waveforms(self) -> dict[str, CutWaveform]:
        """The summary of each waveform's windows."""
        return {
            name: CutWaveform(
                windows=summed.windows,
                lost=summed.lost,
                clipped=summed.clipped,
                quality=summed.quality,
                channels={
                    channel: {feature: _feature(sums) for feature, sums in figures.items()}
                    for channel, figures in summed.channels.items()
                },
            )
            for name, summed in self._waveforms.items()
        }

    def context(self) -> dict[str, CutNumber | CutState]:
        """What the machine did meanwhile, by `controller/point`."""
        numbers = {
            path: CutNumber(min=sums.least, max=sums.greatest, mean=sums.mean, windows=sums.count, unit=unit)
            for path, (unit, sums) in self._numbers.items()
        }
        states = {path: CutState(values=list(values)) for path, values in self._states.items()}
        return {**numbers, **states}

    def _join(self, path: str, said: ContextNumber | ContextState) -> None:
        if said.quality is not PointQuality.GOOD or said.last is None:
            return
        if isinstance(said, ContextState):
            values = self._states.setdefault(path, {})
            if len(values) < _MOST_STATES:
                values[said.last] = None
            return
        _, sums = self._numbers.setdefault(path, (said.unit, _Figures()))
        sums.add(said.last, said.min, said.max)


class Cuts:
    """The cut that is going on, if one is, and the windows that do not yet belong anywhere.

    Windows of several waveforms come in the order of their ends, which is not that of their middles: a long
    one comes after short ones whose middles are later.
    """

    def __init__(self) -> None:
        self._waiting: list[_Felt] = []
        """A heap: the earliest middle comes first."""
        self._arrivals = count()
        self._going_on: CutSummary | None = None

    @property
    def going_on(self) -> CutSummary | None:
        """The cut that is going on, as far as its windows are settled."""
        return self._going_on

    def feel(
        self,
        waveform: str,
        middle_ns: int,
        window: Mapping[str, Any],
        context: Mapping[str, ContextNumber | ContextState],
    ) -> None:
        """Take the next window of a waveform."""
        heapq.heappush(self._waiting, _Felt(middle_ns, next(self._arrivals), waveform, window, context))

    def settle(self, to_ns: int) -> None:
        """Until a moment nothing else begins or ends: the windows before it have found their place."""
        while self._waiting and self._waiting[0].middle_ns < to_ns:
            felt = heapq.heappop(self._waiting)
            if self._going_on is not None and felt.middle_ns >= self._going_on.since_ns:
                self._going_on.add(felt.waveform, felt.window, felt.context)

    def begin(self, at_ns: int, previous: Activity) -> None:
        """A cut begins; what went on until then has been ended."""
        self._going_on = CutSummary(at_ns, previous)

    def end(self) -> CutSummary | None:
        """The cut that was going on, if any, is over."""
        over, self._going_on = self._going_on, None
        return over


class _Felt(NamedTuple):
    middle_ns: int
    arrival: int  # no two are the same, so that nothing behind it is ever compared
    waveform: str
    window: Mapping[str, Any]
    context: Mapping[str, ContextNumber | ContextState]


def _feature(sums: _Figures) -> CutFeature:
    if not sums.count:
        return CutFeature(mean=None, min=None, max=None)
    return CutFeature(mean=sums.mean, min=sums.least, max=sums.greatest)
