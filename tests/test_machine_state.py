"""One machine's state as records: changes, cuts and utilisation, also while the clock is set."""

import asyncio
import json
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pytest
from stand_ins import S, SettableClock

from collector.activity import CalendarSettings, LearnedFile
from collector.config import MachineFile
from collector.context import Context
from collector.health import State
from collector.history import History
from collector.journal import Draft, Journal
from collector.messages import Cut, Meta, Record, StateChange, Utilisation, decode
from collector.outbox import Outbox
from collector.points import Point, PointKind, PointQuality, Reading
from collector.samples import Chunk, Run
from collector.streams.machine_state import MachineState
from collector.streams.waveform import Waveform

RATE_HZ, N = 1000.0, 250
SPEED = {"turning": {"point": "plc/speed", "above": 10.0}}
VIBRATION = {
    "turning": {"feature": "spindle/x/rms", "above": 0.5},
    "cutting": {"feature": "spindle/x/rms", "above": 5.0},
}
QUIET, AIR, CUT = 0.1, 1.0, 10.0
"""Amplitudes of a square wave, whose rms they are."""


def machine(state: dict[str, Any] | None = None, **more: Any) -> MachineFile:
    return MachineFile.model_validate(
        {
            "machine": {"name": "mill-1", "state": VIBRATION if state is None else state, **more},
            "waveforms": [
                {
                    "name": "spindle",
                    "source": {"kind": "simulated", "rate_hz": RATE_HZ},
                    "channels": [{"name": "x", "unit": "g"}],
                    "window": {"samples": N},
                }
            ],
        }
    )


