"""The demo's shop at any time: what its one machine tool does, and what of it can be felt and measured; pure.

The machine runs two programs with several tools again and again, has its part changed in between, and is
switched off for a while at the end of each round. What the machine tool and its meter say is a `Moment`, and
the vibration follows from the same operations: the truth that records can be compared with.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import numpy as np

from collector.samples import Channel
from collector.sources.spindle import Course, Cut, Life, SpindleModel, life

OPERATION_S = 10.0
"""How long each operation takes, so that the time alone tells which one it is."""
_NOMINAL_HZ = 100.0
_CHATTER_HZ = 285.0
_FULL_SPEED_RPM = 12_000
_OFF_W, _IDLE_W, _SPINNING_W, _CUTTING_W = 24.0, 380.0, 520.0, 2600.0
"""Power switched off; of controller and pumps; at full speed in the air and at full load on top of that."""
_SPINNING_PERCENT, _CUTTING_PERCENT = 15.0, 70.0
_VOLTS, _POWER_FACTOR = 230.0, 0.85
_PHASES = (1.0, 0.97, 1.03)
"""How the current is spread."""


class Activity(StrEnum):
    """What the machine really does."""

    OFF = "off"
    IDLE = "idle"
    """Switched on; the spindle stands."""
    TURNING = "turning"
    """The spindle turns in the air."""
    CUTTING = "cutting"


class ProgramState(StrEnum):
    """What the controller says of its program; the names are those of OPC 40501-1."""

    RUNNING = "running"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool in the magazine."""

    number: int
    diameter_mm: int
    teeth: int


TOOLS = FACE_MILL, END_MILL, SLOT_DRILL, FINISHER = (
    Tool(1, 63, 6),
    Tool(2, 12, 4),
    Tool(3, 8, 2),
    Tool(4, 6, 3),
)


@dataclass(frozen=True, slots=True)
class Operation:
    """A part of the machine's life; the speed's points and the cuts are in seconds since its beginning."""

    program: str
    tool: Tool
    speed_rpm: tuple[tuple[float, float], ...] = ((0.0, 0.0), (OPERATION_S, 0.0))
    cuts: tuple[Cut, ...] = ()
    is_on: bool = True


@dataclass(frozen=True, slots=True)
class Moment:
    """The shop at one time."""

    activity: Activity
    program: str
    program_state: ProgramState
    tool: Tool
    speed_rpm: float
    load_percent: float
    power_w: float

    @property
    def currents_a(self) -> tuple[float, ...]:
        """Of the three phases."""
        return tuple(self.power_w / len(_PHASES) * part / (_VOLTS * _POWER_FACTOR) for part in _PHASES)


def _speeds(*steps: tuple[float, float], until: float = 9.4) -> tuple[tuple[float, float], ...]:
    """Standing while the tool is changed, turning as each (from second, /min) says, and standing again."""
    points, before = [(0.0, 0.0)], 0.0
    for at_s, rpm in steps:
        points += [(at_s, before), (at_s + 0.5, rpm)]
        before = rpm
    return (*points, (until, before), (until + 0.5, 0.0))


_HOUSING, _FLANGE = "HOUSING-21.MPF", "FLANGE-08.MPF"
ROUND = (
    Operation(_HOUSING, FACE_MILL, _speeds((1.2, 2400)), (Cut(2.6, 5.4, 0.9), Cut(6.4, 9.0, 0.9, 0.6))),
    Operation(
        _HOUSING,
        END_MILL,
        _speeds((2.0, 6000), (5.5, 7200)),
        (Cut(3.0, 5.0, 0.4, 0.9), Cut(6.6, 9.0, 1.0, chatters=True)),
    ),
    Operation(_HOUSING, FINISHER, _speeds((2.0, 9000)), (Cut(3.2, 5.8, 0.3), Cut(6.4, 9.0, 0.3))),
    Operation(_HOUSING, FINISHER),
    Operation(_FLANGE, END_MILL, _speeds((1.5, 5400)), (Cut(2.8, 5.4, 0.6), Cut(6.2, 9.0, 0.8, 0.5))),
    Operation(
        _FLANGE, SLOT_DRILL, _speeds((2.0, 8000)), (Cut(3.0, 4.4, 0.5), Cut(5.2, 6.6, 0.7), Cut(7.4, 8.8))
    ),
    Operation(_FLANGE, SLOT_DRILL),
    Operation(_FLANGE, SLOT_DRILL, is_on=False),
)
"""What the machine does again and again; an operation without speeds is a change of the part."""


def at(seconds: float) -> Moment:
    """What the machine does so many seconds after the beginning."""
    number, since_s = divmod(seconds, OPERATION_S)
    operation = ROUND[int(number) % len(ROUND)]
    now, since = _life(int(number) % len(ROUND)), np.array([since_s])
    rpm, load = 60 * float(now.rotation_hz.at(since)[0]), float(now.load.at(since)[0])
    activity = Activity.CUTTING if load else Activity.TURNING if rpm else Activity.IDLE
    return Moment(
        activity if operation.is_on else Activity.OFF,
        operation.program,
        ProgramState.RUNNING if len(operation.speed_rpm) > 2 else ProgramState.ENDED,
        operation.tool,
        rpm,
        _SPINNING_PERCENT * rpm / _FULL_SPEED_RPM + _CUTTING_PERCENT * load,
        _power_w(operation, rpm, load),
    )


def energy_kwh(seconds: float) -> float:
    """What the machine has used since the beginning: the integral of its power."""
    number, since_s = divmod(seconds, OPERATION_S)
    rounds, position = divmod(int(number), len(ROUND))
    whole = [_joules(index, OPERATION_S) for index in range(len(ROUND))]
    return (rounds * sum(whole) + sum(whole[:position]) + _joules(position, since_s)) / 3.6e6


def vibration(channels: tuple[Channel, ...], rate_hz: float) -> SpindleModel:
    """What an accelerometer at the spindle feels, sample `i` at `i / rate_hz` seconds."""
    return SpindleModel(
        channels,
        rate_hz,
        lambda number: _life(number % len(ROUND)),
        OPERATION_S,
        nominal_hz=_NOMINAL_HZ,
        chatter_hz=_CHATTER_HZ,
        noise_g=0.01,
        full_scale_g=16.0,
        seed=1,
    )


@cache
def _life(number: int) -> Life:
    operation = ROUND[number]
    turning = Course((at_s, rpm / 60) for at_s, rpm in operation.speed_rpm)
    return life(turning, operation.cuts, operation.tool.teeth)


def _power_w(operation: Operation, rpm: float, load: float) -> float:
    if not operation.is_on:
        return _OFF_W
    return _IDLE_W + _SPINNING_W * rpm / _FULL_SPEED_RPM + _CUTTING_W * load


def _joules(number: int, until_s: float) -> float:
    operation, now, until = ROUND[number], _life(number), np.array([until_s])
    if not operation.is_on:
        return _OFF_W * until_s
    turned, cut = float(now.rotation_hz.total(until)[0]), float(now.load.total(until)[0])
    return _IDLE_W * until_s + _SPINNING_W * 60 * turned / _FULL_SPEED_RPM + _CUTTING_W * cut
