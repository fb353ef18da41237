"""The records of points and of what machines do: summaries, changes, cuts, utilisation."""

from typing import Annotated, Literal

from pydantic import Field

from collector.messages.envelope import Envelope, Number, Wire
from collector.points import PointQuality


class NumberSummary(Wire):
    """A measured quantity over a stretch of time. Each figure is defined in meta."""

    kind: Literal["number"] = "number"
    count: int
    """Good observations: readings, and times that the controller vouched for no change."""
    mean: Number | None
    min: Number | None
    max: Number | None
    std: Number | None
    rms: Number | None
    """For currents only; null for all other units."""
    coverage: Number
    """Part of the time, 0 to 1, in which a good value held."""
    uncertain: int
    """Observations that the controller itself called uncertain; in no figure."""
    bad: int
    """Observations without a usable value."""
    stale: int
    """Observations that the source itself called stale; in no figure."""
    last: Number | None
    """The value at the end, as good as `quality` says."""
    quality: PointQuality
    changed_s: Number | None
    """Seconds since a good reading last brought another value, at the end."""
    vouched_s: Number | None
    """Seconds since the controller last said so, at the end."""


class StateSummary(Wire):
    """A state or a text over a stretch of time: its heartbeat."""

    kind: Literal["state", "text"]
    last: str | bool | None
    """The value at the end: a name, a flag, or a pseudonym where meta says so; null if unknown."""
    quality: PointQuality
    changes: int
    """How often a good reading brought another value."""
    changed_s: Number | None
    """Seconds since a good reading last brought another value, at the end."""
    vouched_s: Number | None
    """Seconds since the controller last said so, at the end."""


class Readings(Envelope):
    """What the points of a controller said over a stretch of time; also while it is off."""

    kind: Literal["readings"] = "readings"
    reading: Literal["summary"] = "summary"
    from_us: int
    """UTC of the beginning; readings are placed by when the gateway received them."""
    to_us: int
    """UTC of the end."""
    offset_us: int | None
    """The gateway's UTC minus the controller's, estimated; null where it gives no usable times."""
    lost: int
    """So many values more were lost on the way, because a queue was full, than the summary before knew of."""
    points: dict[str, Annotated[NumberSummary | StateSummary, Field(discriminator="kind")]]
    """What each point said, by its name."""


class Change(Envelope):
    """A state or a text became another one, or its quality did, as the controller said.

    That it became stale because nobody vouches for it is in no change, but in the summaries.
    """

    kind: Literal["readings"] = "readings"
    reading: Literal["change"] = "change"
    point: str
    """The point's name."""
    value: str | bool | None
    """What it is from now on; null if there is no usable value."""
    quality: PointQuality
    """How good that is."""
    previous: str | bool | None
    """What it was before; null if that is not known."""
    source_us: int | None
    """The controller's own UTC stamp, in microseconds; null where it gives none."""


class Utilisation(Envelope):
    """How long a machine was in each state, over an hour or a shift, or the part of it that was seen."""

    kind: Literal["readings"] = "readings"
    reading: Literal["utilisation"] = "utilisation"
    period: Literal["hour", "shift"]
    """What is summed up."""
    shift: str | None
    """The shift's name; null for an hour."""
    day: str | None
    """The local day, as in `2026-05-26`, on which the shift begins; null for an hour."""
    period_from_us: int
    """UTC of the beginning of the hour or shift."""
    period_to_us: int
    """UTC of its end."""
    from_us: int
    """UTC from which on it was seen; later than `period_from_us` after a start, or when the clock was set.
    `t_us` is the same, and `sync` is of the clock by which it was counted."""
    to_us: int
    """UTC until which it was seen."""
    complete: bool
    """Whether it was seen from beginning to end; if not, other records may tell of other parts of it."""
    seconds: dict[str, Number]
    """Seconds in each state, to the microsecond, unknown ones included: the sum is `to_us` - `from_us`."""
    ratios: dict[str, Number | None]
    """Figures of utilisation, defined in meta; null without any known time."""


class CutFeature(Wire):
    """A feature over the windows of a cut; null if it was defined in none of them."""

    mean: Number | None
    min: Number | None
    max: Number | None


class CutWaveform(Wire):
    """The windows of one waveform whose middle lies in a cut."""

    windows: int
    """How many."""
    lost: int
    """Samples lost before them, since the window before each."""
    clipped: int
    """Samples at the sensor's limit, over all channels and windows."""
    quality: dict[str, int]
    """How many windows had each quality flag."""
    channels: dict[str, dict[str, CutFeature]]
    """The main features by channel; units and definitions stand in the waveform's own meta."""


class CutNumber(Wire):
    """A measured quantity during a cut, as its windows were joined with it; good values only."""

    kind: Literal["number"] = "number"
    min: Number
    max: Number
    mean: Number
    """Mean of the values at the windows' ends."""
    windows: int
    """So many windows had a good value."""
    unit: str
    """UCUM code; empty where it has none."""


class CutState(Wire):
    """A state or text during a cut, as its windows were joined with it; good values only."""

    kind: Literal["state"] = "state"
    values: list[str | bool]
    """The values that were seen, the first ones first, at most 20."""


class Cut(Envelope):
    """A cut is over: its windows summed up."""

    kind: Literal["readings"] = "readings"
    reading: Literal["cut"] = "cut"
    from_us: int
    """UTC of the beginning: that of the event that began it, unless the clock was set since."""
    to_us: int
    """UTC of the end."""
    duration_s: Number
    """Its length in seconds, by the clock that never steps."""
    previous: str
    """The state before; `unknown` means that it may have begun earlier."""
    next: str | None
    """The state after; `unknown`, or null when the collector stopped or lost power: it may have gone on."""
    waveforms: dict[str, CutWaveform]
    """The summary by waveform; empty if no window's middle lies in it."""
    context: dict[str, Annotated[CutNumber | CutState, Field(discriminator="kind")]]
    """What the machine was doing, by `controller/point`."""
