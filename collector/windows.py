"""Blocks become windows of exact length without a gap inside; pure.

Beside cutting, this keeps the account: every sample fed is advanced over by a window, discarded in a partial
window, lost, or still open. What a window is worth is computed elsewhere.
"""

from typing import Annotated

import numpy as np
from pydantic import Field

from collector.health import Account
from collector.samples import Block, Window
from collector.settings import PositiveFinite, Settings

MIN_SAMPLES = 16
MAX_SAMPLES = 1 << 20


class WindowSettings(Settings):
    """How long a window is and how far the next one starts."""

    samples: Annotated[int, Field(ge=MIN_SAMPLES, le=MAX_SAMPLES)] | None = None
    """The length in samples; or give `seconds`."""
    seconds: PositiveFinite | None = None
    """The length in seconds at the nominal rate."""
    overlap: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """The part of a window that the next one shares; or give `hop_samples`."""
    hop_samples: Annotated[int, Field(gt=0)] | None = None
    """The distance from one window's start to the next one's."""

    def resolve(self, rate_hz: float) -> tuple[int, int]:
        """Length and hop in samples, at the nominal rate.

        Raises:
            ValueError: not exactly one length, both an overlap and a hop, or seconds that make a window
                shorter than `MIN_SAMPLES` or longer than `MAX_SAMPLES`.
        """
        if self.samples is not None and self.seconds is None:
            n = self.samples
        elif self.seconds is not None and self.samples is None:
            # Beyond the limit the product may not even be finite, so that it could not be rounded.
            n = round(min(self.seconds * rate_hz, MAX_SAMPLES + 1))
        else:
            raise ValueError("a window needs one length: either `samples` or `seconds`")
        if not MIN_SAMPLES <= n <= MAX_SAMPLES:
            raise ValueError(f"a window must have {MIN_SAMPLES} to {MAX_SAMPLES} samples")
        if self.hop_samples is None:
            return n, max(1, round(n * (1 - self.overlap)))
        if self.overlap:
            raise ValueError("the distance between windows is either `overlap` or `hop_samples`")
        return n, self.hop_samples


class Windows:
    """Cuts one stream into windows of `n` samples, one every `hop` samples.

    Blocks may have any size. A gap discards the open window, and the next one starts right after the gap.
    A hop longer than `n` passes over the samples between two windows.
    """

    def __init__(self, channels: int, n: int, hop: int) -> None:
        if channels < 1 or n < 1 or hop < 1:
            raise ValueError("channels, length and hop must be at least 1")
        self._channels = channels
        self._n = n
        self._hop = hop
        self._buffer = np.empty((channels, n))
        self._filled = 0
        self._skip = 0  # samples still to pass over before the next window starts
        self._end: int | None = None  # the index after the last sample seen
        self._lost_since_window = 0
        self._fed = self._advanced = self._discarded = self._lost = 0

    def push(self, block: Block) -> list[Window]:
        """Take the next block and return the windows that it completes, oldest first.

        A window owns its samples: neither the block nor a later push changes them.

        Raises:
            ValueError: the block does not follow the last one and its gap does not say what is missing,
                or it has another number of channels.
        """
        channels, size = block.samples.shape
        if channels != self._channels:
            raise ValueError(f"expected {self._channels} channels, got {channels}")
        start = self._start(block)
        self._fed += size
        self._end = start + size
        if not self._skip and self._filled + size < self._n:  # the usual case completes nothing
            self._buffer[:, self._filled : self._filled + size] = block.samples
            self._filled += size
            return []
        windows: list[Window] = []
        at = 0
        while at < size:
            if self._skip:
                passed = min(self._skip, size - at)
                self._skip -= passed
                self._advanced += passed
                at += passed
                continue
            taken = min(self._n - self._filled, size - at)
            self._buffer[:, self._filled : self._filled + taken] = block.samples[:, at : at + taken]
            self._filled += taken
            at += taken
            if self._filled == self._n:
                windows.append(self._complete(first=start + at - self._n))
        return windows

    def account(self) -> Account:
        """Where every sample went so far; it closes between any two calls."""
        return Account(self._fed, self._advanced, self._discarded, self._lost, self._filled)

    def close(self) -> None:
        """Discard the open window: no more samples will complete it."""
        self._discarded += self._filled
        self._filled = 0
        self._skip = 0

    def _start(self, block: Block) -> int:
        """Check that the block joins on, and book its gap."""
        gap = block.gap
        if gap is None:
            if self._end is not None and block.first != self._end:
                raise ValueError(
                    f"a block starts at {block.first}, but {self._end} was next and no gap says why"
                )
            return block.first
        begins_well = self._end is None or gap.first == self._end
        if not begins_well or gap.lost < 0 or gap.first + gap.lost != block.first:
            raise ValueError(f"{gap} does not lie between sample {self._end} and a block at {block.first}")
        self.close()
        self._fed += gap.lost
        self._lost += gap.lost
        self._lost_since_window += gap.lost
        return block.first

    def _complete(self, first: int) -> Window:
        """Hand out the full buffer, and start the next window with what it shares with this one."""
        window = Window(first, self._buffer, self._hop, self._lost_since_window)
        # A fresh array each time: it is filled straight from the blocks, while one buffer for ever would
        # have to be copied into a fresh array for every window anyway.
        self._buffer = np.empty((self._channels, self._n))
        self._filled = max(self._n - self._hop, 0)
        self._buffer[:, : self._filled] = window.samples[:, self._n - self._filled :]
        self._advanced += self._n - self._filled
        self._skip = max(self._hop - self._n, 0)
        self._lost_since_window = 0
        return window
