"""CPU time of the feature kernel for one window against a bare FFT of the same window.

Both are measured in turns in one run, so that a slow moment of the machine meets both; medians are printed.
The aim is a ratio of at most 5 from 4096 samples up.
"""

from collections.abc import Iterable
from statistics import median
from time import process_time_ns

import numpy as np

from benchmarks.tables import Column, Table
from collector.features import BandSettings, FeatureSettings, Kernel
from collector.samples import Channel

ROUNDS = 101
RATE_HZ = 25_600.0
BANDS = ((10, 1000), (1000, 5000), (5000, 10_000))


def measure(channels: int, n: int) -> tuple[float, float]:
    """Microseconds of a bare `rfft` and of the kernel for one window."""
    bands = tuple(BandSettings(low_hz=low, high_hz=high) for low, high in BANDS)
    axes = tuple(Channel(f"a{axis}", "g", -16, 16) for axis in range(channels))
    kernel = Kernel(FeatureSettings(bands=bands), axes, n)
    windows = np.random.default_rng(1).standard_normal((4, channels, n))
    fft_ns, kernel_ns = [], []
    for turn in range(ROUNDS + 5):
        window = windows[turn % len(windows)]
        start = process_time_ns()
        np.fft.rfft(window)
        between = process_time_ns()
        kernel.compute(window, RATE_HZ)
        kernel_ns.append(process_time_ns() - between)
        fft_ns.append(between - start)
    return median(fft_ns[5:]) / 1000, median(kernel_ns[5:]) / 1000


def tables(_seconds: float) -> Iterable[Table]:
    rows = []
    for channels in (3, 16):
        for n in (1024, 2048, 4096, 8192, 16384):
            fft_us, kernel_us = measure(channels, n)
            rows.append((channels, n, fft_us, kernel_us, kernel_us / fft_us))
    yield Table(
        "The feature kernel against a bare FFT",
        "microseconds of CPU for a window, caches warm; the aim is a ratio of at most 5 from 4096 samples up",
        (Column("channels"), Column("samples"), Column("rfft us"), Column("kernel us"), Column("ratio", 2)),
        rows,
    )
