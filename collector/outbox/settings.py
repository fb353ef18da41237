"""What the configuration may say under `outbox`."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from collector.settings import PositiveFinite, Settings


class OutboxSettings(Settings):
    """Where and how much is kept until it is delivered."""

    directory: Path = Path("/var/lib/collector/outbox")
    """The folder that it is kept in; made if it is not there."""
    max_mib: Annotated[int, Field(ge=16)] = 2048
    """The most it may take on disk; beyond it the oldest records are dropped, and that is declared."""
    max_age_days: PositiveFinite = 90.0
    """Older records are dropped, and that is declared."""
    commit_interval_s: Annotated[float, Field(ge=0.05, le=60)] = 1.0
    """At most so much is lost in a power cut."""
    delivery: Literal["broker", "store"] = "broker"
    """Whose word counts: a record is delivered when the broker has it, or only when the group's store has."""
    receipt_hold_s: Annotated[float, Field(ge=1, le=3600)] = 30.0
    """With `delivery = "store"`: what the broker has stays in memory for so long, then goes to disk."""
