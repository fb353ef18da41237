"""How each part of the gateway is: plain facts, shown by `status` and published. Nobody acts on them here.

`Condition` is the live state of a part; the reports are what travels over the control socket.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from collector.clock import UtcClock
from collector.texts import Sentence, restore


class State(StrEnum):
    """How a part is."""

    OK = "ok"
    STARTING = "starting"
    FINISHED = "finished"
    """A recording has been played to its end."""
    DEGRADED = "degraded"
    """It works, but something needs attention."""
    FAILED = "failed"
    """It does not work; it is tried again by itself."""

    @property
    def healthy(self) -> bool:
        """Whether an operator has nothing to do."""
        return self in {State.OK, State.STARTING, State.FINISHED}


class Said(BaseModel):
    """A sentence on its way to whoever shows it."""

    code: str
    values: dict[str, Any]
    text: str
    advice: str

    @classmethod
    def of(cls, sentence: Sentence) -> "Said":
        """Make a sentence ready to travel."""
        return cls.model_validate(sentence.to_json())

    def sentence(self) -> Sentence:
        """The sentence in this process's language."""
        return restore(self.model_dump())


class Condition:
    """A state with its reason, and since when; a clock that is set later moves the past along."""

    def __init__(
        self, clock: UtcClock, state: State = State.STARTING, reason: Sentence | None = None
    ) -> None:
        self._clock = clock
        self._since_ns = clock.monotonic_ns()
        self.state = state
        self.reason = reason

    def change(self, state: State, reason: Sentence | None = None) -> None:
        """Enter a state; since when it holds changes only when the state does."""
        if state is not self.state:
            self.state, self._since_ns = state, self._clock.monotonic_ns()
        self.reason = reason

    def facts(self) -> dict[str, Any]:
        """The fields of a `PartReport`."""
        return {
            "state": self.state,
            "since_us": self._clock.utc_us(self._since_ns),
            "reason": Said.of(self.reason) if self.reason else None,
        }


@dataclass(slots=True)
class Account:
    """Where every sample went; `fed = advanced + discarded + lost + open` at any time."""

    fed: int = 0
    advanced: int = 0
    discarded: int = 0
    lost: int = 0
    open: int = 0


class PartReport(BaseModel):
    """What every part reports."""

    state: State
    since_us: int
    reason: Said | None = None
    """What is wrong and what to do, or in a good state what is worth telling; else null."""


class ConfigurationReport(PartReport):
    """The configuration in use."""

    changed_us: int | None = None
    """When its files were changed last, where they no longer say what is in use."""


class FeedReport(PartReport):
    """What every source reports, whatever it delivers."""

    kind: str
    origin: str
    configured_us: int
    """UTC since when it is read as it is configured now: later than the start only after a reload."""
    last_data_us: int | None
    """UTC of the last arrival."""
    last_data_age_s: float | None
    reopened: int
    last_error: Said | None
    last_error_us: int | None
    next_retry_s: float | None


class SourceReport(FeedReport):
    """One waveform source."""

    delivers: Literal["samples"] = "samples"
    nominal_hz: float
    measured_hz: float | None
    rate_state: str
    windows: int
    fed: int
    advanced: int
    discarded: int
    lost: int
    open: int
    gaps: int
    lost_estimated: bool
    """Whether any of `lost` is an estimate."""
    bad_bytes: int


class ControllerReport(FeedReport):
    """One controller or meter. Values are not part of it."""

    delivers: Literal["points"] = "points"
    points: int
    """How many points it has, as far as is known by now."""
    good: int
    uncertain: int
    bad: int
    stale: int
    """Not heard of for too long, or never; like those before, of the points that are shared."""
    withheld: int
    """Points of which nothing leaves the gateway."""
    readings: int
    """Since the start."""
    lost: int
    """At least so many values were lost on the way since the start, because a queue was full."""
    offset_s: float | None
    """The gateway's clock minus the controller's, estimated."""


