"""A Modbus device as a source of points: asks at fixed times, gives a reading of every point, good or bad.

How long to wait before a lost device is tried anew is up to whoever reads `arrivals`; here a device that
failed to answer only rests for a while, so that the others on its line keep their turns.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, MutableMapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import assert_never

import structlog

from collector.clock import monotonic_ns as clock_monotonic_ns
from collector.errors import SourceError
from collector.points import Arrival, Origin, Point
from collector.sources.modbus.bus import Bus, Unit
from collector.sources.modbus.line import Line, line_of
from collector.sources.modbus.polls import Poll, points_of, polls_of
from collector.sources.modbus.profile import completed
from collector.sources.modbus.schedule import soonest
from collector.sources.modbus.settings import AnyModbusSettings
from collector.sources.modbus.wire import Answer, NoAnswer, Refusal, Reply
from collector.texts import Sentence, Text
from collector.texts import modbus as say

_FIRST_REST_S, _LONGEST_REST_S = 0.5, 30.0
_LEAST_SILENCE_S = 10.0
_REFUSED_TOGETHER = (2, 3)
"""Exceptions that say that not all of the places exist, or that they are too many."""
_EXCEPTIONS: dict[int, tuple[str, Text]] = {
    1: ("illegal function", say.ILLEGAL_FUNCTION),
    2: ("illegal data address", say.ILLEGAL_ADDRESS),
    3: ("illegal data value", say.ILLEGAL_VALUE),
    4: ("device failure", say.DEVICE_FAILURE),
    5: ("acknowledge", say.BUSY),
    6: ("device busy", say.BUSY),
}

Buses = MutableMapping[Line, Bus]

_buses: Buses = {}
"""The lines of this process. They stay, so that a late reply is also known of after a reload."""

log = structlog.get_logger(__name__)


def modbus_source(settings: AnyModbusSettings, buses: Buses = _buses) -> "ModbusSource":
    """The source that settings without `mistakes` describe; units of one line share its bus."""
    line = line_of(settings)
    bus = buses.get(line)
    if bus is None:
        bus = buses[line] = Bus(line)
    return ModbusSource(settings, bus)


@dataclass(slots=True)
class _Contact:
    """How it stands with the unit: since when there was nothing good, and what it gave instead."""

    good_ns: int
    answered: bool = False
    failures: int = 0
    rest_until_ns: int = 0

    def heard(self) -> None:
        """It answered, though with nothing good."""
        self.answered, self.failures = True, 0

    def missed(self, now_ns: int) -> None:
        """It did not answer: from the second time in a row on it rests, twice as long each time."""
        self.failures += 1
        if self.failures > 1:
            rest_s = min(_FIRST_REST_S * 2 ** (self.failures - 2), _LONGEST_REST_S)
            self.rest_until_ns = now_ns + round(rest_s * random.uniform(0.5, 1.0) * 1e9)  # noqa: S311

    def is_over(self, now_ns: int, silent_after_s: float) -> bool:
        """Whether it must count as lost: it never answered, or gave nothing good for too long."""
        return not self.answered or now_ns - self.good_ns >= silent_after_s * 1e9


class ModbusSource:
    """One unit. What was learnt of it (requests that it refuses) is kept from one connection to the next."""

    origin = "live"
    lost = 0
    """Nothing is lost unseen: what was not read gives a bad reading."""

    def __init__(
        self, settings: AnyModbusSettings, bus: Bus, monotonic_ns: Callable[[], int] = clock_monotonic_ns
    ) -> None:
        device = completed(settings)
        self._bus = bus
        self._monotonic_ns = monotonic_ns
        self._unit = Unit(device.unit_id, device.timeout_s, device.discard_s, device.pause_s)
        self._polls = polls_of(device)
        self._contact = _Contact(0)
        self._split_up: list[Sentence] = []
        self._refused: dict[tuple[str, str], Sentence] = {}
        self.points: tuple[Point, ...] = points_of(device)
        fastest_s = min(point.every_s or device.every_s for point in device.points)
        self.silent_after_s = device.silent_after_s or max(_LEAST_SILENCE_S, 3 * fastest_s)
        self.skipped_turns = 0
        """Turns that passed because the device or its line was not ready for them."""

    @property
    def remarks(self) -> tuple[Sentence, ...]:
        """What the device refuses at present, and what to do about it."""
        return (*self._split_up, *self._refused.values())

    async def arrivals(self) -> AsyncGenerator[Arrival, None]:
        """Ask for everything in turn; one arrival for each request.

        Raises:
            SourceError: the line cannot be opened, or the device did not answer the first request or gave
                nothing good for `silent_after_s`.
        """
        with self._bus.joined():
            begun_ns = self._monotonic_ns()
            self._contact = _Contact(begun_ns)
            for poll in self._polls:
                poll.pace.due_ns = begun_ns
            while True:
                poll = await self._next()
                answer = await self._ask(poll)
                if isinstance(answer, Refusal) and self._split(poll, answer.code):
                    continue
                self.skipped_turns += poll.pace.done(self._monotonic_ns())
                yield self._arrival(poll, answer)

    async def _next(self) -> Poll:
        """Wait until something is due and the unit has rested."""
        while True:
            now_ns = self._monotonic_ns()
            poll = soonest(self._polls, now_ns)
            wait_ns = max(poll.pace.due_ns, self._contact.rest_until_ns) - now_ns
            if wait_ns <= 0:
                return poll
            await asyncio.sleep(wait_ns / 1e9)

    async def _ask(self, poll: Poll) -> Answer:
        words: list[int] = []
        asked_ns = received_ns = 0
        for piece in poll.pieces:
            answer = await self._bus.read(self._unit, poll.table, piece)
            if not isinstance(answer, Reply) or piece == poll.span:
                return answer
            words += answer.words
            asked_ns, received_ns = answer.asked_ns, answer.received_ns
        return Reply(words, asked_ns, received_ns)

    def _arrival(self, poll: Poll, answer: Answer) -> Arrival:
        now_ns = self._monotonic_ns()
        match answer:
            case Reply(words, asked_ns, received_ns):
                self._contact = _Contact(now_ns, answered=True)
                self._refused.pop(poll.ends, None)
                return Arrival(
                    received_ns,
                    poll.readings(words, received_ns),
                    latency_s=(received_ns - asked_ns) / 1e9,
                    origins=partial(poll.origins, words),
                )
            case Refusal(code):
                self._contact.heard()
                detail, sentence = self._refusal(poll, code)
                self._refused[poll.ends] = sentence
                self._check_patience(sentence, now_ns)
                return Arrival(now_ns, poll.bad(detail, now_ns), origins=poll.origins)
            case NoAnswer(sentence, detail):
                self._check_patience(sentence, now_ns)
                self._contact.missed(now_ns)
                # One lost reply is just that; with two in a row there is nothing to be had.
                unread = [poll] if self._contact.failures == 1 else self._polls
                bad = tuple(bad for poll in unread for bad in poll.bad(detail, now_ns))
                return Arrival(now_ns, bad, origins=partial(_origins, tuple(unread)))
            case _:
                assert_never(answer)

    def _split(self, poll: Poll, code: int) -> bool:
        """From now on ask for each value by itself, if several were refused together."""
        singly = poll.split()
        if code not in _REFUSED_TOGETHER or len(singly) == 1:
            return False
        first, last = poll.ends
        log.warning("modbus.read-singly", place=self._bus.line.place, first=first, last=last, code=code)
        self._split_up.append(self._about(say.READ_SINGLY, poll))
        self._polls.remove(poll)
        self._polls += singly
        return True

    def _refusal(self, poll: Poll, code: int) -> tuple[str, Sentence]:
        name, text = _EXCEPTIONS.get(code, ("unknown", say.REFUSED))
        values = {"exception": code} if "exception" in text.places else {}
        return f"exception {code}: {name}", self._about(text, poll, **values)

    def _about(self, text: Text, poll: Poll, **values: int) -> Sentence:
        first, last = poll.ends
        place, unit = self._bus.line.place, self._unit.unit_id
        return text(unit=unit, place=place, first=first, last=last, **values)

    def _check_patience(self, sentence: Sentence, now_ns: int) -> None:
        if self._contact.is_over(now_ns, self.silent_after_s):
            raise SourceError(sentence)


def _origins(polls: Sequence[Poll]) -> dict[str, Origin]:
    return {name: origin for poll in polls for name, origin in poll.origins().items()}
