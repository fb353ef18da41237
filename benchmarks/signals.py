"""Samples that look like a cut: rotation, tooth passing, noise. Nothing here measures."""

import numpy as np

from collector.samples import Samples

RATE_HZ = 25_600.0
ROTATION_HZ = 100.0
TEETH = 4

_LINES = ((1, 0.3), (2, 0.1), (TEETH, 1.0), (2 * TEETH, 0.6), (3 * TEETH, 0.3), (8.7, 0.2))
"""Multiples of the rotation with their amplitudes; one is none, as of chatter that begins."""


def cut(channels: int, n: int, rate_hz: float = RATE_HZ) -> Samples:
    """A cut of `n` samples, the same each time, `[channels, n]`."""
    random = np.random.default_rng(1)
    turns = ROTATION_HZ * np.arange(n) / rate_hz
    phases = random.uniform(0, 2 * np.pi, (len(_LINES), channels, 1))
    samples = 0.3 * random.standard_normal((channels, n))
    for (order, amplitude), phase in zip(_LINES, phases, strict=True):
        samples += amplitude * np.sin(2 * np.pi * order * turns + phase)
    return samples
