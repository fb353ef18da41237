"""The transform of a stretch of samples over several windows, where one window is too short for its bins."""

import numpy as np

from collector.features.decimation import Decimation, decimation
from collector.features.scratch import kept
from collector.features.spectrum import Transform
from collector.samples import Samples

RESOLUTION_HZ = 1.5
"""With bins further apart the low end of velocity's band is wrong by several percent."""
_LONGEST = 1 << 20


def stretch_length(rate_hz: float, n: int, hop: int) -> int | None:
    """How many samples the resolution needs: a window, or whole hops; None where windows have holes."""
    if rate_hz / n <= RESOLUTION_HZ:
        return n
    length = hop * int(np.ceil(rate_hz / (RESOLUTION_HZ * hop)))
    return length if hop <= n and length <= _LONGEST else None


class Stretch:
    """The newest `n` samples of some channels, of which each window brings `hop`.

    Args:
        high_hz: up to where the transform is wanted; there may be no bins above.
        rate_hz: the sampling rate; it may differ by 5 % later.
    """

    def __init__(self, channels: int, n: int, hop: int, high_hz: float, rate_hz: float) -> None:
        self._n, self._hop = n, hop
        factor = decimation(high_hz, rate_hz, hop)
        self._kept: Decimation | _Whole = (
            _Whole(channels, n) if factor == 1 else Decimation(channels, n, hop, factor, high_hz / rate_hz)
        )
        self._filled = 0
        self._end: int | None = None

    def add(self, samples: Samples, first: int | None) -> Transform | None:
        """Take what a window has of new samples; gives X of the stretch once it is full, and begins anew.

        What is given is overwritten by the next one.

        Args:
            samples: of the window, `[channels, n]`.
            first: the index of its first sample; None where it follows the window before. A gap begins the
                stretch anew.
        """
        end = None if first is None else first + samples.shape[1]
        if self._end is not None and end is not None and end - self._hop != self._end:
            self._filled = 0
        self._end = end
        self._kept.put(samples[:, -self._hop :], self._filled)
        self._filled += self._hop
        if self._filled < self._n:
            return None
        self._filled = 0
        return self._kept.transform()


class _Whole:
    """All samples of a stretch; what `Decimation` does where there is no room above the band."""

    def __init__(self, channels: int, n: int) -> None:
        self._samples = kept(channels, n)
        self._transform = kept(channels, n // 2 + 1, dtype=np.complex128)

    def put(self, samples: Samples, at: int) -> None:
        self._samples[:, at : at + samples.shape[1]] = samples

    def transform(self) -> Transform:
        return np.fft.rfft(self._samples, axis=1, out=self._transform)
