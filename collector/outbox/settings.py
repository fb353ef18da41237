"""What the configuration may say under `outbox`."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from collector.settings import PositiveFinite, Settings


class OutboxSettings(Settings):
    """Where and how much is kept while the broker is away."""

    directory: Path = Path("/var/lib/collector/outbox")
    """The folder that it is kept in; made if it is not there."""
    max_mib: Annotated[int, Field(ge=16)] = 2048
    """The most it may take on disk; beyond it the oldest records are dropped, and that is declared."""
    max_age_days: PositiveFinite = 90.0
    """Older records are dropped, and that is declared."""
    commit_interval_s: Annotated[float, Field(ge=0.05, le=60)] = 1.0
    """At most so much is lost in a power cut."""
