"""Recordings played back as a source: CSV and npz."""

from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import Field

from collector.settings import PositiveFinite, Settings


class ReplaySettings(Settings):
    """A recording in a file, with an exact rate."""

    kind: Literal["replay"]
    file: Path
    """A .csv or .npz file; a relative path counts from the configuration file's folder."""
    rate_hz: PositiveFinite
    speed: PositiveFinite | Literal["max"] = 1.0
    """1 plays in real time, 10 ten times faster, "max" as fast as the gateway can."""
    repeat: bool = False
    """Start again at the end."""
    array: str = "samples"
    """npz: the array's name, [n, channels] or [n]."""
    scale: tuple[PositiveFinite, ...] | PositiveFinite | str = 1.0
    """Channel unit for one step of the stored value: a number, one for each channel, or an array's name (npz)."""
    columns: tuple[int, ...] | None = None
    """The column of each channel, counted from 1."""
    delimiter: str = ","
    """CSV: between the numbers."""
    skip_lines: int = Field(default=0, ge=0)
    """CSV: heading lines to skip."""
    recorded_at: datetime | None = None
    """When the recording began; without it the samples count from the moment the replay starts."""
