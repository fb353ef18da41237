"""A waveform's windows wait for the spindle's speed; their records say what it was, or why it is missing."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from stand_ins import SettableClock

from collector.config import MachineFile
from collector.context import Context, ContextSettings
from collector.history import History
from collector.journal import Journal
from collector.messages import Features, Meta, decode
from collector.outbox import Outbox
from collector.points import Point, PointKind, PointQuality, Reading
from collector.samples import Chunk, Run
from collector.streams.waveform import Waveform

RATE_HZ, N = 6400.0, 4096
SPEED = Point("spindle-speed", PointKind.NUMBER, "/min")
TOOL = Point("tool-number", PointKind.NUMBER)


@dataclass
class Controller:
    """A controller, as far as the join is concerned."""

    histories: dict[str, History] = field(
        default_factory=lambda: {p.name: History(p, 100_000_000, 2_000_000_000) for p in (SPEED, TOOL)}
    )
    offset_us: int | None = None

    def say(self, at_ns: int, **values: float) -> None:
        """Values of points, whose names have a hyphen where these have a low line."""
        for name, value in values.items():
            point = name.replace("_", "-")
            self.histories[point].add(Reading(point, value, PointQuality.GOOD, at_ns))


def machine(**features: Any) -> MachineFile:
    return MachineFile.model_validate(
        {
            "machine": {"name": "mill-1"},
            "tools": [{"number": 3, "teeth": 4}, {"number": 4}],
            "waveforms": [
                {
                    "name": "spindle",
                    "source": {"kind": "simulated", "rate_hz": RATE_HZ},
                    "channels": [{"name": "x", "unit": "g"}, {"name": "i", "unit": "A"}],
                    "window": {"samples": N},
                    "features": features,
                }
            ],
        }
    )


class Rig:
    """A waveform that is joined with a controller."""

    def __init__(self, kernel: SettableClock, journal: Journal, outbox: Outbox, file: MachineFile) -> None:
        self.controller = Controller()
        context = Context()
        context.refer(ContextSettings(), {"plc": self.controller})
        self._kernel, self._outbox = kernel, outbox
        self.waveform = Waveform(file, file.waveforms[0], journal, context=context)

    def window(self, rpm: float = 6000.0) -> None:
        """A window of a cut with four teeth, handed over as it ends."""
        time = np.arange(N) / RATE_HZ
        cut = np.sin(2 * np.pi * rpm / 60 * time) + 2 * np.sin(2 * np.pi * 4 * rpm / 60 * time)
        cut += 1.5 * np.sin(2 * np.pi * 871.0 * time)
        self._kernel.pass_time(N / RATE_HZ)
        self.waveform.take(Chunk(Run(np.stack((cut, cut))), self._kernel.monotonic))

    def records(self) -> list[Features]:
        """The features that were published since the last call, once everything has waited enough."""
        self._kernel.pass_time(1)
        self.waveform.look()
        records = [decode(outgoing.message.payload) for outgoing in self._outbox.take(1000)]
        return [record for record in records if isinstance(record, Features)]

    def now_ns(self) -> int:
        return self._kernel.monotonic


@pytest.fixture
def rig(kernel: SettableClock, journal: Journal, outbox: Outbox) -> Rig:
    return Rig(kernel, journal, outbox, machine())


async def test_a_window_waits_for_the_speed_and_says_what_it_was(rig: Rig) -> None:
    rig.controller.say(rig.now_ns(), spindle_speed=6015.0, tool_number=3.0)
    rig.window()
    (record,) = rig.records()
    assert record.spindle is not None
    assert record.spindle.rpm == 6015.0
    assert record.spindle.refined_rpm == pytest.approx(6000, rel=1e-4)
    assert (record.spindle.tool, record.spindle.teeth) == (3, 4)
    x = record.channels["x"]
    assert x["rotation"] == pytest.approx({"1": 1.0, "2": 0.0, "3": 0.0}, abs=0.01)
    assert x["tooth_passing"] == pytest.approx({"1": 2.0, "2": 0.0, "3": 0.0}, abs=0.01)
    assert x["chatter_hz"] == pytest.approx(871, rel=1e-3)
    assert x["chatter_amplitude"] == pytest.approx(1.5, rel=1e-2)
    assert "line_sidebands" in record.channels["i"]
    assert "line_sidebands" not in x
    assert record.nulls == {"velocity_rms": "stretch-open", "displacement_p2p": "stretch-open"}


async def test_without_a_usable_speed_the_record_says_why(rig: Rig) -> None:
    rig.controller.say(rig.now_ns(), spindle_speed=6000.0, tool_number=4.0)
    rig.window()
    rig.controller.say(rig.now_ns() + 10_000_000, spindle_speed=3000.0)
    rig.window()
    rig.window()
    for _ in range(4):
        rig.window()
    rig.controller.say(rig.now_ns() + 10_000_000, spindle_speed=0.0)
    rig.window()
    found = rig.records()
    assert [record.nulls.get("rotation") for record in found] == [
        None, "speed-varies", None, None, "speed-stale", "speed-stale", "speed-stale", "standstill",
    ]  # fmt: skip
    assert [record.nulls["chatter"] for record in found[:2]] == ["teeth-unknown", "speed-varies"]
    assert found[0].spindle is not None
    assert (found[0].spindle.tool, found[0].spindle.teeth) == (4, None)
    assert found[1].spindle is None
    assert found[1].channels["x"]["rotation"] == {"1": None, "2": None, "3": None}
    assert found[1].channels["x"]["chatter"] is None


async def test_meta_says_which_points_and_which_features(rig: Rig, outbox: Outbox) -> None:
    meta = decode(rig.waveform.meta.payload)
    assert isinstance(meta, Meta)
    assert meta.content.context["spindle"] == {"speed": "plc/spindle-speed", "tool": "plc/tool-number"}
    names = {unit: {entry["name"] for entry in rows} for unit, rows in meta.content.features.items()}
    rig.controller.say(rig.now_ns(), spindle_speed=6000.0, tool_number=3.0)
    rig.window()
    (record,) = rig.records()
    for channel, unit in (("x", "g"), ("i", "A")):
        written = {name.partition(".")[0] for name in names[unit]}
        assert record.channels[channel].keys() == written
    reasons = {entry["name"] for entry in meta.content.nulls}
    assert set(record.nulls.values()) <= reasons


async def test_a_machine_without_a_controller_says_that_it_has_no_speed(
    kernel: SettableClock, journal: Journal, outbox: Outbox
) -> None:
    rig = Rig(kernel, journal, outbox, machine(groups=["synchronous"]))
    rig.waveform = Waveform(machine(), machine().waveforms[0], journal)
    rig.window()
    (record,) = rig.records()
    assert record.nulls["chatter"] == "speed-not-configured"
    assert record.spindle is None


async def test_the_first_set_needs_no_speed(kernel: SettableClock, journal: Journal, outbox: Outbox) -> None:
    rig = Rig(kernel, journal, outbox, machine(groups=[]))
    rig.controller.say(rig.now_ns(), spindle_speed=6000.0, tool_number=3.0)
    rig.window()
    (record,) = rig.records()
    assert record.nulls == {}
    assert "rotation" not in record.channels["x"]
