"""Rules: which values of an input mean yes; pure. When the answers make a state is in recogniser.py."""

from collections.abc import Mapping
from dataclasses import dataclass

from collector.activity.learned import LearnedThreshold
from collector.activity.settings import EvidenceSettings, Question, StateSettings
from collector.points import Value

_BAND = 0.1
"""Without a lower level, that part of the upper one lies between yes and no."""


@dataclass(frozen=True, slots=True)
class Level:
    """A number means yes from `above` on, no below `below`, and between them what it meant before.

    With `magnitude` its sign does not count: a spindle that turns the other way turns, too.
    """

    above: float
    below: float
    magnitude: bool = False

    def answer(self, value: Value, before: bool | None) -> bool | None:
        """Whether a value means yes; None for what is no number. Between the levels a first one means no."""
        if isinstance(value, str | bool):
            return None
        value = abs(value) if self.magnitude else value
        return value >= self.above or (value >= self.below and before is True)


@dataclass(frozen=True, slots=True)
class Names:
    """A state means yes if its name is among these; a flag is called `true` or `false`."""

    names: frozenset[str]

    def answer(self, value: Value, before: bool | None) -> bool | None:
        """Whether a value means yes; None for a number."""
        if isinstance(value, bool):
            return str(value).lower() in self.names
        return value in self.names if isinstance(value, str) else None


Criterion = Level | Names

_FLAG = Names(frozenset({"true"}))


@dataclass(frozen=True, slots=True)
class Rule:
    """What answers a question.

    Without a criterion a flag answers by itself, and for a number it is to be learned.
    """

    question: Question
    input: str
    criterion: Criterion | None

    def answer(self, value: Value, before: bool | None) -> bool | None:
        """Whether a good value means yes, after one that meant `before`; None where it tells nothing."""
        return (self.criterion or _FLAG).answer(value, before)


def rules_of(settings: StateSettings, learned: Mapping[Question, LearnedThreshold]) -> tuple[Rule, ...]:
    """The rules in the order of the questions; the machine's file goes before what was learned."""
    return tuple(
        Rule(question, evidence.input, _criterion(question, evidence, learned.get(question)))
        for question, evidence in settings.asked().items()
    )


def goes_by_magnitude(question: Question, evidence: EvidenceSettings) -> bool:
    """Whether the sign of what answers a question is that of a direction: controllers give speeds so."""
    return question is Question.TURNING and evidence.point is not None


def _criterion(
    question: Question, evidence: EvidenceSettings, learned: LearnedThreshold | None
) -> Criterion | None:
    magnitude = goes_by_magnitude(question, evidence)
    if evidence.states is not None:
        return Names(frozenset(evidence.states))
    if evidence.above is not None:
        below = evidence.above - _BAND * abs(evidence.above) if evidence.below is None else evidence.below
        return Level(evidence.above, below, magnitude and evidence.above > 0)
    if learned is not None and learned.input == evidence.input:
        return Level(learned.above, learned.below, magnitude and learned.above > 0)
    return None
