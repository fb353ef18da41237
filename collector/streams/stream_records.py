"""What the records of every stream have in common: the description they are made under, and alarms.

Features and gaps are in waveform_records.py, readings in controller_records.py. What to say and when is
decided elsewhere; here is only how it becomes a record in the outbox.
"""

from typing import Any, Literal

from collector.journal import Draft, Journal
from collector.messages import Alarm, Message, Meta, MetaContent, Moment, Record, meta_hash
from collector.messages.topics import Kind
from collector.texts import Sentence


class StreamRecords:
    """Makes the records of a machine's stream, under its current description."""

    def __init__(self, journal: Journal, machine: str, stream: str, content: MetaContent) -> None:
        self.clock = journal.clock
        self._journal = journal
        self._machine, self._stream = machine, stream
        self._meta = ""
        self.describe(content)

    def describe(self, content: MetaContent) -> None:
        """Publish what the records from now on are made under, if it is new; `meta` is the message."""
        hash_ = meta_hash(content)
        if hash_ == self._meta:
            return
        self._meta = hash_
        self.meta: Message = self._journal.record(
            Meta, self.topic("meta"), self.clock.monotonic_ns(), meta=self._meta, retain=True, content=content
        )

    def topic(self, kind: Kind) -> str:
        """The topic of one kind of this stream's records."""
        return self._journal.topics.of(self._machine, self._stream, kind)

    def put(
        self,
        kind: type[Record],
        topic: str,
        at_monotonic_ns: int,
        *,
        t_us: int | None = None,
        **fields: Any,
    ) -> None:
        """Make a record of a moment; `t_us` is its UTC where that was told before."""
        self._journal.record(kind, topic, at_monotonic_ns, t_us=t_us, meta=self._meta, **fields)

    def draft(self, reading: Literal["utilisation", "cut"], topic: str, at: Moment, **fields: Any) -> Draft:
        """What the record of something that is open would be now."""
        return self._journal.draft(reading, topic, at, meta=self._meta, **fields)

    def publish(self, draft: Draft) -> None:
        """Make a record that no mark has anything of."""
        self._journal.publish(draft)

    def publish_later(self, draft: Draft) -> None:
        """Make a record once the mark that is saved has nothing of it any more."""
        self._journal.waiting.append(draft)

    def alarm(self, sentence: Sentence, *, active: bool) -> None:
        """Something needs attention, or no longer does.

        Only the sentence's template leaves the gateway: its values may name files and ports.
        """
        self.put(
            Alarm,
            self.topic("event"),
            self.clock.monotonic_ns(),
            code=sentence.code,
            text=sentence.template.english,
            active=active,
        )
