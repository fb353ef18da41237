"""The records of a waveform: features of its windows, and gaps.

What every stream's records have in common is in stream_records.py.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from collector.features import (
    Carried,
    Covered,
    FeatureValues,
    Judged,
    SpeedFeatures,
    Turning,
    flags,
    per_channel,
)
from collector.messages import ContextNumber, ContextState, Features, Gap
from collector.sample_clock import SampleClock
from collector.samples import Gap as Missing
from collector.samples import RateState, Signal, Window
from collector.streams.stream_records import StreamRecords


class Placed(NamedTuple):
    """A window in time, as the clock knew it when the window was complete.

    `first_ns` and `last_ns` are the monotonic times of its first and last sample, `rate_hz` sets the
    frequency axis.
    """

    window: Window
    first_ns: int
    last_ns: int
    rate_hz: float
    rate_state: RateState
    measured_hz: float | None


def placed(window: Window, clock: SampleClock) -> Placed:
    """Take from the clock what it knows of a window now: it may know better when the window is evaluated."""
    first_ns = clock.time_ns(window.first)
    # Not asked of the clock, whose times may only be asked for in order: the next window may overlap.
    last_ns = first_ns + round((window.n - 1) * 1e9 / (clock.measured_hz or clock.axis_hz))
    return Placed(window, first_ns, last_ns, clock.axis_hz, clock.rate_state, clock.measured_hz)


class Evaluated(NamedTuple):
    """A window of which everything is known but what the machine was doing.

    `first_ns` and `last_ns` are the monotonic times of its first and last sample. `carried` is what features
    need that wait for the spindle's speed.
    """

    first_ns: int
    last_ns: int
    quality: list[str]
    fields: dict[str, Any]
    carried: Carried | None = None


def evaluated(of: Placed, values: FeatureValues, signal: Signal) -> Evaluated:
    """Everything that a window's record says, but what the machine was doing."""
    window = of.window
    quality = flags(Judged(values, signal.rate_hz, of.measured_hz, of.rate_state))
    fields = {
        "first": window.first,
        "n": window.n,
        "hop": window.hop,
        "rate_hz": of.rate_hz,
        "rate_state": str(of.rate_state),
        "measured_hz": of.measured_hz,
        "lost": window.lost,
        "clipped": sum(values.clipped.tolist()),
        "quality": quality,
        "channels": dict(
            zip((channel.name for channel in signal.channels), per_channel(values), strict=True)
        ),
        "nulls": values.rows.nulls(),
        "velocity": _velocity(values.covered),
    }
    return Evaluated(of.first_ns, of.last_ns, quality, fields, values.carried)


def at_speed(window: Evaluated, features: SpeedFeatures, turning: Turning) -> Evaluated:
    """The window with the features that need the spindle's speed, now that it is known or known not to be."""
    if not features.wanted:
        return window
    found = features.compute(window.carried, turning)
    channels = window.fields["channels"].items()
    fields = window.fields | {
        "channels": {
            name: values | more for (name, values), more in zip(channels, found.channels, strict=True)
        },
        "nulls": window.fields["nulls"] | found.nulls,
        "spindle": _spindle(turning, found.refined_hz),
    }
    return Evaluated(window.first_ns, window.last_ns, window.quality, fields)


def _velocity(covered: Covered | None) -> dict[str, Any] | None:
    if covered is None:
        return None
    return {"low_hz": covered.low_hz, "high_hz": covered.high_hz, "n": covered.n}


def _spindle(turning: Turning, refined_hz: float | None) -> dict[str, Any] | None:
    if turning.rotation_hz is None:
        return None
    return {
        "rpm": 60 * turning.rotation_hz,
        "refined_rpm": None if refined_hz is None else 60 * refined_hz,
        "tool": turning.tool,
        "teeth": turning.teeth,
    }


class WaveformRecords:
    """Makes the records of a waveform."""

    def __init__(self, stream: StreamRecords) -> None:
        self._stream = stream
        self._features_topic = stream.topic("features")
        self._event_topic = stream.topic("event")

    def features(self, window: Evaluated, context: dict[str, ContextNumber | ContextState]) -> None:
        """One window's features, and what the machine was doing meanwhile."""
        self._stream.put(Features, self._features_topic, window.first_ns, context=context, **window.fields)

    def gaps(self, gaps: Sequence[Missing], clock: SampleClock) -> None:
        """Gaps that follow one another closely, as one record."""
        first, last = gaps[0], gaps[-1]
        began_ns = clock.time_ns(first.first - 1)
        self._stream.put(
            Gap,
            self._event_topic,
            began_ns,
            cause=max(gaps, key=lambda gap: gap.lost).cause,
            first=first.first,
            lost=sum(gap.lost for gap in gaps),
            estimated=any(gap.estimated for gap in gaps),
            gaps=len(gaps),
            from_us=self._stream.clock.utc_us(began_ns),
            to_us=self._stream.clock.utc_us(clock.time_ns(last.first + last.lost)),
        )

    def restart_gap(self, previous_epoch: str, from_us: int, resumed_ns: int, *, from_sync: bool) -> None:
        """The time between two runs of the daemon, which is a gap like any other."""
        self._stream.put(
            Gap,
            self._event_topic,
            resumed_ns,
            cause="restart",
            first=None,
            lost=None,
            estimated=True,
            from_us=from_us,
            to_us=self._stream.clock.utc_us(resumed_ns),
            previous_epoch=previous_epoch,
            from_sync=from_sync,
        )
