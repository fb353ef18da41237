"""The records of a machine's state: its changes, cuts, and how long it was in each state.

What every stream's records have in common is in stream_records.py.
"""

from collections.abc import Iterable

from collector.activity import Account, Activity, Answer, Change, CutSummary, ratios
from collector.journal import Draft
from collector.messages import Moment, Reason, StateChange
from collector.streams.stream_records import StreamRecords


class StateRecords:
    """Makes the records of one machine's state, which is watched from a moment on."""

    def __init__(self, machine: str, stream: StreamRecords, from_ns: int) -> None:
        self._machine = machine
        self._entered = stream.clock.tell(from_ns)
        self._stream = stream
        self._event_topic, self._readings_topic = stream.topic("event"), stream.topic("readings")

    def changed(self, change: Change) -> None:
        """The state became another one."""
        since_us = self.since_us(change.previous_since_ns)
        self._entered = self._stream.clock.tell(change.at_ns)
        self._stream.put(
            StateChange,
            self._event_topic,
            change.at_ns,
            machine=self._machine,
            previous=change.previous,
            state=change.activity,
            since_us=since_us,
            why=_reasons(change.answers),
        )

    def since_us(self, entered_ns: int) -> int:
        """UTC since which the state lasts: as the change to it told, unless the clock was set since."""
        return self._stream.clock.as_told_us(self._entered, entered_ns)

    def cut(self, draft: Draft, *, marked: bool) -> None:
        """A cut is over; it is `marked` when a mark may have it as one that is open."""
        (self._stream.publish_later if marked else self._stream.publish)(draft)

    def cut_draft(self, cut: CutSummary, to_ns: int, following: Activity | None) -> Draft:
        """A cut as it stands; `following` is None when it may go on."""
        from_us = self.since_us(cut.since_ns)
        return self._stream.draft(
            "cut",
            self._readings_topic,
            Moment(cut.since_ns // 1000, from_us, self._stream.clock.synchronised),
            from_us=from_us,
            to_us=self._stream.clock.utc_us(to_ns),
            duration_s=(to_ns - cut.since_ns) / 1e9,
            previous=cut.previous.value,
            next=None if following is None else following.value,
            waveforms={name: waveform.model_dump(mode="json") for name, waveform in cut.waveforms().items()},
            context={path: said.model_dump(mode="json") for path, said in cut.context().items()},
        )

    def utilisation(self, account: Account, from_ns: int, *, sync: bool) -> None:
        """An hour or shift is over, or the part of it that can be seen."""
        self._stream.publish_later(self.draft(account, from_ns, sync=sync))

    def draft(self, account: Account, from_ns: int, *, sync: bool) -> Draft:
        """An account as it stands; its times are those by which it was counted, and `sync` tells of them."""
        period = account.period
        return self._stream.draft(
            "utilisation",
            self._readings_topic,
            Moment(from_ns // 1000, account.from_us, sync),
            period=period.kind,
            shift=period.name,
            day=period.day,
            period_from_us=period.from_us,
            period_to_us=period.to_us,
            from_us=account.from_us,
            to_us=account.to_us,
            complete=account.is_complete,
            seconds={activity.value: spent / 1e6 for activity, spent in account.spent_us.items()},
            ratios=ratios(account.spent_us),
        )


def _reasons(answers: Iterable[Answer]) -> list[Reason]:
    return [
        Reason(question=answer.rule.question, answer=answer.yes, input=answer.rule.input, value=answer.value)
        for answer in answers
    ]
