"""The sample clock: lateness is not loss, the rate settles, times never go back."""

import gzip
from collections.abc import Iterator
from copy import deepcopy
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.sample_clock import SampleClock
from collector.samples import Block, Channel, Chunk, Loss, LossCause, RateState, Run, Signal

S = 1_000_000_000
SIGNAL = Signal((Channel("x", "g"),), 1000.0)


def chunk(n: int, at_s: float, loss: Loss | None = None) -> Chunk:
    return Chunk(Run(np.zeros((1, n)), loss), round(at_s * S))


def play(clock: SampleClock, rate_hz: float, from_s: float, to_s: float, delay_s: float = 0.0) -> list[Block]:
    """Chunks of 50 ms with one-sided jitter, as a device of this rate would send them."""
    random = np.random.default_rng(7)
    blocks, sent, t = [], 0, from_s
    while t < to_s:
        t += 0.05
        due = int((t - from_s) * rate_hz)
        jitter_s = 0.0 if random.random() < 0.2 else random.exponential(0.004)
        blocks.append(clock.place(chunk(due - sent, t + delay_s + jitter_s)))
        sent = due
    return blocks


def recorded_arrivals(recordings: Path) -> Iterator[tuple[int, float]]:
    """Each burst of the real recording: samples, and the stamp written after them, in seconds."""
    n = 0
    with gzip.open(recordings / "mill_accel_stream.txt.gz", "rt") as lines:
        for line in lines:
            if line.startswith("2016"):
                stamp = datetime.fromisoformat(line.strip()).timestamp()
                if n:
                    yield n, stamp
                n = 0
            else:
                n += 1


@pytest.mark.parametrize("rate_hz", [959.7, 1000.0, 1040.0])
def test_rate_settles_near_the_true_one(rate_hz: float) -> None:
    clock = SampleClock(SIGNAL)
    states = [clock.rate_state]
    for from_s, to_s in ((100.0, 104.0), (104.0, 120.0)):
        play(clock, rate_hz, from_s, to_s)
        states.append(clock.rate_state)
        assert clock.axis_hz == 1000.0 or clock.rate_state is RateState.MEASURED
    assert states == [RateState.NOMINAL, RateState.SETTLING, RateState.MEASURED]
    assert clock.axis_hz == pytest.approx(rate_hz, rel=5e-4)


def test_real_recording_settles_and_its_stalls_are_lateness(recordings: Path) -> None:
    clock, lost, settled_at = SampleClock(SIGNAL), 0, None
    began = None
    for n, at_s in recorded_arrivals(recordings):
        began = at_s if began is None else began
        block = clock.place(chunk(n, at_s))
        lost += block.gap.lost if block.gap else 0
        if settled_at is None and clock.rate_state is RateState.MEASURED:
            settled_at = at_s - began
        if settled_at is not None:
            assert 959.4 * 0.997 <= clock.axis_hz <= 960.0 * 1.003
    assert settled_at is not None
    assert settled_at < 20
    assert lost == 0


def test_late_samples_that_catch_up_are_not_lost() -> None:
    clock = SampleClock(SIGNAL)
    play(clock, 1000.0, 0.0, 30.0)
    blocks = [clock.place(chunk(440, 30.45))]
    t = 30.45
    for _ in range(400):
        t += 0.05
        blocks.append(clock.place(chunk(50, t)))
    assert all(block.gap is None for block in blocks)


def test_samples_that_vanish_without_trace_are_declared_as_estimate() -> None:
    clock = SampleClock(SIGNAL)
    play(clock, 1000.0, 0.0, 30.0)
    t, gaps = 30.3, []  # 300 samples never came
    for _ in range(300):
        t += 0.05
        block = clock.place(chunk(50, t))
        gaps += [block.gap] if block.gap else []
    assert len(gaps) == 1
    assert gaps[0].cause is LossCause.LATE
    assert gaps[0].estimated
    assert gaps[0].lost == pytest.approx(300, abs=15)
    assert clock.time_ns(clock.end - 1) == pytest.approx(t * S, abs=0.02 * S)


@pytest.mark.parametrize("loss", [Loss(LossCause.RECONNECT), Loss(LossCause.DEVICE, 100, 256)])
def test_samples_that_vanished_are_counted_once_whenever_a_loss_follows(loss: Loss) -> None:
    clock = SampleClock(SIGNAL)
    play(clock, 1000.0, 0.0, 30.0)
    t, declared = 30.3, 0  # 300 samples never came
    interrupted_s = 5.0 if loss.samples is None else 0.1
    after = []
    for _ in range(300):
        t += 0.05
        block = clock.place(chunk(50, t))
        declared += block.gap.lost if block.gap else 0
        lossy = deepcopy(clock).place(chunk(50, t + interrupted_s + 0.05, loss))
        assert lossy.gap is not None
        after.append(declared + lossy.gap.lost)
    assert declared
    assert max(after) == pytest.approx(300 + 1000 * interrupted_s, abs=20)


def test_a_device_that_changes_its_rate_does_not_lose_samples() -> None:
    clock = SampleClock(SIGNAL)
    play(clock, 1000.0, 0.0, 40.0)
    blocks = play(clock, 970.0, 40.0, 75.0)
    assert all(block.gap is None for block in blocks)
    play(clock, 970.0, 75.0, 240.0)
    assert clock.axis_hz == pytest.approx(970.0, rel=1e-3)


