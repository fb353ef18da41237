"""CPU time of a window's whole way against the script that a researcher would write.

The script takes one channel and one window at a time: figures with numpy and scipy.stats, the spectrum with
scipy.signal.welch, its peaks with find_peaks, then `json.dumps` and a QoS 1 publish with
paho. It gives as many figures as the full set has of its kind, in the plainest way that the libraries offer.

Not quite like for like: the script's velocity is that of the window alone, with bins 6 Hz apart, while ours
takes a longer stretch for the resolution that it needs, and gives the displacement. So both are also measured
without velocity; what is left is that the script looks for no doubts (dropouts, jumps, mere noise).

They take turns, window by window. Scipy is needed here alone, not by the collector.
"""

import asyncio
import json
import logging
import tempfile
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from time import process_time_ns
from typing import Any

import numpy as np
import structlog
from scipy import signal, stats

from benchmarks.delivery import delivering
from benchmarks.pipeline import BareClient
from benchmarks.rig import broker, write_configuration
from benchmarks.signals import RATE_HZ, cut
from benchmarks.tables import Cell, Column, Table
from collector.config import load
from collector.features.feature import Group
from collector.features.settings import ALL_GROUPS
from collector.samples import Chunk, Run, Samples
from collector.waveform import Waveform

_N = 4096
_ROUNDS, _WARM_UP = 40, 5
_CHUNK = 2560
_STREAM = """\
[[waveforms]]
name = "of-{channels}"
source = {{ kind = "simulated", rate_hz = {rate_hz:.0f} }}
channels = [{names}]
window = {{ samples = {n} }}

[waveforms.features]
groups = [{groups}]
bands = [
    {{ low_hz = 10, high_hz = 1000 }},
    {{ low_hz = 1000, high_hz = 5000 }},
    {{ low_hz = 5000, high_hz = 10000 }},
]
"""
_BANDS = ((10, 1000), (1000, 5000), (5000, 10_000))
_GROUPS: dict[str, tuple[Group, ...]] = {
    "full set": ALL_GROUPS,
    "without velocity": ("shape", "spectrum", "octaves"),
}
_OCTAVES = tuple(1000 * 10 ** (0.3 * number) for number in range(-4, 4))


def tables(_seconds: float) -> Iterable[Table]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    rows: list[tuple[Cell, ...]] = []
    for channels, aim in ((3, "8"), (16, "15")):
        for name, groups in _GROUPS.items():
            ours_us, script_us = asyncio.run(_measure(channels, groups))
            rows.append((channels, name, ours_us, script_us, script_us / ours_us, aim))
    yield Table(
        "A window's whole way against the script that a researcher would write",
        f"microseconds of CPU for a window of {_N} samples, from the chunk to the broker's PUBACK; the "
        "script takes numpy, scipy, json and paho, one channel and one window at a time",
        (
            Column("channels"),
            Column("features"),
            Column("collector"),
            Column("script"),
            Column("ratio", 1),
            Column("aim: at least"),
        ),
        rows,
    )


