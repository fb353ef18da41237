"""Which keys of a Modbus device do not fit together; pure.

Each mistake is told with the path of its key within the source, and what to type instead. What one key may
hold by itself is declared in settings.py.
"""

import difflib
from collections.abc import Iterator

from collector.dialling import may_be_host
from collector.points import PointKind
from collector.profiles import profile_names
from collector.sources.modbus.addresses import PLACES, is_of_bits, locate
from collector.sources.modbus.planner import Span
from collector.sources.modbus.profile import completed
from collector.sources.modbus.registers import UNSIGNED_BITS, registers_of
from collector.sources.modbus.settings import (
    Address,
    Addressing,
    AnyModbusSettings,
    ForbiddenSettings,
    ModbusPointSettings,
    ModbusRtuOverTcpSettings,
    ModbusSettings,
    ModbusTcpSettings,
    Table,
)
from collector.texts import Sentence, number
from collector.texts import modbus as say

Path = tuple[str | int, ...]
Mistake = tuple[Path, Sentence]


def mistakes(settings: ModbusSettings) -> Iterator[Mistake]:
    """What does not fit together within one device."""
    if isinstance(settings, ModbusTcpSettings | ModbusRtuOverTcpSettings) and not may_be_host(settings.host):
        yield ("host",), say.HOST(found=f'"{settings.host}"')
    known = profile_names("modbus")
    if settings.profile is not None and settings.profile not in known:
        nearest = difflib.get_close_matches(settings.profile.lower(), known, n=1, cutoff=0.0)[0]
        unknown = say.UNKNOWN_PROFILE(profile=settings.profile, nearest=nearest, known=", ".join(known))
        yield ("profile",), unknown
        return
    names = [point.name for point in settings.points]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield ("points", index, "name"), say.NAME_TWICE(name=name)
    whole = completed(settings)
    if not whole.points:
        yield ("points",), say.NO_POINTS()
        return
    fastest = min(point.every_s or whole.every_s for point in whole.points)
    if whole.silent_after_s is not None and whole.silent_after_s <= fastest:
        found = number(whole.silent_after_s)
        yield ("silent_after_s",), say.SILENT_SHORT(found=found, every=number(fastest))
    if whole.addressing is None:
        yield ("addressing",), say.ADDRESSING_MISSING()
        return
    forbidden = []
    for index, entry in enumerate(whole.forbidden):
        try:
            forbidden.append(_forbidden(("forbidden", index), entry, whole.addressing))
        except _WrongError as wrong:
            yield wrong.mistake
    for point in whole.points:
        # A point of the profile that is not mentioned has no place of its own in the file.
        path: Path = ("points", names.index(point.name)) if point.name in names else ("points",)
        try:
            yield from _of_point(path, point, whole.addressing, forbidden)
        except _WrongError as wrong:
            yield wrong.mistake


def is_other_line(one: AnyModbusSettings, other: AnyModbusSettings) -> bool:
    """Whether two devices name the same serial port, but do not agree about its baud, parity or stop bits."""
    if one.kind != "modbus-rtu" or other.kind != "modbus-rtu" or one.port != other.port:
        return False
    return (one.baud, one.parity, one.stop_bits) != (other.baud, other.parity, other.stop_bits)


def forbidden_spans(settings: ModbusSettings, table: Table) -> tuple[Span, ...]:
    """The places of a table that must not be read, of settings without a mistake."""
    ranges = (_forbidden((), entry, settings.addressing or "pdu") for entry in settings.forbidden)
    return tuple(span for where, span in ranges if where == table)


class _WrongError(Exception):
    """A mistake that leaves nothing to look at behind it."""

    def __init__(self, path: Path, sentence: Sentence) -> None:
        super().__init__(str(sentence))
        self.mistake = (path, sentence)


def _forbidden(path: Path, entry: ForbiddenSettings, addressing: Addressing) -> tuple[Table, Span]:
    table, first = _located((*path, "first"), entry.table, entry.first, addressing, "forbidden")
    other, last = _located((*path, "last"), entry.table, entry.last, addressing, "forbidden")
    if other != table or last < first:
        raise _WrongError((*path, "last"), say.FORBIDDEN_ORDER(found=entry.last))
    return table, Span(first, last - first + 1)


