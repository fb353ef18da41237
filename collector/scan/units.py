"""Looking for Modbus units: on which settings of a line, under which numbers, and which devices they are.

Every number is asked for one register, with the function that reads holding registers; an exception is an
answer, too. All devices on a serial line have the same settings, so the first answer settles them.
"""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

from collector.errors import SourceError
from collector.points import Reading
from collector.scan import Progress
from collector.scan.recognition import Candidate, candidates, factory_unit_ids
from collector.sources.modbus.bus import Bus, Unit
from collector.sources.modbus.line import Line, NetworkLine, SerialLine
from collector.sources.modbus.planner import Span
from collector.sources.modbus.settings import Table
from collector.sources.modbus.wire import Answer, NoAnswer, Reply
from collector.texts import Sentence
from collector.texts import scan as say

SERIAL_IDS = range(1, 248)
NETWORK_IDS = range(1, 33)
BAUDS = (9600, 19_200, 115_200, 38_400, 57_600, 4800, 2400)
_PARITIES: tuple[Literal["none", "even", "odd"], ...] = ("none", "even", "odd")
LIKELY_IDS = (1, 2, 3, 4, 5, 6, 7, 8, *factory_unit_ids())
"""Who is asked at every setting of a serial line, where nobody says more."""
_UNLIKELY_IDS = (245, 246, 247)
"""If all of these answer, somebody answers whatever the number is."""
_FIRST: tuple[Table, Span] = ("holding", Span(0, 1))
_DISCARD_S = 1.0
_PLACES = (0, 1, 100, 1000, 4096)
"""Where an unknown device may have registers."""
_TABLES: tuple[Table, ...] = ("holding", "input")