async def _measure(channels: int, groups: tuple[Group, ...]) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as name, broker(Path(name)) as port:
        names = ", ".join(f'{{ name = "a{axis}", unit = "g" }}' for axis in range(channels))
        wanted = ", ".join(f'"{group}"' for group in groups)
        stream = _STREAM.format(channels=channels, rate_hz=RATE_HZ, names=names, n=_N, groups=wanted)
        write_configuration(Path(name), port, stream)
        config = load(Path(name))
        async with delivering(config) as delivery:
            waveform = Waveform(config.machines[0], config.machines[0].waveforms[0], delivery.journal)
            client = BareClient(port)
            samples, at = cut(channels, 5 * _N), 0
            ours, scripts = [], []
            for number in range(_WARM_UP + _ROUNDS):
                chunks: list[Chunk] = []
                while not chunks or (at // _N) <= number:
                    start = at % (samples.shape[1] - _CHUNK)
                    at += _CHUNK
                    piece = samples[:, start : start + _CHUNK].copy()
                    chunks.append(Chunk(Run(piece), round(1e9 * at / RATE_HZ)))
                start_ns = process_time_ns()
                for chunk in chunks:
                    waveform.take(chunk)
                await delivery.outbox.all_confirmed.wait()
                ours.append(process_time_ns() - start_ns)
                first = number % 5 * _N
                start_ns = process_time_ns()
                record = {
                    f"a{c}": evaluate(samples[c, first : first + _N], velocity="velocity" in groups)
                    for c in range(channels)
                }
                client.publish("script", json.dumps({"channels": record}).encode())
                scripts.append(process_time_ns() - start_ns)
            client.close()
    # A mean, since a fifth of our windows end a stretch; the slowest tenth was somebody else.
    return _typical(ours[_WARM_UP:]), median(scripts[_WARM_UP:]) / 1000


def _typical(nanoseconds: list[int]) -> float:
    kept = sorted(nanoseconds)[: len(nanoseconds) * 9 // 10]
    return sum(kept) / len(kept) / 1000


def evaluate(x: Samples, *, velocity: bool) -> dict[str, Any]:
    """The features of one channel's window, as one writes them."""
    centred = x - np.mean(x)
    rms = np.sqrt(np.mean(centred**2))
    peak = np.max(np.abs(centred))
    f, density = signal.welch(x, RATE_HZ, window="hann", nperseg=len(x), detrend="constant")
    amplitude = np.sqrt(density * 1.5 * RATE_HZ / len(x) * 2)
    tops, found = signal.find_peaks(amplitude, prominence=0)
    strongest = tops[np.argsort(amplitude[tops])[::-1][:5]]
    prominences = dict(zip(tops.tolist(), found["prominences"].tolist(), strict=True))
    p = density / density.sum()
    centroid = np.sum(f * p)
    _, _, segments = signal.stft(x, RATE_HZ, nperseg=128, noverlap=0)
    power = np.abs(segments) ** 2
    kurtosis = np.mean(power**2, axis=1) / np.mean(power, axis=1) ** 2 - 2
    step_hz = f[1]
    record = {
        "mean": float(np.mean(x)),
        "std": float(np.std(x, ddof=1)),
        "rms": float(rms),
        "peak": float(peak),
        "p2p": float(np.ptp(x)),
        "crest": float(peak / rms),
        "shape": float(rms / np.mean(np.abs(centred))),
        "impulse": float(peak / np.mean(np.abs(centred))),
        "clearance": float(peak / np.mean(np.sqrt(np.abs(centred))) ** 2),
        "skewness": float(stats.skew(x)),
        "kurtosis": float(stats.kurtosis(x, fisher=False)),
        "zero_crossings": int(np.sum(np.diff(np.signbit(centred)))),
        "total_rms": float(np.sqrt(np.sum(density) * step_hz)),
        "centroid": float(centroid),
        "spread": float(np.sqrt(np.sum((f - centroid) ** 2 * p))),
        "rolloff": float(f[np.searchsorted(np.cumsum(p), 0.85)]),
        "entropy": float(stats.entropy(p) / np.log(len(p))),
        "flatness": float(stats.gmean(density) / np.mean(density)),
        "spectral_kurtosis": float(np.max(kurtosis[1:-1])),
        "band_rms": {
            f"{low}-{high}": float(np.sqrt(np.sum(density[(f >= low) & (f <= high)]) * step_hz))
            for low, high in _BANDS
        },
        "octave_rms": {
            f"{middle:.0f}": float(
                np.sqrt(np.sum(density[(f >= middle / 2**0.5) & (f < middle * 2**0.5)]) * step_hz)
            )
            for middle in _OCTAVES
        },
        "peaks": [
            {"hz": float(f[k]), "amplitude": float(amplitude[k]), "prominence": prominences[int(k)]}
            for k in strongest
        ],
    }
    if velocity:
        inside = (f >= 10) & (f <= 1000)
        integrated = np.sum(density[inside] / (2 * np.pi * f[inside]) ** 2)
        record["velocity_rms"] = float(9806.65 * np.sqrt(integrated * step_hz))
    return record
