"""The records of one stream, made under its current description and put into the outbox.

What to say and when is decided elsewhere; here is only how it becomes a record.
"""

from collections.abc import Sequence
from typing import Any

from collector.features import flags, per_channel
from collector.features.values import FeatureValues
from collector.journal import Journal
from collector.messages import Alarm, Features, Gap, Message, Meta, MetaContent, meta_hash
from collector.sample_clock import SampleClock
from collector.samples import Gap as Missing
from collector.samples import Window
from collector.texts import Sentence


class StreamRecords:
    """Makes the records of a machine's stream."""

    def __init__(self, journal: Journal, machine: str, stream: str, content: MetaContent) -> None:
        self.clock = journal.clock
        self._journal = journal
        self._meta_topic = journal.topics.of(machine, stream, "meta")
        self._features_topic = journal.topics.of(machine, stream, "features")
        self._event_topic = journal.topics.of(machine, stream, "event")
        self._meta = ""
        self.describe(content)

    def describe(self, content: MetaContent) -> None:
        """Publish what the records from now on are made under, if it is new; `meta` is the message."""
        if meta_hash(content) == self._meta:
            return
        self._meta = meta_hash(content)
        self.meta: Message = self._journal.record(
            Meta, self._meta_topic, self.clock.monotonic_ns(), meta=self._meta, retain=True, content=content
        )

    def features(
        self, window: Window, values: FeatureValues, channels: Sequence[str], clock: SampleClock
    ) -> list[str]:
        """One window's features; returns its quality flags."""
        quality = flags(values)
        self._journal.record(
            Features,
            self._features_topic,
            clock.time_ns(window.first),
            meta=self._meta,
            first=window.first,
            n=window.n,
            hop=window.hop,
            rate_hz=clock.axis_hz,
            rate_state=clock.rate_state,
            measured_hz=clock.measured_hz,
            lost=window.lost,
            clipped=int(values.clipped.sum()),
            quality=quality,
            channels=dict(zip(channels, per_channel(values), strict=True)),
        )
        return quality

    def gaps(self, gaps: Sequence[Missing], clock: SampleClock) -> None:
        """Gaps that follow one another closely, as one record."""
        first, last = gaps[0], gaps[-1]
        began_ns = clock.time_ns(first.first - 1)
        self._event(
            Gap,
            began_ns,
            cause=max(gaps, key=lambda gap: gap.lost).cause,
            first=first.first,
            lost=sum(gap.lost for gap in gaps),
            estimated=any(gap.estimated for gap in gaps),
            gaps=len(gaps),
            from_us=self.clock.utc_us(began_ns),
            to_us=self.clock.utc_us(clock.time_ns(last.first + last.lost)),
        )

    def restart_gap(self, previous_epoch: str, from_us: int, resumed_ns: int) -> None:
        """The time between two runs of the daemon, which is a gap like any other."""
        self._event(
            Gap,
            resumed_ns,
            cause="restart",
            first=None,
            lost=None,
            estimated=True,
            from_us=from_us,
            to_us=self.clock.utc_us(resumed_ns),
            previous_epoch=previous_epoch,
        )

    def alarm(self, sentence: Sentence, *, active: bool) -> None:
        """Something needs attention, or no longer does.

        Only the sentence's template leaves the gateway: its values may name files and ports.
        """
        self._event(
            Alarm,
            self.clock.monotonic_ns(),
            code=sentence.code,
            text=sentence.template.english,
            active=active,
        )

    def _event(self, kind: type[Alarm | Gap], at_monotonic_ns: int, **fields: Any) -> None:
        self._journal.record(kind, self._event_topic, at_monotonic_ns, meta=self._meta, **fields)
