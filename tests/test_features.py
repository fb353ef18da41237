"""Every row of the table against its reference, and what must hold for any window whatsoever."""

import json
from pathlib import Path
from random import Random
from typing import cast

import numpy as np
import pytest
from feature_references import REFERENCES, Case, refined_hz
from feature_windows import BANDS, CLIP, EVERYTHING, RATE_HZ, Window, compute
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from collector.features import (
    FEATURES,
    FLAGS,
    REASONS,
    BearingSettings,
    EnvelopeSettings,
    Feature,
    FeatureSettings,
    Judged,
    Kernel,
    QualityFlag,
    definitions,
    flag_definitions,
    flags,
    per_channel,
    selected,
)
from collector.features.page import page
from collector.features.values import Rows
from collector.samples import Channel, RateState, Samples, Unit

UNITS: tuple[Unit, ...] = ("g", "m/s2", "A")
ROTATION_HZ, TEETH = 21.0, 3


def kernel(channels: int, n: int) -> Kernel:
    return Kernel(EVERYTHING, tuple(Channel(f"c{i}", "g") for i in range(channels)), n)


def judged(window: Window, measured_hz: float = RATE_HZ) -> Judged:
    return Judged(window.values, RATE_HZ, measured_hz, RateState.MEASURED)


def cut(n: int, rng: np.random.Generator) -> Samples:
    """Three channels of a cut that chatters, with a line near 60 Hz, over slow and fast noise."""
    time = np.arange(n) / RATE_HZ
    tones = [(20.9, 0.5), (41.8, 0.3), (62.7, 1.0), (60.4, 0.8), (125.4, 0.4), (187.7, 0.9), (209.1, 0.6)]
    x = sum(a * np.sin(2 * np.pi * hz * time + rng.uniform(0, 6, (3, 1))) for hz, a in tones)
    return cast("Samples", x) + 0.2 * rng.standard_gamma(1.0, (3, n)) + [[-1.0], [0.0], [100.0]]


def cases(samples: Samples, units: tuple[Unit, ...]) -> list[Case]:
    """The channels of a window, as the references need them."""
    bearing, envelope, velocity = EVERYTHING.bearing, EVERYTHING.envelope, EVERYTHING.velocity
    assert bearing is not None
    assert envelope is not None
    facts = (
        RATE_HZ,
        CLIP,
        BANDS,
        EVERYTHING.peaks,
        (velocity.low_hz, velocity.high_hz),
        (envelope.low_hz, envelope.high_hz),
        envelope.peaks,
        (bearing.rollers, bearing.roller_diameter_mm, bearing.pitch_diameter_mm, bearing.contact_deg),
        ROTATION_HZ,
    )
    rest = (TEETH, EVERYTHING.harmonics, EVERYTHING.line_hz)
    rough = [Case(x, unit, *facts, ROTATION_HZ, *rest) for x, unit in zip(samples, units, strict=True)]
    refined = refined_hz(rough)
    return [Case(x, unit, *facts, refined, *rest) for x, unit in zip(samples, units, strict=True)]


def check(feature: Feature, samples: Samples, units: tuple[Unit, ...]) -> None:
    window = compute(samples, *units, rotation_hz=ROTATION_HZ, teeth=TEETH)
    seen = 0
    for channel, case in enumerate(cases(samples, units)):
        if feature.is_for(units[channel]):
            expected = np.atleast_1d(REFERENCES[feature.name](case))
            np.testing.assert_allclose(window.column(feature.name, channel), expected, rtol=1e-9, atol=1e-13)
            seen += np.isfinite(expected).any()
    assert seen, "the reference must say something"


def test_every_row_has_a_reference() -> None:
    assert REFERENCES.keys() == {feature.name for feature in FEATURES}


@pytest.mark.parametrize("n", [1024, 1000, 1001])
@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_each_feature_agrees_with_its_reference(feature: Feature, n: int) -> None:
    check(feature, cut(n, np.random.default_rng(7)), UNITS)


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_each_feature_agrees_with_its_reference_on_a_milling_machine(
    feature: Feature, recordings: Path
) -> None:
    with np.load(recordings / "mill_accel_1khz_int16.npz") as recording:
        raw, scale = recording["raw"], float(recording["scale_g"])
    samples = np.ascontiguousarray((raw[40_000:41_024] * scale).T)
    if feature.name in {"chatter_hz", "chatter_amplitude"}:  # silent on most of it: a stretch where it is not
        samples = samples + 0.5 * np.sin(2 * np.pi * 187.7 * np.arange(1024) / RATE_HZ)
    check(feature, samples, ("g", "m/s2", "A") if feature.units else ("g", "g", "g"))


