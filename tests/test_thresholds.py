"""Thresholds from values that someone has named: they separate what can be told apart, and say how well."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from collector.activity import QUESTIONS, Activity, Question
from collector.activity.thresholds import LEAST_RIGHT, LEAST_VALUES, gathered, sides, split

OFF, IDLE, TURNING, CUTTING = Activity.OFF, Activity.IDLE, Activity.TURNING, Activity.CUTTING
ALL = frozenset(QUESTIONS)

numbers = st.floats(-1e6, 1e6)
side = st.lists(numbers, min_size=LEAST_VALUES, max_size=60)


def noise(mean: float, std: float, n: int = 400, seed: int = 1) -> list[float]:
    found: list[float] = np.random.default_rng(seed).normal(mean, std, n).tolist()
    return found


@given(side, side)
def test_the_levels_are_in_order_and_the_quality_is_a_part(no: list[float], yes: list[float]) -> None:
    assume(np.median(yes) > np.median(no))
    found = split([no], [yes])
    assert found.level.below <= found.level.above
    assert 0 <= found.right <= 1
    assert (found.no, found.yes) == (len(no), len(yes))


@given(side, side, st.floats(1, 100), st.booleans())
def test_sides_that_do_not_touch_have_both_levels_between_them(
    no: list[float], yes: list[float], apart: float, positive: bool
) -> None:
    base = max(no) + apart - min(yes)
    if positive:
        shift = 1.0 - min(no)
        no, base = [value + shift for value in no], base + shift
    yes = [value + base for value in yes]
    assume(max(no) < min(yes))
    level = split([no], [yes]).level
    assert max(np.quantile(no, 0.95), min(no)) <= level.below
    assert level.above <= np.quantile(yes, 0.05)


@given(st.floats(0.01, 100))
def test_on_positive_values_the_levels_go_with_the_scale(factor: float) -> None:
    no, yes = noise(1.0, 0.05), noise(20.0, 2.0)
    one = split([no], [yes]).level
    other = split([[factor * value for value in no]], [[factor * value for value in yes]]).level
    assert (other.above, other.below) == pytest.approx((factor * one.above, factor * one.below))


def test_a_speed_of_nothing_leaves_room_for_slower_ones() -> None:
    level = split([[0.0] * 50], [[3000.0] * 50]).level
    assert 0 < level.below < level.above < 600


def test_the_levels_lie_between_by_factors() -> None:
    """Vibration of 0.05 g in the air and 0.6 g in the cut: a cut half as strong is still one."""
    level = split([noise(0.05, 0.003)], [noise(0.6, 0.03)]).level
    assert 0.08 < level.below < 0.15 < level.above < 0.3


def test_a_cut_that_someone_named_too_early_does_no_harm() -> None:
    mixed = noise(0.05, 0.003, 12) + noise(0.6, 0.03, 388)
    found = split([noise(0.05, 0.003)], [mixed])
    assert 0.06 < found.level.below < found.level.above < 0.4
    assert found.right > 0.95


@pytest.mark.parametrize(("distance", "right"), [(0.0, 0.5), (1.0, 0.69), (4.0, 0.977)])
def test_the_quality_is_what_it_would_be_on_other_values(distance: float, right: float) -> None:
    """Two normal distributions: the best threshold puts Φ(distance / 2) of both on the right side."""
    found = split([noise(10.0, 1.0, 4000)], [noise(10.0 + distance, 1.0, 4000, seed=2)])
    assert found.right == pytest.approx(right, abs=0.02)
    assert (found.right >= LEAST_RIGHT) is (right >= LEAST_RIGHT)


def test_what_drifts_while_it_is_watched_is_not_taken_for_good() -> None:
    """Idle was low at first and high later; the halves tell of each other that nothing is sure."""
    drifting = noise(1.0, 0.05, 50) + noise(5.0, 0.05, 50)
    found = split([drifting], [noise(4.0, 0.05, 100)])
    assert found.right < LEAST_RIGHT


def test_a_quantity_that_falls_instead_of_rising_is_refused() -> None:
    assert split([noise(5.0, 0.1)], [noise(1.0, 0.1)]).right < LEAST_RIGHT


def test_few_values_are_refused() -> None:
    with pytest.raises(ValueError, match="few"):
        split([[1.0] * (LEAST_VALUES - 1)], [[2.0] * 100])


@pytest.mark.parametrize(
    ("question", "asked", "no", "yes"),
    [
        (Question.ON, ALL, {OFF}, {IDLE, TURNING, CUTTING}),
        (Question.TURNING, ALL, {IDLE}, {TURNING, CUTTING}),
        (Question.TURNING, ALL - {Question.ON}, {OFF, IDLE}, {TURNING, CUTTING}),
        (Question.CUTTING, ALL, {TURNING}, {CUTTING}),
        (Question.CUTTING, ALL - {Question.TURNING}, {IDLE, TURNING}, {CUTTING}),
    ],
)
def test_a_question_is_learned_from_what_it_is_asked_in(
    question: Question, asked: frozenset[Question], no: set[Activity], yes: set[Activity]
) -> None:
    found = sides(question, asked)
    assert found is not None
    assert found.no == frozenset(no)
    assert found.yes == frozenset(yes)


def test_an_alarm_is_not_learned() -> None:
    assert sides(Question.ALARM, ALL) is None


def test_only_what_was_watched_is_gathered() -> None:
    values = {IDLE: {"a/b": [1.0]}, TURNING: {"a/c": [2.0]}}
    assert gathered(values, frozenset({OFF, IDLE, TURNING}), "a/b") == [[1.0]]
