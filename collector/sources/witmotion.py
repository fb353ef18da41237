"""The WitMotion 0x55 protocol of a WT901 and its relatives: settings and decoder; pure.

A frame has 11 bytes: 0x55, a type, eight bytes of data, and the low byte of the sum of the ten. Type 0x51 is
acceleration: three little-endian int16 of which 32768 is 16 g, then the temperature. 0x55 also occurs in
data, so head, type and sum together, and the next head behind them, make a frame (docs/decisions/0005).
"""

from typing import Literal

import numpy as np

from collector.samples import Channel, Loss, LossCause, Run
from collector.settings import Settings
from collector.sources.checksums import checksum
from collector.sources.device_clock import split
from collector.sources.frames import Flags, FrameCutter, FrameRule, Octets
from collector.sources.full_scale import narrowed

STANDARD_GRAVITY = 9.80665
"""m/s² in one g (CGPM 1901)."""

FRAME_BYTES = 11
_ACCELERATION = 0x51
_G_PER_STEP = 16 / 32768

_sum8 = checksum("sum8", FRAME_BYTES - 1)


class WitMotionFormat(Settings):
    """The WitMotion 0x55 protocol: acceleration frames (0x51) of a WT901 and its relatives, in g."""

    kind: Literal["witmotion"]


def witmotion_channels(channels: tuple[Channel, ...]) -> tuple[Channel, ...]:
    """The channels, clipped at ±16 g where the configuration gives no tighter limit."""
    return tuple(
        narrowed(channel, -32768 * _unit_per_step(channel), 32767 * _unit_per_step(channel))
        for channel in channels
    )


class WitMotionDecoder:
    """Bytes -> runs of three channels, in g, or in m/s² where the channel says so."""

    def __init__(self, channels: tuple[Channel, ...]) -> None:
        if len(channels) != 3:
            raise ValueError(f"an acceleration frame has 3 values, not {len(channels)}")
        self._scale = np.array([[_unit_per_step(channel)] for channel in channels])
        self._cutter = FrameCutter(FrameRule(FRAME_BYTES, 2, _begins, _valid, confirm=True))
        self._bad = 0
        self._skipped = 0
        self._frames = 0
        self._samples = 0

    @property
    def bad_bytes(self) -> int:
        """Bytes that were part of no valid frame; the cut frame just after opening is not counted."""
        pending = self._cutter.pending
        return self._bad + (pending if self._frames or pending >= FRAME_BYTES else 0)

    def feed(self, data: bytes) -> list[Run]:
        """Take the next bytes; gives the samples certain by now, with what is missing before them."""
        runs: list[Run] = []
        for stretch in self._cutter.feed(data):
            if self._frames or stretch.skipped >= FRAME_BYTES:
                self._bad += stretch.skipped
            self._skipped += stretch.skipped
            acceleration = stretch.frames[stretch.frames[:, 1] == _ACCELERATION]
            if len(acceleration):
                losses = {0: self._loss()} if self._skipped and self._samples else {}
                raw = np.ascontiguousarray(acceleration[:, 2:8]).view("<i2")
                runs += split(raw.T.astype(np.float64, order="C") * self._scale, losses)
                self._skipped = 0
            self._frames += len(stretch.frames)
            self._samples += len(acceleration)
        return runs

    def _loss(self) -> Loss:
        """A guess from the bytes skipped, by how many of the frames so far were acceleration."""
        frames = self._skipped / FRAME_BYTES * self._samples / self._frames
        return Loss(LossCause.GARBAGE, max(1, int(np.ceil(frames))), estimated=True)


def _unit_per_step(channel: Channel) -> float:
    return _G_PER_STEP * (STANDARD_GRAVITY if channel.unit == "m/s2" else 1.0)


def _begins(heads: Octets) -> Flags:
    begins: Flags = (heads[:, 0] == 0x55) & (heads[:, 1] >> 4 == 5)
    return begins


def _valid(frames: Octets) -> Flags:
    assert _sum8 is not None
    valid: Flags = _begins(frames) & (_sum8(frames[:, :-1]) == frames[:, -1])
    return valid
