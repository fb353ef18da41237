"""The records of the wire contract, version 1: what each field means is said once, here.

Times are integer microseconds of UTC; numbers are finite or null. The published JSON Schema and the AsyncAPI
document are generated from these models.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from collector.points import PointQuality
from collector.samples import LossCause, RateState

CONTRACT_VERSION: Literal[1] = 1

Number = Annotated[float, Field(allow_inf_nan=False)]


class Wire(BaseModel):
    """Strictness shared by all records: readers ignore fields that a later version adds, writers add none."""

    model_config = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)


class Peak(Wire):
    """A spectral peak."""

    hz: Number
    """Frequency in Hz."""
    amplitude: Number
    """Amplitude (half of peak to peak of the sinusoid) in the channel's unit."""
    prominence: Number | None = None
    """How far it stands out of the valleys beside it; null where that is not computed."""


# Number stands first: pydantic tries them in this order, and nearly all values are numbers.
ChannelValues = dict[str, Number | int | dict[str, Number | None] | list[Peak] | None]
"""Values of one channel by feature name; null means undefined, as the feature's definition says when."""


class Envelope(Wire):
    """What every record begins with."""

    v: Literal[1] = CONTRACT_VERSION
    """Version of this contract."""
    epoch: str
    """One run of the daemon: a counter that survives restarts, and random digits. Sorts in order of runs."""
    seq: int
    """Counts the records of an epoch. (company, gateway, epoch, seq) identifies a record for ever."""
    prev: int | None
    """The `seq` of the record before this one on the same topic and epoch; null for the first."""
    meta: str | None
    """The hash of the meta record under which this one was made; null for events of the gateway itself."""
    t_us: int
    """UTC in microseconds: of a window's first sample, or of the event."""
    t: str
    """The same as ISO 8601 text."""
    sync: bool
    """Whether the gateway's clock was synchronised; if not, trust only `mono_us`."""
    boot: str
    """The gateway's boot id; `mono_us` compares only between records of one boot."""
    mono_us: int
    """The same moment on the gateway's monotonic clock, in microseconds."""


class _PointContext(Wire):
    """What a point of a controller was during a window, by when the gateway received its readings."""

    quality: PointQuality
    """Of `last`, at the window's end: `bad` means no value, `stale` not vouched for within the limit."""
    changes: int | None
    """How often a good reading brought another value inside the window; null if that is no longer known."""
    changed_s: Number | None
    """Seconds from the last such change to the window's end; since first seen, if it never changed."""
    vouched_s: Number | None
    """Seconds since the controller last said so (read, or known to be unchanged), at the window's end."""
    source_us: int | None
    """The controller's own UTC stamp of `last`, in microseconds; null where it gives none."""
    offset_us: int | None
    """The gateway's UTC minus the controller's, estimated; with the delay of reading in it."""


class ContextNumber(_PointContext):
    """A measured quantity during a window."""

    kind: Literal["number"] = "number"
    last: Number | None
    """The value at the window's end; null if there was no usable one, or none is known yet."""
    min: Number | None
    """The smallest good value that held inside the window, the one at its start included."""
    max: Number | None
    """The largest good value that held inside the window, the one at its start included."""
    unit: str
    """UCUM code; empty where it has none."""


class ContextState(_PointContext):
    """A state or a text during a window."""

    kind: Literal["state", "text"]
    last: str | bool | None
    """The value at the window's end: a name, a flag, or a pseudonym where meta says so; null if unknown."""


ContextValue = Annotated[ContextNumber | ContextState, Field(discriminator="kind")]


class Spindle(Wire):
    """How the spindle turned during a window, as far as features were computed by it."""

    rpm: Number
    """Turns a minute, as the controller said."""
    refined_rpm: Number | None
    """The speed that the lines of the spectrum show; null where they were not looked for."""
    tool: int | None
    """The number of the tool in the spindle; null if it is not known."""
    teeth: int | None
    """The tool's cutting edges, from the tool table; null if they are not known."""


class VelocityBand(Wire):
    """What velocity and displacement of a window are really about."""

    low_hz: Number
    """The lowest bin that is in it."""
    high_hz: Number
    """The highest bin that is in it."""
    n: int
    """So many samples, up to the end of the window: more than a window's where that is too short."""