Ask = Callable[[Line, int, Table, Span], Awaitable[Answer]]
"""Asks the unit of this number on a line."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """A known device that a unit reads like, and what it read."""

    profile: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Register:
    """A register that can be read."""

    table: Table
    place: int
    word: int


@dataclass(frozen=True, slots=True)
class Found:
    """A unit that answered."""

    line: Line
    unit_id: int
    likenesses: tuple[Likeness, ...] = ()
    registers: tuple[Register, ...] = ()
    """Some that can be read, where it is like no known device."""
    any_number: bool = False
    """Whether it answers to every number."""


@dataclass(slots=True)
class Trouble:
    """What came that was no answer: for advice where nothing is found."""

    garbled: Sentence | None = None


def serial_lines(port: str, bauds: Sequence[int] = BAUDS) -> list[Line]:
    """The settings that a serial line may have, the usual ones first."""
    settings = sorted(product(bauds, _PARITIES), key=lambda both: _PARITIES.index(both[1]))
    usual = [(9600, "none"), (19_200, "even"), (9600, "even"), (19_200, "none")]
    ordered = [both for both in usual if both in settings] + [both for both in settings if both not in usual]
    return [SerialLine(port, baud, parity, 1) for baud, parity in ordered]


@contextlib.asynccontextmanager
async def asking(timeout_s: float | None = None) -> AsyncIterator[Ask]:
    """Asks on one line at a time; another line is opened when it is asked for.

    A unit may take `timeout_s` to answer; not given, as long as is usual on such a line.
    """
    with contextlib.ExitStack() as joined:
        bus: Bus | None = None

        async def ask(line: Line, unit_id: int, table: Table, span: Span) -> Answer:
            nonlocal bus
            if bus is None or bus.line != line:
                joined.close()
                bus = Bus(line)
                joined.enter_context(bus.joined())
            unit = _unit(line, unit_id, timeout_s, is_first=(table, span) == _FIRST)
            return await bus.read(unit, table, span)

        yield ask


async def find_units(
    lines: Sequence[Line],
    ids: Sequence[int],
    ask: Ask,
    progress: Progress,
    trouble: Trouble,
    others: Iterable[int] = (),
) -> AsyncIterator[Found]:
    """The units that answer, as they are found: of `ids` on each line, of `others` where one has answered.

    Raises:
        SourceError: the line cannot be opened, with what to do. What else a port cannot do is passed over.
    """
    for index, line in enumerate(lines):
        found = any_number = False
        try:
            async for unit in _units_on(line, ids, ask, progress, trouble):
                yield unit
                found, any_number = True, unit.any_number
        except SourceError:
            if index == 0 or found:
                raise
        if found:
            rest = [] if any_number else [unit_id for unit_id in others if unit_id not in ids]
            async for unit in _units_on(line, rest, ask, progress, trouble):
                yield unit
            return


async def _units_on(
    line: Line, ids: Sequence[int], ask: Ask, progress: Progress, trouble: Trouble
) -> AsyncIterator[Found]:
    """Those of the numbers that answer; if the first one does, perhaps all do."""
    found = False
    for unit_id in ids:
        progress(say.ASKING(place=line.place, settings=settings_of(line), unit=unit_id))
        if await _answers(ask, line, unit_id, trouble):
            any_number = not found and await _answers_to_any(ask, line)
            found = True
            yield await _described(ask, line, unit_id, any_number=any_number)
            if any_number:
                return


def settings_of(line: Line) -> str:
    """Speed and parity in short, as in `9600 baud, parity none`; empty on a network."""
    return f"{line.baud} baud, parity {line.parity}" if isinstance(line, SerialLine) else ""


def _unit(line: Line, unit_id: int, timeout_s: float | None, *, is_first: bool) -> Unit:
    """How long a unit may take.

    What comes late to the first question names its number, and cannot pass for another's answer; to the ones
    that follow it must be waited for.
    """
    match line:
        case NetworkLine(rtu=False):  # it may be a gateway that waits for a device behind it
            usual_s = 1.5
        case NetworkLine():
            usual_s = 0.6
        case _:
            usual_s = 0.3
    return Unit(unit_id, timeout_s or usual_s, discard_s=0.0 if is_first else _DISCARD_S)


async def _answers(ask: Ask, line: Line, unit_id: int, trouble: Trouble) -> bool:
    answer = await ask(line, unit_id, *_FIRST)
    if not isinstance(answer, NoAnswer):
        return True
    if answer.detail in {"short reply", "long reply"}:
        return True
    if answer.detail == "reply not understood":
        trouble.garbled = answer.sentence
    return False


async def _answers_to_any(ask: Ask, line: Line) -> bool:
    """Many devices on a network do not look at the number."""
    if not isinstance(line, NetworkLine) or line.rtu:
        return False
    for unit_id in _UNLIKELY_IDS:
        if not await _answers(ask, line, unit_id, Trouble()):
            return False
    return True


async def _described(ask: Ask, line: Line, unit_id: int, *, any_number: bool) -> Found:
    likenesses = [
        Likeness(candidate.profile, evidence)
        for candidate in candidates(unit_id)
        if (evidence := candidate.evidence(await _readings(ask, line, unit_id, candidate)))
    ]
    registers = () if likenesses else tuple([register async for register in _registers(ask, line, unit_id)])
    return Found(line, unit_id, tuple(likenesses), registers, any_number)


async def _readings(ask: Ask, line: Line, unit_id: int, candidate: Candidate) -> list[Reading]:
    """What it says where a known device would have some of its values; ends with the first refusal."""
    readings: list[Reading] = []
    for poll in candidate.polls:
        answer = await ask(line, unit_id, poll.table, poll.span)
        if not isinstance(answer, Reply):
            break
        readings += poll.readings(answer.words, answer.received_ns)
    return readings


async def _registers(ask: Ask, line: Line, unit_id: int) -> AsyncIterator[Register]:
    """The first register of each table that can be read."""
    for table in _TABLES:
        for place in _PLACES:
            answer = await ask(line, unit_id, table, Span(place, 1))
            if isinstance(answer, Reply):
                yield Register(table, place, answer.words[0])
                break
