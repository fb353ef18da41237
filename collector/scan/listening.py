"""Listening on a serial port at one speed after the other, until what comes can be understood.

Nothing is ever sent. What bytes mean is decided in stream.py.
"""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field

import serial

from collector.clock import monotonic_ns
from collector.errors import SourceError
from collector.samples import Unit
from collector.scan import Progress
from collector.scan.stream import (
    Guess,
    channels_of,
    decode,
    guess_stream,
    is_modbus_traffic,
    readable,
    unit_of,
    with_time,
)
from collector.sources.serial import decoder_of, open_port
from collector.texts import scan as say
from collector.texts import sources as say_of_ports

BAUDS = (115_200, 9600, 921_600, 460_800, 230_400, 57_600, 38_400, 19_200, 1_000_000, 500_000, 250_000, 4800)
"""The speeds that sensors have, the usual ones first."""
_FIRST_S = 3.5
"""A board that starts anew when its port is opened takes its time."""
_LISTEN_S = 1.0
_LONGER_S = 3.0
"""For so long where only little comes."""
_LITTLE_BYTES = 200
_NOISE_BYTES = 8
"""So few bytes are a disturbance on an open line, not a sensor."""
_MEASURE_S = 3.0
_SHOWN_BYTES = 40
_LOOK_S = 0.25
_KEPT_BYTES, _LOOKED_AT_BYTES = 1 << 17, 1 << 14


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream that was understood."""

    port: str
    baud: int
    guess: Guess
    unit: Unit
    rate_hz: float | None


@dataclass(frozen=True, slots=True)
class Noise:
    """Bytes that were not understood, as they came at the speed where they were most like text."""

    bytes_per_s: float
    baud: int
    last: bytes
    readable: float
    """The part of them that are letters, digits and signs."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing sends by itself."""


@dataclass(frozen=True, slots=True)
class OtherMaster:
    """Requests to Modbus devices were overheard, at this speed."""

    baud: int


Heard = Stream | Noise | OtherMaster | Silence


@dataclass(slots=True)
class _Received:
    """What came, in pieces with the time of arrival."""

    pieces: list[tuple[int, bytes]] = field(default_factory=list)

    @property
    def data(self) -> bytes:
        return b"".join(piece for _, piece in self.pieces)


def listen(port: str, bauds: Sequence[int], progress: Progress) -> Heard:
    """Try the speeds until the samples are understood; takes a minute at most.

    Raises:
        SourceError: the port cannot be opened, or went away.
    """
    with closing(open_port(port, bauds[0])) as device:
        try:
            return _listen(device, port, bauds, progress)
        except OSError as error:
            raise SourceError(say_of_ports.VANISHED(port=port)) from error


def _listen(device: serial.Serial, port: str, bauds: Sequence[int], progress: Progress) -> Heard:
    likely: list[tuple[float, int, Guess]] = []
    noises: list[Noise] = []
    for baud in bauds:
        progress(say.LISTENING(port=port, baud=baud))
        if not _set(device, baud):
            continue
        wait_s = _LISTEN_S if noises else _FIRST_S
        heard = _Received()
        guess = _understood(device, heard, wait_s)
        data = heard.data
        if guess is not None and guess.certain:
            return _measured(device, port, baud, guess, heard, progress)
        if guess is not None:
            likely.append((decode(guess, data).share, baud, guess))
        if is_modbus_traffic(data):
            return OtherMaster(baud)
        if not noises and len(data) < _NOISE_BYTES:
            return Silence()
        noises.append(Noise(len(data) / wait_s, baud, data[-_SHOWN_BYTES:], readable(data)))
    if not likely:
        return max(noises, key=lambda noise: noise.readable, default=Silence())
    _, baud, guess = max(likely, key=lambda likely: likely[0])
    _set(device, baud)
    return _measured(device, port, baud, guess, _Received(), progress)


def _set(device: serial.Serial, baud: int) -> bool:
    """Change the speed of the open port: opening it anew would start many boards anew."""
    try:
        device.baudrate = baud
    except (OSError, ValueError):  # not every port can do every speed
        return False
    device.reset_input_buffer()
    return True


def _understood(device: serial.Serial, heard: _Received, wait_s: float) -> Guess | None:
    """Listen until the stream is understood for certain, or for so long; then what it might be."""
    begun_ns, looked, guess = monotonic_ns(), 0, None
    while (passed_s := (monotonic_ns() - begun_ns) / 1e9) < wait_s or (
        passed_s < _LONGER_S and 0 < len(heard.data) < _LITTLE_BYTES
    ):
        _hear(device, heard, _LOOK_S)
        if len(heard.data) > looked:
            looked, guess = len(heard.data), guess_stream(heard.data[-_LOOKED_AT_BYTES:])
            if guess is not None and guess.certain:
                break
    return guess


def _hear(device: serial.Serial, heard: _Received, seconds: float) -> None:
    until_ns = monotonic_ns() + round(seconds * 1e9)
    while monotonic_ns() < until_ns and sum(len(piece) for _, piece in heard.pieces) < _KEPT_BYTES:
        data = device.read(device.in_waiting or 1)
        if data:
            heard.pieces.append((monotonic_ns(), bytes(data)))


def _measured(
    device: serial.Serial, port: str, baud: int, guess: Guess, heard: _Received, progress: Progress
) -> Stream:
    """Listen on for a while, to count samples; with more bytes, the guess is better too."""
    progress(say.MEASURING(port=port, baud=baud))
    _hear(device, heard, _MEASURE_S)
    data = heard.data
    guess = guess_stream(data) or guess
    rate_hz = _rate_hz(guess, heard)
    if rate_hz is not None:
        guess = with_time(guess, rate_hz)
    return Stream(port, baud, guess, unit_of(guess, decode(guess, data).samples), rate_hz)


def _rate_hz(guess: Guess, heard: _Received) -> float | None:
    """Samples a second, by the times of arrival."""
    decoder = decoder_of(guess.format, channels_of(guess), 1000.0)
    counted = [
        (at_ns, sum(run.samples.shape[1] for run in decoder.feed(piece))) for at_ns, piece in heard.pieces
    ]
    counted = [(at_ns, samples) for at_ns, samples in counted if samples]
    if len(counted) < 2:
        return None
    seconds = (counted[-1][0] - counted[0][0]) / 1e9
    return sum(samples for _, samples in counted[1:]) / seconds if seconds else None
