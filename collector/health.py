"""How each part of the gateway is: plain facts, shown by `status` and published. Nobody acts on them here."""

from dataclasses import dataclass, field
from enum import StrEnum

from collector.texts import Sentence


class State(StrEnum):
    """How a part is, from best to worst for colouring and for the exit code of `status`."""

    OK = "ok"
    STARTING = "starting"
    FINISHED = "finished"
    """A recording has been played to its end."""
    DEGRADED = "degraded"
    FAILED = "failed"

    @property
    def healthy(self) -> bool:
        """Whether an operator has nothing to do."""
        return self in {State.OK, State.STARTING, State.FINISHED}


@dataclass(slots=True)
class Condition:
    """A state with its reason; `since_us` (UTC) changes only when the state does."""

    state: State
    since_us: int
    reason: Sentence | None = None

    def change(self, state: State, now_us: int, reason: Sentence | None = None) -> None:
        """Enter a state, keeping `since_us` where it stays the same."""
        if state is not self.state:
            self.state, self.since_us = state, now_us
        self.reason = reason


@dataclass(slots=True)
class Account:
    """Where every sample went; `fed = advanced + discarded + lost + open` at any time."""

    fed: int = 0
    advanced: int = 0
    discarded: int = 0
    lost: int = 0
    open: int = 0


@dataclass(slots=True)
class SourceHealth:
    """One waveform source."""

    condition: Condition
    nominal_rate_hz: float
    measured_rate_hz: float | None = None
    rate_state: str = "nominal"
    last_data_us: int | None = None
    last_data_age_s: float | None = None
    windows: int = 0
    account: Account = field(default_factory=Account)
    gaps: int = 0
    lost_estimated: bool = False
    bad_bytes: int = 0
    restarts: int = 0
    last_error: Sentence | None = None
    last_error_us: int | None = None
    next_retry_s: float | None = None
