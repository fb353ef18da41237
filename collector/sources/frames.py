"""Fixed-length frames cut out of a stream of bytes: in step while they follow one another, else searching.

What stands in a frame belongs to the decoders: they say which bytes begin a frame and which frames are valid.
Everything here is pure and works on many frames at once, in pieces of bounded size, so that even a stream of
nothing but garbage costs little.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Octets = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]

_PIECE_FRAMES = 512


@dataclass(frozen=True, slots=True)
class FrameRule:
    """What is known of a device's frames.

    `begins` judges frame heads `[n, head_length]`, `valid` whole frames `[n, length]`; both give one flag a
    row. `confirm` asks that the next head stands at a frame's end before the frame is taken: without a
    checksum, or with one of 8 bits only, a damaged frame would too often look valid.
    """

    length: int
    head_length: int
    begins: Callable[[Octets], Flags]
    valid: Callable[[Octets], Flags]
    confirm: bool


@dataclass(frozen=True, slots=True)
class Stretch:
    """Frames `[n, length]` that stood one behind the other; `skipped` bytes before them were no frame."""

    frames: Octets
    skipped: int


class FrameCutter:
    """Cuts a stream that arrives in pieces of any size; the result does not depend on where it was cut."""

    def __init__(self, rule: FrameRule) -> None:
        self._rule = rule
        self._rest = b""
        self._in_step = False
        self._skipped = 0

    @property
    def pending(self) -> int:
        """Bytes skipped since the last frame."""
        return self._skipped

    def feed(self, data: bytes) -> list[Stretch]:
        """Take the next bytes; gives the frames that are certain by now, without copying them."""
        self._rest += data
        octets = np.frombuffer(self._rest, np.uint8)
        stretches: list[Stretch] = []
        at, moved = 0, True
        while moved:
            piece = octets[at : at + _PIECE_FRAMES * self._rule.length]
            if self._in_step:
                frames, self._in_step = self._follow(piece)
                moved = len(frames) > 0 or not self._in_step
                at += frames.size
                if len(frames):
                    stretches.append(Stretch(frames, self._skipped))
                    self._skipped = 0
            else:
                skipped, self._in_step = self._search(piece)
                moved = skipped > 0 or self._in_step
                at += skipped
                self._skipped += skipped
        self._rest = self._rest[at:]
        return stretches

    def _follow(self, piece: Octets) -> tuple[Octets, bool]:
        """The frames at the start of a piece, and whether what follows is still in step."""
        rule = self._rule
        frames = piece[: len(piece) // rule.length * rule.length].reshape(-1, rule.length)
        if rule.confirm:
            heads = windows(piece, rule.head_length)[rule.length :: rule.length]
            frames = frames[: len(heads)]
            good = rule.valid(frames) & rule.begins(heads[: len(frames)])
        else:
            good = rule.valid(frames)
        if good.all():
            return frames, True
        return frames[: int(np.argmin(good))], False

    def _search(self, piece: Octets) -> tuple[int, bool]:
        """How many bytes come before two valid frames in a row, and whether those were found."""
        length = self._rule.length
        if len(piece) < 2 * length:
            return 0, False
        candidates = windows(piece, length)
        good = self._rule.begins(candidates[:, : self._rule.head_length])
        starts = np.flatnonzero(good)
        good[starts] = self._rule.valid(candidates[starts])
        twice = good[:-length] & good[length:]
        if twice.any():
            return int(np.argmax(twice)), True
        return len(twice), False


def windows(octets: Octets, length: int) -> Octets:
    """Every run of `length` bytes, `[n, length]`, without copying."""
    if len(octets) < length:
        return np.empty((0, length), np.uint8)
    return np.lib.stride_tricks.sliding_window_view(octets, length)
