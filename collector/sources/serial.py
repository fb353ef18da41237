"""Accelerometers on a serial port: settings, and the source that opens the port exclusively.

What the bytes mean is decided by the decoders (text_lines, binary_frames, witmotion), which do no I/O.
"""

import errno
import fcntl
import os
import termios
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, assert_never

import serial
from pydantic import Field

from collector.clock import monotonic_ns as clock_monotonic_ns
from collector.errors import SourceError
from collector.samples import Channel, Run, Signal
from collector.settings import PositiveFinite, Settings
from collector.sources.binary_frames import BinaryDecoder, BinaryFormat, binary_channels, frame_bytes
from collector.sources.serial_port import SerialPort
from collector.sources.source import READ_WAIT_S
from collector.sources.text_lines import TextDecoder, TextFormat, shortest_line
from collector.sources.witmotion import FRAME_BYTES, WitMotionDecoder, WitMotionFormat, witmotion_channels
from collector.texts import Sentence
from collector.texts import sources as say

__all__ = ["BinaryFormat", "SerialSettings", "TextFormat", "WitMotionFormat", "serial_source"]

_BY_ID = Path("/dev/serial/by-id")
_GATHER_S = 0.02, 0.004, 0.1
"""How long bytes are collected before they are read: at first, at least, at most."""
_ENOUGH_BYTES = 2048
"""When more came at once, collecting is made shorter, for the kernel keeps 4096; when much less, longer: a
slow stream need not wake the gateway 50 times a second."""
_SHOWN_BYTES = 32
_PTY_MAJORS = range(136, 144)


Format = TextFormat | BinaryFormat | WitMotionFormat


class SerialSettings(Settings):
    """An accelerometer on a serial port."""

    kind: Literal["serial"]
    port: SerialPort
    """The port's stable name, such as /dev/serial/by-id/usb-…"""
    baud: int = Field(gt=0)
    """Bits per second, as the device is set; ports that are really USB ignore it."""
    rate_hz: PositiveFinite
    """The nominal sample rate; the true one is measured."""
    format: Format = Field(discriminator="kind")
    """What the device sends."""
    silent_after_s: PositiveFinite = 5.0
    """Without a valid sample for so long, the port is closed and opened again."""


class Decoder(Protocol):
    """Bytes -> samples, without I/O."""

    @property
    def bad_bytes(self) -> int:
        """Bytes that were part of no valid sample."""

    def feed(self, data: bytes) -> list[Run]:
        """Take the next bytes; gives the samples that are certain by now."""


def serial_source(settings: SerialSettings, channels: tuple[Channel, ...]) -> "SerialSource":
    """The source that the settings describe; its channels clip where the format's integers end, or before."""
    match settings.format:
        case TextFormat():
            limited = channels
        case BinaryFormat() as format_:
            limited = binary_channels(format_, channels)
        case WitMotionFormat():
            limited = witmotion_channels(channels)
        case _:
            assert_never(settings.format)
    return SerialSource(settings, Signal(limited, settings.rate_hz))


@dataclass(frozen=True, slots=True)
class SerialSource:
    """A serial port as configured; each opening looks its path up anew, so by-id names survive replugging."""

    settings: SerialSettings
    signal: Signal
    monotonic_ns: Callable[[], int] = clock_monotonic_ns
    origin: str = "live"
    waits: bool = False

    @property
    def silent_after_s(self) -> float:
        """As configured."""
        return self.settings.silent_after_s

    def open(self) -> "SerialDevice":
        """Open the port for us alone.

        Raises:
            SourceError: it is not there, not permitted, in use, or cannot be set up.
        """
        device = open_port(self.settings.port, self.settings.baud)
        decoder = decoder_of(self.settings.format, self.signal.channels, self.signal.rate_hz)
        return SerialDevice(device, self.settings, decoder, self.monotonic_ns)


