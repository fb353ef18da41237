"""The file that `collector learn` writes beside the machine files: thresholds, and how good they are."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from collector.activity.settings import QUESTIONS, Question
from collector.settings import Finite, Settings


class LearnedThreshold(Settings):
    """What a commissioning run found for one question."""

    input: Annotated[str, Field(min_length=1)]
    """The point or feature that was watched, as in the machine's file."""
    above: Finite
    """From here on it means yes."""
    below: Finite
    """Below this it means no; between the two what it meant before."""
    right: Annotated[float, Field(ge=0, le=1)]
    """The part of the values that a threshold found on the others put on the right side."""
    values_no: Annotated[int, Field(ge=0)]
    """How many values were watched while the answer was no."""
    values_yes: Annotated[int, Field(ge=0)]
    """How many values were watched while the answer was yes."""
    learned_at: datetime
    """When it was found."""


class LearnedFile(Settings):
    """A file in learned/: the thresholds of one machine, by the question that they answer."""

    on: LearnedThreshold | None = None
    """Is it switched on?"""
    alarm: LearnedThreshold | None = None
    """Does it stand with an alarm?"""
    turning: LearnedThreshold | None = None
    """Does the spindle turn?"""
    cutting: LearnedThreshold | None = None
    """Does it cut?"""

    @property
    def thresholds(self) -> dict[Question, LearnedThreshold]:
        """What was found, by question."""
        found = {question: getattr(self, question.value) for question in QUESTIONS}
        return {question: threshold for question, threshold in found.items() if threshold is not None}