@dataclass
class Telling:
    """A controller, as far as a state is concerned."""

    histories: dict[str, History] = field(default_factory=dict)
    offset_us: int | None = None

    def say(self, name: str, value: float | str | bool, at_ns: int) -> None:
        kind = PointKind.NUMBER if isinstance(value, float) else PointKind.STATE
        history = self.histories.setdefault(name, History(Point(name, kind), S // 10, 3 * S // 10))
        history.add(Reading(name, value, PointQuality.GOOD, at_ns))


class Rig:
    """A machine with one waveform and one controller, and time that passes by steps of a window."""

    def __init__(
        self, journal: Journal, kernel: SettableClock, outbox: Outbox, file: MachineFile | None = None
    ) -> None:
        self.kernel, self.journal, self.outbox = kernel, journal, outbox
        self._records: list[Record] = []
        self.file = file or machine()
        self.plc = Telling()
        self.context = Context()
        self.state = self.make()
        self.waveform = Waveform(self.file, self.file.waveforms[0], journal, context=self.context)
        self.waveform.machine_state = self.state

    def make(self, learned: LearnedFile | None = None) -> MachineState:
        return MachineState(
            self.file,
            learned or LearnedFile(),
            CalendarSettings(time_zone="UTC"),
            self.journal,
            context=self.context,
            controllers={"plc": self.plc},
        )

    def vibrate(self, seconds: float, amplitude: float) -> None:
        """Let the spindle be felt for some seconds."""
        for _ in range(round(seconds * RATE_HZ / N)):
            self.kernel.pass_time(N / RATE_HZ)
            samples = [[amplitude * (-1) ** index for index in range(N)]]
            self.waveform.take(Chunk(Run(np.array(samples)), self.kernel.monotonic))
            self.state.look()

    def of(self, kind: type[Record]) -> list[Any]:
        """Every record of a kind so far; what waits for a mark as well."""
        self.journal.release(len(self.journal.waiting))
        self._records += [decode(outgoing.message.payload) for outgoing in self.outbox.take(10_000)]
        return [record for record in self._records if isinstance(record, kind)]

    def turn(self, seconds: float, speed: float | None) -> None:
        """Let the controller say a speed for some seconds; None: nothing."""
        for _ in range(round(seconds * 10)):
            self.kernel.pass_time(0.1)
            if speed is not None:
                self.plc.say("speed", speed, self.kernel.monotonic)
            self.state.look()


def states(rig: Rig) -> list[tuple[str, str]]:
    return [(change.previous, change.state) for change in rig.of(StateChange)]


async def test_vibration_makes_states_a_cut_and_utilisation(
    kernel: SettableClock, journal: Journal, outbox: Outbox
) -> None:
    rig = Rig(journal, kernel, outbox)
    began_us = journal.clock.now_us()
    for seconds, amplitude in ((5, QUIET), (5, AIR), (10, CUT), (5, AIR), (5, QUIET)):
        rig.vibrate(seconds, amplitude)
    rig.state.stop()
    assert states(rig) == [
        ("unknown", "idle"),
        ("idle", "turning"),
        ("turning", "cutting"),
        ("cutting", "turning"),
        ("turning", "idle"),
    ]
    changes = rig.of(StateChange)
    assert [round((change.t_us - began_us) / 1e6, 3) for change in changes] == pytest.approx(
        [0.0, 5.0, 10.0, 20.0, 25.0], abs=0.01
    )
    assert [change.machine for change in changes] == ["mill-1"] * 5
    assert [later.since_us for later in changes[1:]] == [earlier.t_us for earlier in changes[:-1]]
    (reason, decisive) = changes[2].why
    assert (reason.question, reason.answer) == ("turning", True)
    assert (decisive.question, decisive.input, decisive.value) == ("cutting", "spindle/x/rms", CUT)
    (cut,) = rig.of(Cut)
    assert (cut.from_us, cut.to_us) == (changes[2].t_us, changes[3].t_us)
    assert (cut.previous, cut.next, cut.duration_s) == ("turning", "turning", pytest.approx(10.0))
    spindle = cut.waveforms["spindle"]
    assert (spindle.windows, spindle.lost) == (40, 0)
    assert (spindle.channels["x"]["rms"].min, spindle.channels["x"]["rms"].max) == (CUT, CUT)
    hour, shift = rig.of(Utilisation)
    assert (hour.period, shift.period, shift.shift) == ("hour", "shift", "day")
    assert hour.seconds == pytest.approx(
        {"unknown": 0.0, "off": 0, "alarm": 0, "idle": 10.0, "turning": 10.0, "cutting": 10.0}, abs=0.02
    )
    assert sum(round(1e6 * seconds) for seconds in hour.seconds.values()) == hour.to_us - hour.from_us
    assert hour.ratios["cutting"] == pytest.approx(1 / 3, abs=1e-3)
    assert (hour.from_us, hour.complete) == (began_us, False)
    assert (hour.t_us, hour.mono_us) == (hour.from_us, round(1e-3 * (kernel.monotonic - 30 * S)))


async def test_a_silent_controller_makes_the_state_unknown(
    kernel: SettableClock, journal: Journal, outbox: Outbox
) -> None:
    rig = Rig(journal, kernel, outbox, machine(SPEED))
    rig.turn(5, 1000.0)
    rig.turn(5, None)
    report = rig.state.report()
    assert report.activity == "unknown"
    assert "plc/speed" in str(report.why[-1].sentence())
    rig.turn(5, 0.0)
    rig.state.stop()
    assert states(rig) == [("unknown", "turning"), ("turning", "unknown"), ("unknown", "idle")]
    turning, silent, idle = rig.of(StateChange)
    assert (silent.t_us - turning.t_us) / 1e6 == pytest.approx(
        4.9 + 0.3, abs=0.01
    )  # the last one, and the limit
    assert silent.why[-1].answer is None
    assert (idle.t_us - silent.t_us) / 1e6 == pytest.approx(4.8, abs=0.01)
    hour = rig.of(Utilisation)[0]
    assert hour.seconds["unknown"] == pytest.approx(0.1 + 4.8, abs=0.01)
    assert hour.ratios["known"] == pytest.approx(10.1 / 15, abs=0.01)


async def test_hours_end_on_the_hour_and_are_told_whole(
    kernel: SettableClock, journal: Journal, outbox: Outbox
) -> None:
    kernel.utc -= kernel.utc % (3600 * S) - 3590 * S  # ten seconds before the hour
    journal.clock.look()
    rig = Rig(journal, kernel, outbox, machine(SPEED))
    rig.turn(20, 1000.0)
    (first,) = rig.of(Utilisation)
    assert (first.to_us, first.complete) == (first.period_to_us, False)
    assert (first.to_us - first.from_us, first.period) == (10_000_000, "hour")
    for _ in range(3600):
        rig.turn(0.1, 1000.0)
        kernel.pass_time(0.9)
    hours = [record for record in rig.of(Utilisation) if record.period == "hour"]
    assert len(hours) == 2
    assert (hours[1].t_us, hours[1].from_us, hours[1].complete) == (first.to_us, first.to_us, True)
    assert sum(round(1e6 * seconds) for seconds in hours[1].seconds.values()) == 3_600_000_000


async def test_an_account_that_is_over_waits_for_a_mark_without_it(
    kernel: SettableClock, journal: Journal, outbox: Outbox
) -> None:
    kernel.utc -= kernel.utc % (3600 * S) - 3590 * S  # ten seconds before the hour
    journal.clock.look()
    rig = Rig(journal, kernel, outbox, machine(SPEED))
    rig.turn(9, 1000.0)
    (before, _day) = rig.state.drafts()
    assert before.fields["seconds"]["turning"] > 0
    rig.turn(10, 1000.0)
    (waits,) = journal.waiting
    assert (waits.t_us, waits.fields["from_us"]) == (before.t_us, before.fields["from_us"])
    assert not any(draft.fields["from_us"] == before.t_us for draft in rig.state.drafts()[:1])
    assert not [taken for taken in outbox.take(10_000) if taken.message.topic == waits.topic]
    journal.release(1)
    assert [taken.message.topic for taken in outbox.take(10_000)] == [waits.topic]
    rig.state.stop()
    assert rig.state.drafts() == []
    assert len(journal.waiting) == 2


async def test_a_long_cut_is_in_the_mark_and_waits_for_one_without_it(
    kernel: SettableClock, journal: Journal, outbox: Outbox
) -> None:
    def cuts(drafts: list[Draft]) -> list[Draft]:
        return [draft for draft in drafts if draft.reading == "cut"]

    rig = Rig(journal, kernel, outbox)
    rig.vibrate(5, AIR)
    rig.vibrate(30, CUT)
    assert cuts(rig.state.drafts()) == [], "a short one would cost a mark"
    rig.vibrate(5, AIR)
    assert journal.waiting == []
    assert len(rig.of(Cut)) == 1
    rig.vibrate(90, CUT)
    (open_one,) = cuts(rig.state.drafts())
    saved = Draft(**json.loads(json.dumps(asdict(open_one))))
    assert saved == open_one, "it is kept as JSON"
    rig.vibrate(30, CUT)
    rig.vibrate(5, AIR)
    (over,) = cuts(journal.waiting)
    assert cuts(rig.state.drafts()) == []
    assert (over.t_us, over.fields["from_us"]) == (open_one.t_us, open_one.fields["from_us"])
    part, whole = (sum(w["windows"] for w in of.fields["waveforms"].values()) for of in (open_one, over))
    assert 80 * 4 < part < whole
    assert (open_one.fields["next"], over.fields["next"]) == (None, "turning")
    journal.publish(saved)
    told = rig.of(Cut)[1:]
    assert [cut.next for cut in told] == [None, "turning"]
    assert {cut.from_us for cut in told} == {over.t_us}
    rig.vibrate(90, CUT)
    assert cuts(rig.state.drafts())
    rig.state.stop()
    assert len(cuts(journal.waiting)) == 1


@pytest.mark.parametrize("step_s", [86_400 * 365, -7200, 7])
async def test_a_clock_that_is_set_closes_what_was_counted(
    kernel: SettableClock, journal: Journal, outbox: Outbox, step_s: int
) -> None:
    kernel.good = False
    journal.clock.look()
    rig = Rig(journal, kernel, outbox, machine(SPEED))
    rig.turn(10, 1000.0)
    kernel.utc += step_s * S
    kernel.good = True
    assert journal.clock.look() is not None
    rig.turn(10, 1000.0)
    rig.state.stop()
    counted = [record for record in rig.of(Utilisation) if record.period == "hour"]
    assert [record.sync for record in counted] == [False, True], "each as it was counted"
    for record in counted:
        assert record.t_us == record.from_us
        total_us = sum(round(1e6 * seconds) for seconds in record.seconds.values())
        assert total_us == record.to_us - record.from_us
        assert record.period_from_us <= record.from_us < record.to_us <= record.period_to_us
    assert sum(record.to_us - record.from_us for record in counted) == pytest.approx(20e6, abs=10)
    assert counted[1].from_us - counted[0].to_us == pytest.approx(1e6 * step_s, abs=10)
    assert len(rig.of(StateChange)) == 1  # a clock that is set is no change of the machine


async def test_a_moment_has_one_time_though_the_kernel_steers_the_clock(
    kernel: SettableClock, journal: Journal, outbox: Outbox
) -> None:
    rig = Rig(journal, kernel, outbox)
    for _ in range(3):
        for amplitude in (AIR, CUT):
            for _ in range(70):  # a steered second each; in all, by more than a step is
                rig.vibrate(1, amplitude)
                kernel.utc += 500_000
                journal.clock.look()
    rig.state.stop()
    changes, cuts = rig.of(StateChange), rig.of(Cut)
    assert [change.since_us for change in changes[1:]] == [change.t_us for change in changes[:-1]]
    began = [change.t_us for change in changes if change.state == "cutting"]
    ended = [change.t_us for change in changes if change.previous == "cutting"]
    assert len(cuts) == 3
    assert [cut.t_us for cut in cuts] == [cut.from_us for cut in cuts] == began
    assert [cut.to_us for cut in cuts[:2]] == ended
    assert rig.state.report().activity_since_us == changes[-1].t_us


async def test_after_the_clock_was_set_a_state_has_lasted_as_long_as_before(
    kernel: SettableClock, journal: Journal, outbox: Outbox
) -> None:
    rig = Rig(journal, kernel, outbox, machine(SPEED))
    rig.turn(10, 1000.0)
    kernel.utc += 3600 * S
    journal.clock.look()
    rig.turn(10, 1000.0)
    rig.turn(5, 0.0)
    first, second = rig.of(StateChange)
    assert second.since_us == first.t_us + 3_600_000_000
    assert second.t_us - second.since_us == second.mono_us - first.mono_us


async def test_a_cut_that_is_cut_short_says_so(
    kernel: SettableClock, journal: Journal, outbox: Outbox
) -> None:
    rig = Rig(journal, kernel, outbox)
    rig.vibrate(6, CUT)
    rig.state.stop()
    (cut,) = rig.of(Cut)
    assert (cut.previous, cut.next) == ("unknown", None)


async def test_overlapping_windows_belong_to_the_cut_that_their_middle_is_in(
    kernel: SettableClock, journal: Journal, outbox: Outbox
) -> None:
    file = machine()
    half = file.waveforms[0].model_copy(
        update={"window": file.waveforms[0].window.model_copy(update={"overlap": 0.5})}
    )
    rig = Rig(journal, kernel, outbox, file.model_copy(update={"waveforms": (half,)}))
    for seconds, amplitude in ((5, AIR), (5, CUT), (5, AIR)):
        rig.vibrate(seconds, amplitude)
    rig.state.stop()
    (cut,) = rig.of(Cut)
    spindle = cut.waveforms["spindle"]
    assert spindle.windows == pytest.approx(5 * RATE_HZ / (N / 2), abs=1)
    assert spindle.windows * N / 2 / RATE_HZ == pytest.approx(cut.duration_s, abs=0.001)


async def test_what_is_not_learned_is_said_with_what_to_do(
    kernel: SettableClock, journal: Journal, outbox: Outbox
) -> None:
    rig = Rig(journal, kernel, outbox, machine({"turning": {"feature": "spindle/x/rms"}}))
    rig.vibrate(2, AIR)
    report = rig.state.report()
    assert (report.state, report.activity) == (State.DEGRADED, "unknown")
    assert report.reason is not None
    assert "collector learn mill-1" in report.reason.advice
    learned = LearnedFile.model_validate(
        {
            "turning": {
                "input": "spindle/x/rms",
                "above": 0.5,
                "below": 0.4,
                "right": 0.99,
                "values_no": 20,
                "values_yes": 30,
                "learned_at": "2026-01-01T00:00:00Z",
            }
        }
    )
    assert not rig.state.is_made_of(rig.file, learned, CalendarSettings(time_zone="UTC"))
    rig.state.stop()
    rig.state = rig.waveform.machine_state = rig.make(learned)
    rig.vibrate(5, AIR)
    report = rig.state.report()
    assert (report.state, report.activity) == (State.OK, "turning")
    meta = [record for record in rig.of(Meta) if record.content.state][-1]
    (rule,) = meta.content.state["rules"]
    assert (rule["above"], rule["learned"]["right"]) == (0.5, 0.99)
    assert meta.content.source == {"kind": "state", "origin": "simulated"}


async def test_an_input_that_is_never_heard_of_is_complained_about(
    kernel: SettableClock, journal: Journal, outbox: Outbox
) -> None:
    rig = Rig(journal, kernel, outbox, machine(SPEED))
    rig.turn(30, None)
    assert rig.state.report().state is State.OK  # it may be late
    rig.turn(60, None)
    report = rig.state.report()
    assert report.state is State.DEGRADED
    assert report.reason is not None
    assert "plc/speed" in report.reason.text


async def test_states_of_a_controller_answer_by_name(
    kernel: SettableClock, journal: Journal, outbox: Outbox
) -> None:
    rules = {
        "on": {"point": "plc/power"},
        "alarm": {"point": "plc/lamp", "states": ["red"]},
        "cutting": {"point": "plc/program", "states": ["running"]},
    }
    rig = Rig(journal, kernel, outbox, machine(rules))

    def go_on(power: bool, lamp: str, program: str) -> None:
        for _ in range(30):
            kernel.pass_time(0.1)
            for name, value in (("power", power), ("lamp", lamp), ("program", program)):
                rig.plc.say(name, value, kernel.monotonic)
            rig.state.look()

    go_on(False, "red", "running")
    go_on(True, "green", "running")
    go_on(True, "red", "running")
    go_on(True, "green", "ended")
    rig.state.stop()
    assert [state for _, state in states(rig)] == ["off", "cutting", "alarm", "idle"]


async def test_inputs_are_watched_from_when_they_are_asked_for(
    kernel: SettableClock, journal: Journal, outbox: Outbox
) -> None:
    rig = Rig(journal, kernel, outbox)
    rig.vibrate(5, QUIET)
    watching = asyncio.create_task(rig.state.watch(2.0))
    await asyncio.sleep(0)
    rig.vibrate(2, AIR)
    rig.vibrate(5, CUT)
    watched = await watching
    assert watched.values == {"spindle/x/rms": [AIR] * 8}


async def test_a_mistake_of_ours_stops_this_state_alone(
    kernel: SettableClock, journal: Journal, outbox: Outbox
) -> None:
    rig = Rig(journal, kernel, outbox, machine(SPEED))
    rig.plc.histories["speed"] = "no history"  # type: ignore[assignment]
    kernel.pass_time(10)
    rig.state.look()
    report = rig.state.report()
    assert (report.state, report.reason and report.reason.code) == (State.FAILED, "state.unexpected")


async def test_a_description_alone_interrupts_nothing(
    kernel: SettableClock, journal: Journal, outbox: Outbox
) -> None:
    rig = Rig(journal, kernel, outbox)
    rig.vibrate(6, CUT)
    described = machine(maker="Example")
    assert rig.state.is_made_of(described, LearnedFile(), CalendarSettings(time_zone="UTC"))
    rig.state.refer(described, {"plc": rig.plc})
    rig.vibrate(6, CUT)
    rig.state.stop()
    assert states(rig) == [("unknown", "cutting")]
    metas = [record.content.machine for record in rig.of(Meta) if record.content.state]
    assert metas == [{"name": "mill-1"}, {"name": "mill-1", "maker": "Example"}]
