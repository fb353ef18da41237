"""The lines that Modbus devices are reached by, and how they are opened; one line may carry several devices.

What is asked and what an answer is worth belongs to wire.py.
"""

import asyncio
import math
import os
import socket
import termios
from dataclasses import dataclass
from typing import Literal, assert_never

from pymodbus.transport.serialtransport import create_serial_connection

from collector.dialling import dial
from collector.errors import SourceError
from collector.sources.modbus.settings import AnyModbusSettings, ModbusRtuSettings, ModbusTcpSettings
from collector.sources.serial import why_not_open
from collector.texts import modbus as say

CONNECT_S = 5.0
_BITS_A_CHARACTER = 11
_LEAST_GAP_S = 0.00175
"""The specification's silence between frames, for 19200 baud and above."""


@dataclass(frozen=True, slots=True)
class NetworkLine:
    """A TCP connection; `rtu` where it carries the bytes of a serial line."""

    host: str
    port: int
    rtu: bool

    @property
    def place(self) -> str:
        """As people know it."""
        return f"{self.host}:{self.port}"

    @property
    def gap_s(self) -> float:
        """The silence needed between frames."""
        return 0.0

    def transfer_s(self, octets: int) -> float:
        """How long so many bytes take."""
        return 0.0 * octets


@dataclass(frozen=True, slots=True)
class SerialLine:
    """A serial port."""

    port: str
    baud: int
    parity: Literal["none", "even", "odd"]
    stop_bits: int
    rtu: bool = True

    @property
    def place(self) -> str:
        """As people know it."""
        return self.port

    @property
    def gap_s(self) -> float:
        """The silence needed between frames: 3.5 characters."""
        return max(_LEAST_GAP_S, self.transfer_s(7) / 2)

    def transfer_s(self, octets: int) -> float:
        """How long so many bytes take."""
        return octets * _BITS_A_CHARACTER / self.baud


Line = NetworkLine | SerialLine


def line_of(settings: AnyModbusSettings) -> Line:
    """The line that the settings name; equal for devices that share one."""
    match settings:
        case ModbusRtuSettings():
            return SerialLine(settings.port, settings.baud, settings.parity, settings.stop_bits)
        case _:
            rtu = not isinstance(settings, ModbusTcpSettings)
            return NetworkLine(settings.host, settings.port, rtu)


async def open_line(line: Line, protocol: asyncio.Protocol) -> None:
    """Open a line; from then on `protocol` is told what happens on it.

    The library's own `connect` would keep the reason of a failure to itself.

    Raises:
        SourceError: it cannot be opened, with what to do.
    """
    match line:
        case NetworkLine():
            await _connect(line, protocol)
        case SerialLine():
            await _open_port(line, protocol)
        case _:
            assert_never(line)


async def _connect(line: NetworkLine, protocol: asyncio.Protocol) -> None:
    loop = asyncio.get_running_loop()
    try:
        dialled = await dial(line.host, line.port, CONNECT_S)
        await loop.create_connection(lambda: protocol, sock=dialled)
    except TimeoutError as error:
        raise SourceError(say.CONNECT_TIMEOUT(place=line.place, seconds=CONNECT_S)) from error
    except (socket.gaierror, UnicodeError) as error:
        raise SourceError(say.UNKNOWN_HOST(host=line.host)) from error
    except OSError as error:
        # In the system's own words: the library's hold the address once more, as Python writes it.
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise SourceError(say.UNREACHABLE(place=line.place, reason=reason)) from error


async def _open_port(line: SerialLine, protocol: asyncio.Protocol) -> None:
    loop = asyncio.get_running_loop()
    try:
        transport, _ = await create_serial_connection(
            loop,
            lambda: protocol,
            line.port,
            baudrate=line.baud,
            bytesize=8,
            parity=line.parity[0].upper(),
            stopbits=line.stop_bits,
        )
    except (OSError, ValueError, termios.error) as error:
        raise SourceError(why_not_open(line.port, line.baud, error)) from error
    try:
        # The transport attaches itself to the loop in two steps; closed before, it would fail there.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    except asyncio.CancelledError:
        transport.close()  # nobody else knows of it, and the port would stay taken
        raise


def reply_octets(count: int, *, of_bits: bool) -> int:
    """How many bytes a request on a serial line and its reply have together."""
    return 8 + 5 + (math.ceil(count / 8) if of_bits else 2 * count)
