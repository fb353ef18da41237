"""The line through the promptest arrivals, against numpy's own medians and quantiles."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.prompt_arrivals import PromptArrivals

steps = st.lists(st.tuples(st.integers(1, 10_000), st.integers(1, 10**9)), min_size=2, max_size=60)


@given(steps, st.integers(0, 10**15))
def test_the_line_is_the_median_of_slopes_through_the_tenth_quantile(
    said: list[tuple[int, int]], begin_ns: int
) -> None:
    arrivals = PromptArrivals(100)
    index, at_ns = np.cumsum(np.array(said), axis=0).T
    at_ns += begin_ns
    for at in zip(index.tolist(), at_ns.tolist(), strict=True):
        arrivals.add(*at)
    line = arrivals.line()
    half = len(index) // 2
    period_ns = np.median((at_ns[-half:] - at_ns[:half]) / (index[-half:] - index[:half]))
    delays = at_ns - at_ns[0] - (index - index[0]) * period_ns
    envelope_ns, middle_ns = np.quantile(delays, (0.1, 0.5))
    span_ns, largest_ns = int(at_ns[-1] - at_ns[0]), float(np.abs(delays).max()) + 1
    assert line.period_ns == pytest.approx(period_ns, rel=1e-12)
    assert (line.origin_index, line.span_ns) == (index[0], span_ns)
    assert line.origin_ns - begin_ns == pytest.approx(
        at_ns[0] - begin_ns + envelope_ns, abs=1e-6 * largest_ns + 1
    )
    assert line.error == pytest.approx(
        4 * (middle_ns - envelope_ns) / span_ns, abs=1e-6 * largest_ns / span_ns
    )


def test_only_the_newest_are_kept() -> None:
    arrivals = PromptArrivals(3)
    for index in range(5):
        arrivals.add(index, 10 * index)
    kept, at_ns = arrivals.newest(9)
    assert (kept.tolist(), at_ns.tolist()) == ([2, 3, 4], [20, 30, 40])
    arrivals.move(2, 100)
    assert arrivals.newest(3)[0].tolist() == [2, 103, 104]
    arrivals.forget(2)
    assert (len(arrivals), arrivals.newest(1)[0].tolist()) == (1, [104])
