"""One open Modbus connection, and what an answer on it is worth.

Every byte is seen here before pymodbus' framer gets it: a reply that it would pass over or choke on is
noticed. When to ask, and what becomes of the connection, belongs to bus.py.
"""

import asyncio
import contextlib
import math
import termios
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from pymodbus.pdu import ModbusPDU

from collector.sources.modbus.addresses import is_of_bits
from collector.sources.modbus.frames import REQUESTS, framer_of
from collector.sources.modbus.line import Line, SerialLine, open_line
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


_NUMBERS = 0xFFFF
"""Modbus TCP has so many transaction numbers, without 0."""


@dataclass(slots=True)
class _Question:
    """A request that is on the wire, and what has been heard since."""

    request: ModbusPDU
    sent: bytes
    asked_ns: int
    reply: "asyncio.Future[ModbusPDU | None]"
    heard: bytes = b""
    heard_ns: int = 0
    begin: int | None = None
    """Where in it the reply begins, or goes on behind what pymodbus has thrown away; None: not found yet."""

    def end(self, reply: ModbusPDU | None) -> None:
        """Wake who waits for the reply; None: there is none to wait for."""
        if not self.reply.done():
            self.reply.set_result(reply)


class Wire(asyncio.Protocol):
    """An open connection that asks one thing at a time."""

    def __init__(self, line: Line, monotonic_ns: Callable[[], int]) -> None:
        self._line = line
        self._monotonic_ns = monotonic_ns
        self._framer = framer_of(rtu=line.rtu)
        self._number = 0
        self._transport: asyncio.BaseTransport | None = None
        self._send: Callable[[bytes], None] | None = None
        self._question: _Question | None = None
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
        if self._transport is not None:
            with contextlib.suppress(OSError, termios.error):  # it vanished; nothing is left to give back
                self._transport.close()

    async def ask(self, unit_id: int, table: Table, span: Span, timeout_s: float) -> Answer:
        """Read some places; anything but exactly these, from this unit and in time, is no reply."""
        if self._lost or self._send is None:
            return self._lost_before_reply(unit_id)
        loop = asyncio.get_running_loop()
        self._number = self._number % _NUMBERS + 1
        request = REQUESTS[table](unit_id, self._number, span.first, span.count)
        question = _Question(
            request, self._framer.buildFrame(request), self._monotonic_ns(), loop.create_future()
        )
        self._question = question
        self._send(question.sent)
        limit = loop.call_later(timeout_s, question.end, None)
        try:
            reply = await question.reply
        finally:
            limit.cancel()
            self._question = None
        if reply is None:
            return self._without_reply(question, timeout_s)
        return self._judged(reply, question, of_bits=is_of_bits(table))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The transport is there."""
        self._transport, self._send = transport, cast("asyncio.Transport", transport).write

    def data_received(self, data: bytes) -> None:
        """Bytes came; what comes unasked is thrown away."""
        question = self._question
        if question is None:
            self._strayed = not self._line.rtu  # on a serial line, noise after a frame is usual
            return
        question.heard_ns = self._monotonic_ns()
        question.heard += data
        if not self._line.rtu and not _is_ours(question):
            question.end(None)
            return
        if question.begin is None:
            question.begin = _beginning(question) if self._line.rtu else 0
        if question.begin is not None:
            self._decode(question, question.begin)

    def connection_lost(self, exc: Exception | None) -> None:
        """The other side closed, or the port went away; whoever waits for a reply need not."""
        self._lost = True
        if self._question is not None:
            self._question.end(None)

    def _decode(self, question: _Question, begin: int) -> None:
        """Take the reply out of what was heard, once it is whole."""
        request, frame = question.request, question.heard[begin:]
        if len(frame) > self._framer.MAX_SIZE:
            question.end(None)
            return
        try:
            used, reply = self._framer.handleFrame(frame, request.dev_id, request.transaction_id)
        except Exception:  # noqa: BLE001 (whatever a strange frame does to the library: it is no reply)
            question.end(None)
            return
        question.begin = begin + used
        if reply is not None:
            question.end(reply)

    def _judged(self, reply: ModbusPDU, question: _Question, *, of_bits: bool) -> Answer:
        request = question.request
        unit_id = request.dev_id
        if reply.dev_id != unit_id or reply.function_code & 0x7F != request.function_code:
            return self._not_understood(question)
        if reply.isError():
            return self._refused(reply.exception_code, unit_id)
        words: Sequence[Any] = reply.bits if of_bits else reply.registers
        wanted = math.ceil(request.count / 8) * 8 if of_bits else request.count
        if len(words) != wanted:
            short = say.SHORT(unit=unit_id, place=self._line.place, found=len(words), wanted=wanted)
            return NoAnswer(short, "short reply" if len(words) < wanted else "long reply")
        return Reply(words[: request.count], question.asked_ns, question.heard_ns)

    def _refused(self, code: int, unit_id: int) -> Answer:
        if code not in _GATEWAY_CODES:
            return Refusal(code)
        sentence = say.BEHIND_GATEWAY(place=self._line.place, unit=unit_id, exception=code)
        return NoAnswer(sentence, "no reply behind the gateway", clear=True)

    def _without_reply(self, question: _Question, timeout_s: float) -> NoAnswer:
        place, unit_id = self._line.place, question.request.dev_id
        if self._lost:
            return self._lost_before_reply(unit_id)
        if question.heard:
            return self._not_understood(question)
        text = say.NO_ANSWER_SERIAL if isinstance(self._line, SerialLine) else say.NO_ANSWER
        return NoAnswer(text(unit=unit_id, place=place, seconds=round(timeout_s, 2)), "no reply")

    def _lost_before_reply(self, unit_id: int) -> NoAnswer:
        return NoAnswer(say.LOST(place=self._line.place, unit=unit_id), "connection lost")

    def _not_understood(self, question: _Question) -> NoAnswer:
        text = say.GARBLED if self._line.rtu else say.STRANGE
        # Not the bytes themselves: out of step, even the first may belong to a text that must not leave.
        unit_id, count = question.request.dev_id, len(question.heard)
        return NoAnswer(text(unit=unit_id, place=self._line.place, count=count), "reply not understood")


def _is_ours(question: _Question) -> bool:
    """Whether a Modbus TCP frame answers a request, by all that its head says; while it is short: so far."""
    head, sent = question.heard[:_HEAD_BYTES], question.sent
    if len(head) < _HEAD_BYTES:
        return True
    return head[:4] == sent[:4] and head[6] == sent[6] and head[7] & 0x7F == sent[7]


def _beginning(question: _Question) -> int | None:
    """Where an RTU reply begins behind noise, as some senders make by switching on."""
    heard, request = question.heard, question.request
    for start in range(len(heard) - 1):
        if heard[start] == request.dev_id and heard[start + 1] & 0x7F == request.function_code:
            return start
    return None
