"""Real recordings, cut by Windows, against the reference features that came with them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from collector.features import BandSettings, FeatureSettings, Kernel, per_channel
from collector.samples import Block, Channel, Samples
from collector.windows import Windows

N, HOP, RATE_HZ = 1024, 512, 1000.0
TIME_DOMAIN = ("mean", "rms", "peak", "p2p", "crest", "kurtosis", "skewness")
BANDS = {"psd_total_rms": "0-500", "band_10_100_rms": "10-100"}


def features(samples: Samples) -> dict[int, list[dict[str, Any]]]:
    """The features of every window by its first index, the recording being fed in uneven blocks."""
    channels = tuple(Channel(f"c{i}", "g") for i in range(len(samples)))
    settings = FeatureSettings(
        bands=(BandSettings(low_hz=0, high_hz=500), BandSettings(low_hz=10, high_hz=100)), peaks=1
    )
    windows, kernel = Windows(len(samples), N, HOP), Kernel(settings, channels, N)
    found = {}
    for first in range(0, samples.shape[1], 777):
        for window in windows.push(Block(first, samples[:, first : first + 777])):
            found[window.first] = per_channel(kernel.compute(window.samples, RATE_HZ))
    return found


def check(found: dict[int, list[dict[str, Any]]], channel: int, expected: list[dict[str, float]]) -> None:
    for reference in expected:
        values = found[int(reference["first"])][channel]
        assert [values[name] for name in TIME_DOMAIN] == pytest.approx(
            [reference[name] for name in TIME_DOMAIN], rel=1e-9
        )
        for name, band in BANDS.items():
            assert values["band_rms"][band] == pytest.approx(reference[name], rel=1e-6)
        if reference["psd_peak_hz"] > RATE_HZ / N:  # the lowest bin is highest where the true peak is at DC
            assert values["peaks"][0]["hz"] == pytest.approx(reference["psd_peak_hz"], abs=RATE_HZ / N * 0.7)


def test_milling_acceleration(recordings: Path) -> None:
    with np.load(recordings / "mill_accel_1khz_int16.npz") as recording:
        samples = np.ascontiguousarray((recording["raw"] * float(recording["scale_g"])).T)
    reference = json.loads((recordings / "expected_scipy.json").read_text())["mill_accel_1khz_int16"]
    assert (reference["window"], reference["hop"], reference["rate_hz"]) == (N, HOP, RATE_HZ)
    found = features(samples)
    for channel, axis in enumerate("xyz"):
        assert len(reference["axes"][axis]) == 40
        check(found, channel, reference["axes"][axis])


def test_turning_power(recordings: Path) -> None:
    with np.load(recordings / "cnc_turning_trace_1khz.npz") as recording:
        samples = np.asarray(recording["Power_MainSpindle"], dtype=np.float64)[np.newaxis]
    reference = json.loads((recordings / "expected_scipy.json").read_text())
    entry = reference["cnc_turning_trace_1khz/Power_MainSpindle"]
    assert len(entry["values"]) == 40
    check(features(samples[:, :30_000]), 0, entry["values"])
