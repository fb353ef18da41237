"""The records of a waveform: features of its windows, and gaps.

What every stream's records have in common is in stream_records.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from collector.features import flags, per_channel
from collector.features.values import FeatureValues
from collector.messages import ContextNumber, ContextState, Features, Gap
from collector.sample_clock import SampleClock
from collector.samples import Gap as Missing
from collector.samples import Window
from collector.stream_records import StreamRecords


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A window of which everything is known but what the machine was doing.

    `first_ns` and `last_ns` are the monotonic times of its first and last sample.
    """

    first_ns: int
    last_ns: int
    quality: list[str]
    fields: dict[str, Any]


def evaluated(
    window: Window, values: FeatureValues, channels: Sequence[str], clock: SampleClock
) -> Evaluated:
    """Everything that a window's record says, as it is known when the window is complete."""
    quality = flags(values)
    first_ns = clock.time_ns(window.first)
    # Not asked of the clock, whose times may only be asked for in order: the next window may overlap.
    last_ns = first_ns + round((window.n - 1) * 1e9 / (clock.measured_hz or clock.axis_hz))
    fields = {
        "first": window.first,
        "n": window.n,
        "hop": window.hop,
        "rate_hz": clock.axis_hz,
        "rate_state": clock.rate_state,
        "measured_hz": clock.measured_hz,
        "lost": window.lost,
        "clipped": int(values.clipped.sum()),
        "quality": quality,
        "channels": dict(zip(channels, per_channel(values), strict=True)),
    }
    return Evaluated(first_ns, last_ns, quality, fields)


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

    def restart_gap(self, previous_epoch: str, from_us: int, resumed_ns: int) -> None:
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
        )