@pytest.mark.parametrize("unit", UNITS)
def test_a_record_has_exactly_the_rows_that_are_selected(unit: Unit) -> None:
    """A feature that is computed and not in the table, or the other way round, cannot escape."""
    samples = cut(1024, np.random.default_rng(3))
    for groups in (EVERYTHING.groups, (), *((group,) for group in EVERYTHING.groups)):
        chosen = EVERYTHING.model_copy(update={"groups": groups})
        window = compute(samples, unit, unit, "g", settings=chosen, rotation_hz=ROTATION_HZ, teeth=TEETH)
        for channel in range(3):
            assert window.rows(channel) == window.expected(channel)


finite_windows = st.tuples(st.integers(1, 4), st.integers(16, 70)).flatmap(
    lambda shape: hnp.arrays(
        np.float64,
        shape,
        elements=st.one_of(
            st.floats(allow_nan=False, allow_infinity=False),
            st.sampled_from([0.0, 1.0, -1.0, 5e-324, 1e-160, 1e-80, 1e80, 1.7e308, -1.7e308]),
        ),
        fill=st.floats(allow_nan=False, allow_infinity=False),
    )
)


@settings(deadline=None)
@given(finite_windows, st.sampled_from(UNITS))
def test_every_finite_window_gives_finite_numbers_or_null(samples: Samples, unit: Unit) -> None:
    window = compute(samples, *(unit,) * len(samples))
    for channel in range(len(samples)):
        for feature in selected(EVERYTHING, unit):
            assert not np.isinf(window.column(feature.name, channel)).any(), feature.name
    json.dumps(window.channels, allow_nan=False)
    assert window.values.finite.all()
    assert window.values.constant.tolist() == [len(set(row)) == 1 for row in samples.tolist()]
    assert window.nulls.keys() <= {feature.name.partition(".")[0] for feature in FEATURES}
    assert set(window.nulls.values()) <= set(REASONS)
    flags(judged(window))


ordinary_windows = st.tuples(
    st.integers(2, 4), st.one_of(st.integers(16, 70), st.sampled_from([256, 300])), st.integers(0, 2**32 - 1)
).map(lambda drawn: np.random.default_rng(drawn[2]).standard_normal(drawn[:2]))


def agree(feature: Feature, after: Window, before: Window, channels: list[int], factor: float = 1.0) -> None:
    """A row is `factor` times another window's, whose channels stand in this order."""
    for channel, was in enumerate(channels):
        if feature.is_for(after.units[channel]):
            expected = before.column(feature.name, was) * factor
            atol = 1e-9 * np.nanmax(np.abs(expected), initial=0)
            np.testing.assert_allclose(after.column(feature.name, channel), expected, rtol=1e-7, atol=atol)


@settings(deadline=None)
@given(ordinary_windows, st.floats(-30, 30), st.sampled_from(UNITS))
def test_scaling_a_window_scales_what_has_the_unit(samples: Samples, decades: float, unit: Unit) -> None:
    factor, units = 10.0**decades, (unit,) * len(samples)
    before, after = compute(samples, *units), compute(samples * factor, *units)
    for feature in selected(EVERYTHING, unit):
        scales = feature.unit in {"same", "mm/s", "um"}
        if feature.name != "clipped":
            agree(feature, after, before, list(range(len(samples))), factor if scales else 1.0)


@settings(deadline=None)
@given(ordinary_windows, st.randoms(use_true_random=False), st.sampled_from(UNITS))
def test_channels_do_not_mix(samples: Samples, random: Random, unit: Unit) -> None:
    order = list(range(len(samples)))
    random.shuffle(order)
    units = (unit,) * len(samples)
    before, after = compute(samples, *units), compute(samples[order], *units)
    for feature in selected(EVERYTHING, unit):
        agree(feature, after, before, order)


def test_channels_of_different_units_stay_where_they_are() -> None:
    samples = cut(1024, np.random.default_rng(4))
    before = compute(samples, "g", "A", "m/s2")
    after = compute(samples[[1, 2, 0]], "A", "m/s2", "g")
    for feature in FEATURES:
        agree(feature, after, before, [1, 2, 0])


