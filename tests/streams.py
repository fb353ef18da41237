"""Streams as accelerometers send them, byte for byte, made of numbers; for tests of guessing and scanning."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from modbus_peers import crc16

from collector.sources.binary_frames import BinaryFormat
from collector.sources.checksums import checksum

Values = npt.NDArray[np.int64]


def vibration(samples: int, channels: int, seed: int = 1, amplitude: int = 3000) -> Values:
    """Whole numbers `[samples, channels]` that look like vibration: sines with noise about a mean."""
    random = np.random.default_rng(seed)
    time = np.arange(samples)[:, None]
    sines = amplitude * np.sin(time * random.uniform(0.05, 0.6, channels) + random.uniform(0, 6, channels))
    return np.rint(sines + random.normal(0, amplitude / 20, (samples, channels)) + amplitude / 7).astype(
        np.int64
    )


def text_lines(
    values: Values, delimiter: str = " ", scale: float = 0.001, before: Sequence[Any] = ()
) -> bytes:
    """A line a sample; `before` gives columns of any kind that come first."""
    columns = [*before, *(np.char.mod("%.4f", values.T * scale))]
    rows = zip(*([str(cell) for cell in column] for column in columns), strict=True)
    return "".join(delimiter.join(row) + "\r\n" for row in rows).encode()


def binary_frames(format_: BinaryFormat, values: Values, first: int = 0) -> bytes:
    """Frames as the format says, counting from `first`."""
    order = format_.byte_order
    counter = 0 if format_.counter == "none" else int(format_.counter[1:]) // 8
    size = int(format_.values[1:]) // 8

    def written(value: int) -> bytes:
        if format_.values == "f32":
            return struct.pack("<f" if order == "little" else ">f", value / 1000)
        return value.to_bytes(size, order, signed=True)

    rows = [
        bytes.fromhex(format_.sync)
        + (number % 256**counter).to_bytes(counter, order)
        + b"".join(map(written, row))
        for number, row in enumerate(values.tolist(), first)
    ]
    check = checksum(format_.checksum, len(rows[0]))
    if check is None:
        return b"".join(rows)
    sums = check(np.frombuffer(b"".join(rows), np.uint8).reshape(len(rows), -1)).tolist()
    width = 2 if format_.checksum.startswith("crc") else 1
    return b"".join(row + sum_.to_bytes(width, order) for row, sum_ in zip(rows, sums, strict=True))


def witmotion(values: Values, *, gyro: bool = True) -> bytes:
    """Acceleration frames, each with one of the turning rate behind it."""
    frames = []
    for row in values:
        frames.append(b"\x55\x51" + row.astype("<i2").tobytes() + b"\x10\x09")
        if gyro:
            frames.append(b"\x55\x52" + row[::-1].astype("<i2").tobytes() + b"\x10\x09")
    return b"".join(frame + bytes([sum(frame) & 0xFF]) for frame in frames)


def modbus_traffic(times: int) -> bytes:
    """A master that asks one unit for two registers, and its answers."""
    sent = b""
    for n in range(times):
        request, reply = b"\x01\x03\x00\x00\x00\x02", b"\x01\x03\x04" + n.to_bytes(2, "big") + b"\x00\x64"
        sent += request + crc16(request) + reply + crc16(reply)
    return sent


@dataclass(frozen=True)
class Cut:
    """A piece of a stream that begins and ends anywhere."""

    begin: int
    end: int

    def of(self, data: bytes) -> bytes:
        return data[self.begin : len(data) - self.end]
