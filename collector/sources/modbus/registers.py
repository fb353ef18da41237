"""From the words of a reply to readings, for all values of a request at once; pure.

Registers are 16-bit words. The order of bytes within a word and of words within a number are told apart,
which makes the four orders that devices use.
"""

import math
import struct
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, groupby, repeat
from operator import itemgetter
from typing import Any, cast

from collector.points import PointQuality, Reading, Value, good_readings
from collector.sources.modbus.settings import ByteOrder, ModbusPointSettings, ValueType, WordOrder
from collector.texts import number

_CODES: dict[ValueType, str] = {
    "bool": "H", "u16": "H", "i16": "h", "f16": "e",
    "u32": "I", "i32": "i", "f32": "f",
    "u64": "Q", "i64": "q", "f64": "d",
}  # fmt: skip
"""The types as `struct` calls them."""

_LARGEST = sys.float_info.max
_FLOATS = ("f16", "f32", "f64")

UNSIGNED_BITS: dict[ValueType | None, int] = {"u16": 16, "u32": 32, "u64": 64}
"""Of which types single bits can be taken, and how many they have."""

Words = Sequence[int]
"""The registers of a reply, or its bits."""
Convert = Callable[[Sequence[Any]], Iterable[Value | None]]
"""From raw values to those of points that are alike; None where one must not be used."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A point's place in a reply: `offset` words from its beginning, and how it is written there."""

    point: ModbusPointSettings
    offset: int
    byte_order: ByteOrder = "big"
    word_order: WordOrder = "high-first"

    def word_places(self) -> Iterable[int]:
        """Which words of the reply make the value, the highest first."""
        places = range(self.offset, self.offset + registers_of(self.point))
        return reversed(places) if self.word_order == "low-first" and self.point.type != "text" else places


def registers_of(point: ModbusPointSettings) -> int:
    """How many registers a value takes (or bits, in a table of bits: one)."""
    if point.type == "text":
        return point.registers or 1
    return struct.calcsize(">" + _CODES[point.type or "bool"]) // 2


class Decoder:
    """Decodes the replies of one request."""

    def __init__(self, cells: Sequence[Cell], *, of_bits: bool = False) -> None:
        if of_bits:
            groups = [(_pick([cell.offset for cell in cells]), cells)]
        else:
            orders: tuple[ByteOrder, ...] = ("big", "little")
            parts = [(order, [cell for cell in cells if cell.byte_order == order]) for order in orders]
            groups = [(_unpack(part, order), part) for order, part in parts if part]
        self._raws = [raws for raws, _ in groups]
        self._points = [cell.point for _, part in groups for cell in part]
        # Beside each other, so that decoding touches no point while all are good.
        self._names = [point.name for point in self._points]
        self._converts = list(_alike(self._points))

    def readings(self, words: Words, received_ns: int) -> tuple[Reading, ...]:
        """The readings of all points, good or bad."""
        raws = list(chain.from_iterable([raws(words) for raws in self._raws]))
        values = list(chain.from_iterable([convert(raws[places]) for convert, places in self._converts]))
        if None in values:
            return tuple(map(_reading, self._points, values, raws, repeat(received_ns)))
        return good_readings(self._names, cast("list[Value]", values), received_ns)


def _pick(places: list[int]) -> Callable[[Words], Iterable[Any]]:
    """Takes these words out of a reply."""
    first = places[0]
    if places == list(range(first, first + len(places))):
        return itemgetter(slice(first, first + len(places)))
    return itemgetter(*places)


def _unpack(cells: Sequence[Cell], byte_order: ByteOrder) -> Callable[[Words], Iterable[Any]]:
    """Takes the raw values of cells of one byte order out of a reply."""
    places = [place for cell in cells for place in cell.word_places()]
    pick = _pick(places)
    to_bytes = struct.Struct(f"{'>' if byte_order == 'big' else '<'}{len(places)}H").pack
    codes = (
        f"{2 * registers_of(cell.point)}s" if cell.point.type == "text" else _CODES[cell.point.type or "bool"]
        for cell in cells
    )
    from_bytes = struct.Struct(">" + "".join(codes)).unpack
    return lambda words: from_bytes(to_bytes(*pick(words)))