@settings(deadline=None)
@given(ordinary_windows, st.floats(-1000, 1000), st.sampled_from(UNITS))
def test_an_offset_changes_the_mean_alone(samples: Samples, offset: float, unit: Unit) -> None:
    units = (unit,) * len(samples)
    before, after = compute(samples, *units), compute(samples + offset, *units)
    for channel in range(len(samples)):
        shifted = before.column("mean", channel) + offset
        np.testing.assert_allclose(after.column("mean", channel), shifted, atol=1e-9)
        for feature in selected(EVERYTHING, unit):
            if feature.name not in {"mean", "clipped"}:
                was, now = (window.column(feature.name, channel) for window in (before, after))
                np.testing.assert_allclose(now, was, rtol=1e-6, atol=1e-6 if feature.unit != "um" else 1e-2)


def test_acceleration_in_g_and_in_m_per_s2_is_the_same_motion() -> None:
    samples = cut(1024, np.random.default_rng(5))[:1]
    in_g, in_si = compute(samples, "g"), compute(samples * 9.80665, "m/s2")
    for feature in selected(EVERYTHING, "g"):
        scales = {"same": 9.80665}.get(feature.unit, 1.0)
        if feature.name != "clipped":
            agree(feature, in_si, in_g, [0], scales)


ZERO_OF_A_CONSTANT = {
    "rms", "std", "peak", "p2p", "total_rms", "band_rms", "octave_rms", "velocity_rms", "displacement_p2p",
    "rotation", "tooth_passing", "bearing",
}  # fmt: skip


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("level", [0.0, -0.0, 0.1, 9.81, 1e-300, 1.7e308])
def test_a_constant_has_no_shape(level: float, unit: Unit) -> None:
    window = compute(np.full((1, 1000), level), unit)
    for feature in selected(EVERYTHING, unit):
        found = set(window.column(feature.name, 0).tolist())
        if feature.name == "mean":
            assert found == {level}
        elif feature.name == "clipped":
            assert found == {1000 if level >= CLIP else 0}
        elif feature.name in ZERO_OF_A_CONSTANT:
            assert 0.0 in found, feature.name
            assert all(value == 0.0 or np.isnan(value) for value in found), feature.name
        else:
            assert np.isnan(list(found)).all(), feature.name


@pytest.mark.parametrize("scale", [1e-80, 1e-155, 5e-324])
def test_squares_that_underflow_give_null_and_not_a_wrong_number(scale: float) -> None:
    window = compute(scale * np.resize([0.0, 1.0, 1.0, 3.0], (1, 64)))
    assert window.column("p2p", 0) == 3 * scale
    for feature in selected(EVERYTHING, "g"):
        if feature.name not in {"mean", "peak", "p2p", "clipped"}:
            assert np.isnan(window.column(feature.name, 0)).all(), feature.name


@pytest.mark.parametrize("place", [0, 20, 511])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_sample_that_is_no_number_spoils_its_channel_alone(bad: float, place: int) -> None:
    samples = np.random.default_rng(3).standard_normal((3, 512))
    samples[1] = 0.0  # tells nothing of the speed, as one that is no number
    whole = compute(samples)
    samples[1, place] = bad
    window = compute(samples)
    assert (window.channels[0], window.channels[2]) == (whole.channels[0], whole.channels[2])
    for feature in selected(EVERYTHING, "g"):
        assert np.isnan(window.column(feature.name, 1)).all(), feature.name
    assert "not-finite" in flags(judged(window))


def test_a_channel_without_limits_never_clips() -> None:
    samples = np.array([[1e300, -1e300] * 8])
    unlimited = Kernel(FeatureSettings(), (Channel("a", "g"),), 16)
    assert unlimited.compute(samples, RATE_HZ).clipped.tolist() == [0]


def test_the_record_holds_plain_numbers_in_the_agreed_shape() -> None:
    window = compute(cut(1024, np.random.default_rng(5)), *UNITS, rotation_hz=ROTATION_HZ)
    first = window.channels[0]
    assert list(first["band_rms"]) == ["10-100", "0-500", "62.5-250"]
    assert [list(peak) for peak in first["peaks"]] == [["hz", "amplitude", "prominence"]] * 4
    assert list(first["bearing"]) == ["bpfo", "bpfi", "bsf", "ftf"]
    assert type(first["clipped"]) is int
    assert list(window.channels[2]["line_sidebands"]) == ["lower", "upper"]
    assert json.loads(json.dumps(window.channels)) == window.channels


