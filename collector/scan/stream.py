"""Bytes that came from a port -> what kind of accelerometer stream they are; pure.

Every guess is a format as the configuration says it, and is believed only if the very decoder that would read
the stream in the end takes nearly all of these bytes for samples.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from collector.samples import Channel, Samples, Unit
from collector.scan.columns import guess_text
from collector.scan.frames import guess_frames
from collector.sources.checksums import checksum
from collector.sources.frames import windows
from collector.sources.serial import Format, decoder_of
from collector.sources.text_lines import TextFormat
from collector.sources.witmotion import STANDARD_GRAVITY, WitMotionFormat

_LEAST_SAMPLES = 8
_LEAST_SHARE = 0.8
_LEAST_READABLE = 0.9
"""Bytes that are nearly all letters and digits are text, of whatever form."""
_NOMINAL_HZ = 1000.0
"""Decoders want a rate; only a device's own clock is judged by it."""
_TIME_UNITS_S = (1.0, 1e-3, 1e-6, 1e-9)
_READING_AND_WRITING = (1, 2, 3, 4, 5, 6, 15, 16)


@dataclass(frozen=True, slots=True)
class Guess:
    """A format that explains what came, and what of it is less than certain."""

    format: Format
    channels: int
    certain: bool = True
    """Whether form or checksum of the samples could not be so by chance."""
    values_guessed: bool = False
    """Whether counter, type and order of the values were concluded from how their bytes change."""
    counter_column: int | None = None
    """A column that counts up, of which is not known where it starts again."""
    counter_modulus: int | None = None
    """Where it might: a usual number that it had not come to."""
    time_column: int | None = None
    """A column that seems to be the device's time."""
    time_step: float = 0.0
    """How far it goes from one line to the next."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a guess makes of bytes."""

    samples: Samples
    share: float
    """The part of the bytes that became samples."""


def guess_stream(data: bytes) -> Guess | None:
    """The first kind of stream that explains these bytes, wherever they begin and end."""
    makers: tuple[Callable[[bytes], Guess | None], ...] = (_text, _witmotion, _frames)
    for make in makers:
        guess = make(data)
        if guess is not None and explains(guess, data):
            return guess
    return None


def explains(guess: Guess, data: bytes) -> bool:
    """Whether nearly all of these bytes are samples of this kind."""
    decoded = decode(guess, data)
    return decoded.samples.shape[1] >= _LEAST_SAMPLES and decoded.share >= _LEAST_SHARE


def decode(guess: Guess, data: bytes) -> Decoded:
    """Read bytes as the collector would."""
    decoder = decoder_of(guess.format, channels_of(guess), _NOMINAL_HZ)
    runs = decoder.feed(data)
    samples = np.concatenate([np.empty((guess.channels, 0)), *(run.samples for run in runs)], axis=1)
    return Decoded(samples, 1 - decoder.bad_bytes / max(1, len(data)))


def channels_of(guess: Guess, unit: Unit = "count") -> tuple[Channel, ...]:
    """Names for the channels: x, y and z where there are three."""
    names = "xyz" if guess.channels == 3 else [f"channel-{n}" for n in range(1, guess.channels + 1)]
    return tuple(Channel(name, "g" if isinstance(guess.format, WitMotionFormat) else unit) for name in names)


def unit_of(guess: Guess, samples: Samples) -> Unit:
    """What gravity says about the unit: three axes at rest make 1 g or 9.8 m/s² together; else unknown."""
    if isinstance(guess.format, WitMotionFormat):
        return "g"
    if guess.channels == 3 and samples.shape[1]:
        gravity = float(np.median(np.linalg.norm(samples, axis=0)))
        if 0.85 < gravity < 1.15:
            return "g"
        if 0.85 < gravity / STANDARD_GRAVITY < 1.15:
            return "m/s2"
    return "count"


def with_time(guess: Guess, rate_hz: float) -> Guess:
    """The guess with the unit of its time column, if its steps fit the rate in one."""
    if guess.time_column is None or not isinstance(guess.format, TextFormat):
        return guess
    for unit_s in _TIME_UNITS_S:
        if 0.9 < rate_hz * guess.time_step * unit_s < 1.1:
            timed = guess.format.model_copy(update={"time_column": guess.time_column, "time_unit_s": unit_s})
            return replace(guess, format=timed)
    return guess


def readable(data: bytes) -> float:
    """The part of the bytes that are letters, digits and signs, as in text."""
    return sum(0x20 <= octet < 0x7F or octet in b"\r\n\t" for octet in data) / max(1, len(data))


def is_modbus_traffic(data: bytes) -> bool:
    """Whether somebody asks Modbus devices here: two whole requests with a good checksum."""
    crc16 = checksum("crc16-modbus", 6)
    assert crc16 is not None
    requests = windows(np.frombuffer(data, np.uint8), 8)
    requests = requests[np.isin(requests[:, 1], _READING_AND_WRITING)]
    sent = requests[:, 6].astype(np.uint16) | requests[:, 7].astype(np.uint16) << 8
    return int(np.count_nonzero(crc16(requests[:, :6]) == sent)) >= 2 if len(requests) else False


def _text(data: bytes) -> Guess | None:
    table = guess_text(data)
    if table is None:
        return None
    counter = table.counter_column if table.format.counter_column is None else None
    return Guess(
        table.format,
        table.channels,
        counter_column=counter,
        counter_modulus=table.counter_modulus if counter else None,
        time_column=table.time_column,
        time_step=table.time_step,
    )


def _witmotion(_: bytes) -> Guess:
    return Guess(WitMotionFormat(kind="witmotion"), 3)


def _frames(data: bytes) -> Guess | None:
    frames = None if is_modbus_traffic(data) else guess_frames(data)
    if frames is None or not (frames.certain or readable(data) < _LEAST_READABLE):
        return None  # lines of equal length repeat, too
    return Guess(frames.format, frames.channels, certain=frames.certain, values_guessed=True)
