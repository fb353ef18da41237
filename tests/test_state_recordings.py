"""The state against the truth: a real machine's own trace, and simulated spindles.

Everything goes the way it goes on a gateway: thresholds as `collector learn` finds them, samples through the
waveform to the machine's state, and the truth compared with the records that leave, second by second.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from stand_ins import S, SettableClock

from collector.activity import Activity, CalendarSettings, LearnedFile
from collector.commissioning import findings, learned_of
from collector.config import MachineFile, load
from collector.context import Context
from collector.demo import shop
from collector.demo.configuration import LOAD, MACHINE, POWER, SPEED, Places, write_configuration
from collector.history import History
from collector.journal import Journal
from collector.messages import Cut, StateChange, decode
from collector.outbox import Outbox
from collector.points import Point, PointKind, PointQuality, Reading
from collector.recorded_run import Span, watch_recordings
from collector.samples import Channel, Chunk
from collector.sources import describe_source
from collector.sources.simulated import SimulatedSettings
from collector.streams.machine_state import MachineState
from collector.streams.waveform import Waveform

Truth = npt.NDArray[np.str_]
"""What the machine really did, sample by sample."""


def machine(file: Path, rate_hz: float, samples: int, state: Mapping[str, Any], **source: Any) -> MachineFile:
    return MachineFile.model_validate(
        {
            "machine": {"name": "mill-1", "state": state},
            "waveforms": [
                {
                    "name": "spindle",
                    "source": {"kind": "replay", "file": file, "rate_hz": rate_hz, "speed": "max", **source},
                    "channels": [{"name": "x", "unit": "A"}],
                    "window": {"samples": samples},
                    "features": {"peaks": 0},
                }
            ],
        }
    )


def spans(truth: Truth, rate_hz: float) -> list[Span]:
    """What someone would have said who watched the machine closely."""
    edges = [0, *(np.flatnonzero(truth[1:] != truth[:-1]) + 1).tolist(), len(truth)]
    return [Span(Activity(truth[start]), start / rate_hz, end / rate_hz) for start, end in pairwise(edges)]


def learned(file: MachineFile, truth: Truth, rate_hz: float) -> LearnedFile:
    assert file.machine.state is not None
    found = list(findings(file.machine.state, watch_recordings(file, spans(truth, rate_hz))))
    assert [finding.refused for finding in found] == [None] * len(found)
    return learned_of(found, now_us=0)


class Played:
    """A recording that was played to its end, and the records that it made."""

    def __init__(
        self,
        file: MachineFile,
        thresholds: LearnedFile,
        journal: Journal,
        kernel: SettableClock,
        outbox: Outbox,
    ) -> None:
        context = Context()
        calendar = CalendarSettings(time_zone="UTC")
        state = MachineState(file, thresholds, calendar, journal, context=context, controllers={})
        waveform = Waveform(file, file.waveforms[0], journal, context=context)
        waveform.machine_state = state
        source = describe_source(file.waveforms[0].source, file.waveforms[0].signal_channels())
        device = source.open()
        self.began_us: int | None = None
        while (runs := device.read()) is not None:
            for run in runs:
                kernel.pass_time(run.samples.shape[1] / source.signal.rate_hz)
                waveform.take(Chunk(run, kernel.monotonic))
                if self.began_us is None:
                    self.began_us = journal.clock.utc_us(waveform.clock.time_ns(0))
                state.look()
        state.stop()
        made = [decode(outgoing.message.payload) for outgoing in outbox.take(100_000)]
        self.changes = [record for record in made if isinstance(record, StateChange)]
        self.cuts = [record for record in made if isinstance(record, Cut)]

    def states(self, n: int, rate_hz: float) -> Truth:
        """What was told, sample by sample."""
        assert self.began_us is not None
        return told_by(self.changes, self.began_us, n, rate_hz)


def told_by(changes: Sequence[StateChange], began_us: int, n: int, rate_hz: float) -> Truth:
    """What changes of the state say, sample by sample."""
    told = np.full(n, "unknown", dtype="<U8")
    for change in changes:
        told[max(0, round((change.t_us - began_us) * rate_hz / 1e6)) :] = change.state
    return told


def agreement(told: npt.NDArray[np.bool_], true: npt.NDArray[np.bool_], per_second: int) -> float:
    """The part of the seconds in which both say the same for the larger part."""
    seconds = len(true) // per_second
    shape = (seconds, per_second)
    by_second = [x[: seconds * per_second].reshape(shape).mean(axis=1) >= 0.5 for x in (told, true)]
    return float(np.mean(by_second[0] == by_second[1]))


# A real machine


@pytest.fixture(scope="module")
def trace(recordings: Path) -> dict[str, npt.NDArray[Any]]:
    with np.load(recordings / "cnc_turning_trace_1khz.npz") as file:
        return {name: file[name] for name in file.files}


def turning(trace: Mapping[str, npt.NDArray[Any]]) -> Truth:
    """By the controller's own speed; a spindle that stands is never quite at 0 /min."""
    return np.where(np.abs(trace["Speed_MainSpindle"]) > 10, "turning", "idle")