def _located(
    path: Path, table: Table | None, address: Address, addressing: Addressing, name: str
) -> tuple[Table, int]:
    if addressing == "pdu" and table is None:
        missing = say.NEEDS_KEY(name=name, key="table", example='"holding"')
        raise _WrongError((*path[:-1], "table"), missing)
    try:
        return locate(table, address, addressing)
    except ValueError:
        if addressing == "pdu":
            raise _WrongError(path, say.NOT_A_PLACE(found=address)) from None
    try:
        numbered, _ = locate(None, address, addressing)
    except ValueError:
        raise _WrongError(path, say.NOT_A_NUMBER_OF_MANUALS(found=address)) from None
    contradiction = say.OTHER_TABLE(found=str(table), number=address, table=numbered)
    raise _WrongError((*path[:-1], "table"), contradiction)


def _of_point(
    path: Path, point: ModbusPointSettings, addressing: Addressing, forbidden: list[tuple[Table, Span]]
) -> Iterator[Mistake]:
    def lacking(key: str, example: str) -> _WrongError:
        return _WrongError((*path, key), say.NEEDS_KEY(name=point.name, key=key, example=example))

    if point.address is None:
        raise lacking("address", "40001" if addressing == "manual" else "0")
    table, first = _located((*path, "address"), point.table, point.address, addressing, point.name)
    if is_of_bits(table):
        if point.type not in {None, "bool"}:
            raise _WrongError((*path, "type"), say.BIT_TYPE(found=str(point.type)))
    elif point.type is None:
        raise lacking("type", '"u16"')
    elif point.type == "text" and point.registers is None:
        raise lacking("registers", "8")
    span = Span(first, registers_of(point))
    if span.end > PLACES:
        yield (*path, "address"), say.BEYOND_END(found=point.address)
    if any(where == table and other.overlaps(span.first, span.end) for where, other in forbidden):
        yield (*path, "address"), say.IS_FORBIDDEN(name=point.name)
    for key, sentence in _of_type(point):
        yield (*path, key), sentence


def _of_type(point: ModbusPointSettings) -> Iterator[tuple[str, Sentence]]:
    """What a point's type has no use for, and what is out of its range."""
    yield from _misplaced(point)
    bits = (point.bit, point.bit) if point.bit is not None else point.bits
    key = "bit" if point.bit is not None else "bits"
    if bits is not None and point.type in UNSIGNED_BITS:
        last = UNSIGNED_BITS[point.type] - 1
        if max(bits) > last:
            yield key, say.BIT_BEYOND(found=max(bits), type=str(point.type), last=last)
        elif bits[0] > bits[1]:
            yield key, say.BITS_ORDER(found=f"[{bits[0]}, {bits[1]}]")
    if point.scale == 0:
        yield "scale", say.SCALE_ZERO()
    low, high = point.valid_low, point.valid_high
    if low is not None and high is not None and high <= low:
        yield "valid_high", say.VALID_ORDER(found=number(high), low=number(low))


def _misplaced(point: ModbusPointSettings) -> Iterator[tuple[str, Sentence]]:
    is_number = point.point_kind() is PointKind.NUMBER
    is_text = point.type == "text"
    is_unsigned = point.type in UNSIGNED_BITS
    rules = (
        (("registers", "encoding"), is_text, 'type = "text"'),
        (("bits",), is_unsigned and point.bit is None, "unsigned numbers (u16, u32, u64) without bit"),
        (("bit",), is_unsigned, "unsigned numbers (u16, u32, u64)"),
        (("scale", "offset", "valid_low", "valid_high", "unit"), is_number, "numbers without states"),
        (("states",), not is_text and point.type not in {"f16", "f32", "f64"}, "whole numbers and bits"),
    )
    for keys, fits, what in rules:
        for key in keys:
            if not fits and key in point.model_fields_set and getattr(point, key) is not None:
                yield key, say.ONLY_FOR(key=key, name=point.name, what=what)
