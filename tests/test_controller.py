"""One controller: summaries and changes come out, odd devices stop nothing, secrets stay, health tells."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
import structlog
from servers import until
from stand_ins import S, SettableClock

from collector.activity import CalendarSettings, LearnedFile
from collector.config import MachineFile
from collector.context import Context
from collector.errors import SourceError
from collector.health import State
from collector.journal import Journal
from collector.messages import Alarm, Change, Features, Meta, Readings, decode
from collector.messages.features import ContextNumber, ContextState
from collector.messages.readings import NumberSummary, StateSummary
from collector.outbox import Outbox
from collector.points import Arrival, Point, PointKind, PointQuality, Reading, Share
from collector.pseudonym_key import FILE_NAME, PseudonymKey, SharingSettings
from collector.samples import Chunk, Run
from collector.sharing import pseudonym
from collector.sources.source import PointSource
from collector.streams.controller import Controller
from collector.streams.machine_state import MachineState
from collector.streams.observe import observe_points
from collector.streams.supervision import keep_trying
from collector.streams.waveform import Waveform
from collector.texts import Sentence, opcua
from collector.texts import points as say

GOOD, UNCERTAIN, BAD, STALE = PointQuality
R = TypeVar("R")

KEY = bytes(range(32))
CANARY = "CANARY-WELLE-4711.MPF"

SPEED = Point("speed", PointKind.NUMBER, unit="/min", every_s=1.0)
MODE = Point("mode", PointKind.STATE, states={0: "manual", 1: "automatic"}, every_s=1.0)


def program(share: Share | None) -> Point:
    return Point("program", PointKind.TEXT, share=share, every_s=1.0)


Script = Callable[["Scripted"], AsyncGenerator[Arrival, None]]


@dataclass
class Scripted:
    """A `PointSource` that plays one script after the other, a fresh one for each connection."""

    points: tuple[Point, ...] = (SPEED, MODE)
    origin: str = "live"
    silent_after_s: float = 10.0
    scripts: list[Script] = field(default_factory=list)
    connections: int = 0
    closed: int = 0
    lost: int = 0
    remarks: tuple[Sentence, ...] = ()

    async def arrivals(self) -> AsyncGenerator[Arrival, None]:
        """Play the next script; after the last one, say nothing."""
        script = self.scripts[self.connections] if self.connections < len(self.scripts) else silence
        self.connections += 1
        try:
            async for arrival in script(self):
                yield arrival
        finally:
            self.closed += 1


async def silence(_: Scripted) -> AsyncGenerator[Arrival, None]:
    await asyncio.Event().wait()
    yield Arrival(0, ())


def machine(window: dict[str, int] | None = None, **controller: Any) -> MachineFile:
    source = {"kind": "modbus-tcp", "host": "127.0.0.1", "addressing": "pdu"}
    points = [{"name": "any", "table": "holding", "address": 0, "type": "u16"}]
    waveform = {
        "name": "spindle",
        "source": {"kind": "simulated", "rate_hz": 1000},
        "channels": [{"name": "x", "unit": "g"}],
        "window": {"samples": 100} | (window or {}),
    }
    return MachineFile.model_validate(
        {
            "machine": {"name": "mill-1"},
            "controllers": [{"name": "plc", "source": source | {"points": points}, **controller}],
            "waveforms": [waveform],
        }
    )


def controller(journal: Journal, source: PointSource, **settings: Any) -> Controller:
    file = machine(**settings)
    return Controller(file, file.controllers[0], journal, key=lambda: KEY, source=source)


class Told:
    """Everything that went into the outbox, in its order."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._payloads: list[bytes] = []

    @property
    def payloads(self) -> list[bytes]:
        """As they were encoded."""
        self._payloads += [outgoing.message.payload for outgoing in self._outbox.take(10_000)]
        return self._payloads

    def of(self, kind: type[R]) -> list[R]:
        """The records of one kind."""
        return [record for record in map(decode, self.payloads) if isinstance(record, kind)]


@pytest.fixture
def told(outbox: Outbox) -> Told:
    """What is published."""
    return Told(outbox)


