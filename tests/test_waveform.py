"""One stream: its account closes, its clock may step, odd devices stop nothing, and its health tells."""

import asyncio
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from servers import until
from stand_ins import S, SettableClock

from collector.config import MachineFile
from collector.context import Context, ContextSettings
from collector.errors import SourceError
from collector.health import State
from collector.history import History
from collector.journal import Journal
from collector.messages import Features, Record, decode
from collector.outbox import Outbox
from collector.samples import Channel, Chunk, Loss, LossCause, Run, Signal
from collector.streams.waveform import Stopped, Waveform
from collector.texts import sources

RATE_HZ = 1000.0


def machine(**window: Any) -> MachineFile:
    return MachineFile.model_validate(
        {
            "machine": {"name": "mill-1"},
            "waveforms": [
                {
                    "name": "spindle",
                    "source": {
                        "kind": "serial",
                        "port": "/dev/ttyUSB9",
                        "baud": 9600,
                        "rate_hz": RATE_HZ,
                        "format": {"kind": "text"},
                    },
                    "channels": [{"name": "x", "unit": "g", "full_scale": 16.0}],
                    "window": window or {"samples": 100},
                }
            ],
        }
    )


def waveform(journal: Journal, of: MachineFile | None = None, **more: Any) -> Waveform:
    file = of or machine()
    return Waveform(file, file.waveforms[0], journal, **more)


def chunk(kernel: SettableClock, n: int, loss: Loss | None = None, values: Any = None) -> Chunk:
    """Samples that arrive now, after the time they take."""
    kernel.pass_time(n / RATE_HZ)
    samples = np.random.default_rng(n).normal(0, 1, (1, n)) if values is None else np.full((1, n), values)
    return Chunk(Run(samples, loss), kernel.monotonic)


def records(outbox: Outbox) -> list[Record]:
    return [decode(outgoing.message.payload) for outgoing in outbox.take(10_000)]


def features(outbox: Outbox) -> list[Features]:
    return [record for record in records(outbox) if isinstance(record, Features)]


@pytest.mark.parametrize("window", [{"samples": 100}, {"samples": 100, "overlap": 0.75}, {"seconds": 0.064}])
async def test_the_account_closes(
    kernel: SettableClock, journal: Journal, outbox: Outbox, window: dict[str, float]
) -> None:
    stream = waveform(journal, machine(**window))
    random = np.random.default_rng(3)
    fed = 0
    for _ in range(300):
        n = int(random.integers(1, 150))
        lost = int(random.integers(0, 90)) if fed and random.random() < 0.2 else None
        stream.take(chunk(kernel, n, None if lost is None else Loss(LossCause.DEVICE, lost)))
        fed += n + (lost or 0)
        report = stream.report()
        assert report.fed == fed == report.advanced + report.discarded + report.lost + report.open
    stream.stop()
    report = stream.report()
    assert report.open == 0
    made = features(outbox)
    assert len(made) == report.windows
    assert report.advanced == sum(record.hop for record in made)
    assert sum(record.lost for record in made) <= report.lost


@pytest.mark.parametrize("step_s", [3600, -3600, 86_400, -86_400])
async def test_a_step_of_the_wall_clock_moves_no_sample(
    kernel: SettableClock, journal: Journal, outbox: Outbox, step_s: int
) -> None:
    stream = waveform(journal)
    for turn in range(40):
        if turn == 20:
            kernel.utc += step_s * S
            assert journal.clock.look() is not None
        stream.take(chunk(kernel, 50))
    made = features(outbox)
    assert [record.first for record in made] == [100 * i for i in range(20)]
    assert [record.seq for record in made] == sorted(record.seq for record in made)
    for earlier, later in pairwise(made):
        assert later.mono_us - earlier.mono_us == pytest.approx(100_000, abs=2)
    offsets = {round((record.t_us - record.mono_us) / 1e6) for record in made}
    assert len(offsets) == 2
    assert max(offsets) - min(offsets) == abs(step_s)


async def test_unsynchronised_records_say_so(kernel: SettableClock, journal: Journal, outbox: Outbox) -> None:
    kernel.good = False
    journal.clock.look()
    stream = waveform(journal)
    stream.take(chunk(kernel, 100))
    kernel.good = True
    journal.clock.look()
    stream.take(chunk(kernel, 100))
    assert [record.sync for record in features(outbox)] == [False, True]