class ActivityReport(PartReport):
    """What a machine is doing; `state` is whether that can be told."""

    activity: str
    activity_since_us: int
    why: list[Said]
    """The answers that it follows from, the decisive one last."""
    steps_s: dict[str, float | None]
    """Seconds from one value to the next of each of its inputs; null where nothing is known of it yet."""


class InputsReport(BaseModel):
    """What the inputs of a machine's state said while they were watched."""

    seconds: float
    values: dict[str, list[float]]
    """Good numbers, by `controller/point` or `waveform/channel/feature`."""


class BrokerReport(PartReport):
    """The broker and what has been delivered to it."""

    address: str
    confirmed: int
    next_retry_s: float | None


class OutboxReport(PartReport):
    """What waits for delivery."""

    pending: int
    awaiting: int
    """Of these, the broker has them, and a receipt of the store is awaited."""
    memory_bytes: int
    disk_bytes: int
    oldest_us: int | None
    """The time of the oldest of them."""
    oldest_sync: bool = False
    """Whether that is of a clock that was synchronised; else nothing tells for how long it has waited."""
    hours_left: float | None
    """Until the outbox is full at the present rate, were nothing delivered."""
    dropped: int
    corrupt: int
    rejected: int
    """Records that the store will never take; not sent again."""
    rejected_reasons: dict[str, int] = {}
    """How many, by the store's reason."""


class HostReport(PartReport):
    """The gateway's own hardware and clock."""

    synchronised: bool
    disk_free_bytes: int | None
    temperature_c: float | None
    under_voltage: bool | None


class GatewayReport(BaseModel):
    """The whole gateway."""

    company: str
    gateway: str
    version: str
    epoch: str
    pid: int
    started_us: int
    now_us: int
    configuration: ConfigurationReport
    broker: BrokerReport
    outbox: OutboxReport
    host: HostReport
    sources: dict[str, Annotated[SourceReport | ControllerReport, Field(discriminator="delivers")]]
    """By `machine/stream`."""
    machines: dict[str, ActivityReport] = Field(default_factory=dict)
    """By machine, where its state is recognised."""

    @property
    def parts(self) -> dict[str, PartReport]:
        """Every part by the name an operator sees."""
        return {
            "configuration": self.configuration,
            "broker": self.broker,
            "outbox": self.outbox,
            "gateway": self.host,
            **self.sources,
            **{f"{machine}/state": report for machine, report in self.machines.items()},
        }

    @property
    def healthy(self) -> bool:
        """Whether no part needs attention."""
        return all(part.state.healthy for part in self.parts.values())


class TestReport(BaseModel):
    """What a source delivered while it was watched."""

    __test__ = False  # not a test, for pytest

    seconds: float
    samples: int
    rate_hz: float | None
    nominal_hz: float
    lost: int
    bad_bytes: int
    channels: list[str]
    units: list[str]
    mean: list[float]
    rms: list[float]
    """Without the mean."""
    least: list[float]
    greatest: list[float]
    last: list[list[float]]
    """The last few samples, `[samples][channels]`."""
    through_daemon: bool


class PointSeen(BaseModel):
    """One point of a controller while it was watched; for eyes on the gateway alone."""

    name: str
    kind: str
    unit: str
    share: str
    value: str
    """As it was said last, whether it is shared or not; empty if there was no usable one."""
    quality: str
    detail: str
    readings: int
    age_s: float | None
    """Since it was last read or vouched for."""
    place: str = ""
    """Where it stands: registers with their function, or a node's id."""
    raw: str = ""
    """What stood there, in hexadecimal, where the protocol has such."""
    latency_s: float | None = None
    """How long the last answer took; None where nothing was asked."""


class PointTestReport(BaseModel):
    """What a controller said while it was watched."""

    __test__ = False  # not a test, for pytest

    seconds: float
    arrivals: int
    points: list[PointSeen]
    through_daemon: bool
