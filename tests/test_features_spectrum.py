"""Peaks and bands where the right answer is known without another program."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import signal

from collector.features import BandSettings, FeatureSettings, FeatureValues, Kernel, per_channel
from collector.features.peaks import PeakSearch
from collector.samples import Channel, Samples

RATE_HZ = 1000.0


def compute(
    samples: Samples, peaks: int = 5, bands: tuple[tuple[float, float], ...] = (), rate_hz: float = RATE_HZ
) -> FeatureValues:
    settings = FeatureSettings(
        bands=tuple(BandSettings(low_hz=low, high_hz=high) for low, high in bands), peaks=peaks
    )
    channels = tuple(Channel(f"c{i}", "g") for i in range(len(samples)))
    return Kernel(settings, channels, samples.shape[1]).compute(samples, rate_hz)


def tone(position: float, n: int, amplitude: float = 1.0, phase: float = 0.0) -> Samples:
    """One channel with a tone at a position in bins."""
    return amplitude * np.sin(2 * np.pi * position * np.arange(n)[np.newaxis] / n + phase)


@given(
    st.sampled_from([64, 255, 1024, 1025]),
    st.floats(0, 1),
    st.one_of(st.sampled_from([0.0, 0.5, 1e-9, -1e-9, 0.5 + 1e-9, 0.5 - 1e-9]), st.floats(-0.5, 0.5)),
    st.floats(-np.pi, np.pi),
    st.floats(1e-3, 1e3),
    st.floats(-1e3, 1e3),
)
def test_an_isolated_tone_is_found_exactly(
    n: int, place: float, off_bin: float, phase: float, amplitude: float, offset: float
) -> None:
    """Frequency within 1e-4 of a bin, amplitude within 1e-4, ten or more bins from DC and Nyquist."""
    position = round(11 + place * (n / 2 - 22)) + off_bin
    values = compute(tone(position, n, amplitude, phase) + offset)
    assert abs(values.rows.peaks["peaks"]["hz"][0, 0] * n / RATE_HZ - position) <= 1e-4
    assert abs(values.rows.peaks["peaks"]["amplitude"][0, 0] / amplitude - 1) <= 1e-4


@pytest.mark.parametrize("n", [64, 1024])
def test_a_tone_exactly_on_a_bin_is_exact(n: int) -> None:
    for position in range(10, n // 2 - 9):
        values = compute(tone(position, n, 2.0, 0.4))
        assert values.rows.peaks["peaks"]["hz"][0, 0] * n / RATE_HZ == pytest.approx(position, abs=1e-9)
        assert values.rows.peaks["peaks"]["amplitude"][0, 0] == pytest.approx(2.0, rel=1e-9)


@pytest.mark.parametrize("position", [1, 2, 31, 30.5])
def test_a_neighbour_of_dc_or_nyquist_may_be_a_peak(position: float) -> None:
    values = compute(tone(position, 64, phase=1.0))
    assert values.rows.peaks["peaks"]["hz"][0, 0] * 64 / RATE_HZ == pytest.approx(position, abs=0.7)


def test_nyquist_itself_is_no_peak() -> None:
    alternating = np.resize([1.0, -1.0], (1, 64))
    assert per_channel(compute(alternating))[0]["peaks"] == []


def test_peaks_come_strongest_first_and_are_padded() -> None:
    n = 1024
    samples = tone(100, n, 0.5) + tone(200.3, n, 2.0) + tone(300.5, n, 1.0)
    found = per_channel(compute(samples, peaks=3))[0]["peaks"]
    assert [round(peak["hz"] * n / RATE_HZ, 2) for peak in found] == [200.3, 300.5, 100.0]
    assert [round(peak["amplitude"], 3) for peak in found] == [2.0, 1.0, 0.5]
    pure = compute(tone(100, n), peaks=3)
    assert np.isnan(pure.rows.peaks["peaks"]["hz"][0, 1:]).all()
    assert np.isnan(pure.rows.peaks["peaks"]["amplitude"][0, 1:]).all()


def test_two_equal_peaks_are_both_found() -> None:
    samples = tone(50, 512, 1.0) + tone(100, 512, 1.0)
    found = per_channel(compute(samples))[0]["peaks"]
    assert sorted(round(peak["hz"] * 512 / RATE_HZ, 6) for peak in found) == [50, 100]


@pytest.mark.parametrize("n", [64, 65])
def test_a_flat_spectrum_has_no_peak(n: int) -> None:
    """A single knock: every bin is level but for rounding."""
    samples = np.zeros((1, n))
    samples[0, n // 2] = 1.0
    assert per_channel(compute(samples))[0]["peaks"] == []


def test_channels_side_by_side_do_not_make_peaks_of_each_other() -> None:
    """All channels are searched as one long row: loud and silent neighbours must not matter."""
    n = 128
    samples = np.concatenate(
        [np.zeros((1, n)), tone(63, n, 100.0), tone(1, n, 1e-3), np.ones((1, n)), tone(20, n)]
    )
    together = per_channel(compute(samples))
    assert together == [per_channel(compute(row[np.newaxis]))[0] for row in samples]


@given(
    st.integers(1, 3),
    st.sampled_from([16, 17, 40, 41]),
    st.sampled_from([0, 1, 3, 50]),
    st.integers(0, 2**32 - 1),
)
def test_peaks_are_the_local_maxima(channels: int, n: int, count: int, seed: int) -> None:
    samples = np.random.default_rng(seed).standard_normal((channels, n))
    values = compute(samples, peaks=count)
    assert (
        values.rows.peaks["peaks"]["hz"].shape
        == values.rows.peaks["peaks"]["amplitude"].shape
        == (channels, count)
    )
    window = signal.get_window("hann", n)
    for row, hertz in zip(samples, values.rows.peaks["peaks"]["hz"], strict=True):
        magnitude = np.abs(np.fft.rfft((row - row.mean()) * window))
        tops = sorted(signal.find_peaks(magnitude)[0], key=lambda k: -magnitude[k])[:count]
        assert np.count_nonzero(~np.isnan(hertz)) == len(tops)
        np.testing.assert_array_less(np.abs(hertz[: len(tops)] * n / RATE_HZ - tops), 2 / 3 + 1e-9)


@given(st.integers(1, 4), st.integers(4, 40), st.sampled_from([2, 3, 8, 1000]), st.integers(0, 2**32 - 1))
def test_of_level_bins_two_are_a_peak_and_three_are_none(
    channels: int, bins: int, levels: int, seed: int
) -> None:
    """Spectra of few different powers, against what a peak is; some of the strongest level, others not."""
    power = np.random.default_rng(seed).integers(0, levels, (channels, bins)).astype(np.float64)
    with np.errstate(all="ignore"):  # as the kernel does
        found = PeakSearch(channels, 2 * (bins - 1), 4).find(power, power.max(axis=1), np.zeros(channels))
    for channel, row in enumerate(power.tolist()):
        single = [k for k in range(1, bins - 1) if row[k - 1] < row[k] > row[k + 1]]
        double = [k for k in range(1, bins - 2) if row[k - 1] < row[k] == row[k + 1] > row[k + 2]]
        strongest = sorted(single + double, key=lambda k: (-row[k], k))[:4]
        there = ~np.isnan(found.bins[channel])
        assert (found.at[there, channel] - channel * bins).tolist() == strongest


@given(st.integers(16, 70), st.integers(0, 2**32 - 1))
def test_the_whole_band_holds_the_whole_energy(n: int, seed: int) -> None:
    """Parseval: all bins together give the rms of the windowed samples over that of the window."""
    samples = np.random.default_rng(seed).standard_normal((2, n))
    windowed = (samples - samples.mean(axis=1, keepdims=True)) * signal.get_window("hann", n)
    expected = np.sqrt((windowed**2).sum(axis=1) / (signal.get_window("hann", n) ** 2).sum())
    found = compute(samples, bands=((0.0, RATE_HZ / 2),)).rows.keyed["band_rms"][1][:, 0]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@given(st.integers(16, 70), st.floats(1, 499), st.integers(0, 2**32 - 1))
def test_bands_add_up(n: int, edge_hz: float, seed: int) -> None:
    bin_hz = RATE_HZ / n
    assume(abs(edge_hz / bin_hz - round(edge_hz / bin_hz)) > 1e-3)
    samples = np.random.default_rng(seed).standard_normal((1, n))
    values = compute(samples, bands=((0, edge_hz), (edge_hz, RATE_HZ / 2), (0, RATE_HZ / 2)))
    below, above, whole = np.nan_to_num(values.rows.keyed["band_rms"][1][0])
    assert np.hypot(below, above) == pytest.approx(whole, rel=1e-9)


def test_a_sine_has_its_rms_in_its_band_alone() -> None:
    values = compute(tone(100, 1000, 3.0), bands=((90, 110), (110, 500)))
    assert values.rows.keyed["band_rms"][1][0, 0] == pytest.approx(3 / np.sqrt(2), rel=1e-12)
    assert values.rows.keyed["band_rms"][1][0, 1] == pytest.approx(0, abs=1e-12)


def test_an_edge_on_a_bin_belongs_to_the_band_in_spite_of_rounding() -> None:
    n, rate_hz = 1000, 959.7
    at_hz = [k * rate_hz / n for k in (99, 100, 101)]  # the three bins of a Hann window's tone
    whole = compute(tone(100, n), bands=((at_hz[0], at_hz[2]),), rate_hz=rate_hz).rows.keyed["band_rms"][1][
        0, 0
    ]
    assert whole == pytest.approx(1 / np.sqrt(2), rel=1e-12)
    middle = compute(tone(100, n), bands=((at_hz[1], at_hz[1]),), rate_hz=rate_hz).rows.keyed["band_rms"][1][
        0, 0
    ]
    assert middle == pytest.approx(np.sqrt(1 / 2 / 1.5), rel=1e-12)  # less by the noise bandwidth of 1.5 bins


@pytest.mark.parametrize(
    "band", [(10.0, 500.1), (600.0, 700.0), (50.1, 50.9), (100.0, 50.0), (1e308, 1.7e308)], ids=str
)
def test_a_band_that_the_spectrum_does_not_cover_is_null(band: tuple[float, float]) -> None:
    values = compute(tone(100, 1000), bands=(band, (10, 500)))
    assert np.isnan(values.rows.keyed["band_rms"][1][0, 0])
    assert not np.isnan(values.rows.keyed["band_rms"][1][0, 1])


def test_bands_follow_the_rate() -> None:
    samples = tone(100, 1000)
    channels = (Channel("a", "g"),)
    kernel = Kernel(FeatureSettings(bands=(BandSettings(low_hz=90, high_hz=110),), peaks=1), channels, 1000)
    found = [kernel.compute(samples, rate_hz) for rate_hz in (1000.0, 500.0, 1000.0, 200.0)]
    assert [round(float(values.rows.keyed["band_rms"][1][0, 0]), 3) for values in found[:3]] == [
        0.707,
        0.0,
        0.707,
    ]
    assert np.isnan(found[3].rows.keyed["band_rms"][1][0, 0])
    assert [round(float(values.rows.peaks["peaks"]["hz"][0, 0]), 6) for values in found] == [100, 50, 100, 20]


@pytest.mark.parametrize("amplitude", [1e152, 1e153, 1e154])
def test_a_spectrum_that_overflows_gives_null(amplitude: float) -> None:
    """Loud and quiet tones: without the loud one, the quiet one must not pass for the strongest."""
    samples = np.concatenate([tone(100, 1024, amplitude) + tone(200, 1024, amplitude / 1e3), tone(50, 1024)])
    found = per_channel(compute(samples, bands=((0, 500),)))
    assert (found[0]["peaks"], found[0]["band_rms"]) == ([], {"0-500": None})
    assert len(found[1]["peaks"]) == 1


def test_an_end_of_the_spectrum_that_overflows_leaves_other_bands_alone() -> None:
    """A slow and enormous drift: DC is beyond float64, and what is far from it is not."""
    n = 1024
    samples = tone(0.4, n, 3e152)
    bands = ((0.0, 100.0), (300.0, 450.0), (300.0, RATE_HZ / 2))
    found = per_channel(compute(samples, bands=bands))[0]["band_rms"]
    assert found["0-100"] is None
    assert found["300-450"] is not None
    assert found["300-500"] is not None


@pytest.mark.parametrize("n", [64, 65])
def test_bands_at_the_ends_of_the_spectrum(n: int) -> None:
    """Every band of neighbouring bins against the sum over them, DC and Nyquist once and the others twice."""
    samples = np.random.default_rng(3).standard_normal((2, n))
    windowed = (samples - samples.mean(axis=1, keepdims=True)) * signal.get_window("hann", n)
    twice = 2 * np.abs(np.fft.rfft(windowed)) ** 2
    twice[:, 0] /= 2
    if n % 2 == 0:
        twice[:, -1] /= 2
    last = n // 2
    edges = [(0, 0), (0, last), (last, last), (last - 1, last), (0, last - 1), (last - 1, last - 1), (1, 1)]
    bands = tuple((first * RATE_HZ / n, max(end, 1e-9) * RATE_HZ / n) for first, end in edges)
    found = compute(samples, bands=bands).rows.keyed["band_rms"][1]
    energy = n * (signal.get_window("hann", n) ** 2).sum()
    expected = np.stack([twice[:, first : end + 1].sum(axis=1) for first, end in edges], axis=1)
    np.testing.assert_allclose(found, np.sqrt(expected / energy), rtol=1e-9)