@pytest.mark.parametrize(("value", "flag"), [(0.5, "stuck"), (16.0, "clipped")])
async def test_a_bad_sensor_is_flagged_and_told(
    kernel: SettableClock, journal: Journal, outbox: Outbox, value: float, flag: str
) -> None:
    stream = waveform(journal)
    stream.take(chunk(kernel, 100))
    stream.look()
    assert stream.report().state is State.OK
    stream.take(chunk(kernel, 100, values=value))
    stream.look()
    report = stream.report()
    assert report.state is State.DEGRADED
    assert report.reason is not None
    made = records(outbox)
    last = [record for record in made if isinstance(record, Features)][-1]
    assert flag in last.quality
    assert last.channels["x"]["kurtosis"] is None
    alarms = [record for record in made if getattr(record, "event", "") == "alarm"]
    assert len(alarms) == 1
    stream.take(chunk(kernel, 100))
    stream.look()
    assert stream.report().state is State.OK


async def test_a_wrong_rate_is_told_and_a_loss_is_shown_for_a_minute(
    kernel: SettableClock, journal: Journal, outbox: Outbox
) -> None:
    stream = waveform(journal)
    for _ in range(200):
        kernel.pass_time(0.01)  # 50 samples take 60 ms: 833 Hz
        stream.take(chunk(kernel, 50))
    stream.look()
    report = stream.report()
    assert report.reason is not None
    assert report.reason.code == "source.rate-off"
    assert report.measured_hz == pytest.approx(833.3, rel=1e-3)
    stream.take(chunk(kernel, 50, Loss(LossCause.DEVICE, 7)))
    stream.look()
    report = stream.report()
    assert report.reason is not None
    assert report.reason.code == "source.losing.device"
    assert report.reason.values == {"lost": 7}
    kernel.pass_time(61)
    stream.look()
    report = stream.report()
    assert report.reason is not None
    assert report.reason.code == "source.rate-off"


