"""Every row of the table against scipy, and what must hold for any window whatsoever."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import signal, stats

from collector.features import (
    FEATURES,
    FLAGS,
    BandSettings,
    Feature,
    FeatureSettings,
    FeatureValues,
    Kernel,
    QualityFlag,
    definitions,
    flag_definitions,
    flags,
    per_channel,
)
from collector.features.page import page
from collector.samples import Channel, Samples

RATE_HZ = 1000.0
BANDS = ((10.0, 100.0), (0.0, 500.0), (62.5, 250.0))
CLIP = 1.5
PEAKS = 4

Array = npt.NDArray[np.float64]


def kernel(
    channels: int, n: int, bands: tuple[tuple[float, float], ...] = BANDS, peaks: int = PEAKS
) -> Kernel:
    settings = FeatureSettings(
        bands=tuple(BandSettings(low_hz=low, high_hz=high) for low, high in bands), peaks=peaks
    )
    return Kernel(settings, tuple(Channel(f"c{i}", "g", -CLIP, CLIP) for i in range(channels)), n)


def compute(samples: Samples) -> FeatureValues:
    return kernel(*samples.shape).compute(samples, RATE_HZ)


def column(values: FeatureValues, name: str) -> Array:
    """The numbers of one row of the table: `[channels]` or `[channels, several]`."""
    arrays = values.scalars | {
        "clipped": values.clipped.astype(np.float64),
        "band_rms": values.band_rms,
        "peaks.hz": values.peaks_hz,
        "peaks.amplitude": values.peaks_amplitude,
    }
    assert set(arrays) == {feature.name for feature in FEATURES}
    return arrays[name]


def reference_bands(x: Array) -> list[float]:
    frequency, density = signal.periodogram(x, RATE_HZ, window="hann", detrend="constant")
    inside = [(frequency >= low) & (frequency <= high) for low, high in BANDS]
    return [float(np.sqrt(density[band].sum() * RATE_HZ / len(x))) for band in inside]


def reference_peaks(x: Array) -> list[tuple[float, float]]:
    """Hertz and amplitude, the strongest first, one peak at a time."""
    n = len(x)
    window = signal.get_window("hann", n)
    magnitude = np.abs(np.fft.rfft(signal.detrend(x, type="constant") * window))
    tops = signal.find_peaks(magnitude)[0]
    found = []
    for k in sorted(tops, key=lambda k: -magnitude[k])[:PEAKS]:
        a, b, c = magnitude[k - 1 : k + 2]
        delta = 2 * (c - a) / (a + 2 * b + c)
        scallop = np.pi * delta * (1 - delta**2) / np.sin(np.pi * delta)
        found.append((float((k + delta) * RATE_HZ / n), float(2 * b / window.sum() * scallop)))
    return found


REFERENCES: dict[str, Callable[[Array], float | list[float]]] = {
    "mean": lambda x: float(np.mean(x)),
    "rms": lambda x: float(stats.tstd(x, ddof=0)),
    "peak": lambda x: float(np.abs(x - x.mean()).max()),
    "p2p": lambda x: float(np.ptp(x)),
    "crest": lambda x: float(np.abs(x - x.mean()).max() / x.std()),
    "kurtosis": lambda x: float(stats.kurtosis(x, fisher=False)),
    "skewness": lambda x: float(stats.skew(x)),
    "clipped": lambda x: float(sum(not -CLIP < value < CLIP for value in x.tolist())),
    "band_rms": reference_bands,
    "peaks.hz": lambda x: [hz for hz, _ in reference_peaks(x)],
    "peaks.amplitude": lambda x: [amplitude for _, amplitude in reference_peaks(x)],
}


@pytest.mark.parametrize("n", [1024, 1000, 1001])
@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_each_feature_agrees_with_its_reference(feature: Feature, n: int) -> None:
    rng = np.random.default_rng(7)
    time = np.arange(n) / RATE_HZ
    tones = np.sin(2 * np.pi * np.array([[31.0], [120.3], [200.0]]) * time)
    samples = tones + 0.3 * rng.standard_gamma(1.0, (3, n)) + [[-1.0], [0.0], [100.0]]
    expected = [REFERENCES[feature.name](row) for row in samples]
    np.testing.assert_allclose(column(compute(samples), feature.name), expected, rtol=1e-9)


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


@given(finite_windows)
def test_every_finite_window_gives_finite_numbers_or_null(samples: Samples) -> None:
    values = compute(samples)
    for feature in FEATURES:
        assert not np.isinf(column(values, feature.name)).any(), feature.name
    json.dumps(per_channel(values), allow_nan=False)
    assert values.finite.all()
    assert values.constant.tolist() == [len(set(row)) == 1 for row in samples.tolist()]


ordinary_windows = st.tuples(st.integers(2, 4), st.integers(16, 70), st.integers(0, 2**32 - 1)).map(
    lambda drawn: np.random.default_rng(drawn[2]).standard_normal(drawn[:2])
)


@given(ordinary_windows, st.floats(-30, 30))
def test_scaling_a_window_scales_what_has_the_unit(samples: Samples, decades: float) -> None:
    factor = 10.0**decades
    before, after = compute(samples), compute(samples * factor)
    for feature in FEATURES:
        if feature.name != "clipped":
            expected = column(before, feature.name) * (factor if feature.unit == "same" else 1)
            np.testing.assert_allclose(
                column(after, feature.name),
                expected,
                rtol=1e-7,
                atol=1e-9 * np.nanmax(np.abs(expected), initial=0),
            )


@given(ordinary_windows, st.randoms(use_true_random=False))
def test_channels_do_not_mix(samples: Samples, random: Random) -> None:
    order = list(range(len(samples)))
    random.shuffle(order)
    before, after = compute(samples), compute(samples[order])
    for feature in FEATURES:
        expected = column(before, feature.name)[order]
        np.testing.assert_allclose(column(after, feature.name), expected, rtol=1e-9, atol=1e-12)


@given(ordinary_windows, st.floats(-1000, 1000))
def test_an_offset_changes_the_mean_alone(samples: Samples, offset: float) -> None:
    before, after = compute(samples), compute(samples + offset)
    np.testing.assert_allclose(column(after, "mean"), column(before, "mean") + offset, atol=1e-9)
    for feature in FEATURES:
        if feature.name not in {"mean", "clipped"}:
            np.testing.assert_allclose(
                column(after, feature.name), column(before, feature.name), rtol=1e-7, atol=1e-7
            )


@pytest.mark.parametrize("level", [0.0, -0.0, 0.1, 9.81, 1e-300, 1.7e308])
def test_a_constant_has_no_shape(level: float) -> None:
    samples = np.full((1, 1000), level)
    (found,) = per_channel(kernel(1, 1000).compute(samples, RATE_HZ))
    assert found == {
        "mean": level,
        "rms": 0.0,
        "peak": 0.0,
        "p2p": 0.0,
        "crest": None,
        "kurtosis": None,
        "skewness": None,
        "clipped": 1000 if level >= CLIP else 0,
        "band_rms": {"10-100": 0.0, "0-500": 0.0, "62.5-250": 0.0},
        "peaks": [],
    }


@pytest.mark.parametrize("scale", [1e-80, 1e-155, 5e-324])
def test_squares_that_underflow_give_null_and_not_a_wrong_number(scale: float) -> None:
    samples = scale * np.resize([0.0, 1.0, 1.0, 3.0], (1, 64))
    (found,) = per_channel(compute(samples))
    assert found["p2p"] == 3 * scale
    assert [found[name] for name in ("rms", "crest", "kurtosis", "skewness")] == [None] * 4
    assert set(found["band_rms"].values()) == {None}
    assert found["peaks"] == []


@pytest.mark.parametrize("place", [0, 20, 63])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_sample_that_is_no_number_spoils_its_channel_alone(bad: float, place: int) -> None:
    samples = np.random.default_rng(3).standard_normal((3, 64))
    whole = per_channel(compute(samples))
    samples[1, place] = bad
    values = compute(samples)
    found = per_channel(values)
    assert (found[0], found[2]) == (whole[0], whole[2])
    assert found[1] == dict.fromkeys(whole[1]) | {
        "band_rms": dict.fromkeys(whole[1]["band_rms"]),
        "peaks": [],
    }
    assert "not-finite" in flags(values)


def test_a_channel_without_limits_never_clips() -> None:
    samples = np.array([[1e300, -1e300] * 8])
    unlimited = Kernel(FeatureSettings(), (Channel("a", "g"),), 16)
    assert unlimited.compute(samples, RATE_HZ).clipped.tolist() == [0]


def test_the_record_holds_plain_numbers_in_the_agreed_shape() -> None:
    samples = np.random.default_rng(5).standard_normal((2, 256))
    values = compute(samples)
    first = per_channel(values)[0]
    scalars = [feature.name for feature in FEATURES if feature.scalar is not None]
    assert list(first) == [*scalars, "clipped", "band_rms", "peaks"]
    assert list(first["band_rms"]) == ["10-100", "0-500", "62.5-250"]
    assert [list(peak) for peak in first["peaks"]] == [["hz", "amplitude"]] * PEAKS
    assert {type(first[name]) for name in scalars} == {float}
    assert type(first["clipped"]) is int
    assert json.loads(json.dumps(first)) == first


def test_nothing_configured_gives_the_time_domain_alone() -> None:
    samples = np.random.default_rng(5).standard_normal((2, 256))
    first = per_channel(kernel(2, 256, bands=(), peaks=0).compute(samples, RATE_HZ))[0]
    assert (first["band_rms"], first["peaks"]) == ({}, [])


def test_windows_of_one_kernel_do_not_touch_each_other() -> None:
    """Scratch is reused: what was returned must not change, nor depend on what came before."""
    rng = np.random.default_rng(9)
    one, other = rng.standard_normal((2, 3, 128))
    shared = kernel(3, 128)
    first = shared.compute(one, RATE_HZ)
    before = per_channel(first)
    kept = one.copy()
    shared.compute(np.full_like(other, np.nan), RATE_HZ)
    assert per_channel(first) == before
    assert per_channel(shared.compute(one, RATE_HZ)) == before
    np.testing.assert_array_equal(one, kept)


@pytest.mark.parametrize("shape", [(2, 64), (3, 63), (3, 65)])
def test_another_shape_is_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="shape"):
        kernel(3, 64).compute(np.zeros(shape), RATE_HZ)


def test_a_window_too_short_for_a_spectrum_is_refused() -> None:
    with pytest.raises(ValueError, match="four"):
        kernel(1, 3)


QUIET = np.random.default_rng(1).standard_normal((2, 64)) / 10
SPOILED = {
    "clipped": np.where(np.arange(64) == 5, CLIP, QUIET[1]),
    "stuck": np.full(64, 0.25),
    "not-finite": np.where(np.arange(64) == 5, np.nan, QUIET[1]),
}


def test_a_good_window_has_no_flag() -> None:
    assert flags(compute(QUIET)) == []


@pytest.mark.parametrize("flag", FLAGS, ids=lambda flag: flag.name)
def test_each_flag_is_raised_by_its_reason_alone(flag: QualityFlag) -> None:
    samples = QUIET.copy()
    samples[1] = SPOILED[flag.name]
    assert flags(compute(samples)) == [flag.name]


def test_definitions_say_unit_and_meaning_of_every_row() -> None:
    in_g = {row["name"]: row for row in definitions("g")}
    assert list(in_g) == [feature.name for feature in FEATURES]
    assert (in_g["rms"]["unit"], in_g["crest"]["unit"], in_g["peaks.hz"]["unit"]) == ("g", "1", "Hz")
    assert {row["name"]: row["unit"] for row in definitions("A")}["band_rms"] == "A"
    for row in (*definitions("g"), *flag_definitions()):
        assert all(row.values())
        assert row["version"] == 1
    json.dumps([definitions("g"), flag_definitions()])


def test_the_page_of_definitions_is_up_to_date() -> None:
    written = Path(__file__).parent.parent / "docs" / "features.md"
    assert written.read_text(encoding="utf-8") == page(), (
        "write docs/features.md anew, see collector/features/page.py"
    )
