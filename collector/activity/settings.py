"""What the configuration says of a machine's state: four questions, and what answers each of them."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from collector.settings import Finite, PointPath, Settings

FeaturePath = Annotated[
    str, Field(pattern=r"^[a-z0-9-]+/[a-z0-9-]+/[a-z0-9_-]+(/[0-9.e+-]+)?$", max_length=200)
]
"""A feature by `waveform/channel/feature`, or `waveform/channel/band_rms/10-100`."""


class Question(StrEnum):
    """What is asked of a machine, in the order in which the answers count."""

    ON = "on"
    ALARM = "alarm"
    TURNING = "turning"
    CUTTING = "cutting"


QUESTIONS = tuple(Question)


class EvidenceSettings(Settings):
    """What answers one question: a point of a controller, or a feature of a waveform's windows."""

    point: PointPath | None = Field(default=None, examples=["plc/spindle-speed"])
    """The point, as "controller/point"; or give `feature`."""
    feature: FeaturePath | None = Field(default=None, examples=["spindle/x/rms"])
    """The feature, as "waveform/channel/feature"; or give `point`."""
    above: Finite | None = None
    """Of a number: from here on it means yes. Without it, `collector learn` finds it."""
    below: Finite | None = None
    """Of a number: below this it means no, between the two what it meant before; 10 % under `above`."""
    states: Annotated[tuple[str, ...], Field(min_length=1)] | None = Field(
        default=None, examples=[["running"]]
    )
    """Of a state: the values that mean yes; of a flag "true" or "false", without it "true"."""

    @property
    def input(self) -> str:
        """The point or feature; one of them is given."""
        return self.point or self.feature or ""


class StateSettings(Settings):
    """How it is known what the machine is doing. Questions that are not asked are left out."""

    on: EvidenceSettings | None = None
    """Is it switched on? If not, it is off."""
    alarm: EvidenceSettings | None = None
    """Does it stand with an alarm?"""
    turning: EvidenceSettings | None = None
    """Does the spindle turn? If not, it is idle."""
    cutting: EvidenceSettings | None = None
    """Does it cut?"""
    dwell_s: Annotated[float, Field(ge=0, le=60)] = 0.5
    """A state is left once it has not come back for so many seconds; when it ended is told all the same."""

    def asked(self) -> dict[Question, EvidenceSettings]:
        """What answers each question that is asked."""
        found = {question: getattr(self, question.value) for question in QUESTIONS}
        return {question: evidence for question, evidence in found.items() if evidence is not None}
