"""Windows that go through the kernel together give the same numbers as one after the other."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from feature_windows import CLIP, EVERYTHING, RATE_HZ
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.features import FEATURES, FeatureValues, Kernel, SpeedFeatures, Turning, per_channel
from collector.samples import Channel, Samples, Unit, Window

UNITS: tuple[Unit, ...] = ("g", "m/s2", "A")


def channels_of(units: tuple[Unit, ...]) -> tuple[Channel, ...]:
    return tuple(Channel(f"c{i}", unit, -CLIP, CLIP) for i, unit in enumerate(units))


def windows_of(samples: Samples, n: int, hop: int, lost: dict[int, int]) -> list[Window]:
    """Windows one after the other; `lost` samples are missing before some of them."""
    made, first = [], 0
    for number in range((samples.shape[1] - n) // hop + 1):
        first += lost.get(number, 0)
        at = number * hop
        made.append(Window(first + at, np.ascontiguousarray(samples[:, at : at + n]), hop))
    return made


MARKS = ("clipped", "finite", "constant", "dropout", "jumped", "noisy")


def numbers(value: Any, path: str = "") -> Iterator[tuple[str, float]]:
    """Every number of a record by its path; null as NaN."""
    if isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from numbers(part, f"{path}/{key}")
    else:
        yield path, np.nan if value is None else value


def agree(found: Any, expected: Any) -> None:
    """The same numbers are null, and the others the same but for what another processor may round."""
    ours, theirs = dict(numbers(found)), dict(numbers(expected))
    assert list(ours) == list(theirs)
    np.testing.assert_allclose(list(ours.values()), list(theirs.values()), rtol=1e-12)


def plain(values: FeatureValues) -> list[Any]:
    """All numbers and marks of a window."""
    return [*per_channel(values), {mark: getattr(values, mark).tolist() for mark in MARKS}]


def odd(samples: Samples, spoils: list[tuple[int, int, str]]) -> Samples:
    """Samples with what is wrong or rare in them."""
    spoiled = samples.copy()
    for channel, at, what in spoils:
        row = spoiled[channel % len(spoiled)]
        start = at % spoiled.shape[1]
        if what == "still":
            row[start : start + 100] = 0.25
        elif what == "level":
            row[start:] += 20.0
        elif what == "huge":
            row[start] = 1e200
        elif what == "clipped":
            row[start] = CLIP
        else:
            row[start] = float(what)
    return spoiled


@settings(deadline=None, max_examples=40)
@given(
    units=st.lists(st.sampled_from(UNITS), min_size=1, max_size=4).map(tuple),
    n=st.sampled_from([16, 64, 100, 101, 512]),
    shared=st.sampled_from([0.25, 0.5, 1.0, 1.3]),
    windows=st.integers(2, 24),
    seed=st.integers(0, 2**32 - 1),
    spoils=st.lists(
        st.tuples(
            st.integers(0, 3),
            st.integers(0, 12_000),
            st.sampled_from(["nan", "inf", "still", "level", "huge", "clipped"]),
        ),
        max_size=4,
    ),
    lost=st.dictionaries(st.integers(1, 23), st.integers(1, 500), max_size=3),
    cuts=st.sets(st.integers(1, 23)),
    rates=st.lists(st.sampled_from([RATE_HZ, 0.998 * RATE_HZ, 400.0]), min_size=1, max_size=3),
    carry=st.booleans(),
)
def test_together_or_one_after_the_other(
    units: tuple[Unit, ...],
    n: int,
    shared: float,
    windows: int,
    seed: int,
    spoils: list[tuple[int, int, str]],
    lost: dict[int, int],
    cuts: set[int],
    rates: list[float],
    carry: bool,
) -> None:
    hop = max(1, round(n * shared))
    noise = np.random.default_rng(seed).standard_normal((len(units), n + hop * (windows - 1)))
    every = windows_of(odd(noise, spoils), n, hop, lost)
    channels = channels_of(units)
    together, alone = (Kernel(EVERYTHING, channels, n, hop) for _ in range(2))
    late = SpeedFeatures(EVERYTHING, channels)
    bounds = sorted({0, *(cut for cut in cuts if cut < windows), windows})
    for number, (start, end) in enumerate(pairwise(bounds)):
        rate_hz = rates[number % len(rates)]
        some = every[start:end]
        found = together.compute_all(some, rate_hz, carry=carry)
        for window, values in zip(some, found, strict=True):
            expected = alone.compute(window.samples, rate_hz, window.first, carry=carry)
            agree(plain(values), plain(expected))
            assert (values.rows.reasons, values.covered) == (expected.rows.reasons, expected.covered)
            for turning in (Turning(150.0, None, 2), Turning(2.0, None, None)):
                of_both = [late.compute(of.carried, turning) for of in (values, expected)]
                agree(*([at_speed.channels, at_speed.refined_hz] for at_speed in of_both))
                assert of_both[0].nulls == of_both[1].nulls


def test_every_row_of_the_table_says_something_there() -> None:
    """The property above would hold for nothing but nulls, too."""
    channels = channels_of(UNITS)
    hop, n = 512, 1024
    time = np.arange(hop * 15 + n) / RATE_HZ
    cut = sum(
        a * np.sin(2 * np.pi * hz * time) for hz, a in ((21.0, 0.5), (63.0, 1.0), (60.4, 0.8), (187.7, 1.2))
    )
    samples = cut + 0.1 * np.random.default_rng(4).standard_normal((3, len(time)))
    kernel, late = Kernel(EVERYTHING, channels, n, hop), SpeedFeatures(EVERYTHING, channels)
    seen = set()
    for values in kernel.compute_all(windows_of(samples, n, hop, {}), RATE_HZ, carry=True):
        at_speed = late.compute(values.carried, Turning(21.0, None, 3))
        for early, more in zip(per_channel(values), at_speed.channels, strict=True):
            for name, value in (early | more).items():
                if any(np.isfinite(number) for _, number in numbers(value)):
                    seen.add(name)
    assert seen == {feature.name.partition(".")[0] for feature in FEATURES}


def test_windows_of_a_pass_do_not_touch_each_other() -> None:
    """What was returned must not change with the next pass, nor what went in."""
    noise = np.random.default_rng(9).standard_normal((3, 64 * 20))
    kernel = Kernel(EVERYTHING, channels_of(("g", "g", "A")), 64)
    windows = windows_of(noise, 64, 64, {})
    kept = [window.samples.copy() for window in windows]
    found = kernel.compute_all(windows[:10], RATE_HZ, carry=True)
    before = [plain(values) for values in found]
    carried = [values.carried.power.copy() for values in found if values.carried is not None]
    kernel.compute_all(windows[10:], RATE_HZ, carry=True)
    assert [plain(values) for values in found] == before
    for values, power in zip(found, carried, strict=True):
        assert values.carried is not None
        np.testing.assert_array_equal(values.carried.power, power)
    for window, samples in zip(windows, kept, strict=True):
        np.testing.assert_array_equal(window.samples, samples)


@pytest.mark.parametrize(
    ("channels", "n", "at_once"),
    [(1, 16, 16), (3, 256, 16), (3, 1024, 8), (3, 4096, 4), (16, 1024, 2), (16, 4096, 1), (1, 1 << 20, 1)],
)
def test_how_many_go_together_is_bounded(channels: int, n: int, at_once: int) -> None:
    """By the work in it, of features and of records: the event loop waits for a pass."""
    assert Kernel(EVERYTHING, channels_of(UNITS[:1] * channels), n).at_once == at_once


def test_a_window_of_another_shape_is_refused_among_others() -> None:
    kernel = Kernel(EVERYTHING, channels_of(("g",)), 64)
    windows = [Window(0, np.zeros((1, 64)), 64), Window(64, np.zeros((1, 65)), 64)]
    with pytest.raises(ValueError, match="shape"):
        kernel.compute_all(windows, RATE_HZ)
    assert kernel.compute_all([], RATE_HZ) == []
