"""CPU time of the features of one window against a bare FFT of the same window.

Three sets: the first set; the full default set, but for what waits for the spindle's speed; and with that.
Each takes turns with the FFT, so that a slow moment of the machine meets both. Velocity comes of a stretch of
several windows, so figures are means over whole stretches; of these, medians are printed.
"""

from collections.abc import Iterable
from statistics import median
from time import process_time_ns

import numpy as np

from benchmarks.signals import RATE_HZ, ROTATION_HZ, TEETH, cut
from benchmarks.tables import Cell, Column, Table
from collector.features import BandSettings, FeatureSettings, Kernel, SpeedFeatures, Turning
from collector.features.stretch import stretch_length
from collector.samples import Channel

_LEAST_WINDOWS = 120
_WARM_UP = 2
_BANDS = tuple(
    BandSettings(low_hz=low, high_hz=high) for low, high in ((10, 1000), (1000, 5000), (5000, 10_000))
)
FIRST_SET = FeatureSettings(groups=(), bands=_BANDS)
FULL_SET = FeatureSettings(bands=_BANDS)


def measure(settings: FeatureSettings, channels: int, n: int) -> tuple[float, float, float]:
    """Microseconds for one window of a bare `rfft`, of the kernel, and of what waits for the speed."""
    axes = tuple(Channel(f"a{axis}", "g", -16, 16) for axis in range(channels))
    kernel, late = Kernel(settings, axes, n), SpeedFeatures(settings, axes)
    turning = Turning(ROTATION_HZ, 1, TEETH)
    stretch = (stretch_length(RATE_HZ, n, n) or n) // n
    windows = np.ascontiguousarray(cut(channels, stretch * n).reshape(channels, stretch, n).swapaxes(0, 1))
    figures: list[tuple[float, ...]] = []
    for _ in range(_WARM_UP + max(5, _LEAST_WINDOWS // stretch)):
        total_ns = [0, 0, 0]
        for window in windows:
            marks = [process_time_ns()]
            np.fft.rfft(window)
            marks.append(process_time_ns())
            values = kernel.compute(window, RATE_HZ, carry=late.wanted)
            marks.append(process_time_ns())
            if late.wanted:
                late.compute(values.carried, turning)
            marks.append(process_time_ns())
            for part in range(3):
                total_ns[part] += marks[part + 1] - marks[part]
        figures.append(tuple(ns / stretch / 1000 for ns in total_ns))
    fft_us, kernel_us, late_us = (median(column) for column in zip(*figures[_WARM_UP:], strict=True))
    return fft_us, kernel_us, late_us


def tables(_seconds: float) -> Iterable[Table]:
    rows: list[tuple[Cell, ...]] = []
    for channels in (3, 16):
        for n in (1024, 2048, 4096, 8192, 16384):
            first_fft_us, first_us, _ = measure(FIRST_SET, channels, n)
            fft_us, full_us, late_us = measure(FULL_SET, channels, n)
            with_speed_us = full_us + late_us
            ratios = (first_us / first_fft_us, full_us / fft_us, with_speed_us / fft_us)
            rows.append((channels, n, fft_us, first_us, full_us, with_speed_us, *ratios))
    yield Table(
        "The features of a window against a bare FFT",
        "microseconds of CPU for a window, caches warm, and ratios to rfft; the aims from 4096 samples up: "
        "first set at most 5; full set at most 12 with 3 channels and 8 with 16",
        (
            *(Column(name) for name in ("channels", "samples", "rfft us", "first set us", "full set us")),
            Column("at speed us"),
            *(Column(name, 1) for name in ("first/rfft", "full/rfft", "at speed/rfft")),
        ),
        rows,
    )