def test_nothing_configured_gives_the_first_set_alone() -> None:
    samples = np.random.default_rng(5).standard_normal((2, 256))
    bare = FeatureSettings(groups=(), peaks=0)
    first = compute(samples, settings=bare).channels[0]
    assert (first["band_rms"], first["peaks"]) == ({}, [])
    always = {feature.name for feature in FEATURES if feature.group is None and "." not in feature.name}
    assert first.keys() == {*always, "peaks"}


def test_windows_of_one_kernel_do_not_touch_each_other() -> None:
    """Scratch is reused: what was returned must not change, nor depend on what came before."""
    rng = np.random.default_rng(9)
    one, other = rng.standard_normal((2, 3, 1024))
    shared = kernel(3, 1024)
    first = shared.compute(one, RATE_HZ, carry=True)
    before = per_channel(first)
    assert first.carried is not None
    carried = first.carried.power.copy()
    kept = one.copy()
    shared.compute(np.full_like(other, np.nan), RATE_HZ, carry=True)
    assert per_channel(first) == before
    assert per_channel(shared.compute(one, RATE_HZ)) == before
    np.testing.assert_array_equal(first.carried.power, carried)
    np.testing.assert_array_equal(one, kept)


def test_how_numpy_is_set_outside_stays_as_it_is() -> None:
    before = np.geterr(), np.getbufsize()
    with np.errstate(divide="raise", invalid="raise"):
        inside = np.geterr()
        nothing = compute(np.zeros((2, 64)))
        assert np.geterr() == inside
    assert nothing.channels[0]["crest"] is None
    assert (np.geterr(), np.getbufsize()) == before


@pytest.mark.parametrize("shape", [(2, 64), (3, 63), (3, 65)])
def test_another_shape_is_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="shape"):
        kernel(3, 64).compute(np.zeros(shape), RATE_HZ)


def test_a_window_too_short_for_a_spectrum_is_refused() -> None:
    with pytest.raises(ValueError, match="four"):
        kernel(1, 3)


TIME = np.arange(512) / RATE_HZ
QUIET = np.random.default_rng(1).standard_normal((2, 512)) / 20 + np.sin(2 * np.pi * 100 * TIME) / 5
STUCK_FOR_A_WHILE = np.where((TIME > 0.2) & (TIME < 0.24), 0.25, QUIET[1])
SPOILED = {
    "clipped": np.where(np.arange(512) == 5, CLIP, QUIET[1]),
    "stuck": np.full(512, 0.25),
    "not-finite": np.where(np.arange(512) == 5, np.nan, QUIET[1]),
    "dropout": STUCK_FOR_A_WHILE,
    "dc-jump": QUIET[1] / 10 + np.where(TIME < 0.3, 0.0, 0.5),
    "low-snr": np.random.default_rng(2).standard_normal(512) / 10,
}


def test_a_good_window_has_no_flag() -> None:
    assert flags(judged(compute(QUIET))) == []


@pytest.mark.parametrize("flag", FLAGS, ids=lambda flag: flag.name)
def test_each_flag_is_raised_by_its_reason_alone(flag: QualityFlag) -> None:
    if flag.name == "rate-drift":
        assert flags(judged(compute(QUIET), measured_hz=0.94 * RATE_HZ)) == ["rate-drift"]
        return
    samples = QUIET.copy()
    samples[1] = SPOILED[flag.name]
    assert flags(judged(compute(samples))) == [flag.name]


def test_a_rate_that_is_not_settled_has_not_drifted() -> None:
    values = compute(QUIET).values
    for state in (RateState.NOMINAL, RateState.SETTLING, RateState.EXACT):
        assert flags(Judged(values, RATE_HZ, 900.0, state)) == []
    assert flags(Judged(values, RATE_HZ, 959.7, RateState.MEASURED)) == []


def flags_of(x: Samples, unit: Unit = "g") -> list[str]:
    return flags(judged(compute(np.array([x]), unit)))


def test_what_only_looks_like_a_dropout_is_none() -> None:
    clipped = np.where(STUCK_FOR_A_WHILE == 0.25, CLIP, QUIET[1])
    assert flags_of(clipped) == ["clipped"]
    coarse = np.round(QUIET[1] / 20)  # the resolution is far coarser than the signal
    coarse[100] = 1.0
    assert "dropout" not in flags_of(coarse)
    steps = np.round(QUIET[1] * 50) / 50  # many repeats, no long run
    assert flags_of(steps) == []
    run = QUIET[1].copy()
    run[100:131] = run[100]
    assert flags_of(run) == []
    run[131] = run[100]  # the 32nd
    assert flags_of(run) == ["dropout"]


