"""What tests of decoders share: feeding in pieces, and runs compared whatever the pieces were."""

from collections.abc import Callable, Iterable
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from collector.samples import Loss, Run

Feed = Callable[[bytes], list[Run]]

cut_places = st.lists(st.floats(0, 1), max_size=12)
"""Where to cut a stream, as parts of its length."""


def feed_in_pieces(feed: Feed, data: bytes, places: Iterable[float]) -> list[Run]:
    """Feed the data cut at these places."""
    edges = [0, *sorted(round(place * len(data)) for place in places), len(data)]
    return [run for start, end in pairwise(edges) for run in feed(data[start:end])]


def merged(runs: list[Run]) -> list[tuple[list[list[float]], Loss | None]]:
    """The samples (one list each) between losses: the same for every way of cutting the stream."""
    whole: list[tuple[list[list[float]], Loss | None]] = []
    for run in runs:
        if run.loss is not None or not whole:
            whole.append(([], run.loss))
        whole[-1][0].extend(run.samples.T.tolist())
    return whole


def all_samples(runs: list[Run]) -> npt.NDArray[np.float64]:
    """Every sample, `[channels, n]`."""
    return np.concatenate([run.samples for run in runs], axis=1)


def is_subsequence(part: Iterable[object], whole: Iterable[object]) -> bool:
    """Whether `part` is `whole` with some left out."""
    rest = iter(whole)
    return all(item in rest for item in part)
