"""The features of one stream's windows: those that are complete at the same time go together, in one pass.

How a pass computes them is in one_pass.py. Here is how many go together, and what is remembered from one to
the next.
"""

from collections.abc import Sequence

import numpy as np

from collector.features.one_pass import Pass
from collector.features.parts import part_of
from collector.features.scratch import quiet
from collector.features.settings import FeatureSettings
from collector.features.values import FeatureValues
from collector.features.velocity import Motions
from collector.samples import Channel, Samples, Window

_MOST_SAMPLES = 56 * 1024
"""Of all channels in one pass: the event loop waits for it some milliseconds, and more would save little."""
_RECORD_SAMPLES = 2048
"""What a window's record costs beside its features, as so many samples more."""


class Kernel:
    """Computes the features of one stream's windows; not for two threads at a time, since scratch is reused.

    `hop` is the distance from one window to the next; without it, they follow one another.

    Raises:
        ValueError: a window of less than four samples, which has no spectrum to speak of.
    """

    def __init__(
        self, settings: FeatureSettings, channels: tuple[Channel, ...], n: int, hop: int | None = None
    ) -> None:
        if n < 4:
            raise ValueError("a window needs at least four samples")
        self._settings = settings
        self._channels = channels
        self._shape = (len(channels), n)
        moving = part_of("velocity", settings, channels)
        self._motions = None if moving is None else Motions(settings.velocity, moving.units, n, hop or n)
        self._quiet = quiet(n)
        self._passes: dict[int, Pass] = {}
        self.at_once = _power_of_two(_MOST_SAMPLES // (len(channels) * n + _RECORD_SAMPLES))
        """How many windows go together at most; more take several passes."""

    def compute(
        self, samples: Samples, rate_hz: float, first: int | None = None, *, carry: bool = False
    ) -> FeatureValues:
        """Every feature of one window that does not need the context.

        Args:
            samples: `[channels, n]`; a channel with NaN or infinity in it gets NaN for every feature.
            rate_hz: the sampling rate that sets the frequency axis.
            first: the index of the window's first sample; None: it follows on the window before.
            carry: whether the spectrum is to wait for the spindle's speed.

        Raises:
            ValueError: the samples have another shape than this kernel was made for.
        """
        (values,) = self._pass([samples], rate_hz, [first], carry=carry)
        return values

    def compute_all(
        self, windows: Sequence[Window], rate_hz: float, *, carry: bool = False
    ) -> list[FeatureValues]:
        """The same of each of some windows, oldest first, for a fraction of the calls of numpy."""
        made: list[FeatureValues] = []
        while len(made) < len(windows):
            count = min(_power_of_two(len(windows) - len(made)), self.at_once)
            some = windows[len(made) : len(made) + count]
            samples, firsts = [window.samples for window in some], [window.first for window in some]
            made += self._pass(samples, rate_hz, firsts, carry=carry)
        return made

    def _pass(
        self, windows: list[Samples], rate_hz: float, firsts: Sequence[int | None], *, carry: bool
    ) -> list[FeatureValues]:
        """One pass; each number of windows has its own scratch, so numbers are powers of two."""
        for samples in windows:
            if samples.shape != self._shape:
                raise ValueError(f"expected samples of shape {self._shape}, got {samples.shape}")
        count = len(windows)
        if count not in self._passes:
            n = self._shape[1]
            self._passes[count] = Pass(self._settings, self._channels, n, count, self._motions)
        rows = windows[0] if count == 1 else np.concatenate(windows)
        return self._quiet.run(self._passes[count].compute, rows, rate_hz, firsts, carry=carry)


def _power_of_two(number: int) -> int:
    """The largest power of two up to a number; 1 at least."""
    return 1 << max(number, 1).bit_length() - 1
