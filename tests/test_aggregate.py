"""Statistics of readings: against plain definitions, and what is kept out of them."""

import math
import statistics
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stand_ins import S

from collector.aggregate import definitions, summary
from collector.history import History
from collector.messages import NumberSummary, StateSummary
from collector.points import Point, PointKind, PointQuality, Reading, believable

GOOD, UNCERTAIN, BAD, STALE = PointQuality
SPEED = Point("speed", PointKind.NUMBER, unit="/min")
CURRENT = Point("current", PointKind.NUMBER, unit="A")
MODE = Point("mode", PointKind.STATE)


def history(point: Point = SPEED, period_s: float = 1.0) -> History:
    return History(point, round(period_s * S), round(3 * period_s * S))


def say(to: History, at_s: float, value: Any, quality: PointQuality = GOOD) -> None:
    to.add(Reading(to.point.name, value, quality, round(at_s * S)))


def number(of: History, from_s: float, to_s: float) -> NumberSummary:
    return NumberSummary(**summary(of, round(from_s * S), round(to_s * S)))


finite = st.floats(-1e9, 1e9, allow_nan=False).map(lambda value: value + 0.0)
signs = st.lists(
    st.tuples(st.integers(1, 4), st.sampled_from([GOOD, GOOD, UNCERTAIN, BAD, STALE, None]), finite),
    max_size=30,
)


@given(signs, st.integers(0, 40), st.integers(1, 40))
def test_figures_are_those_of_the_good_observations(
    said: list[tuple[int, PointQuality | None, float]], start: int, length: int
) -> None:
    points, at = history(CURRENT), 0
    observed: list[tuple[int, PointQuality, float]] = []
    for step, quality, value in said:
        at += step
        if quality is None:
            points.vouch(at * S)
            observed += [(at, *observed[-1][1:])] if observed else []
        else:
            say(points, at, None if quality is BAD else value, quality)
            observed.append((at, quality, value))
    made = number(points, start, start + length)
    inside = [(quality, value) for at, quality, value in observed if start <= at < start + length]
    good = [value for quality, value in inside if quality is GOOD]
    assert made.count == len(good)
    assert (made.uncertain, made.bad, made.stale) == tuple(
        sum(quality is kind for quality, _ in inside) for kind in (UNCERTAIN, BAD, STALE)
    )
    if good:
        scale = max(map(abs, good)) + 1e-300
        assert made.mean == pytest.approx(statistics.fmean(good), rel=1e-12, abs=1e-12 * scale)
        assert made.std == pytest.approx(statistics.pstdev(good), rel=1e-6, abs=1e-9 * scale)
        assert made.rms == pytest.approx(math.sqrt(statistics.fmean(v * v for v in good)), rel=1e-12)
        assert (made.min, made.max) == (min(good), max(good))
    else:
        assert made.mean is made.std is made.rms is made.min is made.max is None
    assert made.coverage == pytest.approx(slow_coverage(observed, start, start + length), abs=1e-9)


def slow_coverage(observed: list[tuple[int, PointQuality, float]], start: int, end: int) -> float:
    """Looks at every second whether a good value held; all times here are whole seconds."""
    covered = 0
    for second in range(start, end):
        so_far = [sign for sign in observed if sign[0] <= second]
        covered += bool(so_far) and so_far[-1][1] is GOOD and second - so_far[-1][0] < 3
    return covered / (end - start)


def test_polling_a_steady_value_and_vouching_for_it_give_the_same() -> None:
    polled, subscribed = history(), history()
    say(subscribed, 0, 1200.0)
    for second in range(10):
        say(polled, second, 1200.0)
        subscribed.vouch(second * S)
    assert number(polled, 0, 10) == number(subscribed, 0, 10)
    assert number(polled, 0, 10).count == 10
    assert number(polled, 0, 10).coverage == 1.0


def test_each_reading_counts_in_exactly_one_summary() -> None:
    points = history()
    for at_s in (0.0, 0.9999, 1.0, 1.5, 2.0):
        say(points, at_s, 1.0)
    assert [number(points, start, start + 1).count for start in range(3)] == [2, 2, 1]


def test_a_controller_that_is_off_leaves_its_last_value_growing_old() -> None:
    points = history()
    say(points, 0.5, 1200.0)
    made = number(points, 10, 20)
    assert (made.count, made.coverage, made.mean) == (0, 0.0, None)
    assert (made.last, made.quality, made.vouched_s) == (1200.0, STALE, 19.5)
    never = number(history(), 10, 20)
    assert (never.last, never.quality, never.vouched_s) == (None, STALE, None)


def test_rms_is_of_currents_alone() -> None:
    for point in (SPEED, CURRENT):
        points = history(point)
        for second in range(4):
            say(points, second, 3.0 * (-1) ** second)
        assert number(points, 0, 4).rms == (3.0 if point is CURRENT else None)


@pytest.mark.parametrize("size", [1e300, 1e-200, 5e-324])
def test_figures_do_not_depend_on_whether_squares_are_numbers(size: float) -> None:
    points = history(CURRENT)
    for second in range(4):
        say(points, second, size * (-1) ** second)
    made = number(points, 0, 4)
    assert (made.mean, made.std, made.rms) == (0.0, size, size)


def test_sums_beyond_all_numbers_are_null_not_infinite() -> None:
    points = history(CURRENT)
    say(points, 0, 1.7e308)
    say(points, 1, 1.7e308)
    made = number(points, 0, 2)
    assert made.mean is made.std is made.rms is None
    assert made.max == 1.7e308


def test_a_state_has_its_heartbeat() -> None:
    points = history(MODE)
    say(points, 0, "automatic")
    say(points, 5, "manual")
    say(points, 6, None, BAD)
    made = StateSummary(**summary(points, 4 * S, 10 * S))
    assert made == StateSummary(
        kind="state", last=None, quality=STALE, changes=1, changed_s=5.0, vouched_s=4.0
    )


@pytest.mark.parametrize(
    ("point", "value", "quality", "expected"),
    [
        (SPEED, 1200.0, GOOD, (1200.0, GOOD)),
        (SPEED, 7, GOOD, (7.0, GOOD)),
        (SPEED, True, GOOD, (1.0, GOOD)),
        (SPEED, math.nan, GOOD, (None, BAD)),
        (SPEED, -math.inf, UNCERTAIN, (None, BAD)),
        (SPEED, 10**400, GOOD, (None, BAD)),
        (SPEED, "1200", GOOD, (None, BAD)),
        (SPEED, None, GOOD, (None, BAD)),
        (SPEED, 1200.0, BAD, (None, BAD)),
        (MODE, "manual", UNCERTAIN, ("manual", UNCERTAIN)),
        (MODE, False, GOOD, (False, GOOD)),
        (MODE, 17, GOOD, ("17", GOOD)),
    ],
)
def test_only_values_of_the_points_kind_are_believed(
    point: Point, value: Any, quality: PointQuality, expected: tuple[Any, PointQuality]
) -> None:
    made = believable(point, Reading(point.name, value, quality, 0))
    assert (made.value, made.quality) == expected
    assert type(made.value) is type(expected[0])


def test_every_figure_is_defined() -> None:
    fields = (NumberSummary.model_fields.keys() | StateSummary.model_fields.keys()) - {"kind"}
    assert fields == {entry["name"] for entry in definitions()}
