"""Accelerometers on a serial port: settings, and the source that opens the port exclusively."""

from typing import Literal

from pydantic import Field

from collector.settings import PositiveFinite, Settings


class TextFormat(Settings):
    """One sample a line: numbers between delimiters."""

    kind: Literal["text"]
    delimiter: str = ""
    """Between the numbers; empty means any white space."""
    columns: tuple[int, ...] | None = None
    """The column of each channel, counted from 1; without it channel 1 is column 1 and so on."""
    scale: tuple[PositiveFinite, ...] | PositiveFinite = 1.0
    counter_column: int | None = None
    """The column (from 1) of a sample counter, with `counter_modulus`."""
    counter_modulus: int | None = Field(default=None, gt=1)
    """The counter runs from 0 to this minus 1 and starts again."""
    time_column: int | None = None
    """The column (from 1) of the device's own time stamp, with `time_unit_s`."""
    time_unit_s: PositiveFinite | None = None
    """How many seconds one step of the device's time stamp is (0.001 for milliseconds)."""


class BinaryFormat(Settings):
    """Fixed frames: sync word, counter, values, checksum, in this order and without spaces."""

    kind: Literal["binary"]
    sync: str = Field(pattern=r"^([0-9a-fA-F]{2}){1,8}$")
    """The bytes that begin every frame, in hexadecimal (`aa55`)."""
    counter: Literal["none", "u8", "u16", "u32"] = "none"
    values: Literal["i8", "i16", "i24", "i32", "f32"] = "i16"
    byte_order: Literal["little", "big"] = "little"
    scale: tuple[PositiveFinite, ...] | PositiveFinite = 1.0
    """Channel unit for one step of the raw value; one number for all channels or one for each."""
    checksum: Literal["none", "sum8", "xor8", "crc16-modbus", "crc16-ccitt"] = "none"
    """Over everything before it; the two crc16 follow the byte order of the values."""


class WitMotionFormat(Settings):
    """The WitMotion 0x55 protocol: acceleration frames (0x51) of a WT901 and its relatives, in g."""

    kind: Literal["witmotion"]


class SerialSettings(Settings):
    """An accelerometer on a serial port."""

    kind: Literal["serial"]
    port: str = Field(min_length=1)
    """The port's stable name, such as /dev/serial/by-id/usb-…"""
    baud: int = Field(gt=0)
    rate_hz: PositiveFinite
    """The nominal sample rate; the true one is measured."""
    format: TextFormat | BinaryFormat | WitMotionFormat = Field(discriminator="kind")
    silent_after_s: PositiveFinite = 5.0
    """Without a valid sample for so long, the port is closed and opened again."""