async def test_the_gap_of_a_restart_has_its_bounds(
    kernel: SettableClock, journal: Journal, outbox: Outbox
) -> None:
    stream = waveform(journal, stopped=Stopped("000001-aa", 1_789_999_000_000_000, sync=True))
    stream.take(chunk(kernel, 100))
    gap = next(record for record in records(outbox) if getattr(record, "event", "") == "gap")
    assert gap.cause == "restart"  # type: ignore[union-attr]
    assert gap.from_us == 1_789_999_000_000_000  # type: ignore[union-attr]
    assert gap.to_us == pytest.approx(kernel.utc // 1000 - 99_000, abs=1)  # type: ignore[union-attr]
    assert gap.previous_epoch == "000001-aa"  # type: ignore[union-attr]
    assert gap.from_sync is True  # type: ignore[union-attr]


async def test_the_gap_of_a_restart_waits_for_samples_though_its_stream_is_changed(
    kernel: SettableClock, journal: Journal, outbox: Outbox
) -> None:
    dead = waveform(journal, stopped=Stopped("000001-aa", 1_000_000, sync=False))
    stream = waveform(journal, machine(samples=50), before=dead)
    assert not [record for record in records(outbox) if getattr(record, "event", "") == "gap"]
    stream.take(chunk(kernel, 100))
    (gap,) = [record for record in records(outbox) if getattr(record, "event", "") == "gap"]
    assert (gap.cause, gap.from_us, gap.from_sync) == ("restart", 1_000_000, False)  # type: ignore[union-attr]
    replaced = waveform(journal, before=stream)
    replaced.take(chunk(kernel, 100))
    (gap,) = [record for record in records(outbox) if getattr(record, "event", "") == "gap"]
    assert gap.cause == "reconnect"  # type: ignore[union-attr]


async def test_what_a_reload_cost_is_told_for_a_minute_and_calls_nobody(
    kernel: SettableClock, journal: Journal, outbox: Outbox
) -> None:
    before = waveform(journal)
    before.take(chunk(kernel, 100))
    kernel.monotonic += 2 * S
    stream = waveform(journal, machine(samples=50), before=before)
    stream.take(chunk(kernel, 100))
    stream.look()
    report = stream.report()
    assert report.state is State.OK
    assert report.reason is not None
    assert (report.reason.code, report.reason.values["lost"]) == ("source.reconfigured", report.lost)
    assert report.lost > 0
    for _ in range(61):
        stream.take(chunk(kernel, 1000))
        stream.look()
    assert stream.report().reason is None
    assert not [record for record in records(outbox) if getattr(record, "event", "") == "alarm"]


class OddDevice:
    """A device whose library raises what nobody expected."""

    def __init__(self, steps: list[Callable[[], Sequence[Run] | None]]) -> None:
        self._steps = steps

    def read(self) -> Sequence[Run] | None:
        """Take the next step."""
        return self._steps.pop(0)()

    def bad_bytes(self) -> int:
        """None."""
        return 0

    def close(self) -> None:
        """Nothing to give back."""


def _raise_type_error() -> None:
    raise TypeError("'NoneType' object cannot be interpreted as an integer")


class OddSource:
    """Raises TypeError on the first opening, works on the second, then ends."""

    signal = Signal((Channel("x", "g"),), RATE_HZ)
    origin = "simulated"
    waits = True
    silent_after_s = None

    def __init__(self) -> None:
        self.opened = 0

    def open(self) -> OddDevice:
        """Open it."""
        self.opened += 1
        if self.opened == 1:
            return OddDevice([lambda: [Run(np.zeros((1, 150)))], _raise_type_error])
        return OddDevice([lambda: [Run(np.ones((1, 100)))], lambda: None])


async def test_an_exception_nobody_expected_is_contained(
    kernel: SettableClock, journal: Journal, outbox: Outbox
) -> None:
    stream = waveform(journal)
    stream.source = OddSource()
    keeping = asyncio.create_task(stream.keep())
    await until(lambda: stream.report().state is State.FAILED)
    report = stream.report()
    assert report.reason is not None
    assert report.reason.code == "source.unexpected"
    assert "TypeError" in report.reason.text
    await keeping
    report = stream.report()
    assert report.state is State.FINISHED
    assert report.reopened == 1
    assert report.windows == 2
    causes = [record.cause for record in records(outbox) if getattr(record, "event", "") == "gap"]  # type: ignore[union-attr]
    assert causes == ["reconnect"]


class PluggedInLater(OddSource):
    """Is not there at first, then gives samples, and then none until it is unplugged."""

    def __init__(self) -> None:
        super().__init__()
        self.unplugged = threading.Event()

    def open(self) -> OddDevice:
        """Open it."""
        self.opened += 1
        if self.opened == 1:
            raise SourceError(sources.NO_PORTS(port="/dev/ttyUSB9"))
        return OddDevice([lambda: [Run(np.ones((1, 100)))], self._wait])

    def _wait(self) -> None:
        self.unplugged.wait()


async def test_a_device_that_is_not_there_after_a_reload_was_away(
    kernel: SettableClock, journal: Journal
) -> None:
    kernel.monotonic = time.monotonic_ns() - 10 * S  # what is read arrives by the real one
    before = waveform(journal)
    before.take(chunk(kernel, 100))
    stream = waveform(journal, before=before)
    device = stream.source = PluggedInLater()
    keeping = asyncio.create_task(stream.keep())
    await until(lambda: stream.report().fed > 0)
    stream.look()
    report = stream.report()
    device.unplugged.set()
    await keeping
    assert report.state is State.DEGRADED
    assert report.reason is not None
    assert report.reason.code == "source.losing.reconnect"


class OddTelling:
    """A controller whose points are asked for once too often."""

    offset_us = None
    odd = False

    @property
    def histories(self) -> Mapping[str, History]:
        """Its points."""
        if self.odd:
            _raise_type_error()
        return {}


async def test_an_exception_at_a_look_or_at_the_end_concerns_this_stream_alone(
    kernel: SettableClock, journal: Journal, outbox: Outbox
) -> None:
    telling, context = OddTelling(), Context()
    context.refer(ContextSettings(), {"plc": telling})
    stream = waveform(journal, context=context)
    stream.take(chunk(kernel, 150))
    stream.take(chunk(kernel, 150, Loss(LossCause.DEVICE, 7)))
    telling.odd = True
    stream.look()
    report = stream.report()
    assert (report.state, report.reason and report.reason.code) == (State.FAILED, "source.unexpected")
    stream.stop()
    telling.odd = False
    stream.look()
    report = stream.report()
    assert report.fed == report.advanced + report.discarded + report.lost + report.open
    (gap,) = [record for record in records(outbox) if getattr(record, "event", "") == "gap"]
    assert gap.lost == 7  # type: ignore[union-attr]


async def test_who_looks_at_the_last_sample_lets_no_window_go_back_in_time(
    kernel: SettableClock, journal: Journal, outbox: Outbox
) -> None:
    """A device sends what it kept for 3 s at once: until its rate is measured, samples seem too late."""
    stream = waveform(journal, machine(samples=256, overlap=0.5))
    stream.take(chunk(kernel, 50))
    stream.take(Chunk(Run(np.zeros((1, 3000))), kernel.monotonic))
    for _ in range(600):
        stream.take(chunk(kernel, 50))
        assert stream.last_sample() is not None  # as for the mark, once a minute
    times = [record.mono_us for record in features(outbox)]
    assert len(times) > 250
    assert all(later > earlier for earlier, later in pairwise(times))
