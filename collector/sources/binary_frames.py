"""Fixed binary frames of a micro-controller board: settings and decoder; pure.

A frame is sync word, counter, one value a channel, checksum, without spaces between.
"""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from collector.samples import Channel, Loss, LossCause, Run, Samples
from collector.settings import PositiveFinite, Settings
from collector.sources.checksums import ChecksumKind, checksum
from collector.sources.device_clock import SampleCounter, split
from collector.sources.frames import Flags, FrameCutter, FrameRule, Octets
from collector.sources.full_scale import for_channels, narrowed

CHECK_BYTES: dict[ChecksumKind, int] = {"none": 0, "sum8": 1, "xor8": 1, "crc16-modbus": 2, "crc16-ccitt": 2}
"""How many bytes a checksum takes."""
_BITS = {"i8": 8, "i16": 16, "i24": 24, "i32": 32}


class BinaryFormat(Settings):
    """Fixed frames: sync word, counter, values, checksum, in this order and without spaces."""

    kind: Literal["binary"]
    sync: str = Field(pattern=r"^([0-9a-fA-F]{2}){1,8}$")
    """The bytes that begin every frame, in hexadecimal (`aa55`)."""
    counter: Literal["none", "u8", "u16", "u32"] = "none"
    """A number after the sync word that goes up by one with each frame."""
    values: Literal["i8", "i16", "i24", "i32", "f32"] = "i16"
    """How a channel's value is written: a signed integer of so many bits, or a 32-bit float."""
    byte_order: Literal["little", "big"] = "little"
    """Which byte of a number comes first."""
    scale: tuple[PositiveFinite, ...] | PositiveFinite = 1.0
    """Channel unit for one step of the raw value; one number for all channels or one for each."""
    checksum: ChecksumKind = "none"
    """Over everything before it; the two crc16 follow the byte order of the values."""


def binary_channels(settings: BinaryFormat, channels: tuple[Channel, ...]) -> tuple[Channel, ...]:
    """The channels, clipped at the integer's extremes where the configuration gives no tighter limit."""
    if settings.values == "f32":
        return channels
    steps = 2 ** (_BITS[settings.values] - 1)
    scale = for_channels(settings.scale, len(channels))[:, 0]
    return tuple(
        narrowed(channel, -steps * float(step), (steps - 1) * float(step))
        for channel, step in zip(channels, scale, strict=True)
    )


def frame_bytes(settings: BinaryFormat, channels: int) -> int:
    """The length of a frame."""
    return _layout(settings, channels).itemsize


class BinaryDecoder:
    """Bytes -> runs of samples; where the stream is cut makes no difference."""

    def __init__(self, settings: BinaryFormat, channels: int) -> None:
        self._float = settings.values == "f32"
        self._little = settings.byte_order == "little"
        self._layout = _layout(settings, channels)
        self._sync = np.frombuffer(bytes.fromhex(settings.sync), np.uint8)
        self._scale = for_channels(settings.scale, channels)
        self._length = self._layout.itemsize
        self._checked = self._length - CHECK_BYTES[settings.checksum]
        self._checksum = checksum(settings.checksum, self._checked)
        self._modulus = 0 if settings.counter == "none" else 2 ** int(settings.counter[1:])
        self._counter = SampleCounter(self._modulus) if self._modulus else None
        self._cutter = FrameCutter(
            FrameRule(
                length=self._length,
                head_length=len(self._sync),
                begins=self._begins,
                valid=self._valid,
                confirm=settings.checksum in {"none", "sum8", "xor8"},
            )
        )
        self._bad = 0
        self._skipped = 0
        self._started = False

    @property
    def bad_bytes(self) -> int:
        """Bytes that were part of no valid frame; the cut frame just after opening is not counted."""
        pending = self._cutter.pending
        return self._bad + (pending if self._started or pending >= self._length else 0)

    def feed(self, data: bytes) -> list[Run]:
        """Take the next bytes; gives the samples certain by now, with what is missing before them."""
        runs: list[Run] = []
        for stretch in self._cutter.feed(data):
            if self._started or stretch.skipped >= self._length:
                self._bad += stretch.skipped
            self._skipped += stretch.skipped
            runs += self._decode(self._records(stretch.frames))
        return runs

    def _decode(self, records: npt.NDArray[np.void]) -> list[Run]:
        losses: dict[int, Loss] = {}
        if self._counter is not None:
            missing = self._counter.missing(records["counter"].astype(np.int64))
            once = missing >= 0
            self._bad += self._length * int(np.count_nonzero(~once))
            records, missing = records[once], missing[once]
            for index in np.flatnonzero(missing):
                cause = LossCause.GARBAGE if index == 0 and self._skipped else LossCause.DEVICE
                losses[int(index)] = Loss(cause, int(missing[index]), modulus=self._modulus)
        elif self._skipped and self._started:
            losses[0] = Loss(LossCause.GARBAGE, -(-self._skipped // self._length), estimated=True)
        if not len(records):
            return []
        self._skipped, self._started = 0, True
        return split(self._samples(records), losses)

    def _samples(self, records: npt.NDArray[np.void]) -> Samples:
        values = records["values"]
        if values.ndim == 3:  # 24 bits: put into the high three bytes of 32, then shifted down with the sign
            wide = np.zeros((*values.shape[:2], 4), np.uint8)
            wide[..., slice(1, 4) if self._little else slice(0, 3)] = values
            values = wide.view("<i4" if self._little else ">i4")[..., 0] >> 8
        return values.T.astype(np.float64, order="C") * self._scale

    def _begins(self, heads: Octets) -> Flags:
        begins: Flags = np.all(heads == self._sync, axis=1)
        return begins

    def _valid(self, frames: Octets) -> Flags:
        valid = self._begins(frames[:, : len(self._sync)])
        records = self._records(frames)
        if self._checksum is not None:
            valid &= self._checksum(frames[:, : self._checked]) == records["check"]
        if self._float:
            valid &= np.all(np.isfinite(records["values"]), axis=1)
        return valid

    def _records(self, frames: Octets) -> npt.NDArray[np.void]:
        """The same bytes `[n, length]` as records `[n]` with the fields of a frame."""
        return np.ascontiguousarray(frames).reshape(-1).view(self._layout)


def _layout(settings: BinaryFormat, channels: int) -> np.dtype[np.void]:
    """A frame as a packed record."""
    order = "<" if settings.byte_order == "little" else ">"
    fields: list[Any] = [("sync", np.uint8, (len(settings.sync) // 2,))]
    if settings.counter != "none":
        fields.append(("counter", f"{order}u{int(settings.counter[1:]) // 8}"))
    if settings.values == "i24":
        fields.append(("values", np.uint8, (channels, 3)))
    else:
        fields.append(("values", f"{order}{settings.values[0]}{int(settings.values[1:]) // 8}", (channels,)))
    if settings.checksum != "none":
        fields.append(("check", f"{order}u{CHECK_BYTES[settings.checksum]}"))
    return np.dtype(fields)
