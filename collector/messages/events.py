"""The records of what happened: gaps, restarts, clocks, losses, alarms, states of machines."""

from typing import Annotated, Literal

from pydantic import Field

from collector.messages.envelope import Envelope, Number, Wire
from collector.samples import LossCause


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
    """UTC of the last sample known before the gap; after a sudden end up to a minute earlier than it was, and
    records of that minute may be there."""
    to_us: int
    """UTC of the first sample after it."""
    previous_epoch: str | None = None
    """Across a restart: the epoch of the run before."""
    from_sync: bool | None = None
    """Across a restart: whether `from_us` is by a synchronised clock; else it may be wrong by any amount."""


class Restart(Envelope):
    """The daemon has started."""

    kind: Literal["event"] = "event"
    event: Literal["restart"] = "restart"
    version: str
    """The program's version."""
    previous_epoch: str | None
    """The run before; null on the first one."""
    last_seq: int | None
    """The last `seq` of the run before that is known to have existed; after a sudden end of that run there
    may be records with larger ones."""
    last_us: int | None = None
    """UTC of the last moment at which the run before is known to have been at work; after a sudden end up
    to a minute early."""
    last_sync: bool | None = None
    """Whether `last_us` is by a synchronised clock; else it may be wrong by any amount."""


class ClockSet(Envelope):
    """The gateway's clock was set, or its synchronisation changed; maps monotonic time to UTC."""

    kind: Literal["event"] = "event"
    event: Literal["clock"] = "clock"
    step_us: int
    """How far UTC jumped: `offset_us` less `offset_before_us`; 0 if only the synchronisation changed."""
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
    """UTC since which the state before had lasted: `t_us` of the event that began it, unless the clock was
    set since; then the same moment by the clock as it is now."""
    why: list[Reason]
    """The answers that decided, in their order; what they mean stands in meta."""


Event = Annotated[Gap | Restart | ClockSet | RecordsLost | Alarm | StateChange, Field(discriminator="event")]
