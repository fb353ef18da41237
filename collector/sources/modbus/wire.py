"""One open Modbus connection, and what an answer on it is worth.

It stands between the transport and pymodbus, which builds the requests and decodes the replies, and sees
every byte first: a reply that pymodbus would wait for, pass over or choke on is noticed here. Only the four
functions that read are named. When to ask, and what becomes of the connection, belongs to bus.py.
"""

import asyncio
import contextlib
import math
import struct
import termios
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pymodbus.exceptions import ModbusException, ModbusIOException
from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsResponse
from pymodbus.pdu.register_message import ReadHoldingRegistersResponse

from collector.sources.modbus.addresses import FUNCTIONS, is_of_bits
from collector.sources.modbus.line import Client, Line, SerialLine, make_client, open_line
from collector.sources.modbus.planner import Span
from collector.sources.modbus.settings import Table
from collector.texts import Sentence
from collector.texts import modbus as say

_HEAD_BYTES = 8
"""Transaction, protocol, length, unit and function of a Modbus TCP frame."""
_GATEWAY_CODES = (10, 11)
"""Exceptions by which a gateway says that a unit behind it does not answer."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What was asked for, all of it; the first word has the lowest address."""

    words: Sequence[int]
    asked_ns: int
    received_ns: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """The unit answered with a Modbus exception."""

    code: int


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Nothing usable came. `clear` where nothing can come late either."""

    sentence: Sentence
    detail: str
    clear: bool = False


Answer = Reply | Refusal | NoAnswer


class _Registers(ReadHoldingRegistersResponse):
    """The library takes registers out one by one, and drops half of one at the end without a word."""

    def decode(self, data: bytes) -> None:
        """Take them out all at once."""
        if data[0] % 2 or len(data) != 1 + data[0]:
            raise ModbusIOException("not a whole number of registers")
        self.registers = struct.unpack(f">{data[0] // 2}H", data[1:])

    def __str__(self) -> str:
        return type(self).__name__  # the library asks for this text with every reply, to log it or not


class _InputRegisters(_Registers):
    function_code = 4


class _Coils(ReadCoilsResponse):
    """The library does not look at the number of bytes."""

    def decode(self, data: bytes) -> None:
        """Take the bits out, if all are there."""
        if len(data) != 1 + data[0]:
            raise ModbusIOException("not as many bytes as announced")
        super().decode(data)


class _DiscreteInputs(_Coils):
    function_code = 2


class Wire(asyncio.Protocol):
    """An open connection that asks one thing at a time."""

    def __init__(self, line: Line, monotonic_ns: Callable[[], int]) -> None:
        self._line = line
        self._monotonic_ns = monotonic_ns
        client = make_client(line)
        for response in (_Coils, _DiscreteInputs, _Registers, _InputRegisters):
            client.register(response)
        self._client: Client = client
        self._reads: dict[Table, Callable[..., Awaitable[ModbusPDU]]] = {
            "coil": client.read_coils,
            "discrete-input": client.read_discrete_inputs,
            "holding": client.read_holding_registers,
            "input": client.read_input_registers,
        }
        self._function: int | None = None
        self._heard, self._in_frame = b"", False
        self._asked_ns = self._heard_ns = 0
        self._lost = self._strayed = False

    @classmethod
    async def open(cls, line: Line, monotonic_ns: Callable[[], int]) -> "Wire":
        """Open a connection.

        Raises:
            SourceError: it cannot be opened, with what to do.
        """
        wire = cls(line, monotonic_ns)
        await open_line(line, wire)
        return wire

    @property
    def usable(self) -> bool:
        """Whether another request may be sent on it."""
        return not self._lost and not self._strayed

    def close(self) -> None:
        """Give it back."""
        with contextlib.suppress(OSError, termios.error):  # it vanished; there is nothing left to give back
            self._client.close()

    async def ask(self, unit_id: int, table: Table, span: Span, timeout_s: float) -> Answer:
        """Read some places; anything but exactly these, from this unit and in time, is no reply."""
        self._heard, self._in_frame = b"", False
        self._asked_ns = self._monotonic_ns()
        self._function = FUNCTIONS[table]
        self._client.ctx.comm_params.timeout_connect = timeout_s
        reply: ModbusPDU | None
        try:
            reply = await self._reads[table](span.first, count=span.count, device_id=unit_id)
        except ModbusException:
            reply = None
        finally:
            self._function = None
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            # Python 3.11's wait_for forgets a cancellation that comes together with the end of the wait.
            raise asyncio.CancelledError
        if reply is None:
            return self._without_reply(unit_id, timeout_s)
        return self._judged(reply, unit_id, table, span.count)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The transport is there."""
        self._client.ctx.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Bytes came; what comes unasked is thrown away."""
        if self._function is None:
            self._strayed = not self._line.rtu  # on a serial line, noise after a frame is usual
            return
        self._heard_ns = self._monotonic_ns()
        self._heard += data
        if self._line.rtu:
            data = self._from_frame(data, self._function)
        elif not self._is_ours(self._function):
            self._fail()
            return
        try:
            self._client.ctx.data_received(data)
        except Exception:  # noqa: BLE001 (whatever a strange frame does to the library: it is no reply)
            self._fail()

    def connection_lost(self, exc: Exception | None) -> None:
        """The other side closed, or the port went away; whoever waits for a reply need not."""
        self._lost = True
        self._client.ctx.connection_lost(exc)
        self._fail()

    def _is_ours(self, function: int) -> bool:
        """Whether a Modbus TCP frame answers our request, by all that its head says."""
        head = self._heard[:_HEAD_BYTES]
        if len(head) < _HEAD_BYTES:
            return True  # so far
        context = self._client.ctx
        expected = context.request_transaction_id.to_bytes(2, "big") + b"\0\0"
        return head[:4] == expected and head[6] == context.request_dev_id and head[7] & 0x7F == function

    def _from_frame(self, data: bytes, function: int) -> bytes:
        """The bytes without noise before the reply, as some senders make by switching on."""
        if self._in_frame:
            return data
        heard, unit_id = self._heard, self._client.ctx.request_dev_id
        for start in range(len(heard) - 1):
            if heard[start] == unit_id and heard[start + 1] & 0x7F == function:
                self._in_frame = True
                return heard[start:]
        return b""

    def _fail(self) -> None:
        awaited = self._client.ctx.response_future
        if self._function is not None and not awaited.done():
            awaited.set_exception(ModbusIOException())

    def _judged(self, reply: ModbusPDU, unit_id: int, table: Table, count: int) -> Answer:
        if reply.dev_id != unit_id or reply.function_code & 0x7F != FUNCTIONS[table]:
            return self._not_understood(unit_id)
        if reply.isError():
            return self._refused(reply.exception_code, unit_id)
        of_bits = is_of_bits(table)
        words: Sequence[Any] = reply.bits if of_bits else reply.registers
        wanted = math.ceil(count / 8) * 8 if of_bits else count
        if len(words) != wanted:
            short = say.SHORT(unit=unit_id, place=self._line.place, found=len(words), wanted=wanted)
            return NoAnswer(short, "short reply" if len(words) < wanted else "long reply")
        return Reply(words[:count], self._asked_ns, self._heard_ns)

    def _refused(self, code: int, unit_id: int) -> Answer:
        if code not in _GATEWAY_CODES:
            return Refusal(code)
        sentence = say.BEHIND_GATEWAY(place=self._line.place, unit=unit_id, exception=code)
        return NoAnswer(sentence, "no reply behind the gateway", clear=True)

    def _without_reply(self, unit_id: int, timeout_s: float) -> NoAnswer:
        place = self._line.place
        if self._lost:
            return NoAnswer(say.LOST(place=place, unit=unit_id), "connection lost")
        if self._heard:
            return self._not_understood(unit_id)
        text = say.NO_ANSWER_SERIAL if isinstance(self._line, SerialLine) else say.NO_ANSWER
        return NoAnswer(text(unit=unit_id, place=place, seconds=round(timeout_s, 2)), "no reply")

    def _not_understood(self, unit_id: int) -> NoAnswer:
        text = say.GARBLED if self._line.rtu else say.STRANGE
        # Not the bytes themselves: out of step, even the first may belong to a text that must not leave.
        sentence = text(unit=unit_id, place=self._line.place, count=len(self._heard))
        return NoAnswer(sentence, "reply not understood")
