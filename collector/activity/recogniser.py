"""Observations become the machine's state: hysteresis, dwell, and unknown where there is no data; pure.

Times are monotonic nanoseconds and never go back from one observation to the next. What was known of an input
at a moment is for its history to say: a value that nobody vouched for is none here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from collector.activity.rules import Rule
from collector.activity.settings import Question
from collector.history import Standing
from collector.points import PointQuality, Value


class Activity(StrEnum):
    """What a machine is doing."""

    UNKNOWN = "unknown"
    """An answer that is needed is missing: nothing fresh and good is known of its input."""
    OFF = "off"
    ALARM = "alarm"
    IDLE = "idle"
    TURNING = "turning"
    """The spindle turns, and nothing is cut."""
    CUTTING = "cutting"


@dataclass(frozen=True, slots=True)
class Answer:
    """How a question was answered, and by what; `yes` is None where the input tells nothing."""

    rule: Rule
    yes: bool | None
    value: Value | None


@dataclass(frozen=True, slots=True)
class Change:
    """The state became another one; `answers` are those that decided it, the last one above all."""

    at_ns: int
    activity: Activity
    previous: Activity
    previous_since_ns: int
    answers: tuple[Answer, ...]


_WHEN_YES = {Question.ALARM: Activity.ALARM, Question.CUTTING: Activity.CUTTING}
_WHEN_NO = {Question.ON: Activity.OFF, Question.TURNING: Activity.IDLE}


def activity_of(answers: Sequence[Answer]) -> tuple[Activity, tuple[Answer, ...]]:
    """The activity that answers in the order of the questions give, and those that were needed for it.

    The first that decides ends it: not on is off, an alarm is one whatever turns, and so on. One that would
    be needed and is missing makes the state unknown.
    """
    reached = Activity.UNKNOWN
    for used, answer in enumerate(answers, start=1):
        question = answer.rule.question
        if answer.yes is None:
            return Activity.UNKNOWN, tuple(answers[:used])
        decided = (_WHEN_YES if answer.yes else _WHEN_NO).get(question)
        if decided is not None:
            return decided, tuple(answers[:used])
        if question is Question.TURNING:
            reached = Activity.TURNING
        elif reached is Activity.UNKNOWN:
            reached = Activity.IDLE
    return reached, tuple(answers)


class Recogniser:
    """The state of one machine.

    A state is left once it has not come back for `dwell_ns`; it then ended when it was first missed. So what
    is short comes between two others, but never between one and the same. Becoming unknown, and becoming
    known again, is no change of the machine and counts at once.
    """

    def __init__(self, rules: Sequence[Rule], dwell_ns: int, from_ns: int) -> None:
        self._rules = tuple(rules)
        self._dwell_ns = dwell_ns
        self._yes: dict[Question, bool | None] = {}
        self._since_left: list[_Seen] = []
        self.activity = Activity.UNKNOWN
        self.since_ns = from_ns
        self.settled_ns = from_ns
        """Until then no later observation will change what the state was."""
        self.answers: tuple[Answer, ...] = ()
        """What the state follows from, as it was seen last."""

    def observe(self, at_ns: int, known: Mapping[str, Standing]) -> list[Change]:
        """Take what is known of every input at a moment; tells changes, which may lie a dwell back."""
        answers = tuple(self._answer(rule, known.get(rule.input)) for rule in self._rules)
        activity, decisive = activity_of(answers)
        changes = list(self._left(at_ns))
        last = self._since_left[-1].activity if self._since_left else self.activity
        if activity is self.activity:
            self._since_left.clear()
            self.answers = decisive
        elif Activity.UNKNOWN in {activity, self.activity}:
            self._since_left.clear()
            changes.append(self._enter(_Seen(at_ns, activity, decisive)))
        elif activity is not last:
            self._since_left.append(_Seen(at_ns, activity, decisive))
            changes += self._left(at_ns)
        self.settled_ns = self._since_left[0].at_ns if self._since_left else at_ns
        return changes

    def _left(self, now_ns: int) -> Iterator[Change]:
        """Enter what has followed the state, as far as that has been gone for long enough."""
        while self._since_left and now_ns - self._since_left[0].at_ns >= self._dwell_ns:
            entered, *later = self._since_left
            came_back = [index for index, seen in enumerate(later) if seen.activity is entered.activity]
            self._since_left = later[came_back[-1] + 1 :] if came_back else later
            yield self._enter(entered)

    def _enter(self, seen: "_Seen") -> Change:
        change = Change(seen.at_ns, seen.activity, self.activity, self.since_ns, seen.answers)
        self.activity, self.since_ns, self.answers = seen.activity, seen.at_ns, seen.answers
        return change

    def _answer(self, rule: Rule, known: Standing | None) -> Answer:
        """Only a good value tells anything; after a stretch without one the levels are met anew."""
        value = known.value if known is not None and known.quality is PointQuality.GOOD else None
        yes = None if value is None else rule.answer(value, self._yes.get(rule.question))
        self._yes[rule.question] = yes
        return Answer(rule, yes, value)


@dataclass(frozen=True, slots=True)
class _Seen:
    """When an activity other than the state began to be seen, and why."""

    at_ns: int
    activity: Activity
    answers: tuple[Answer, ...]
