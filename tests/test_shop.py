"""The demo's shop as a model: every activity occurs, and what is said, measured and felt belongs together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.demo.meter import PROFILE, values
from collector.demo.shop import OPERATION_S, ROUND, TOOLS, Activity, ProgramState, at, energy_kwh, vibration
from collector.profiles import load_profile
from collector.samples import Channel

ROUND_S = OPERATION_S * len(ROUND)
RATE_HZ = 1600.0
moments = st.floats(0, 5 * ROUND_S)


CHANNELS = tuple(Channel(name, "g") for name in "xyz")


def rms(from_s: float, to_s: float) -> float:
    first, n = round(from_s * RATE_HZ), round((to_s - from_s) * RATE_HZ)
    return float(vibration(CHANNELS, RATE_HZ).samples(first, n)[0].std())


@given(moments)
def test_what_the_machine_says_fits_what_it_does(seconds: float) -> None:
    moment = at(seconds)
    assert (moment.activity in {Activity.TURNING, Activity.CUTTING}) == (moment.speed_rpm > 0)
    assert 0 <= moment.load_percent <= 100
    assert moment.tool in TOOLS
    match moment.activity:
        case Activity.OFF:
            assert moment.power_w < 100
        case Activity.IDLE:
            assert 300 < moment.power_w < 500
        case Activity.TURNING:
            assert 380 < moment.power_w < 1000  # what it takes idle, and more the faster it turns
        case Activity.CUTTING:
            assert moment.program_state is ProgramState.RUNNING
    assert at(seconds + ROUND_S).tool == moment.tool
    assert sum(moment.currents_a) * 230 * 0.85 == pytest.approx(moment.power_w)


def test_every_activity_tool_and_state_occurs_and_most_of_them_soon() -> None:
    whole = [at(seconds) for seconds in np.arange(0, ROUND_S, 0.1)]
    assert {moment.activity for moment in whole} == set(Activity)
    assert {moment.tool for moment in whole} == set(TOOLS)
    assert {moment.program_state for moment in whole} == set(ProgramState)
    assert len({moment.program for moment in whole}) == 2
    soon = {moment.activity for moment in whole[:120]}
    assert soon == {Activity.IDLE, Activity.TURNING, Activity.CUTTING}
    assert len({moment.tool for moment in whole[:120]}) == 2


@given(moments, st.floats(0, 30))
def test_energy_is_the_integral_of_power(seconds: float, length_s: float) -> None:
    used = energy_kwh(seconds + length_s) - energy_kwh(seconds)
    middles = seconds + (np.arange(300) + 0.5) * length_s / 300
    power_w = np.mean([at(float(middle)).power_w for middle in middles])
    assert used * 3.6e6 == pytest.approx(power_w * length_s, rel=0.02, abs=300)
    assert used >= 0


@given(moments)
def test_the_meter_has_what_its_profile_reads(seconds: float) -> None:
    measured = values(seconds)
    assert measured.keys() == {point["name"] for point in load_profile(PROFILE)["points"]}
    assert sum(measured[f"power-l{phase}"] for phase in (1, 2, 3)) == pytest.approx(measured["power"])


def test_what_is_felt_follows_what_is_done() -> None:
    step_s = 0.2
    starts = np.arange(0, ROUND_S, step_s)
    done = [{at(float(start + part)).activity for part in np.linspace(0, step_s, 9)} for start in starts]
    felt = [rms(start, start + step_s) for start in starts]
    quiet = [level for level, activities in zip(felt, done, strict=True) if activities <= {"idle", "off"}]
    cut = [level for level, activities in zip(felt, done, strict=True) if activities == {"cutting"}]
    assert max(quiet) < 0.015
    assert min(cut) > 0.05
    assert len(quiet) > 50
    assert len(cut) > 50


def test_tooth_passing_is_where_speed_and_teeth_put_it() -> None:
    model = vibration(CHANNELS, RATE_HZ)
    found = 0
    for start_s in np.arange(0, ROUND_S, 0.5):
        inside = [at(float(start_s + part)) for part in np.linspace(-0.05, 1.05, 23)]
        now = inside[0]
        if {moment.activity for moment in inside} != {Activity.CUTTING}:
            continue
        samples = model.samples(round(start_s * RATE_HZ), 1600)[0]
        spectrum = np.abs(np.fft.rfft(samples * np.hanning(1600)))
        tooth_hz = now.tool.teeth * now.speed_rpm / 60
        strongest_hz = float(np.argmax(spectrum))
        assert strongest_hz == pytest.approx(tooth_hz, abs=2) or strongest_hz == pytest.approx(285, abs=6)
        found += 1
    assert found > 10
