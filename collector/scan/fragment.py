"""What scanning found, as a piece of a machine file that is ready to be pasted; pure."""

import math
from collections.abc import Iterator, Sequence
from typing import assert_never

from collector.scan.listening import Stream
from collector.scan.stream import Guess, channels_of
from collector.scan.units import Found, Register, settings_of
from collector.sources.modbus.line import Line, NetworkLine, SerialLine
from collector.sources.text_lines import TextFormat
from collector.sources.witmotion import WitMotionFormat
from collector.texts import Sentence, number
from collector.texts import scan as say
from collector.toml.text import comment, quoted

_MANTISSAS = (1.0, 1.25, 1.28, 1.6, 2.0, 2.5, 2.56, 3.2, 4.0, 5.0, 5.12, 6.4, 8.0, 10.0)
_NEAR = 0.025
_WINDOW_S = 4.0
_LEAST_WINDOW, _LONGEST_WINDOW = 64, 16_384


def nominal_hz(measured_hz: float) -> float:
    """The rate that the device is probably set to: a usual one close by, else what was measured."""
    decade = 10.0 ** math.floor(math.log10(measured_hz))
    usual = min((decade * mantissa for mantissa in _MANTISSAS), key=lambda rate: abs(rate - measured_hz))
    return float(f"{usual:.6g}" if abs(usual / measured_hz - 1) < _NEAR else f"{measured_hz:.3g}")


def stream_fragment(stream: Stream) -> str:
    """A `[[waveforms]]` table that reads the stream."""
    guess = stream.guess
    rate_hz = nominal_hz(stream.rate_hz) if stream.rate_hz else 1000.0
    lines = ["[[waveforms]]", 'name = "accelerometer"', "", "[waveforms.source]", 'kind = "serial"']
    lines += [f"port = {quoted(stream.port)}", f"baud = {stream.baud}"]
    lines += [
        comment(say.RATE_MEASURED(rate=f"{stream.rate_hz:.1f}") if stream.rate_hz else say.RATE_UNKNOWN())
    ]
    lines += [f"rate_hz = {number(rate_hz)}", "", "[waveforms.source.format]"]
    if guess.values_guessed:
        lines.append(comment(say.FRAMES_CERTAIN() if guess.certain else say.FRAMES_UNCERTAIN()))
    told = guess.format.model_dump(mode="json", exclude_defaults=True)
    lines += [f"{key} = {quoted(value)}" for key, value in told.items()]
    lines += _unused_counter(guess)
    if not isinstance(guess.format, WitMotionFormat):
        lines += [comment(say.SCALE()), "scale = 1.0"]
    for index, channel in enumerate(channels_of(guess, stream.unit)):
        lines += ["", "[[waveforms.channels]]", f"name = {quoted(channel.name)}"]
        if index == 0 and not isinstance(guess.format, WitMotionFormat):
            lines.append(comment(say.UNIT_UNKNOWN() if stream.unit == "count" else say.UNIT_BY_GRAVITY()))
        lines.append(f"unit = {quoted(channel.unit)}")
    samples = 2 ** round(math.log2(max(rate_hz * _WINDOW_S, 1)))
    samples = min(max(samples, _LEAST_WINDOW), _LONGEST_WINDOW)
    lines += ["", "[waveforms.window]", f"samples = {samples}"]
    return "\n".join(lines) + "\n"


def _unused_counter(guess: Guess) -> Iterator[str]:
    """A counter whose end was not seen, ready to be used: wrong, it would take good lines for lost ones."""
    column, modulus = guess.counter_column, guess.counter_modulus
    if column is not None and modulus is not None:
        yield comment(say.COUNTER_UNUSED(column=column, modulus=modulus))
        yield comment(f"counter_column = {column}")
        yield comment(f"counter_modulus = {modulus}")


def describe_format(stream: Stream) -> str:
    """The stream's format in a few words."""
    guess = stream.guess
    match guess.format:
        case TextFormat(delimiter=delimiter):
            return str(
                say.TEXT_LINES(
                    channels=guess.channels, delimiter=f'"{delimiter}"' if delimiter else str(say.SPACES())
                )
            )
        case WitMotionFormat():
            return str(say.WITMOTION())
        case frames:
            return str(say.FRAMES(sync=frames.sync, channels=guess.channels, checksum=frames.checksum))


def describe_unit(unit: Found) -> Iterator[Sentence]:
    """What was found of a unit, in a few words."""
    settings = settings_of(unit.line)
    place = say.SETTINGS(place=unit.line.place, settings=settings) if settings else unit.line.place
    if unit.likenesses:
        likely = [str(say.LIKE(profile=one.profile, evidence=one.evidence)) for one in unit.likenesses]
        device = str(say.OR()).join(likely)
    else:
        device = str(say.UNKNOWN_DEVICE())
    yield say.UNIT_FOUND(unit=unit.unit_id, place=str(place), device=device)
    if unit.any_number:
        yield say.ANY_NUMBER()
    if unit.likenesses:
        yield say.COMPARE()


def units_fragment(found: Sequence[Found]) -> str:
    """A `[[controllers]]` table for each unit."""
    names: list[str] = []
    pieces = []
    for unit in found:
        name = unit.likenesses[0].profile if unit.likenesses else "modbus"
        name = f"{name}-{unit.unit_id}" if len(found) > 1 else name
        names.append(name)
        pieces.append("\n".join(_controller(unit, name)) + "\n")
    return "\n".join(pieces)


def _controller(unit: Found, name: str) -> Iterator[str]:
    yield from ("[[controllers]]", f"name = {quoted(name)}", "", "[controllers.source]")
    yield from _line(unit.line)
    yield f"unit_id = {unit.unit_id}"
    if unit.likenesses:
        best, *others = unit.likenesses
        yield comment(say.READS_LIKE(evidence=best.evidence))
        yield f"profile = {quoted(best.profile)}"
        for other in others:
            yield comment(f"profile = {quoted(other.profile)}")
        return
    yield 'addressing = "pdu"'
    for register in unit.registers or (Register("holding", 0, 0),):
        yield ""
        yield comment(say.REGISTER_READ(word=register.word) if unit.registers else say.NO_REGISTER())
        yield "[[controllers.source.points]]"
        yield f"name = {quoted(f'{register.table}-{register.place}')}"
        yield f"table = {quoted(register.table)}"
        yield f"address = {register.place}"
        yield 'type = "u16"'


def _line(line: Line) -> Iterator[str]:
    match line:
        case SerialLine():
            yield from ('kind = "modbus-rtu"', f"port = {quoted(line.port)}", f"baud = {line.baud}")
            yield f"parity = {quoted(line.parity)}"
        case NetworkLine():
            yield f'kind = "{"modbus-rtu-over-tcp" if line.rtu else "modbus-tcp"}"'
            yield from (f"host = {quoted(line.host)}", f"port = {line.port}")
        case _:
            assert_never(line)