class SerialDevice:
    """An open port, and what it said last."""

    def __init__(
        self, port: serial.Serial, settings: SerialSettings, decoder: Decoder, monotonic_ns: Callable[[], int]
    ) -> None:
        self._port = port
        self._settings = settings
        self._gather_s = _GATHER_S[0]
        self._decoder = decoder
        self._monotonic_ns = monotonic_ns
        self._valid_ns = monotonic_ns()
        self._bytes_since_valid = 0
        self._last_bytes = b""

    def read(self) -> list[Run]:
        """Wait for bytes, gather what follows within 20 ms, and decode it.

        Raises:
            SourceError: the port vanished, or gave no valid sample for `silent_after_s`.
        """
        try:
            data = self._gather()
        except OSError as error:
            raise SourceError(say.VANISHED(port=self._settings.port)) from error
        runs = self._decoder.feed(data) if data else []
        self._watch(data, has_samples=bool(runs))
        return runs

    def bad_bytes(self) -> int:
        """Bytes discarded since opening because they were part of no valid sample."""
        return self._decoder.bad_bytes

    def close(self) -> None:
        """Give the port back."""
        try:
            self._port.close()
        except (OSError, termios.error):  # it vanished; there is nothing left to give back
            return

    def _gather(self) -> bytes:
        first, waiting = b"", self._port.in_waiting
        if not waiting:
            first = bytes(self._port.read(1))
            if not first:
                return b""
        if waiting < _ENOUGH_BYTES:
            time.sleep(self._gather_s)
        data = first + bytes(self._port.read(self._port.in_waiting))
        _, shortest_s, longest_s = _GATHER_S
        if len(data) > _ENOUGH_BYTES:
            self._gather_s = max(shortest_s, self._gather_s / 2)
        elif len(data) < _ENOUGH_BYTES // 4:
            self._gather_s = min(longest_s, self._gather_s * 1.25)
        return data

    def _watch(self, data: bytes, *, has_samples: bool) -> None:
        """Tell silence from bytes that make no sense: the remedies differ."""
        now_ns = self._monotonic_ns()
        if has_samples:
            self._valid_ns, self._bytes_since_valid = now_ns, 0
            return
        self._bytes_since_valid += len(data)
        self._last_bytes = (self._last_bytes + data)[-_SHOWN_BYTES:]
        seconds = (now_ns - self._valid_ns) / 1e9
        if seconds < self._settings.silent_after_s:
            return
        port = self._settings.port
        if not self._bytes_since_valid:
            raise SourceError(say.NO_BYTES(port=port, seconds=round(seconds, 1)))
        raise SourceError(
            say.NOT_UNDERSTOOD(
                port=port,
                bytes_per_s=round(self._bytes_since_valid / seconds),
                baud=self._settings.baud,
                format=self._settings.format.kind,
                sample=shown(self._last_bytes, self._settings.format.kind),
            )
        )


def decoder_of(format_: Format, channels: tuple[Channel, ...], rate_hz: float) -> Decoder:
    """A fresh decoder of a format."""
    match format_:
        case TextFormat():
            return TextDecoder(format_, channels, rate_hz)
        case BinaryFormat():
            return BinaryDecoder(format_, len(channels))
        case WitMotionFormat():
            return WitMotionDecoder(channels)
        case _:
            assert_never(format_)


def least_bytes(format_: Format, channels: int) -> int:
    """The fewest bytes that a sample takes on the line."""
    match format_:
        case TextFormat():
            return shortest_line(format_, channels)
        case BinaryFormat():
            return frame_bytes(format_, channels)
        case WitMotionFormat():
            return FRAME_BYTES
        case _:
            assert_never(format_)


def open_port(port: str, baud: int) -> serial.Serial:
    """Open a port for us alone; a read waits at most `READ_WAIT_S`.

    Raises:
        SourceError: it is not there, not permitted, in use, or cannot be set up.
    """
    try:
        device = serial.Serial(port, baud, timeout=READ_WAIT_S, exclusive=True)
    except (OSError, ValueError, termios.error) as error:
        raise SourceError(why_not_open(port, baud, error)) from error
    try:
        _claim(device)
    except OSError as error:
        device.close()
        raise SourceError(why_not_open(port, baud, error)) from error
    return device


def why_not_open(port: str, baud: int, error: Exception, by_id: Path = _BY_ID) -> Sentence:
    """What an operator should know of a port that could not be opened."""
    match getattr(error, "errno", None):
        case errno.ENOENT | errno.ENODEV | errno.ENXIO:
            present = sorted(str(path) for path in by_id.glob("*"))
            if present:
                return say.NOT_FOUND(port=port, present=", ".join(present))
            return say.NO_PORTS(port=port)
        case errno.EACCES | errno.EPERM:
            return say.NOT_PERMITTED(port=port)
        case errno.EBUSY | errno.EAGAIN:
            return say.BUSY(port=port)
        case _ if isinstance(error, ValueError):
            return say.BAUD_REFUSED(port=port, baud=baud)
        case _:
            is_port = Path(port).is_char_device()
            return say.NOT_OPENED(port=port, reason=str(error)) if is_port else say.NOT_A_PORT(port=port)


def _claim(port: serial.Serial) -> None:
    """Keep out programs that look at no lock.

    A pseudo-terminal would stay claimed after its holder was killed, until its other end is closed too.
    """
    if os.major(os.fstat(port.fileno()).st_rdev) not in _PTY_MAJORS:
        fcntl.ioctl(port.fileno(), termios.TIOCEXCL)


def shown(data: bytes, kind: str) -> str:
    """Bytes as an operator can compare them with the device's manual."""
    if kind != "text":
        return data.hex(" ")
    return (
        data.decode("ascii", "backslashreplace")
        .encode("unicode_escape")
        .decode("ascii")
        .replace("\\\\x", "\\x")
    )