def _reading(point: ModbusPointSettings, value: Value | None, raw: Any, received_ns: int) -> Reading:
    if value is None:
        return Reading(point.name, None, PointQuality.BAD, received_ns, detail=_complaint(point, raw))
    return Reading(point.name, value, PointQuality.GOOD, received_ns)


def _complaint(point: ModbusPointSettings, raw: Any) -> str:
    """What is wrong with a raw value that could not be converted."""
    if isinstance(raw, bytes):
        return f"no text in {point.encoding}"
    if not math.isfinite(raw):
        return "not a number"
    value = _scaled(point.scale, point.offset)(_bits(point)(raw))
    limits = (point.valid_low, point.valid_high)
    low, high = ("any" if limit is None else number(limit) for limit in limits)
    return f"{number(value, 6)} is outside {low} to {high}"


def _alike(points: Sequence[ModbusPointSettings]) -> Iterator[tuple[Convert, slice]]:
    """How neighbours that are alike are converted, all at once, and which places they have."""
    begin = 0
    for convert, run in groupby(map(_convert, points)):
        end = begin + len(list(run))
        yield convert, slice(begin, end)
        begin = end


def _convert(point: ModbusPointSettings) -> Convert:
    """The same function for all points that are alike."""
    states, bits = point.states, _bits(point)
    if point.type == "text":
        return _text(point.encoding)
    if states is not None:
        return lambda raws: [states.get(number := int(bits(raw)), str(number)) for raw in raws]
    if point.bit is not None or point.type in {None, "bool"}:
        return lambda raws: [bool(bits(raw)) for raw in raws]
    low = -_LARGEST if point.valid_low is None else point.valid_low
    high = _LARGEST if point.valid_high is None else point.valid_high
    if point.type in _FLOATS and point.scale == 1 and point.offset == 0:
        return _within(low, high)
    scaled = _scaled(point.scale, point.offset)
    if point.bits is not None:
        return lambda raws: [value if low <= (value := scaled(bits(raw))) <= high else None for raw in raws]
    return _scaled_within(scaled, low, high)


@cache
def _within(low: float, high: float) -> Convert:
    def convert(raws: Sequence[float]) -> Sequence[float | None]:
        # Their sum tells whether one is no number, as comparisons do not; where it overflows, each is asked.
        if math.isfinite(sum(raws)) and low <= min(raws) and max(raws) <= high:
            return raws
        return [raw if low <= raw <= high else None for raw in raws]

    return convert


@cache
def _scaled_within(scaled: Callable[[float], float], low: float, high: float) -> Convert:
    return lambda raws: [value if low <= (value := scaled(raw)) <= high else None for raw in raws]


def _bits(point: ModbusPointSettings) -> Callable[[int], int]:
    if point.bit is not None:
        low = high = point.bit
    elif point.bits is not None:
        low, high = point.bits
    else:
        return lambda raw: raw
    mask = (1 << (high - low + 1)) - 1
    return lambda raw: raw >> low & mask


@cache
def _scaled(scale: float, offset: float) -> Callable[[float], float]:
    """A scale such as 0.1 has no exact binary value: dividing by 10 gives the nearest result instead."""
    if scale == 1 and offset == 0:
        return float
    divisor = round(1 / scale) if 1e-15 < abs(scale) < 1 else 0
    if divisor and math.isclose(divisor * scale, 1, rel_tol=1e-12):
        return lambda raw: raw / divisor + offset
    return lambda raw: raw * scale + offset


def _text(encoding: str) -> Convert:
    """Text ends at the first zero byte; what cannot be read, or holds control characters, is none."""

    def convert(raw: bytes) -> str | None:
        try:
            text = raw.partition(b"\0")[0].decode(encoding).strip()
        except UnicodeDecodeError:
            return None
        return None if any(letter < " " or letter == "\x7f" for letter in text) else text

    return lambda raws: map(convert, raws)
