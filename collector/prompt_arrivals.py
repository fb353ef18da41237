"""The promptest arrivals of a stream, and the line through their lower envelope; pure.

Which arrivals are prompt, and when a line may be believed, is decided in sample_clock.py.
"""

from array import array
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Line:
    """A line from index to monotonic time, through the origin that it was fitted about.

    `error` is the estimated relative error of the period.
    """

    period_ns: float
    origin_index: int
    origin_ns: float
    span_ns: int
    error: float


class PromptArrivals:
    """Indices of samples and when they came, oldest first; of more than `most` the oldest are forgotten.

    Bare numbers side by side: as objects they would be fetched from all over the memory with each fit.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._index, self._at_ns = array("q"), array("q")

    def __len__(self) -> int:
        return len(self._index)

    def add(self, index: int, at_ns: int) -> None:
        """Take the next arrival."""
        self._index.append(index)
        self._at_ns.append(at_ns)
        if len(self._index) > self._most:
            self.forget(1)

    def forget(self, n: int) -> None:
        """Forget the `n` oldest."""
        del self._index[:n], self._at_ns[:n]

    def newest(self, n: int) -> tuple[Integers, Integers]:
        """Indices and times of the `n` newest, or of as many as there are."""
        return np.array(self._index[-n:]), np.array(self._at_ns[-n:])

    def move(self, n: int, by: int) -> None:
        """Count the indices of the `n` newest onwards."""
        for place in range(len(self._index) - n, len(self._index)):
            self._index[place] += by

    def line(self) -> Line:
        """The line of at least two arrivals, as decision 0007 has it.

        The period is the median of slopes over half the span: neither a late stretch nor a single early burst
        moves it. The line goes through the tenth quantile of the delays against that slope.
        """
        index, at_ns = self.newest(len(self))
        half = len(index) // 2
        period_ns = _quantile((at_ns[-half:] - at_ns[:half]) / (index[-half:] - index[:half]), 0.5)[0]
        envelope_ns, middle_ns = _quantile(at_ns - at_ns[0] - (index - index[0]) * period_ns, 0.1, 0.5)
        span_ns = int(at_ns[-1] - at_ns[0])
        error = 4 * (middle_ns - envelope_ns) / span_ns
        return Line(period_ns, int(index[0]), int(at_ns[0]) + envelope_ns, span_ns, error)


def _quantile(numbers: npt.NDArray[np.float64], *parts: float) -> list[float]:
    """Quantiles between the neighbours in order; `numpy.quantile` takes ten times as long for the same."""
    ordered = np.sort(numbers)
    last = len(ordered) - 1
    found = []
    for part in parts:
        below = int(part * last)
        step = float(ordered[min(below + 1, last)] - ordered[below])
        found.append(float(ordered[below]) + (part * last - below) * step)
    return found
