"""CPU time of a window's whole way against the script that a researcher would write.

The script takes one channel and one window at a time: figures with numpy and scipy.stats, the spectrum with
scipy.signal.welch, its peaks with find_peaks, then `json.dumps` and a QoS 1 publish with
paho. It gives the figures of the full set, velocity and displacement of five windows together for their
resolution, and looks for the same doubts, in the plainest way that the libraries offer.

They take turns, window by window. Scipy is needed here alone, not by the collector.
"""

import asyncio
import json
import logging
import tempfile
from collections.abc import Iterable
from math import log
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
from collector.samples import Chunk, Run, Samples
from collector.streams.waveform import Waveform

_N = 4096
_STRETCH = 5
"""Windows for one velocity: 20,480 samples at 25.6 kHz are 1.25 Hz a bin."""
_STRETCHES, _WARM_UP = 12, 1
_CHUNK = 2560
_STREAM = """\
[[waveforms]]
name = "of-{channels}"
source = {{ kind = "simulated", rate_hz = {rate_hz:.0f} }}
channels = [{names}]
window = {{ samples = {n} }}

[waveforms.features]
bands = [
    {{ low_hz = 10, high_hz = 1000 }},
    {{ low_hz = 1000, high_hz = 5000 }},
    {{ low_hz = 5000, high_hz = 10000 }},
]
"""
_RANGE_G = 16.0
_BANDS = ((10, 1000), (1000, 5000), (5000, 10_000))
_OCTAVES = tuple(1000 * 10 ** (0.3 * number) for number in range(-4, 4))


def tables(_seconds: float) -> Iterable[Table]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    rows: list[tuple[Cell, ...]] = []
    for channels, aim in ((3, "8"), (16, "15")):
        ours_us, script_us = asyncio.run(_measure(channels))
        rows.append((channels, ours_us, script_us, script_us / ours_us, aim))
    yield Table(
        "A window's whole way against the script that a researcher would write",
        f"microseconds of CPU for a window of {_N} samples, from the chunk to the broker's PUBACK; the "
        "script takes numpy, scipy, json and paho, one channel and one window at a time",
        (
            Column("channels"),
            Column("collector"),
            Column("script"),
            Column("ratio", 1),
            Column("aim: at least"),
        ),
        rows,
    )


async def _measure(channels: int) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as name, broker(Path(name)) as port:
        names = ", ".join(f'{{ name = "a{axis}", unit = "g" }}' for axis in range(channels))
        stream = _STREAM.format(channels=channels, rate_hz=RATE_HZ, names=names, n=_N)
        write_configuration(Path(name), port, stream)
        config = load(Path(name))
        async with delivering(config) as delivery:
            waveform = Waveform(config.machines[0], config.machines[0].waveforms[0], delivery.journal)
            client = BareClient(port)
            samples, at = cut(channels, _STRETCH * _N), 0
            ours, scripts = [], []
            for number in range((_WARM_UP + _STRETCHES) * _STRETCH):
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
                first = number % _STRETCH * _N
                start_ns = process_time_ns()
                record = {f"a{c}": evaluate(samples[c, first : first + _N]) for c in range(channels)}
                if first + _N == samples.shape[1]:
                    for c in range(channels):
                        record[f"a{c}"] |= motion(samples[c])
                client.publish("script", json.dumps({"channels": record}).encode())
                scripts.append(process_time_ns() - start_ns)
            client.close()
    return _typical_us(ours), _typical_us(scripts)


def _typical_us(nanoseconds: list[int]) -> float:
    """The median of means over whole stretches, since one window of a stretch costs more than the others."""
    stretches = range(_WARM_UP * _STRETCH, len(nanoseconds), _STRETCH)
    return median(sum(nanoseconds[start : start + _STRETCH]) for start in stretches) / _STRETCH / 1000


def evaluate(x: Samples) -> dict[str, Any]:
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
    return {
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
        "spectral_kurtosis_hz": float((1 + np.argmax(kurtosis[1:-1])) * RATE_HZ / 128),
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
            peak_at(int(k), amplitude, step_hz) | {"prominence": prominences[int(k)]} for k in strongest
        ],
        "clipped": int(np.sum(np.abs(x) >= _RANGE_G)),
        "doubts": doubts(x, density),
    }


def peak_at(k: int, amplitude: Samples, step_hz: float) -> dict[str, float]:
    """A peak between the bins, by a parabola through three logarithms."""
    left, middle, right = np.log(amplitude[k - 1 : k + 2])
    shift = (left - right) / (left - 2 * middle + right) / 2
    return {
        "hz": float((k + shift) * step_hz),
        "amplitude": float(np.exp(middle - (left - right) * shift / 4)),
    }


def doubts(x: Samples, density: Samples) -> list[str]:
    """Why not to trust a window, as one looks for it."""
    n, found = len(x), []
    if np.any(np.abs(x) >= _RANGE_G):
        found.append("clipped")
    if np.ptp(x) == 0:
        found.append("stuck")
    changes = np.concatenate(([-1], np.flatnonzero(np.diff(x)), [n - 1]))
    if np.max(np.diff(changes)) >= n // 64:
        found.append("dropout")
    places = np.arange(1, 64) * n // 64
    sums, squares = np.cumsum(x), np.sum(x**2)
    before = sums[places - 1] / places
    after = (sums[-1] - sums[places - 1]) / (n - places)
    about_both = np.sqrt((squares - places * before**2 - (n - places) * after**2) / n)
    if np.any(np.abs(after - before) > 5 * about_both):
        found.append("dc-jump")
    if np.max(density) < (log(len(density)) + 3) * np.mean(density) and stats.kurtosis(x) < 1:
        found.append("low-snr")
    return found


def motion(x: Samples) -> dict[str, float]:
    """Velocity and displacement of one channel's stretch of windows."""
    f, density = signal.welch(x, RATE_HZ, window="hann", nperseg=len(x), detrend="constant")
    inside = (f >= 10) & (f <= 1000)
    integrated = np.sum(density[inside] / (2 * np.pi * f[inside]) ** 2)
    window = signal.get_window("hann", len(x))
    spectrum = np.fft.rfft((x - np.mean(x)) * window)
    path = np.fft.irfft(np.where(inside, spectrum / -((2 * np.pi * np.maximum(f, f[1])) ** 2), 0), n=len(x))
    middle = slice(len(x) // 4, len(x) * 3 // 4)  # where the window may be divided by again
    return {
        "velocity_rms": float(9806.65 * np.sqrt(integrated * f[1])),
        "displacement_p2p": float(9806650 * np.ptp(path[middle] / window[middle])),
    }
