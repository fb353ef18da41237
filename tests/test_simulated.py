"""The model spindle: the same whatever the calls, and with the marks of a spindle in it."""

import time
from contextlib import closing

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from collector.samples import Channel, Run, Samples, Unit
from collector.sources.simulated import SimulatedSettings, simulated_source, spindle_model
from collector.sources.spindle import SpindleModel

CHANNELS = tuple(Channel(name, "g") for name in "xyz")
RATE_HZ = 6400.0


def settings(**changes: object) -> SimulatedSettings:
    return SimulatedSettings.model_validate({"kind": "simulated", "rate_hz": RATE_HZ, **changes})


def model(**changes: object) -> SpindleModel:
    return spindle_model(settings(**changes), CHANNELS)


def seconds(spindle: SpindleModel, start_s: float, length_s: float) -> Samples:
    return spindle.samples(round(start_s * RATE_HZ), round(length_s * RATE_HZ))


def amplitude(samples: npt.NDArray[np.float64], hz: float) -> float:
    """The amplitude of one frequency, by correlation over whole periods' worth of a Hann window."""
    n = len(samples)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n)
    turns = np.exp(-2j * np.pi * hz * np.arange(n) / RATE_HZ)
    return float(2 * abs(np.sum(samples * window * turns)) / window.sum())


@hypothesis_settings(deadline=None)
@given(
    first=st.integers(0, 500_000),
    lengths=st.lists(st.integers(0, 5000), min_size=1, max_size=6),
    seed=st.integers(-5, 2**70),
)
def test_the_calls_make_no_difference(first: int, lengths: list[int], seed: int) -> None:
    whole = model(seed=seed, tool_change_s=0.3, cut_s=0.4, air_s=0.2).samples(first, sum(lengths))
    other, at, parts = model(seed=seed, tool_change_s=0.3, cut_s=0.4, air_s=0.2), first, []
    for length in lengths:
        parts.append(other.samples(at, length))
        at += length
    assert whole.shape == (3, sum(lengths))
    assert np.array_equal(np.concatenate(parts, axis=1), whole)
    assert np.array_equal(other.samples(first, min(10, sum(lengths))), whole[:, :10])


def test_seeds_differ() -> None:
    assert np.array_equal(model(seed=4).samples(0, 100), model(seed=4).samples(0, 100))
    assert not np.array_equal(model(seed=4).samples(0, 100), model(seed=5).samples(0, 100))


def test_rotation_and_tooth_passing_stand_where_they_should() -> None:
    spindle = model(chatter_share=0.0, spindle_rpm=6000, teeth=4, noise_g=0.001)
    air, cut = seconds(spindle, 1.0, 1.0)[0], seconds(spindle, 3.5, 2.0)[0]
    assert amplitude(air, 100.0) == pytest.approx(0.06, rel=0.02)
    assert amplitude(air, 400.0) < 0.001
    assert [amplitude(cut, hz) for hz in (400.0, 800.0, 1200.0)] == pytest.approx([0.5, 0.2, 0.1], rel=0.02)


def test_chatter_is_off_the_harmonics_and_only_in_some_cuts() -> None:
    spindle = model(chatter_share=0.5, chatter_hz=730.0, seed=3)
    pass_s, tools = 6.0, 8
    life_s = 3 * pass_s + 1.0 + 3.0
    cuts = [tool * life_s + 0.5 + cut * pass_s + 3.0 for tool in range(tools) for cut in range(3)]
    chatter = [max(amplitude(seconds(spindle, at, 2.0)[0], hz) for hz in (726.9, 730, 733.1)) for at in cuts]
    loud = [level > 0.3 for level in chatter]
    assert 0.2 < sum(loud) / len(loud) < 0.8
    assert max(level for level, is_loud in zip(chatter, loud, strict=True) if not is_loud) < 0.1


def test_a_tool_change_is_a_standstill_and_another_speed() -> None:
    spindle = model(chatter_share=0.0, noise_g=0.01, cuts_per_tool=1, tool_change_s=3.0)
    stand = seconds(spindle, 7.5, 2.0)
    assert stand.std(axis=1) == pytest.approx([0.01] * 3, rel=0.1)
    later = seconds(spindle, 10.0 + 1.0, 1.0)[0]
    assert amplitude(later, 100.0) < 0.03


def test_axes_and_gravity() -> None:
    x, y, z = seconds(model(), 3.0, 3.0)
    assert x.std() > y.std() > z.std()
    assert [axis.mean() for axis in (x, y, z)] == pytest.approx([0, 0, 1], abs=0.01)


@pytest.mark.parametrize(("unit", "factor"), [("m/s2", 9.80665), ("V", 0.1), ("count", 1000.0)])
def test_units(unit: Unit, factor: float) -> None:
    in_unit = spindle_model(settings(), (Channel("x", unit),)).samples(20_000, 1000)
    assert in_unit == pytest.approx(factor * spindle_model(settings(), CHANNELS[2:]).samples(20_000, 1000))


def test_a_current_rises_with_the_load() -> None:
    spindle = spindle_model(settings(chatter_share=0.0), (Channel("i", "A"),))
    air, cut, stand = (seconds(spindle, at, 1.0).mean() for at in (1.0, 4.0, 20.0))
    assert [air, cut, stand] == pytest.approx([3, 8, 0], abs=0.05)


def test_it_clips_at_full_scale() -> None:
    spindle = spindle_model(
        settings(full_scale_g=0.5), (CHANNELS[0], Channel("y", "g", -0.2, 0.2), CHANNELS[2])
    )
    assert [channel.clip_high for channel in spindle.channels] == [0.5, 0.2, 0.5]
    x, y, z = seconds(spindle, 3.0, 3.0)
    assert (x.max(), x.min(), y.max(), y.min(), z.max()) == (0.5, -0.5, 0.2, -0.2, 0.5)


def test_nothing_folds_down_from_beyond_half_the_rate() -> None:
    spindle = spindle_model(settings(rate_hz=1000, teeth=3, chatter_share=0.0, noise_g=0.0), CHANNELS)
    cut = spindle.samples(3500, 2000)[0]
    spectrum = np.abs(np.fft.rfft(cut * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(2000) / 2000))))
    lines_hz = np.flatnonzero(spectrum > spectrum.max() / 1000) / 2
    assert {round(float(hz), -1) for hz in lines_hz} == {100, 200, 300}  # 600 Hz would be at 400


def test_in_real_time() -> None:
    source = simulated_source(settings(speed=20.0), CHANNELS)
    assert (source.origin, source.waits, source.signal.rate_exact) == ("simulated", False, True)
    with closing(source.open()) as device:
        runs: list[Run] = []
        started = time.monotonic()
        while sum(run.samples.shape[1] for run in runs) < 0.3 * 20 * RATE_HZ:
            runs += device.read()
        assert 0.26 < time.monotonic() - started < 1.0
    at_max = simulated_source(settings(speed="max"), CHANNELS)
    assert at_max.waits
    with closing(at_max.open()) as device:
        (run,) = device.read()
    assert np.array_equal(run.samples, runs[0].samples[:, : run.samples.shape[1]])
