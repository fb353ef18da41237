"""The low end of a long transform from a decimated signal, against the transform of the whole signal."""

import numpy as np
import numpy.typing as npt
import pytest

from collector.features import FeatureSettings, Kernel, per_channel
from collector.features.decimation import Decimation, decimation
from collector.samples import Channel

Array = npt.NDArray[np.float64]

RATE_HZ = 25_600.0
LEAST_BIN = 2


def low_end(x: Array, hop: int, factor: int, edge: float) -> npt.NDArray[np.complex128]:
    """X of `[channels, n]` up to the band's edge, whose samples are put hop by hop."""
    channels, n = x.shape
    taken = Decimation(channels, n, hop, factor, edge)
    for at in range(0, n, hop):
        taken.put(x[:, at : at + hop], at)
    return taken.transform()[:, : int(edge * n) + 2].copy()


@pytest.mark.parametrize(
    ("high_hz", "rate_hz", "hop", "factor"),
    [
        (1000.0, 25_600.0, 4096, 4),
        (1000.0, 51_200.0, 4096, 8),
        (100.0, 51_200.0, 4096, 64),
        (100.0, 51_200.0, 512, 32),  # a block of sixteen values must fit into a hop
        (1000.0, 25_600.0, 1000, 1),
        (1000.0, 23_900.0, 4096, 1),  # too little room above the band
        (1000.0, 6400.0, 1024, 1),
    ],
)
def test_how_many_samples_become_one(high_hz: float, rate_hz: float, hop: int, factor: int) -> None:
    assert decimation(high_hz, rate_hz, hop) == factor


@pytest.mark.parametrize(("hop", "hops"), [(64, 4), (64, 13), (192, 5), (1024, 3), (4096, 5)])
@pytest.mark.parametrize("over_band", [6.0, 11.9])
@pytest.mark.parametrize("factor", [4, 8, 16])
def test_the_bins_are_those_of_all_samples(factor: int, over_band: float, hop: int, hops: int) -> None:
    """Of noise, with a drift and an offset, with different samples in each channel."""
    hop, edge = hop * factor // 4, 1 / (over_band * factor)
    rng = np.random.default_rng(hop + hops)
    x = rng.standard_normal((3, hop * hops)) + 20 * np.linspace(0, 1, hop * hops) + 9.81
    found = low_end(x, hop, factor, edge)
    exact = np.fft.rfft(x, axis=1)[:, : found.shape[1]]
    assert np.abs(found - exact).max() < 1e-8 * np.sqrt(hop * hops)  # of what noise has in each bin


def test_a_rate_that_fell_by_five_percent_still_has_its_band() -> None:
    edge, n = 1 / 24, 20_480
    x = np.random.default_rng(1).standard_normal((1, n))
    taken = Decimation(1, n, 4096, 4, edge)
    for at in range(0, n, 4096):
        taken.put(x[:, at : at + 4096], at)
    found = taken.transform()
    assert found.shape[1] >= int(1.05 * edge * n) + 2
    assert np.abs(found - np.fft.rfft(x, axis=1)[:, : found.shape[1]]).max() < 1e-8 * np.sqrt(n)


@pytest.mark.parametrize("factor", [4, 8, 64])
def test_what_a_tone_above_leaves_in_the_band(factor: int) -> None:
    """Whichever bin it is in: less than 3e-8 of its own velocity, under the least room there may be."""
    n, edge = 2048 * factor, 1 / (6.0 * factor)
    above = np.unique(np.linspace(n / 2 / factor + 1, n / 2 - 1, 1500).astype(int))
    near = [n * alias // factor + side for alias in range(1, factor // 2 + 1) for side in (-3, -2, 2, 3)]
    above = np.union1d(above, [k for k in near if k < n // 2])
    x = np.cos(2 * np.pi * (above[:, np.newaxis] * np.arange(n) % n) / n + 0.3)
    found = low_end(x, n, factor, edge)[:, LEAST_BIN:]
    velocity = 2 / n * np.abs(found) / np.arange(LEAST_BIN, found.shape[1] + LEAST_BIN)
    assert (np.sqrt((velocity**2).sum(axis=1)) * above).max() < 3e-8


@pytest.mark.parametrize("hop", [4096, 2048])
def test_velocity_of_a_stretch_is_that_of_one_long_window(hop: int) -> None:
    """The long window has no need to decimate."""
    channels, settings = (Channel("a", "m/s2"), Channel("b", "g")), FeatureSettings(groups=("velocity",))
    stretch, n = 9 * 2048 if hop == 2048 else 5 * 4096, 4096
    x = np.random.default_rng(7).standard_normal((2, 4 * stretch)).cumsum(axis=1) % 3.0
    kernel, long = Kernel(settings, channels, n, hop), Kernel(settings, channels, stretch)
    compared = 0
    for first in range(0, x.shape[1] - n + 1, hop):
        values = kernel.compute(x[:, first : first + n], RATE_HZ, first)
        if values.covered is None:
            continue
        end = first + n
        expected = per_channel(long.compute(x[:, end - stretch : end], RATE_HZ))
        for found, wanted in zip(per_channel(values), expected, strict=True):
            for name in ("velocity_rms", "displacement_p2p"):
                assert found[name] == pytest.approx(wanted[name], rel=1e-9)
                compared += 1
    assert compared >= 12


def test_a_channel_that_was_no_number_is_whole_again_in_the_next_stretch() -> None:
    channels = (Channel("a", "g"), Channel("b", "g"))
    kernel = Kernel(FeatureSettings(groups=("velocity",)), channels, 4096)
    x = np.random.default_rng(3).standard_normal((2, 10 * 4096))
    x[0, 4096] = np.nan
    found = [
        per_channel(kernel.compute(x[:, first : first + 4096], RATE_HZ, first))
        for first in range(0, x.shape[1], 4096)
    ]
    assert found[4][0]["velocity_rms"] is None
    assert found[4][1]["velocity_rms"] > 0
    assert found[9][0]["velocity_rms"] > 0