def test_slow_motion_is_no_jump_and_a_current_may_rise() -> None:
    ramp, cycle = TIME / TIME[-1], np.sin(2 * np.pi * TIME / TIME[-1])
    assert "dc-jump" not in flags_of(ramp)
    assert "dc-jump" not in flags_of(cycle)
    assert "dc-jump" not in flags_of(np.cos(2 * np.pi * TIME / TIME[-1]))
    assert "dc-jump" in flags_of(SPOILED["dc-jump"])
    assert "dc-jump" not in flags_of(SPOILED["dc-jump"], "A")


@pytest.mark.parametrize("n", [255, 512, 1000, 4099])
@pytest.mark.parametrize("at", [0.1, 0.5, 0.95])
def test_a_jump_is_found_at_any_place_of_any_window_at_any_level(n: int, at: float) -> None:
    """Also in windows that their parts do not divide, and where the level is far larger than the jump."""
    quiet = 1e4 + np.random.default_rng(4).standard_normal((2, n)) / 20
    jumped = quiet + [[0.0], [1.0]] * (np.arange(n) >= round(at * n))
    found = Kernel(FeatureSettings(groups=()), (Channel("a", "g"), Channel("b", "g")), n)
    assert found.compute(jumped, RATE_HZ).jumped.tolist() == [False, True]


def test_blows_are_no_noise() -> None:
    blows = np.zeros(512)
    blows[::100] = 1.0
    assert "low-snr" not in flags_of(blows + QUIET[1] / 1000)


@pytest.mark.parametrize("found", [np.nan, np.inf, 1.5e308])
def test_what_is_not_finite_is_null_in_its_channel_alone(found: float) -> None:
    column = np.array([1.0, found])
    rows = Rows(
        2, {"rms": column, "peak": column}, {"bands": (("low", "high"), np.stack((column, column)).T)}
    )
    null = found if np.isfinite(found) else None
    assert rows.per_channel() == [
        {"rms": value, "peak": value, "bands": {"low": value, "high": value}} for value in (1.0, null)
    ]


def test_definitions_say_unit_and_meaning_of_every_row() -> None:
    in_g = {row["name"]: row for row in definitions(EVERYTHING, "g")}
    assert list(in_g) == [feature.name for feature in selected(EVERYTHING, "g")]
    assert (in_g["rms"]["unit"], in_g["crest"]["unit"], in_g["peaks.hz"]["unit"]) == ("g", "1", "Hz")
    assert {row["name"]: row["unit"] for row in definitions(EVERYTHING, "A")}["band_rms"] == "A"
    for row in (*definitions(EVERYTHING, "g"), *flag_definitions()):
        assert all(row.values())
        assert row["version"] == 1
    json.dumps([definitions(EVERYTHING, "g"), flag_definitions()])


def test_what_numbers_were_made_with_stands_beside_their_definition() -> None:
    bearing = BearingSettings(rollers=9, roller_diameter_mm=8.0, pitch_diameter_mm=38.5)
    settings = FeatureSettings(envelope=EnvelopeSettings(low_hz=500, high_hz=900, peaks=1), bearing=bearing)
    made_with = {row["name"]: row.get("settings") for row in definitions(settings, "g")}
    band = {"low_hz": 500.0, "high_hz": 900.0}
    geometry = {"rollers": 9, "roller_diameter_mm": 8.0, "pitch_diameter_mm": 38.5, "contact_deg": 0.0}
    assert made_with["envelope_peaks.hz"] == made_with["envelope_peaks.amplitude"] == {"envelope": band}
    assert made_with["bearing"] == {"envelope": band, "bearing": geometry}
    assert made_with["velocity_rms"] == {"velocity": {"low_hz": 10.0, "high_hz": 1000.0}}
    assert made_with["octave_rms"] == {"octaves": "octave"}
    assert made_with["rms"] is None
    of_current = {row["name"]: row.get("settings") for row in definitions(FeatureSettings(line_hz=60), "A")}
    assert of_current["thd"] == of_current["line_sidebands"] == {"line_hz": 60.0}


def test_the_page_of_definitions_is_up_to_date() -> None:
    written = Path(__file__).parent.parent / "docs" / "features.md"
    assert written.read_text(encoding="utf-8") == page(), (
        "write docs/features.md anew, see collector/features/page.py"
    )