@pytest.mark.parametrize("feature", ["mean", "rms", "peak"])
async def test_a_spindle_turns_or_not_by_its_current(
    recordings: Path,
    trace: dict[str, npt.NDArray[Any]],
    feature: str,
    journal: Journal,
    kernel: SettableClock,
    outbox: Outbox,
) -> None:
    file = machine(
        recordings / "cnc_turning_trace_1khz.npz",
        1000.0,
        250,
        {"turning": {"feature": f"spindle/x/{feature}"}},
        array="Current_MainSpindle",
    )
    truth = turning(trace)
    third = len(truth) // 3
    thresholds = learned(file, truth[:third], 1000.0)
    told = Played(file, thresholds, journal, kernel, outbox).states(len(truth), 1000.0)
    assert agreement(told[third:] == "turning", truth[third:] == "turning", 1000) >= 0.98


@pytest.mark.parametrize("current", ["Current_MainSpindle", "Current_SubSpindle", "Power_MainSpindle"])
def test_a_cut_that_cannot_be_told_is_refused(
    recordings: Path, trace: dict[str, npt.NDArray[Any]], current: str
) -> None:
    """The trace's own flag cannot be told from currents and power: that is said, without a threshold."""
    truth = np.where(trace["CUT_Signal"] == 1, "cutting", "turning")
    third = len(truth) // 3
    for feature in ("mean", "rms", "peak", "crest", "kurtosis"):
        file = machine(
            recordings / "cnc_turning_trace_1khz.npz",
            1000.0,
            250,
            {"cutting": {"feature": f"spindle/x/{feature}"}},
            array=current,
        )
        assert file.machine.state is not None
        (found,) = findings(file.machine.state, watch_recordings(file, spans(truth[:third], 1000.0)))
        assert found.split is None
        assert found.refused is not None
        assert found.refused.code == "cli.learn.inseparable"


# Simulated spindles


def simulated_life(settings: SimulatedSettings, n: int) -> Truth:
    """What the simulated spindle does: up, air and cut in turn, down, and still."""
    turning_s = 2 * 0.5 + settings.cuts_per_tool * (settings.air_s + settings.cut_s)
    since_s = (np.arange(n) / settings.rate_hz) % (turning_s + settings.tool_change_s)
    number, into_s = np.divmod(since_s - 0.5, settings.air_s + settings.cut_s)
    cutting = (number >= 0) & (number < settings.cuts_per_tool) & (into_s >= settings.air_s)
    return np.where(cutting, "cutting", np.where((since_s > 0) & (since_s < turning_s), "turning", "idle"))


def simulated(settings: SimulatedSettings, n: int) -> npt.NDArray[np.float64]:
    """The first samples of a simulated spindle."""
    device = describe_source(settings, (Channel("x", "g"),)).open()
    blocks: list[npt.NDArray[np.float64]] = []
    while sum(map(len, blocks)) < n:
        blocks += [run.samples.T for run in device.read() or ()]
    return np.concatenate(blocks)[:n]


SPINDLES: dict[str, tuple[dict[str, Any], int]] = {
    "usual": ({}, 256),
    "coarse windows": ({}, 1024),
    "noisy": ({"noise_g": 0.1}, 256),
    "short cuts": ({"cut_s": 2.0, "air_s": 1.5, "seed": 5}, 256),
    "all cuts chatter": ({"chatter_share": 1.0, "seed": 3}, 256),
}