@pytest.mark.parametrize("factor", [0.9, 0.98, 0.995, 0.998, 1.002, 1.005])
def test_a_small_change_of_rate_never_counts_as_loss(factor: float) -> None:
    clock = SampleClock(SIGNAL)
    play(clock, 1000.0, 0.0, 130.0)
    blocks = [block for s in range(130, 400, 10) for block in play(clock, 1000.0 * factor, s, s + 10)]
    assert [block.gap for block in blocks if block.gap] == []
    assert clock.axis_hz == pytest.approx(1000.0 * factor, rel=1e-3)


def test_a_rate_that_drifts_is_followed_without_losses() -> None:
    clock = SampleClock(SIGNAL)
    blocks = [b for s in range(400) for b in play(clock, 1000.0 - 3 * min(1, s / 60), s, s + 1)]
    assert [block.gap for block in blocks if block.gap] == []
    assert clock.axis_hz == pytest.approx(997.0, rel=1e-3)


def test_a_slow_sensor_is_measured_for_ever() -> None:
    clock = SampleClock(Signal((Channel("x", "g"),), 1.0))
    at_s = 0.0
    for _ in range(1000):
        at_s += 1.001
        block = clock.place(chunk(1, at_s))
        assert block.gap is None
    assert clock.measured_hz == pytest.approx(1 / 1.001, rel=1e-4)


@pytest.mark.parametrize("faster", [1.02, 1.1, 2.0])
def test_a_device_that_becomes_faster_is_noticed_soon(faster: float) -> None:
    clock = SampleClock(SIGNAL)
    play(clock, 1000.0, 0.0, 130.0)
    states = []
    blocks = []
    for second in range(20):
        blocks += play(clock, 1000.0 * faster, 130.0 + second, 131.0 + second)
        states.append(clock.rate_state)
    assert all(block.gap is None for block in blocks)
    assert RateState.SETTLING in states
    assert states[-1] is RateState.MEASURED
    assert clock.axis_hz == pytest.approx(1000.0 * faster, rel=2e-3)


def test_counted_loss_is_exact_and_an_ambiguous_counter_uses_the_clock() -> None:
    clock = SampleClock(SIGNAL)
    play(clock, 1000.0, 0.0, 20.0)
    exact = clock.place(chunk(50, 20.15, Loss(LossCause.DEVICE, 100, 65536)))
    assert exact.gap is not None
    assert (exact.gap.lost, exact.gap.estimated) == (100, False)
    wrapped = clock.place(chunk(50, 20.2 + 0.612, Loss(LossCause.DEVICE, 100, 256)))
    assert wrapped.gap is not None
    assert (wrapped.gap.lost, wrapped.gap.estimated) == (100 + 2 * 256, True)


def test_a_counter_that_was_set_back_is_not_believed() -> None:
    clock = SampleClock(SIGNAL)
    play(clock, 1000.0, 0.0, 20.0)
    block = clock.place(chunk(50, 20.055, Loss(LossCause.DEVICE, 41_234, 65536)))
    assert block.gap is not None
    assert block.gap.lost < 20
    assert block.gap.estimated


def test_an_interruption_is_estimated_by_the_rate_known() -> None:
    clock = SampleClock(SIGNAL)
    play(clock, 960.0, 0.0, 30.0)
    block = clock.place(chunk(48, 60.05, Loss(LossCause.RECONNECT)))
    assert block.gap is not None
    assert block.gap.estimated
    assert block.gap.lost == pytest.approx(30 * 960, rel=2e-3)
    play(clock, 960.0, 60.05, 90.0)
    assert clock.axis_hz == pytest.approx(960.0, rel=1e-3)


def test_an_exact_rate_is_never_measured() -> None:
    clock = SampleClock(Signal((Channel("x", "g"),), 1000.0, rate_exact=True))
    play(clock, 900.0, 0.0, 30.0)
    assert clock.rate_state is RateState.EXACT
    assert clock.axis_hz == clock.measured_hz == 1000.0
    assert clock.time_ns(5000) - clock.time_ns(4000) == S


def test_a_successor_goes_on_with_index_and_time() -> None:
    before = SampleClock(SIGNAL)
    play(before, 1000.0, 0.0, 30.0)
    after = before.succeeded_by(Signal((Channel("x", "g"),), 2000.0))
    assert after.end == before.end
    block = after.place(chunk(100, 31.05, Loss(LossCause.RECONNECT)))
    assert block.gap is not None
    assert block.gap.lost == pytest.approx(2000, abs=20)
    assert after.time_ns(block.first) >= before.time_ns(before.end)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 400), st.floats(0.0, 2.0), st.sampled_from([None, 0, 7, 500])),
        min_size=2,
        max_size=120,
    )
)
def test_indices_and_times_never_go_back(steps: list[tuple[int, float, int | None]]) -> None:
    clock, at_s, blocks = SampleClock(SIGNAL), 5.0, []
    times = []
    for n, wait_s, lost in steps:
        at_s += wait_s
        loss = None if lost is None else Loss(LossCause.DEVICE, lost)
        block = clock.place(chunk(n, at_s, loss))
        blocks.append(block)
        times.append(clock.time_ns(block.first))
    for earlier, later in pairwise(blocks):
        assert later.first == earlier.end + (later.gap.lost if later.gap else 0)
    assert all(later > earlier for earlier, later in pairwise(times))


def test_no_window_may_span_a_pause_that_was_not_made_up_for() -> None:
    clock = SampleClock(SIGNAL)
    play(clock, 1000.0, 0.0, 30.0)
    paused = clock.place(chunk(50, 34.05))
    assert paused.gap is not None
    assert (paused.gap.lost, paused.gap.estimated) == (0, False)
    caught_up = SampleClock(SIGNAL)
    play(caught_up, 1000.0, 0.0, 30.0)
    assert caught_up.place(chunk(4050, 34.05)).gap is None
