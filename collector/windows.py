"""Blocks become windows of exact length without a gap inside; pure.

Beside cutting, this keeps the account: every sample fed is advanced over by a window, discarded in a partial
window, lost, or still open.
"""

from typing import Annotated

from pydantic import Field

from collector.settings import PositiveFinite, Settings


class WindowSettings(Settings):
    """How long a window is and how far the next one starts."""

    samples: Annotated[int, Field(ge=16, le=1 << 20)] | None = None
    """The length in samples; or give `seconds`."""
    seconds: PositiveFinite | None = None
    """The length in seconds at the nominal rate."""
    overlap: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """The part of a window that the next one shares; or give `hop_samples`."""
    hop_samples: Annotated[int, Field(gt=0)] | None = None
    """The distance from one window's start to the next one's."""
