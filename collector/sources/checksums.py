"""Checksums of many frames at once; pure."""

from collections.abc import Callable
from typing import Literal, assert_never

import numpy as np
import numpy.typing as npt

from collector.sources.frames import Octets

ChecksumKind = Literal["none", "sum8", "xor8", "crc16-modbus", "crc16-ccitt"]
Words = npt.NDArray[np.uint16]
Checksum = Callable[[Octets], Words]
"""Bytes `[n, length]` -> checksums `[n]`."""


def checksum(kind: ChecksumKind, length: int) -> Checksum | None:
    """The checksum of rows of `length` bytes; None for kind "none".

    sum8 is the low byte of the sum, xor8 all bytes combined by exclusive or. crc16-modbus has the polynomial
    0x8005 reflected, crc16-ccitt 0x1021 (also called CCITT-FALSE); both start from 0xFFFF.
    """
    match kind:
        case "none":
            return None
        case "sum8":
            return lambda rows: rows.sum(axis=1, dtype=np.uint8).astype(np.uint16)
        case "xor8":
            return lambda rows: np.bitwise_xor.reduce(rows, axis=1).astype(np.uint16)
        case "crc16-modbus":
            return _crc16(length, _reflected_table(0xA001), lambda crc, table: (crc >> 8) ^ table[crc & 0xFF])
        case "crc16-ccitt":
            return _crc16(length, _plain_table(0x1021), lambda crc, table: (crc << 8) ^ table[crc >> 8])
        case _:
            assert_never(kind)


def _crc16(length: int, table: Words, shift: Callable[[Words, Words], Words]) -> Checksum:
    """A CRC as one look-up a byte and one exclusive or over a frame.

    A CRC is linear: what a byte adds depends on its value and its distance from the end alone. So each
    position gets a table of its own, made from the next one's by shifting in a zero byte.
    """
    tables = np.empty((length, 256), np.uint16)
    start = np.array([0xFFFF], np.uint16)
    for position in reversed(range(length)):
        tables[position] = table
        table = shift(table, tables[-1])
        start = shift(start, tables[-1])
    positions = np.arange(length)

    def crc(rows: Octets) -> Words:
        sums: Words = np.bitwise_xor.reduce(tables[positions, rows], axis=1) ^ start[0]
        return sums

    return crc


def _reflected_table(polynomial: int) -> Words:
    crc: Words = np.arange(256, dtype=np.uint16)
    for _ in range(8):
        crc = (crc >> np.uint16(1)) ^ (crc & np.uint16(1)) * np.uint16(polynomial)
    return crc


def _plain_table(polynomial: int) -> Words:
    crc: Words = np.arange(256, dtype=np.uint16) << np.uint16(8)
    for _ in range(8):
        crc = (crc << np.uint16(1)) ^ (crc >> np.uint16(15)) * np.uint16(polynomial)
    return crc