class Features(Envelope):
    """The features of one window."""

    kind: Literal["features"] = "features"
    first: int
    """Index of the window's first sample since the start of the epoch."""
    n: int
    """The window's length in samples."""
    hop: int
    """The distance to the next window's start in samples, where no gap comes between."""
    rate_hz: Number
    """The sample rate that sets the frequency axis of this record."""
    rate_state: RateState
    """Where `rate_hz` comes from: `nominal` and `settling` mean the configured rate."""
    measured_hz: Number | None
    """The measured rate as it stands; null before anything was measured."""
    lost: int
    """Samples lost between the previous window and this one."""
    clipped: int
    """Samples at the sensor's limit, over all channels."""
    quality: list[str]
    """Flags of the window; empty when nothing is wrong. Defined in meta."""
    channels: dict[str, ChannelValues]
    """The values by channel."""
    context: dict[str, ContextValue] = Field(default_factory=dict)
    """What the machine was doing, by `controller/point`; empty where no controller is configured."""
    nulls: dict[str, str] = Field(default_factory=dict)
    """Why a feature is null for all channels, by its name, where the samples are not why; defined in meta."""
    spindle: Spindle | None = None
    """How the spindle turned; null where its speed may not be used, which `nulls` explains."""
    velocity: VelocityBand | None = None
    """What velocity and displacement are about; null where there are none."""


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
    """A state or a text became another one, or its quality did."""

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
    """UTC from which on it was seen; later than `period_from_us` after a start, or when the clock was set."""
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
    """UTC of the beginning."""
    to_us: int
    """UTC of the end."""
    duration_s: Number
    """Its length in seconds, by the clock that never steps."""
    previous: str
    """The state before; `unknown` means that it may have begun earlier."""
    next: str | None
    """The state after; `unknown`, or null when the collector was stopped: it may have gone on."""
    waveforms: dict[str, CutWaveform]
    """The summary by waveform; empty if no window's middle lies in it."""
    context: dict[str, Annotated[CutNumber | CutState, Field(discriminator="kind")]]
    """What the machine was doing, by `controller/point`."""


class Gap(Envelope):
    """Samples are missing."""

    kind: Literal["event"] = "event"
    event: Literal["gap"] = "gap"
    cause: LossCause | Literal["restart"]
    """Why; `restart` is the time between two runs of the daemon."""
    first: int | None
    """Index of the first missing sample; null across a restart, where indices begin anew."""
    lost: int | None
    """How many samples; null where it cannot be told."""
    estimated: bool
    """Whether `lost` comes from times (else it was counted)."""
    gaps: int = 1
    """How many separate gaps this record sums up, where they follow one another closely."""
    from_us: int
    """UTC of the last sample known before the gap."""
    to_us: int
    """UTC of the first sample after it."""
    previous_epoch: str | None = None
    """Across a restart: the epoch of the run before."""


class Restart(Envelope):
    """The daemon has started."""

    kind: Literal["event"] = "event"
    event: Literal["restart"] = "restart"
    version: str
    """The program's version."""
    previous_epoch: str | None
    """The run before; null on the first one."""
    last_seq: int | None
    """The last `seq` of the run before that is known to have existed."""


class ClockSet(Envelope):
    """The gateway's clock was set, or its synchronisation changed; maps monotonic time to UTC."""

    kind: Literal["event"] = "event"
    event: Literal["clock"] = "clock"
    step_us: int
    """How far UTC jumped; 0 if only the synchronisation changed."""
    offset_before_us: int
    """UTC minus monotonic time until now, for correcting the records of this boot before this one."""
    offset_us: int
    """UTC minus monotonic time from now on."""
    synchronised: bool
    """Whether the clock is synchronised from now on."""


class RecordsLost(Envelope):
    """Records that were made are gone: the outbox was full, too old, or damaged."""

    kind: Literal["event"] = "event"
    event: Literal["records-lost"] = "records-lost"
    cause: str
    """`overflow`, `age`, `corrupt`, `memory`, or `purged` by hand at the gateway."""
    records: int | None
    """How many; null where a damaged file cannot tell."""
    lost_epoch: str | None
    """Their epoch."""
    first_seq: int | None
    last_seq: int | None
    from_us: int | None
    """UTC of the oldest of them."""
    to_us: int | None
    """UTC of the newest of them."""


class Alarm(Envelope):
    """Something about a stream needs attention, or no longer does."""

    kind: Literal["event"] = "event"
    event: Literal["alarm"] = "alarm"
    code: str
    """The stable code of the sentence."""
    text: str
    """The sentence in English, its places unfilled: they may hold a file or a port of the company."""
    active: bool
    """False when it has passed."""


