"""Every so many-th value of a filtered signal, of which the low end of a long transform comes for less.

What the filter does to each bin is known and taken back, so the bins are those of the whole signal but for
what comes in by aliasing: see `Decimation`.
"""

import numpy as np

from collector.features.scratch import kept
from collector.features.spectrum import Transform
from collector.samples import Samples

_OUTPUTS = 16
"""Of one block: with fewer there is more to add, with more there are more products with zeros."""
_LEAST, _MOST = 4, 64
"""Below 4 the filter costs as much as the shorter transform saves."""
_RATE_OVER_BAND = 6.0
"""The new rate over the upper end of the band."""
OTHER_RATE = 0.05
"""A rate that differs by no more may go on with this plan, though its band is so much wider in bins."""


def decimation(high_hz: float, rate_hz: float, hop: int) -> int:
    """How many samples can become one, if the band ends at `high_hz` and `hop` of them come at a time."""
    factor = _MOST
    while factor >= _LEAST:
        if rate_hz >= _RATE_OVER_BAND * factor * high_hz and hop % (factor * _OUTPUTS) == 0:
            return factor
        factor //= 2
    return 1


class Decimation:
    """Filters some channels of `n` samples, which come a hop at a time, and keeps every `factor`-th value.

    The filter, a sinc under a Kaiser window, comes round from the end of the samples to their begin, so its
    effect on a bin is a factor and no more. It ends with the mean of `factor` samples, whose zeros are where
    what aliases to 0 Hz comes from: integration raises the lowest bins most. A tone above half of the new
    rate leaves less than 3·10⁻⁸ of its own velocity in the band, half of the last bit of a sensor with 24.

    Source: J. F. Kaiser, Nonrecursive digital filter design using the I0-sinh window function, Proc. IEEE
    Int. Symp. Circuits and Systems (1974).
    """

    def __init__(self, channels: int, n: int, hop: int, factor: int, edge: float) -> None:
        """Plan the filter; `edge` is the upper end of the band over the sampling rate."""
        self._factor = factor
        self._block = block = _OUTPUTS * factor
        edge *= 1 + OTHER_RATE
        taps = _taps(factor, edge)
        weights = np.zeros((2 * block, _OUTPUTS))
        for output in range(_OUTPUTS):
            weights[output * factor : output * factor + len(taps), output] = taps
        self._own, self._before = weights[:block], weights[block:]
        # What the first block adds to the one before belongs to the last one: it waits in a place of its own.
        self._from_before = kept(channels, 1 + n // block, _OUTPUTS)
        self._values = self._from_before[:, 1:]
        self._to_before = kept(channels, hop // block, _OUTPUTS)
        self._transform = kept(channels, n // factor // 2 + 1, dtype=np.complex128)
        known = min(int(edge * n) + 2, self._transform.shape[1])
        self._restored = self._transform[:, :known]
        self._gain = factor / np.conj(np.fft.rfft(taps, n)[:known])

    def put(self, samples: Samples, at: int) -> None:
        """Take the samples `[channels, hop]` that begin with the one of index `at`; in order."""
        blocks = samples.reshape(len(samples), -1, self._block)
        first, end = at // self._block, at // self._block + blocks.shape[1]
        if not first:
            self._from_before[:, 0] = 0.0
        np.matmul(blocks, self._own, out=self._values[:, first:end])
        self._from_before[:, first:end] += np.matmul(blocks, self._before, out=self._to_before)

    def transform(self) -> Transform:
        """X of all samples, as far as the band goes and one bin more; overwritten by the next one."""
        self._values[:, -1] += self._from_before[:, 0]
        np.fft.rfft(self._values.reshape(len(self._values), -1), axis=1, out=self._transform)
        self._restored *= self._gain
        return self._restored


def _taps(factor: int, edge: float) -> Samples:
    """The filter's weights, as many as a block and one value's samples; the band ends at `edge`."""
    count = _OUTPUTS * factor + 1
    transition = 1 / factor - 2 * edge
    attenuation_db = 8.0 + 2.285 * 2 * np.pi * transition * (count - 1)
    at = np.arange(count) - (count - 1) / 2
    low_pass = np.sinc(at / factor) / factor * np.kaiser(count, 0.1102 * (attenuation_db - 8.7))
    return np.convolve(low_pass, np.full(factor, 1 / factor))
