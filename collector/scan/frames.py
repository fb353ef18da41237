"""Bytes -> fixed frames: their length, sync word and checksum, and what the values in them may be; pure.

Bytes that are the same in every frame are the sync word. A checksum that is right in every frame proves
length and beginning; without one, the same bytes at the same distance are all there is to go by. What stands
between is concluded from how bytes change: the high byte of a number changes less than its low byte.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from collector.sources.binary_frames import CHECK_BYTES, BinaryFormat
from collector.sources.checksums import ChecksumKind, checksum
from collector.sources.frames import Flags, FrameCutter, FrameRule, Octets

_LENGTHS = range(4, 129)
_PIECE_BYTES = 4096
_LEAST_FRAMES = 12
_LONGEST_SYNC = 8
_LEAST_SYNC_ALONE = 2
"""Without a checksum, one byte that repeats is too little."""
_CHECKSUMS: tuple[ChecksumKind, ...] = ("crc16-modbus", "crc16-ccitt", "sum8", "xor8")
_REASONABLE = 1e-9, 1e9
_CLEARLY = 0.2

Judge = Callable[[Octets], Flags]
ByteOrder = Literal["little", "big"]
_ORDERS: tuple[ByteOrder, ...] = ("little", "big")


@dataclass(frozen=True, slots=True)
class Frames:
    """A format for the frames; `certain` where a checksum proves it."""

    format: BinaryFormat
    channels: int
    certain: bool


def guess_frames(data: bytes) -> Frames | None:
    """The frames in these bytes; garbage between them may spoil a part of the bytes, not all."""
    octets = np.frombuffer(data, np.uint8)
    pieces = [octets[start : start + _PIECE_BYTES] for start in range(0, len(octets), _PIECE_BYTES // 2)]
    for judge in (_by_checksum, _by_sync):
        for piece in pieces:
            for shifts in _repeating(piece):
                rule = judge(shifts)
                if rule is not None:
                    return _described(_longest_stretch(rule.cut, data), rule.kind, rule.order)
    return None


@dataclass(frozen=True, slots=True)
class _Rule:
    """How frames are told from other bytes."""

    cut: FrameRule
    kind: ChecksumKind = "none"
    order: ByteOrder | None = None


def _repeating(piece: Octets) -> Iterator[list[Octets]]:
    """The piece as rows of each length in which something repeats, from each place that may begin one."""
    for length in _LENGTHS:
        rows = piece[: len(piece) // length * length].reshape(-1, length)
        if len(rows) < _LEAST_FRAMES + 1:
            return
        constant = (rows == rows[0]).all(axis=0)
        if constant.all():
            continue
        # First where the repeating bytes begin: xor8 is right from each of them.
        begins = sorted(np.flatnonzero(constant), key=lambda place: constant[place - 1])
        if begins:
            shifted = (piece[begin:] for begin in begins)
            yield [octets[: len(octets) // length * length].reshape(-1, length) for octets in shifted]


def _by_checksum(shifts: list[Octets]) -> _Rule | None:
    """The first two rows from all places are summed in one pass: few are right, and a pass costs most."""
    length = shifts[0].shape[1]
    heads = np.concatenate([frames[:2] for frames in shifts])
    sums = [(kind, order) for kind in _CHECKSUMS for order in _ORDERS[: CHECK_BYTES[kind]]]
    right = [_right(kind, length, order)(heads).reshape(-1, 2).all(axis=1) for kind, order in sums]
    for place, number in np.argwhere(np.stack(right, axis=1)):
        frames, (kind, order) = shifts[place], sums[number]
        begins = _begins(frames[0, :1])
        valid = _both(begins, _right(kind, length, order))
        # Of the same few frames again and again anything would be right.
        if valid(frames).all() and len(np.unique(frames, axis=0)) >= _LEAST_FRAMES // 2:
            rule = FrameRule(length, 1, begins, valid, confirm=False)
            return _Rule(rule, kind, order if CHECK_BYTES[kind] > 1 else None)
    return None


def _by_sync(shifts: list[Octets]) -> _Rule | None:
    """Only from where the repeating bytes begin, and if there are enough of them."""
    for frames in shifts:
        constant = (frames == frames[0]).all(axis=0)
        if not constant[-1] and constant[:_LEAST_SYNC_ALONE].all():
            begins = _begins(frames[0, :_LEAST_SYNC_ALONE])
            return _Rule(FrameRule(frames.shape[1], _LEAST_SYNC_ALONE, begins, begins, confirm=True))
    return None


def _begins(head: Octets) -> Judge:
    def begins(rows: Octets) -> Flags:
        same: Flags = (rows[:, : len(head)] == head).all(axis=1)
        return same

    return begins


def _both(begins: Judge, right: Judge) -> Judge:
    return lambda rows: begins(rows) & right(rows)


def _right(kind: ChecksumKind, length: int, order: ByteOrder) -> Judge:
    size = CHECK_BYTES[kind]
    sums = checksum(kind, length - size)
    assert sums is not None

    def right(rows: Octets) -> Flags:
        same: Flags = sums(rows[:, :-size]) == _number(rows[:, -size:], order)
        return same

    return right


def _longest_stretch(rule: FrameRule, data: bytes) -> Octets:
    """Frames that followed one another."""
    return max((stretch.frames for stretch in FrameCutter(rule).feed(data)), key=len)


def _described(frames: Octets, kind: ChecksumKind, order: ByteOrder | None) -> Frames:
    """What stands between sync word and checksum, in the likeliest way."""
    body_end = frames.shape[1] - CHECK_BYTES[kind]
    constant = (frames[:, :body_end] == frames[0, :body_end]).all(axis=0)
    longest = min(_LONGEST_SYNC, int(np.argmin(constant)) if not constant.all() else body_end - 1)
    counters = [
        (width, sync, one)
        for sync in range(1, longest + 1)
        for width in (4, 2, 1)
        for one in ((order,) if order else _ORDERS[:width])
        if sync + width < body_end and _counts(frames[:, sync : sync + width], one)
    ]
    if counters:
        width, sync, counted = max(counters, key=lambda counter: counter[:2])
        order = order or (counted if width > 1 else None)
    else:
        width = 0
        # A value's high byte may never have changed; but a number has two bytes or more.
        sync = min({longest, min(longest, 4), min(longest, 2)}, key=lambda s: ((body_end - s) % 2, -s))
    type_, order = _values(frames[:, sync + width : body_end], order)
    size = 4 if type_ == "f32" else int(type_[1:]) // 8
    described: dict[str, Any] = {
        "kind": "binary",
        "sync": frames[0, :sync].tobytes().hex(),
        "counter": f"u{8 * width}" if width else "none",
        "values": type_,
        "byte_order": order,
        "checksum": kind,
    }
    channels = (body_end - sync - width) // size
    return Frames(BinaryFormat.model_validate(described), channels, certain=kind != "none")


def _counts(octets: Octets, order: ByteOrder) -> bool:
    """Whether a number goes up by one; a byte of it that never changes is a zero, or belongs to the sync."""
    still = (octets == octets[0]).all(axis=0)
    steps = np.diff(_number(octets, order).astype(np.int64)) % 2 ** (8 * octets.shape[1])
    return bool((steps == 1).all() and not octets[0, still].any())


def _values(body: Octets, order: ByteOrder | None) -> tuple[str, ByteOrder]:
    """The type and byte order of the values that fill these bytes."""
    length = body.shape[1]
    orders = (order,) if order else _ORDERS
    if length % 4 == 0:
        for one in orders:
            values = np.ascontiguousarray(body).view(f"{'<' if one == 'little' else '>'}f4")
            size = np.abs(values[values != 0])
            with np.errstate(invalid="ignore"):
                if len(size) and np.all((size > _REASONABLE[0]) & (size < _REASONABLE[1])):
                    return "f32", one
    steps = np.abs(np.diff(body.astype(np.int16), axis=0))
    activity = np.minimum(steps, 256 - steps).mean(axis=0)
    widths = [width for width in (2, 3, 4) if length % width == 0]
    if not widths:
        return "i8", order or "little"
    explained = {width: _explained(activity, width) for width in widths}
    width = max(widths, key=lambda width: explained[width])
    if 2 in widths and explained[width] < explained[2] + _CLEARLY:
        width = 2
    ends = activity.reshape(-1, width).mean(axis=0)
    found: ByteOrder = "big" if ends[0] < ends[-1] else "little"
    return f"i{8 * width}", order or found


def _explained(activity: npt.NDArray[np.float64], width: int) -> float:
    """The part of the bytes' differences that their place in a number of this width explains."""
    total = float(activity.var())
    return float(activity.reshape(-1, width).mean(axis=0).var()) / total if total else 0.0


def _number(octets: Octets, order: ByteOrder) -> npt.NDArray[np.uint32]:
    """Bytes `[n, width]` as unsigned numbers `[n]`."""
    in_order = octets if order == "big" else octets[:, ::-1]
    number = np.zeros(len(octets), np.uint32)
    for column in in_order.T:
        number = number << np.uint32(8) | column
    return number
