"""What one machine is doing: the way of windows and readings to its state, cuts and utilisation.

`look` shows the order, once a second. Everything is judged late by the time that a window or a round of
readings may take, so that nothing that is still on its way is missed; times are those of the inputs all the
same. The recognition itself is pure, in activity/.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from collector.activity import (
    Account,
    Activity,
    Answer,
    Calendar,
    Change,
    Cuts,
    CutSummary,
    FeatureInputs,
    LearnedFile,
    Ledger,
    Recogniser,
    calendar_of,
    moments,
    rules_of,
)
from collector.activity.calendar import CalendarSettings
from collector.clock import STEP_LIMIT_NS
from collector.config import MachineFile, WaveformSettings
from collector.context import LONGEST_USUAL_DELAY_S, Context, Telling
from collector.health import ActivityReport, Condition, InputsReport, Said, State
from collector.history import History
from collector.journal import Draft, Journal
from collector.messages import STATE_STREAM, ContextNumber, ContextState, Message
from collector.streams.metadata import describe_state
from collector.streams.state_records import StateRecords
from collector.streams.stream_records import StreamRecords
from collector.streams.supervision import contained
from collector.streams.waveform_records import Evaluated
from collector.texts import Sentence, number
from collector.texts import activity as say

_SLACK_NS = 1_000_000_000
_PATIENCE_NS = 60_000_000_000
"""An input of which nothing was heard for so long is complained about."""
_WATCH_WAIT_S = 5.0
_LONG_CUT_NS = 60_000_000_000
"""A mark has no cut that is shorter: one that it has costs a mark more when it is over."""


@dataclass(slots=True)
class _Watch:
    """Values of inputs that someone watches, from a moment until before another."""

    from_ns: int
    to_ns: int
    values: dict[str, list[float]] = field(default_factory=dict)
    done: asyncio.Event = field(default_factory=asyncio.Event)


class MachineState:
    """The state of a machine whose configuration says how it is known.

    `context` is what the machine's windows are joined with, `controllers` are those of its points.
    """

    def __init__(
        self,
        machine: MachineFile,
        learned: LearnedFile,
        calendar: CalendarSettings,
        journal: Journal,
        *,
        context: Context,
        controllers: Mapping[str, Telling],
    ) -> None:
        assert machine.machine.state is not None
        self.machine = machine
        self.name = f"{machine.name}/{STATE_STREAM}"
        self._made_of = _made_of(machine, learned, calendar)
        self._context, self._controllers = context, controllers
        self._learned = learned
        self._clock = journal.clock
        self._calendar: Calendar = calendar_of(calendar)
        self._rules = rules_of(machine.machine.state, learned.thresholds)
        settings = machine.machine.state
        self._points = [evidence.point for evidence in settings.asked().values() if evidence.point]
        features = [evidence.feature for evidence in settings.asked().values() if evidence.feature]
        self._features = FeatureInputs(features, _units(machine))
        hops_s = {waveform.name: _hop_s(waveform) for waveform in machine.waveforms}
        self._steps_s: dict[str, float | None] = dict.fromkeys(self._points)
        self._steps_s |= {path: hops_s[path.partition("/")[0]] for path in features}
        self._windows_ns = round(max(map(_window_s, machine.waveforms), default=0.0) * 1e9)
        content = describe_state(machine, self._rules, learned, self._calendar)
        self._stream = StreamRecords(journal, machine.name, STATE_STREAM, content)
        self._condition = Condition(self._clock)
        self._from_ns = self._at_ns = self._newest_ns = self._clock.monotonic_ns()
        self._records = StateRecords(machine.name, self._stream, self._from_ns)
        self._recogniser = Recogniser(self._rules, round(settings.dwell_s * 1e9), self._at_ns)
        self._ledger = Ledger(self._calendar.series, self._clock.utc_us(self._at_ns))
        self._counted_ns = self._at_ns
        self._counted_sync = self._clock.synchronised
        self._cuts = Cuts()
        self._marked_cut: CutSummary | None = None
        """The last one that a mark may have."""
        self._watches: list[_Watch] = []

    @property
    def meta(self) -> Message:
        """The description under which records are made now."""
        return self._stream.meta

    def is_made_of(self, machine: MachineFile, learned: LearnedFile, calendar: CalendarSettings) -> bool:
        """Whether another configuration differs from this one in the machine's description alone."""
        return self._made_of == _made_of(machine, learned, calendar)

    def refer(self, machine: MachineFile, controllers: Mapping[str, Telling]) -> None:
        """Go on with these controllers, and under this description."""
        self.machine, self._controllers = machine, controllers
        self._stream.describe(describe_state(machine, self._rules, self._learned, self._calendar))

    def window(
        self, waveform: str, window: Evaluated, context: Mapping[str, ContextNumber | ContextState]
    ) -> None:
        """Take a window of one of the machine's waveforms, with what it was joined with."""
        self._contained(lambda: self._take(waveform, window, context))

    def look(self) -> None:
        """Judge what is known by now, publish what became of it; once a second."""
        self._contained(self._look)

    def stop(self) -> None:
        """Close the accounts: what was seen so far is published."""
        self._contained(self._finish)

    def drafts(self) -> list[Draft]:
        """What a mark has to know: the hour and the shifts that are going on, and a long cut, so far."""
        drafts = [
            self._records.draft(account, self._began_ns(account), sync=self._counted_sync)
            for account in self._ledger.open()
        ]
        cut = self._cuts.going_on
        if cut is not None and self._counted_ns - cut.since_ns >= _LONG_CUT_NS:
            self._marked_cut = cut
            drafts.append(self._records.cut_draft(cut, self._counted_ns, None))
        return drafts

    async def watch(self, seconds: float) -> InputsReport:
        """Watch the inputs of the rules for some seconds, beside the usual work."""
        from_ns = self._clock.monotonic_ns()
        watch = _Watch(from_ns, from_ns + round(seconds * 1e9))
        self._watches.append(watch)
        try:
            async with asyncio.timeout(seconds + self._delay_ns() / 1e9 + _WATCH_WAIT_S):
                await watch.done.wait()
        except TimeoutError:
            pass  # what came is told all the same
        finally:
            self._watches.remove(watch)
        return InputsReport(seconds=seconds, values=watch.values)

    def report(self) -> ActivityReport:
        """What the machine is doing, since when, and why."""
        return ActivityReport(
            **self._condition.facts(),
            activity=self._recogniser.activity,
            activity_since_us=self._records.since_us(self._recogniser.since_ns),
            why=[Said.of(_because(answer)) for answer in self._recogniser.answers],
            steps_s=self._steps_s,
        )

    def _take(
        self, waveform: str, window: Evaluated, context: Mapping[str, ContextNumber | ContextState]
    ) -> None:
        self._newest_ns = max(self._newest_ns, window.last_ns)
        self._features.take(waveform, window.first_ns, window.fields)
        self._cuts.feel(waveform, (window.first_ns + window.last_ns) // 2, window.fields, context)

    def _look(self) -> None:
        self._advance(max(self._clock.monotonic_ns(), self._newest_ns) - self._delay_ns())
        self._forget()
        histories = self._histories()
        self._steps_s |= {path: histories[path].period_ns / 1e9 for path in self._points if path in histories}
        complaint = self._complaint()
        self._condition.change(State.DEGRADED if complaint else State.OK, complaint)

    def _finish(self) -> None:
        self._advance(max(self._clock.monotonic_ns(), self._newest_ns))
        self._count(self._at_ns, self._recogniser.activity)
        self._end_cut(self._at_ns, None)
        self._close_ledger()

    def _advance(self, until_ns: int) -> None:
        """Observe every moment until one at which something may have changed."""
        if until_ns <= self._at_ns:
            return
        histories = self._histories()
        after_ns, self._at_ns = self._at_ns, until_ns  # first of all: what fails once must not fail for ever
        for at_ns in moments(histories.values(), after_ns, until_ns):
            known = {path: history.at(at_ns) for path, history in histories.items()}
            for change in self._recogniser.observe(at_ns, known):
                self._count(change.at_ns, change.previous)
                self._changed(change)
            self._count(self._recogniser.settled_ns, self._recogniser.activity)
        for watch in self._watches:
            _gather(watch, histories, after_ns, until_ns)

    def _histories(self) -> dict[str, History]:
        """Those of the inputs of which anything is known."""
        found = dict(self._features.histories)
        for path in self._points:
            controller, _, point = path.partition("/")
            telling = self._controllers.get(controller)
            history = telling.histories.get(point) if telling is not None else None
            if history is not None:
                found[path] = history
        return found

    def _changed(self, change: Change) -> None:
        self._end_cut(change.at_ns, change.activity)
        self._records.changed(change)
        if change.activity is Activity.CUTTING:
            self._cuts.begin(change.at_ns, change.previous)

    def _end_cut(self, to_ns: int, following: Activity | None) -> None:
        cut = self._cuts.end()
        if cut is not None:
            draft = self._records.cut_draft(cut, to_ns, following)
            self._records.cut(draft, marked=cut is self._marked_cut)

    def _count(self, to_ns: int, activity: Activity) -> None:
        """The state was this until a moment: count the time, and give a cut its windows."""
        to_us = self._clock.utc_us(to_ns)
        expected_us = self._ledger.at_us + (to_ns - self._counted_ns) // 1000
        if abs(to_us - expected_us) > STEP_LIMIT_NS // 1000:  # the clock was set: what was counted is closed
            self._close_ledger()
        self._counted_sync = self._clock.synchronised
        self._publish(self._ledger.advance(to_us, activity))
        self._counted_ns = max(self._counted_ns, to_ns)
        self._cuts.settle(to_ns)

    def _close_ledger(self) -> None:
        self._publish(self._ledger.open())
        self._ledger = Ledger(self._calendar.series, self._clock.utc_us(self._counted_ns))

    def _publish(self, accounts: Iterable[Account]) -> None:
        for account in accounts:
            self._records.utilisation(account, self._began_ns(account), sync=self._counted_sync)

    def _began_ns(self, account: Account) -> int:
        counted_ns, counted_us = self._counted_ns, self._ledger.at_us  # the same moment
        return counted_ns - 1000 * (counted_us - account.from_us)

    def _delay_ns(self) -> int:
        """How long after a moment everything that tells of it is here."""
        histories = self._histories()
        periods_ns = [histories[path].period_ns for path in self._points if path in histories]
        readings_ns = min(max(periods_ns, default=0), round(LONGEST_USUAL_DELAY_S * 1e9))
        return self._windows_ns + max(readings_ns, self._context.join_delay_ns) + _SLACK_NS

    def _forget(self) -> None:
        longest_ns = max((history.limit_ns for history in self._features.histories.values()), default=0)
        self._features.forget(self._at_ns - longest_ns)

    def _complaint(self) -> Sentence | None:
        histories = self._histories()
        patient = self._at_ns - self._from_ns < _PATIENCE_NS
        for rule in self._rules:
            history = histories.get(rule.input)
            said = history.last if history is not None else None
            if said is None:
                if not patient:
                    return say.NO_INPUT(input=rule.input, question=rule.question)
            elif rule.criterion is None and not isinstance(said.value, bool):
                return say.NOT_LEARNED(input=rule.input, question=rule.question, machine=self.machine.name)
        return None

    def _contained(self, step: Callable[[], None]) -> None:
        contained(self.name, step, lambda e: self._stumbled(say.STUMBLED(kind=type(e).__name__)))

    def _stumbled(self, sentence: Sentence) -> None:
        self._condition.change(State.FAILED, sentence)


def _made_of(machine: MachineFile, learned: LearnedFile, calendar: CalendarSettings) -> tuple[Any, ...]:
    waveforms = tuple((w.name, w.source, w.window, w.channels) for w in machine.waveforms)
    return machine.machine.state, learned, calendar, waveforms


def _units(machine: MachineFile) -> dict[str, str]:
    return {f"{w.name}/{channel.name}": channel.unit for w in machine.waveforms for channel in w.channels}


def _window_s(waveform: WaveformSettings) -> float:
    n, _ = waveform.window.resolve(waveform.source.rate_hz)
    return float(n / waveform.source.rate_hz)


def _hop_s(waveform: WaveformSettings) -> float:
    _, hop = waveform.window.resolve(waveform.source.rate_hz)
    return float(hop / waveform.source.rate_hz)


def _gather(watch: _Watch, histories: Mapping[str, History], after_ns: int, until_ns: int) -> None:
    """What was read, and vouched for, in the part of a watch that lies between two looks."""
    for path, history in histories.items():
        seen = history.good_numbers(max(watch.from_ns, after_ns), min(watch.to_ns, until_ns))
        watch.values.setdefault(path, []).extend(seen)
    if until_ns >= watch.to_ns:
        watch.done.set()


def _because(answer: Answer) -> Sentence:
    rule = answer.rule
    value = answer.value
    if value is None:
        return say.WHY_NO_DATA(input=rule.input)
    shown = number(value, 4) if isinstance(value, float) else str(value)
    if answer.yes is None:
        return say.WHY_NO_THRESHOLD(input=rule.input, value=shown)
    return say.ANSWERS[rule.question.value, answer.yes](input=rule.input, value=shown)