def arrival(clock: SettableClock, *, vouched: set[str] = frozenset(), **values: Any) -> Arrival:  # type: ignore[assignment]
    """Readings that arrive now; a value may come with its quality."""
    readings = []
    for name, said in values.items():
        value, quality = said if isinstance(said, tuple) else (said, GOOD)
        readings.append(Reading(name, value, quality, clock.monotonic, clock.utc // 1000 - 250_000))
    return Arrival(clock.monotonic, tuple(readings), frozenset(vouched))


def number(record: Readings, name: str) -> NumberSummary:
    found = record.points[name]
    assert isinstance(found, NumberSummary)
    return found


def state(record: Readings, name: str) -> StateSummary:
    found = record.points[name]
    assert isinstance(found, StateSummary)
    return found


async def test_summaries_and_changes(kernel: SettableClock, journal: Journal, told: Told) -> None:
    plc = controller(journal, Scripted(), publish_every_s=5)
    began_ns = kernel.monotonic
    for second in range(13):
        plc.take(arrival(kernel, speed=100.0 * second, mode="automatic" if second < 7 else "manual"))
        plc.look()
        kernel.pass_time(1)
    plc.stop()
    summaries = told.of(Readings)
    assert [(r.mono_us * 1000 - began_ns) / S for r in summaries] == [0, 5, 10]
    assert [(r.to_us - r.from_us) / 1e6 for r in summaries] == [5, 5, 3]
    speeds = [number(record, "speed") for record in summaries]
    assert [(s.count, s.mean, s.min, s.max, s.last) for s in speeds] == [
        (5, 200.0, 0.0, 400.0, 400.0),
        (5, 700.0, 500.0, 900.0, 900.0),
        (3, 1100.0, 1000.0, 1200.0, 1200.0),
    ]
    assert [speed.coverage for speed in speeds] == [1.0, 1.0, 1.0]
    modes = [state(record, "mode") for record in summaries]
    assert [(m.last, m.changes, m.changed_s) for m in modes] == [
        ("automatic", 0, 5.0),
        ("manual", 1, 3.0),
        ("manual", 0, 6.0),
    ]
    changes = told.of(Change)
    assert [(c.point, c.previous, c.value, (c.mono_us * 1000 - began_ns) / S) for c in changes] == [
        ("mode", None, "automatic", 0),
        ("mode", "automatic", "manual", 7),
    ]
    (meta,) = told.of(Meta)
    assert {r.meta for r in [*summaries, *changes]} == {meta.meta}
    assert [(p["name"], p["unit"], p["share"]) for p in meta.content.points] == [
        ("speed", "/min", "plain"),
        ("mode", "", "plain"),
    ]
    assert meta.content.points[1]["states"] == {"0": "manual", "1": "automatic"}
    assert {entry["name"] for entry in meta.content.statistics} >= {"mean", "rms", "coverage"}


@pytest.mark.parametrize("drift_ns", [700, 500_000])
async def test_summaries_leave_no_hole_though_the_clock_drifts_and_none_is_hidden_if_it_is_set(
    kernel: SettableClock, journal: Journal, told: Told, drift_ns: int
) -> None:
    plc = controller(journal, Scripted(), publish_every_s=1)
    for second in range(6):
        kernel.utc += 3600 * S if second == 4 else drift_ns
        journal.clock.look()
        plc.take(arrival(kernel, speed=1200.0, mode="automatic"))
        plc.look()
        kernel.pass_time(1)
    summaries = told.of(Readings)
    between = [after.from_us - before.to_us for before, after in pairwise(summaries)]
    assert sorted(between) == [0] * (len(between) - 1) + [3_600_000_000]
    assert [summary.t_us for summary in summaries] == [summary.from_us for summary in summaries]


async def test_a_change_is_told_of_value_and_of_quality(
    kernel: SettableClock, journal: Journal, told: Told
) -> None:
    plc = controller(journal, Scripted())
    says: list[Any] = ["a", "a", ("a", UNCERTAIN), (None, BAD), (None, BAD), "a", "b"]
    for mode in says:
        plc.take(arrival(kernel, mode=mode))
    assert [(c.previous, c.value, c.quality) for c in told.of(Change)] == [
        (None, "a", GOOD),
        ("a", "a", UNCERTAIN),
        ("a", None, BAD),
        (None, "a", GOOD),
        ("a", "b", GOOD),
    ]


async def test_who_watches_sees_what_was_said_before_of_points_that_are_only_vouched_for(
    kernel: SettableClock, journal: Journal
) -> None:
    plc = controller(journal, Scripted(points=(SPEED, program(None))))
    plc.take(arrival(kernel, speed=1200.0, program=CANARY))
    watching = asyncio.create_task(plc.watch(0.05))
    await asyncio.sleep(0)
    plc.take(arrival(kernel, vouched={"speed", "program"}))
    speed, withheld = (await watching).points
    assert (speed.value, speed.quality, speed.readings) == ("1200", "good", 0)
    # What stays is not remembered, so that only its next change shows it.
    assert (withheld.value, withheld.quality, withheld.age_s is None) == ("", "", False)


async def test_a_controller_that_is_off_is_summarised_all_the_same(
    kernel: SettableClock, journal: Journal, told: Told
) -> None:
    plc = controller(journal, Scripted(), publish_every_s=5)
    plc.take(arrival(kernel, speed=1200.0, mode="automatic"))
    for _ in range(21):
        kernel.pass_time(1)
        plc.look()
    speeds = [number(record, "speed") for record in told.of(Readings)]
    assert [(s.last, s.quality, s.vouched_s, s.count) for s in speeds] == [
        (1200.0, STALE, 5.0, 1),
        (1200.0, STALE, 10.0, 0),
        (1200.0, STALE, 15.0, 0),
        (1200.0, STALE, 20.0, 0),
    ]
    assert speeds[0].coverage == pytest.approx(3 / 5)


async def test_bad_uncertain_and_odd_values_are_never_good(
    kernel: SettableClock, journal: Journal, told: Told
) -> None:
    plc = controller(journal, Scripted(), publish_every_s=10)
    for value in (1.0, (9e9, UNCERTAIN), (None, BAD), float("nan"), float("inf"), "text", 3.0):
        plc.take(arrival(kernel, speed=value))
        kernel.pass_time(1)
    plc.take(arrival(kernel, unheard_of=1.0))
    kernel.pass_time(5)
    plc.look()
    (summary,) = told.of(Readings)
    speed = number(summary, "speed")
    assert (speed.count, speed.mean, speed.max, speed.uncertain, speed.bad) == (2, 2.0, 3.0, 1, 4)
    assert "unheard_of" not in summary.points


async def test_texts_stay_unless_shared_and_nothing_tells_them(
    kernel: SettableClock, journal: Journal, told: Told, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: dict[Share | None, list[bytes]] = {}
    for share in (None, "none", "pseudonym", "plain"):
        source = Scripted(points=(SPEED, program(share)))
        plc = controller(journal, source, publish_every_s=1)
        context = Context()
        context.refer(machine().machine.context, {"plc": plc})
        plc.take(arrival(kernel, speed=1.0, program=CANARY))
        joined = context.at(kernel.monotonic, kernel.monotonic)
        kernel.pass_time(3)
        plc.look()
        plc.stop()
        seen[share] = [
            *told.payloads,
            plc.report().model_dump_json().encode(),
            json.dumps({name: value.model_dump() for name, value in joined.items()}).encode(),
        ]
        told.payloads.clear()
    for share, texts in seen.items():
        assert any(CANARY.encode() in text for text in texts) == (share == "plain"), share
        assert any(pseudonym(KEY, CANARY).encode() in text for text in texts) == (share == "pseudonym")
    assert CANARY not in "".join(capsys.readouterr())


def odd(error: BaseException) -> Script:
    """Says something, then raises what nobody expected."""

    async def script(source: Scripted) -> AsyncGenerator[Arrival, None]:
        yield Arrival(0, ())
        raise error

    return script


@pytest.mark.parametrize(
    "error",
    [
        TypeError(f"'NoneType' is no {CANARY}"),
        ExceptionGroup("several", [ValueError(CANARY)]),
        TimeoutError(CANARY),
        # A library's own cancelled future that comes through; nobody cancelled us.
        asyncio.CancelledError(CANARY),
    ],
)
async def test_whatever_a_library_raises_is_contained_and_tried_again(
    journal: Journal, told: Told, kernel: SettableClock, error: BaseException
) -> None:
    async def works(source: Scripted) -> AsyncGenerator[Arrival, None]:
        kernel.pass_time(1)
        yield arrival(kernel, speed=7.0, mode="manual")
        await asyncio.Event().wait()

    source = Scripted(scripts=[odd(error), works])
    plc = controller(journal, source)
    with structlog.testing.capture_logs() as log:
        keeping = asyncio.create_task(plc.keep())
        await until(lambda: plc.report().state is State.FAILED)
        report = plc.report()
        await until(lambda: plc.report().readings)
        plc.look()
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
    assert report.reason is not None
    assert report.reason.code == "source.points.unexpected"
    assert report.next_retry_s is not None
    assert plc.report().state is State.OK
    assert plc.report().reopened == 1
    assert source.closed == source.connections == 2
    assert CANARY not in report.model_dump_json() + repr(log)
    assert CANARY.encode() not in b"".join(told.payloads)
    assert [alarm.active for alarm in told.of(Alarm)] == [True, False]


async def test_the_alarm_of_a_controller_that_is_taken_out_ends(journal: Journal, told: Told) -> None:
    plc = controller(journal, Scripted(scripts=[odd(SourceError(say.ENDED()))]))
    keeping = asyncio.create_task(plc.keep())
    await until(lambda: plc.report().state is State.FAILED)
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    plc.stop()
    assert [(alarm.code, alarm.active) for alarm in told.of(Alarm)] == [
        ("source.points.ended", True),
        ("source.points.ended", False),
    ]


async def test_our_own_cancellation_is_obeyed(journal: Journal) -> None:
    source = Scripted()
    plc = controller(journal, source)
    keeping = asyncio.create_task(plc.keep())
    await until(lambda: source.connections)
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping
    assert source.closed == 1


async def test_a_silent_connection_is_torn_down_and_built_anew(
    journal: Journal, kernel: SettableClock
) -> None:
    async def once(source: Scripted) -> AsyncGenerator[Arrival, None]:
        yield arrival(kernel, speed=1.0)
        await asyncio.Event().wait()

    source = Scripted(silent_after_s=0.05, scripts=[once])
    plc = controller(journal, source)
    keeping = asyncio.create_task(plc.keep())
    await until(lambda: source.connections == 2)
    assert source.closed == 1
    report = plc.report()
    assert report.last_error is not None
    assert report.last_error.code == "source.points.silent"
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)


async def test_a_live_controller_that_ends_is_connected_again(
    journal: Journal, kernel: SettableClock
) -> None:
    async def ends(source: Scripted) -> AsyncGenerator[Arrival, None]:
        yield arrival(kernel, speed=1.0)

    source = Scripted(scripts=[ends])
    plc = controller(journal, source)
    keeping = asyncio.create_task(plc.keep())
    await until(lambda: source.connections == 2)
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    error = plc.report().last_error
    assert error is not None
    assert error.code == "source.points.ended"


async def test_pauses_double_until_something_works() -> None:
    pauses: list[float] = []
    attempts = 0

    async def attempt() -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 7:
            return
        raise SourceError(say.ENDED())

    await keep_trying(
        "x",
        attempt,
        progress=lambda: attempts >= 6,
        unexpected=lambda error: say.UNEXPECTED(kind=type(error).__name__),
        failed=lambda _, pause_s: pauses.append(pause_s),
        trying_again=lambda: None,
        first_pause_s=0.001,
        longest_pause_s=0.004,
    )
    limits = [0.001, 0.002, 0.004, 0.004, 0.004, 0.001]
    assert all(limit / 2 <= pause <= limit for limit, pause in zip(limits, pauses, strict=True))


async def test_without_its_key_nothing_of_a_controller_leaves(
    journal: Journal, told: Told, kernel: SettableClock, tmp_path: Path
) -> None:
    async def works(source: Scripted) -> AsyncGenerator[Arrival, None]:
        yield arrival(kernel, speed=7.0, program=CANARY)
        await asyncio.Event().wait()

    (tmp_path / FILE_NAME).write_text("damaged")
    source = Scripted(points=(SPEED, program("pseudonym")), scripts=[works])
    file = machine(publish_every_s=1)
    key = PseudonymKey(SharingSettings(), tmp_path)
    plc = Controller(file, file.controllers[0], journal, key=key, source=source)
    keeping = asyncio.create_task(plc.keep())
    await until(lambda: plc.report().state is State.FAILED)
    kernel.pass_time(3)
    plc.look()
    assert source.connections == 0
    assert {number(record, "speed").last for record in told.of(Readings)} == {None}
    (tmp_path / FILE_NAME).unlink()
    await until(lambda: plc.report().readings)
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    (change,) = told.of(Change)
    assert change.value == pseudonym(key(), CANARY)


async def test_health_names_what_is_wrong(kernel: SettableClock, journal: Journal) -> None:
    plc = controller(journal, Scripted())
    assert plc.report().state is State.STARTING
    found = []
    for said in ({"speed": 1.0}, {"mode": "manual"}, {"speed": (None, BAD)}, {"speed": (2.0, UNCERTAIN)}):
        plc.take(arrival(kernel, **said))
        plc.look()
        report = plc.report()
        found.append((report.state, report.reason and (report.reason.code, report.reason.values["names"])))
    assert found == [
        (State.DEGRADED, ("source.points.stale", "mode")),
        (State.OK, None),
        (State.DEGRADED, ("source.points.bad", "speed")),
        (State.DEGRADED, ("source.points.uncertain", "speed")),
    ]
    report = plc.report()
    assert (report.points, report.good, report.uncertain, report.stale) == (2, 1, 1, 0)


async def test_one_bad_answer_does_not_hide_that_nobody_answers(
    kernel: SettableClock, journal: Journal
) -> None:
    plc = controller(journal, Scripted(points=tuple(replace(SPEED, name=name) for name in "abc")))
    plc.take(arrival(kernel, a=1.0, b=2.0, c=3.0))
    kernel.pass_time(30)
    plc.take(arrival(kernel, a=(None, BAD)))
    plc.look()
    reason = plc.report().reason
    assert reason is not None
    assert (reason.code, reason.values["names"]) == ("source.points.stale", "b, c")


async def test_losses_on_the_way_and_remarks_are_told(
    kernel: SettableClock, journal: Journal, told: Told
) -> None:
    source = Scripted()
    plc = controller(journal, source, publish_every_s=2)
    for second in range(8):
        source.lost += 3 * (second == 3)
        source.remarks = (say.ENDED(),) if second == 5 else ()
        plc.take(arrival(kernel, speed=1.0, mode="manual"))
        plc.look()
        assert (plc.report().state is State.DEGRADED) == (second == 5)
        kernel.pass_time(1)
    assert sum(record.lost for record in told.of(Readings)) == 3
    assert plc.report().lost == 3


async def test_points_found_later_join_summaries_meta_and_context(
    kernel: SettableClock, journal: Journal, told: Told
) -> None:
    source = Scripted(points=())
    plc = controller(journal, source, publish_every_s=2)
    context = Context()
    context.refer(machine().machine.context, {"plc": plc})
    assert not context.points
    source.points = (SPEED, MODE)
    plc.take(arrival(kernel, speed=5.0))
    history = plc.histories["speed"]
    source.points = (SPEED, MODE, program(None))
    plc.look()
    assert plc.histories["speed"] is history, "what is known of a point that stays is kept"
    assert list(context.points) == ["plc/speed", "plc/mode"]
    metas = told.of(Meta)
    assert [len(meta.content.points) for meta in metas] == [0, 2, 3]
    assert plc.report().withheld == 1


async def test_how_often_a_point_is_heard_of_may_become_known_later(
    kernel: SettableClock, journal: Journal, told: Told
) -> None:
    """What it said is kept; when it is stale goes by what is known now."""
    source = Scripted(points=(replace(SPEED, every_s=1.0),))
    plc = controller(journal, source, publish_every_s=60)
    context = Context()
    context.refer(machine().machine.context, {"plc": plc})
    plc.take(arrival(kernel, speed=5.0))
    before = context.points
    history = plc.histories["speed"]
    kernel.pass_time(5)
    assert history.at(kernel.monotonic_ns()).quality is PointQuality.STALE
    source.points = (replace(SPEED, every_s=3.5),)
    plc.look()
    assert plc.histories["speed"] is history
    standing = history.at(kernel.monotonic_ns())
    assert (standing.value, standing.quality) == (5.0, PointQuality.GOOD)
    assert (history.period_ns, history.limit_ns) == (3_500_000_000, 10_500_000_000)
    assert context.points is not before, "who describes them looks anew"


async def test_the_controllers_clock_is_estimated_and_corrects_nothing(
    kernel: SettableClock, journal: Journal, told: Told
) -> None:
    plc = controller(journal, Scripted(), publish_every_s=5)
    for second in range(12):
        plc.take(arrival(kernel, speed=float(second)))
        plc.look()
        kernel.pass_time(1)
    assert plc.offset_us == 250_000
    assert plc.report().offset_s == 0.25
    assert told.of(Readings)[-1].offset_us == 250_000
    kernel.utc += 3600 * S  # the gateway's clock is set: the map to UTC moves, and the estimate with it
    journal.clock.look()
    plc.look()
    assert plc.offset_us == 3600_250_000


async def test_whoever_watches_a_machine_that_is_off_hears_why_however_short_the_watch() -> None:
    async def off(_: Scripted) -> AsyncGenerator[Arrival, None]:
        await asyncio.sleep(0.2)  # longer than it is watched
        raise SourceError(opcua.REFUSED(url="opc.tcp://cnc"))
        yield

    with pytest.raises(SourceError) as refused:
        await observe_points(Scripted(scripts=[off]), 0.01)
    assert refused.value.sentence.code == opcua.REFUSED.code


async def test_a_controller_that_says_nothing_of_any_point_is_not_shown_with_never_everywhere() -> None:
    async def empty(_: Scripted) -> AsyncGenerator[Arrival, None]:
        yield Arrival(0, ())
        await asyncio.Event().wait()

    assert await observe_points(Scripted(scripts=[empty], silent_after_s=0.01), 0.01) is None


async def test_windows_are_joined_with_what_the_machine_was_doing(
    kernel: SettableClock, journal: Journal, told: Told
) -> None:
    plc = controller(
        journal, Scripted(points=(SPEED, MODE, program("pseudonym"), Point("job", PointKind.TEXT)))
    )
    context = Context()
    file = machine()
    context.refer(file.machine.context, {"plc": plc})
    stream = Waveform(file, file.waveforms[0], journal, context=context)
    random = np.random.default_rng(1)

    def sample(count: int) -> None:
        kernel.pass_time(count / 1000)
        stream.take(Chunk(Run(random.normal(size=(1, count))), kernel.monotonic))

    plc.take(arrival(kernel, speed=100.0, mode="manual", program=CANARY, job=CANARY))
    sample(50)
    plc.take(arrival(kernel, speed=300.0))
    sample(50)  # the first window is complete, and waits a period (1 s)
    assert not told.of(Features)
    for _ in range(19):
        sample(50)
    plc.take(arrival(kernel, mode="automatic"))
    kernel.pass_time(10)  # the sensor is silent; its windows are published all the same
    stream.look()
    made: list[Features] = told.of(Features)
    assert [record.first for record in made] == [100 * index for index in range(10)]
    assert [record.seq for record in made] == sorted(record.seq for record in made)
    first, last = made[0].context, made[-1].context
    assert list(first) == ["plc/speed", "plc/mode", "plc/program"]
    speed, mode = first["plc/speed"], first["plc/mode"]
    assert isinstance(speed, ContextNumber)
    assert isinstance(mode, ContextState)
    assert (speed.last, speed.min, speed.max, speed.changes, speed.unit) == (300.0, 100.0, 300.0, 1, "/min")
    assert speed.vouched_s == speed.changed_s == pytest.approx(0.05, abs=0.002)
    assert (mode.last, mode.changes, mode.quality) == ("manual", 0, GOOD)
    assert last["plc/mode"].last == "manual", "the change came after the last window"
    assert last["plc/speed"].changes == 0
    assert first["plc/program"].last == pseudonym(KEY, CANARY)
    (meta,) = [m for m in told.of(Meta) if m.content.channels]
    assert [point["name"] for point in meta.content.context["points"]] == list(first)
    assert meta.content.context["join_delay_s"] == 1.0


async def test_the_first_window_of_a_stream_reaches_back_no_further_than_to_its_first_sample(
    kernel: SettableClock, journal: Journal, told: Told
) -> None:
    plc = controller(journal, Scripted())
    for speed in (100.0, 200.0, 300.0):
        plc.take(arrival(kernel, speed=speed))
        kernel.pass_time(0.5)
    context = Context()
    file = machine()
    context.refer(file.machine.context, {"plc": plc})
    stream = Waveform(file, file.waveforms[0], journal, context=context)  # as after a reload
    kernel.pass_time(0.1)
    stream.take(Chunk(Run(np.random.default_rng(1).normal(size=(1, 100))), kernel.monotonic))
    stream.stop()
    (record,) = told.of(Features)
    joined = record.context["plc/speed"]
    assert isinstance(joined, ContextNumber)
    assert (joined.last, joined.min, joined.max, joined.changes) == (300.0, 300.0, 300.0, 0)


@pytest.mark.parametrize(
    ("hop", "changes"),
    [
        pytest.param(100, [0, 1, 0, 0], id="adjoining: in the window after it"),
        pytest.param(40, [0, 1, 1, 0], id="overlapping: in both that hold it"),
        pytest.param(200, [0, 0, 0, 0], id="apart: in neither, since neither felt it"),
    ],
)
async def test_a_change_between_two_samples_falls_into_no_crack(
    kernel: SettableClock, journal: Journal, told: Told, hop: int, changes: list[int]
) -> None:
    plc = controller(journal, Scripted())
    context = Context()
    file = machine({"hop_samples": hop})
    context.refer(file.machine.context, {"plc": plc})
    stream = Waveform(file, file.waveforms[0], journal, context=context)
    plc.take(arrival(kernel, speed=100.0))
    random = np.random.default_rng(1)
    for index in range(10 * hop // 100):
        if index == 1:
            kernel.pass_time(0.0005)  # half a period behind the last sample of the first window
            plc.take(arrival(kernel, speed=300.0))
            kernel.pass_time(-0.0005)
        kernel.pass_time(0.1)
        stream.take(Chunk(Run(random.normal(size=(1, 100))), kernel.monotonic))
    stream.stop()
    made = told.of(Features)[:4]
    assert [record.first for record in made] == [hop * index for index in range(4)]
    speeds = [record.context["plc/speed"] for record in made]
    assert [speed.changes for speed in speeds] == changes
    assert [speed.last for speed in speeds] == [100.0, 300.0, 300.0, 300.0]
    for speed in speeds:
        assert isinstance(speed, ContextNumber)
        assert (speed.min != speed.max) == (speed.changes == 1)
    assert speeds[1].changed_s == pytest.approx(hop / 1000 - 0.0005, abs=0.0002)


@pytest.mark.parametrize("join_delay_s", [None, 0, 60])
def test_readings_are_remembered_until_the_machines_state_is_judged(
    kernel: SettableClock, journal: Journal, join_delay_s: float | None
) -> None:
    described = machine().model_dump(exclude_unset=True) | {"waveforms": []}
    described["machine"] |= {
        "state": {"turning": {"point": "plc/speed", "above": 100.0}},
        "context": {} if join_delay_s is None else {"join_delay_s": join_delay_s},
    }
    file = MachineFile.model_validate(described)
    plc = Controller(file, file.controllers[0], journal, key=lambda: KEY, source=Scripted())
    context = Context()
    context.refer(file.machine.context, {"plc": plc})
    state = MachineState(
        file, LearnedFile(), CalendarSettings(), journal, context=context, controllers={"plc": plc}
    )
    for _ in range(90):
        kernel.pass_time(1)
        plc.take(arrival(kernel, speed=5000.0))
        plc.look()
        state.look()
    assert state.report().activity == "turning"


@pytest.mark.parametrize(("window_s", "remembered_s"), [(0.0, 1), (0.1, 70)])
def test_readings_are_remembered_for_the_next_summary_and_for_windows_alone(
    kernel: SettableClock, journal: Journal, window_s: float, remembered_s: int
) -> None:
    plc = controller(journal, Scripted(), publish_every_s=1)
    plc.window_s = window_s
    for _ in range(100):
        plc.take(arrival(kernel, speed=1.0))
        plc.look()
        kernel.pass_time(1)
    last_ns = kernel.monotonic - S
    speed = plc.histories["speed"]
    assert speed.remembers(last_ns - remembered_s * S)
    assert not speed.remembers(last_ns - (remembered_s + 2) * S)


async def test_what_waits_is_published_at_the_end(
    kernel: SettableClock, journal: Journal, told: Told
) -> None:
    plc = controller(journal, Scripted())
    context = Context()
    file = machine()
    context.refer(file.machine.context, {"plc": plc})
    stream = Waveform(file, file.waveforms[0], journal, context=context)
    kernel.pass_time(0.1)
    stream.take(Chunk(Run(np.random.default_rng(1).normal(size=(1, 100))), kernel.monotonic))
    assert not told.of(Features)
    stream.stop()
    (record,) = told.of(Features)
    assert record.context["plc/speed"].quality is STALE
    assert record.context["plc/speed"].last is None