@pytest.mark.parametrize("name", SPINDLES)
async def test_a_simulated_spindle_cuts_or_not(
    name: str, tmp_path: Path, journal: Journal, kernel: SettableClock, outbox: Outbox
) -> None:
    more, samples = SPINDLES[name]
    settings = SimulatedSettings(kind="simulated", rate_hz=3200.0, speed="max", **more)
    n = 3200 * 180
    truth = simulated_life(settings, n)
    recording = tmp_path / "spindle.npz"
    np.savez(recording, samples=simulated(settings, n))
    rules = {"turning": {"feature": "spindle/x/rms"}, "cutting": {"feature": "spindle/x/rms"}}
    file = machine(recording, 3200.0, samples, rules)
    third = n // 3
    thresholds = learned(file, truth[:third], 3200.0)
    played = Played(file, thresholds, journal, kernel, outbox)
    told = played.states(n, 3200.0)
    assert np.mean((told[third:] == "cutting") == (truth[third:] == "cutting")) >= 0.95  # of the time
    cuts = int(np.sum((truth[1:] == "cutting") & (truth[:-1] != "cutting")))
    assert len(played.cuts) == pytest.approx(cuts, abs=1)


# The demo's shop


def shop_s_life(seconds: float, rate_hz: float) -> Truth:
    return np.array([shop.at(index / rate_hz).activity.value for index in range(round(seconds * rate_hz))])


async def test_the_shop_cuts_or_not_by_its_vibration(
    tmp_path: Path, journal: Journal, kernel: SettableClock, outbox: Outbox
) -> None:
    rate_hz, seconds = 1600.0, 240
    n = round(seconds * rate_hz)
    truth = np.repeat(shop_s_life(seconds, 100.0), round(rate_hz / 100))
    felt = shop.vibration((Channel("x", "g"),), rate_hz).samples(0, n)
    recording = tmp_path / "shop.npz"
    np.savez(recording, samples=felt.T)
    rules = {"turning": {"feature": "spindle/x/rms"}, "cutting": {"feature": "spindle/x/rms"}}
    file = machine(recording, rate_hz, 256, rules)
    third = n // 3
    thresholds = learned(file, np.where(truth == "off", "idle", truth)[:third], rate_hz)
    played = Played(file, thresholds, journal, kernel, outbox)
    told = played.states(n, rate_hz)
    assert np.mean((told[third:] == "cutting") == (truth[third:] == "cutting")) >= 0.95  # of the time
    cuts = int(np.sum((truth[1:] == "cutting") & (truth[:-1] != "cutting")))
    assert len(played.cuts) == pytest.approx(cuts, abs=1)


@dataclass
class ShopTelling:
    """The shop's controller and meter, as far as a state is concerned."""

    histories: dict[str, History] = field(default_factory=dict)
    offset_us: int | None = None

    def say(self, name: str, value: float, at_ns: int) -> None:
        history = self.histories.setdefault(name, History(Point(name, PointKind.NUMBER), S // 5, S))
        history.add(Reading(name, value, PointQuality.GOOD, at_ns))


async def test_the_shop_does_what_its_controller_and_meter_say(
    tmp_path: Path, journal: Journal, kernel: SettableClock, outbox: Outbox
) -> None:
    """With the demo's own rules, and readings every 0.2 s."""
    write_configuration(tmp_path, Places(tmp_path / "accelerometer", 1, 2, 3))
    (file,) = load(tmp_path).machines
    telling = {name: ShopTelling() for name in ("cnc", "meter")}
    calendar = CalendarSettings(time_zone="UTC")
    state = MachineState(file, LearnedFile(), calendar, journal, context=Context(), controllers=telling)
    began_us, seconds = journal.clock.now_us(), 160
    for index in range(5 * seconds):
        moment = shop.at(index / 5)
        said = {POWER: moment.power_w, SPEED: moment.speed_rpm, LOAD: moment.load_percent}
        for path, value in said.items():
            controller, _, point = path.partition("/")
            telling[controller].say(point, value, kernel.monotonic)
        state.look()
        kernel.pass_time(0.2)
    state.stop()
    made = [decode(outgoing.message.payload) for outgoing in outbox.take(100_000)]
    changes = [record for record in made if isinstance(record, StateChange)]
    assert {change.machine for change in changes} == {MACHINE}
    truth = shop_s_life(seconds, 100.0)
    told = told_by(changes, began_us, len(truth), 100.0)
    assert set(truth.tolist()) == {"off", "idle", "turning", "cutting"}
    assert np.mean(told == truth) >= 0.95
    assert np.mean((told == "cutting") == (truth == "cutting")) >= 0.97