class Reason(Wire):
    """An answer that a state follows from."""

    question: str
    """`on`, `alarm`, `turning` or `cutting`."""
    answer: bool | None
    """Null if nothing fresh and good was known of the input."""
    input: str
    """What was asked: `controller/point`, or `waveform/channel/feature`."""
    value: Number | str | bool | None
    """What it said; null if nothing."""


class StateChange(Envelope):
    """A machine's state became another one, at the moment of this record."""

    kind: Literal["event"] = "event"
    event: Literal["state"] = "state"
    machine: str
    """The machine."""
    previous: str
    """The state before."""
    state: str
    """The state from now on: `off`, `alarm`, `idle`, `turning`, `cutting`, or `unknown` without data."""
    since_us: int
    """UTC since which the state before had lasted."""
    why: list[Reason]
    """The answers that decided, in their order; what they mean stands in meta."""


Event = Annotated[Gap | Restart | ClockSet | RecordsLost | Alarm | StateChange, Field(discriminator="event")]


class MetaContent(Wire):
    """Everything that makes a stream's records comparable with others'; its hash is the records' `meta`."""

    version: str
    """The program's version."""
    machine: dict[str, Any]
    """Maker, model, type, process, and what else the company shares."""
    tools: list[dict[str, Any]]
    """The tool table: number, diameter, teeth."""
    source: dict[str, Any]
    """Kind of source, origin (live, replay or simulated) and nominal rate."""
    sensor: dict[str, Any]
    """Model, serial number, sensitivity, calibration, range, usable band, mounting."""
    channels: list[dict[str, Any]]
    """Name, unit, UCUM code, axis and direction of each channel."""
    window: dict[str, Any]
    """Length and hop in samples."""
    features: dict[str, list[dict[str, Any]]]
    """Name, unit, definition, formula, version and source of every feature, by the unit of the channel."""
    flags: list[dict[str, Any]]
    """What each quality flag means."""
    nulls: list[dict[str, str]] = Field(default_factory=list)
    """What each reason for a null means."""
    points: list[dict[str, Any]] = Field(default_factory=list)
    """Of a controller: name, kind, unit, states, and how it is shared, of each point."""
    statistics: list[dict[str, str]] = Field(default_factory=list)
    """Of a controller, or a machine's state: what each figure of a summary means."""
    context: dict[str, Any] = Field(default_factory=dict)
    """Of a waveform: the points that its windows are joined with, and how long a window waits for them."""
    state: dict[str, Any] = Field(default_factory=dict)
    """Of a machine's state: its rules with their thresholds, dwell, time zone and shifts."""


class Meta(Envelope):
    """The description of a stream, retained."""

    kind: Literal["meta"] = "meta"
    content: MetaContent


class Status(Wire):
    """How the gateway is, retained; the broker itself publishes `offline` when the gateway vanishes."""

    v: Literal[1] = CONTRACT_VERSION
    kind: Literal["status"] = "status"
    state: Literal["healthy", "degraded", "stopped", "offline"]
    epoch: str
    version: str
    t_us: int | None
    """UTC of this status; null in the last will, which was written at connection time."""
    t: str | None
    sync: bool | None
    sources: dict[str, Any] = Field(default_factory=dict)
    """Health of every source, by `machine/stream`."""
    outbox: dict[str, Any] = Field(default_factory=dict)
    """Pending records, and the oldest of them."""
    machines: dict[str, Any] = Field(default_factory=dict)
    """What each machine is doing and since when, where that is recognised."""
    problems: list[dict[str, Any]] = Field(default_factory=list)
    """What needs attention: the part of the gateway, and the code of the sentence."""


Record = (
    Meta
    | Features
    | Readings
    | Change
    | Utilisation
    | Cut
    | Gap
    | Restart
    | ClockSet
    | RecordsLost
    | Alarm
    | StateChange
)

_OfPoints = Annotated[Readings | Change | Utilisation | Cut, Field(discriminator="reading")]
_RECORD: TypeAdapter[Record] = TypeAdapter(
    Annotated[Meta | Features | _OfPoints | Event, Field(discriminator="kind")]
)


def decode(payload: bytes) -> Record:
    """Read a record as published.

    Raises:
        pydantic.ValidationError: it is none of contract version 1.
    """
    return _RECORD.validate_json(payload)
