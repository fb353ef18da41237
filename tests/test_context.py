"""The context join: against a slow reference that looks at every reading, and case by case."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stand_ins import S

from collector.context import Context, ContextSettings, Joining, joined
from collector.history import History
from collector.messages import ContextNumber, ContextState
from collector.points import Point, PointKind, PointQuality, Reading

PERIOD = 10
LIMIT = 3 * PERIOD
GOOD, UNCERTAIN, BAD, STALE = PointQuality

NUMBER = Point("speed", PointKind.NUMBER, unit="/min")
STATE = Point("program", PointKind.STATE)


@dataclass(frozen=True)
class Sign:
    """What a controller said of a point at a moment: a reading, or that nothing has changed."""

    at: int
    value: float | None = None
    quality: PointQuality | None = None


@st.composite
def signs(draw: st.DrawFn) -> list[Sign]:
    """Readings and vouches in the order of their times, often several at one moment."""
    said, at = [], 0
    for _ in range(draw(st.integers(0, 25))):
        at += draw(st.sampled_from([0, 1, 3, PERIOD, LIMIT, LIMIT + 1]))
        quality = draw(st.sampled_from([None, GOOD, GOOD, GOOD, UNCERTAIN, BAD, STALE]))
        value = None if quality in {None, BAD} else draw(st.sampled_from([1.0, 2.0, 3.0]))
        said.append(Sign(at, value, quality))
    return said


def history_of(said: list[Sign], point: Point = NUMBER) -> History:
    history = History(point, PERIOD, LIMIT)
    for sign in said:
        if sign.quality is None:
            history.vouch(sign.at)
        else:
            history.add(Reading(point.name, sign.value, sign.quality, sign.at))
    return history


def slow_join(said: list[Sign], first: int, last: int) -> dict[str, Any]:
    """The definition, word by word."""

    def until(moment: int) -> tuple[Sign | None, int | None]:
        """The last reading, and when the point was last vouched for."""
        reading, vouched = None, None
        for sign in said:
            if sign.at > moment:
                break
            if sign.quality is not None:
                reading = sign
            if reading is not None:
                vouched = sign.at
        return reading, vouched

    def quality(moment: int) -> PointQuality:
        reading, vouched = until(moment)
        if reading is None or vouched is None or moment - vouched > LIMIT:
            return STALE
        assert reading.quality is not None
        return reading.quality

    end, vouched = until(last)
    changes, changed_at, good = 0, None, None
    inside = []
    for sign in said:
        if sign.quality is GOOD and sign.at <= last:
            if sign.value != good:
                changes += good is not None and sign.at > first
                good, changed_at = sign.value, sign.at
            if sign.at > first:
                inside.append(sign.value)
        elif sign.quality is None and first < sign.at <= last:
            known, _ = until(sign.at)
            if known is not None and known.quality is GOOD:
                inside.append(known.value)
    start, _ = until(first)
    if start is not None and quality(first) is GOOD:
        inside.append(start.value)
    known_from_the_start = start is not None
    if not known_from_the_start:
        inside.clear()
    return {
        "last": end.value if end else None,
        "quality": quality(last),
        "min": min(inside, default=None),  # type: ignore[type-var]
        "max": max(inside, default=None),  # type: ignore[type-var]
        "changes": changes if known_from_the_start else None,
        "changed_s": None if changed_at is None else (last - changed_at) / 1e9,
        "vouched_s": None if vouched is None else (last - vouched) / 1e9,
    }


def plain(context: ContextNumber | ContextState, keys: Mapping[str, Any]) -> dict[str, Any]:
    return {key: getattr(context, key) for key in keys}


@given(signs(), st.integers(0, 250), st.integers(0, 100))
def test_the_join_is_what_the_slow_reference_says(said: list[Sign], first: int, length: int) -> None:
    expected = slow_join(said, first, first + length)
    for key in ("changed_s", "vouched_s"):
        expected[key] = None if expected[key] is None else round(expected[key], 6)
    assert plain(joined(history_of(said), first, first + length), expected) == expected


@given(signs(), st.integers(0, 250), st.integers(0, 100), st.integers(0, 300))
def test_forgetting_what_no_window_asks_for_changes_nothing(
    said: list[Sign], first: int, length: int, forgotten: int
) -> None:
    whole, shortened = history_of(said), history_of(said)
    shortened.forget(min(forgotten, first))
    assert joined(shortened, first, first + length) == joined(whole, first, first + length)


@given(signs(), st.integers(1, 250), st.integers(0, 100))
def test_a_window_from_before_what_is_remembered_claims_nothing(
    said: list[Sign], forgotten: int, length: int
) -> None:
    history = history_of(said)
    history.forget(forgotten)
    context = joined(history, forgotten - 1, forgotten - 1 + length)
    assert isinstance(context, ContextNumber)
    assert context.changes is context.min is context.max is None


def said(history: History, *said: tuple[float, Any, PointQuality]) -> History:
    for at_s, value, quality in said:
        history.add(Reading(history.point.name, value, quality, round(at_s * S), source_us=round(at_s * 1e6)))
    return history


def per_second(point: Point = NUMBER) -> History:
    return History(point, S, 3 * S)


def test_a_value_is_never_stamped_fresh_again() -> None:
    history = said(per_second(), (10.0, 1200.0, GOOD))
    ages = []
    for end_s in (11.0, 12.9, 13.1, 3600.0):
        context = joined(history, round((end_s - 1) * S), round(end_s * S))
        assert context.last == 1200.0
        ages.append((context.quality, context.vouched_s, context.changed_s))
    assert ages == [
        (GOOD, 1.0, 1.0),
        (GOOD, 2.9, 2.9),
        (STALE, 3.1, 3.1),
        (STALE, 3590.0, 3590.0),
    ]


def test_a_value_that_was_stale_and_is_vouched_for_again_is_in_the_figures() -> None:
    history = said(per_second(), (10.0, 1200.0, GOOD))
    history.vouch(15 * S)
    context = joined(history, 14 * S, 16 * S)
    assert isinstance(context, ContextNumber)
    assert (context.last, context.quality) == (1200.0, GOOD)
    assert (context.min, context.max, context.changes) == (1200.0, 1200.0, 0)


def test_a_tool_number_that_has_not_changed_for_two_hours_is_not_stale() -> None:
    history = said(per_second(STATE), (0.0, "T7", GOOD))
    for second in range(1, 7201):
        history.vouch(second * S)
    context = joined(history, 7200 * S, round(7200.5 * S))
    assert (context.last, context.quality, context.changed_s, context.vouched_s) == ("T7", GOOD, 7200.5, 0.5)


def test_every_change_inside_a_window_shows_also_those_received_together() -> None:
    history = said(
        per_second(), (9.0, 100.0, GOOD), (10.5, 500.0, GOOD), (10.5, 50.0, GOOD), (10.5, 200.0, GOOD)
    )
    context = joined(history, 10 * S, 11 * S)
    assert isinstance(context, ContextNumber)
    assert (context.last, context.min, context.max, context.changes) == (200.0, 50.0, 500.0, 3)
    before = joined(history, 9 * S, 10 * S)
    assert isinstance(before, ContextNumber)
    assert (before.last, before.min, before.max, before.changes) == (100.0, 100.0, 100.0, 0)


def test_bad_and_uncertain_values_are_flagged_and_in_no_figure() -> None:
    history = said(per_second(), (9.0, 100.0, GOOD), (10.2, 9e9, UNCERTAIN), (10.4, None, BAD))
    doubted, gone = joined(history, 10 * S, round(10.3 * S)), joined(history, 10 * S, 11 * S)
    assert isinstance(doubted, ContextNumber)
    assert isinstance(gone, ContextNumber)
    assert (doubted.last, doubted.quality) == (9e9, UNCERTAIN)
    assert (gone.last, gone.quality) == (None, BAD)
    assert (doubted.max, gone.max) == (100.0, 100.0)
    assert doubted.changes == gone.changes == 0


def test_never_known_is_null_and_stale() -> None:
    context = joined(per_second(), 10 * S, 11 * S)
    assert isinstance(context, ContextNumber)
    assert (context.last, context.quality, context.vouched_s, context.changed_s) == (None, STALE, None, None)
    assert context.min is context.max is context.changes is None


def test_a_window_that_began_before_the_first_answer_knows_the_end_alone() -> None:
    history = said(per_second(), (10.5, 1200.0, GOOD), (10.7, 800.0, GOOD))
    began_before, began_then = joined(history, 10 * S, 11 * S), joined(history, round(10.5 * S), 11 * S)
    assert isinstance(began_before, ContextNumber)
    assert isinstance(began_then, ContextNumber)
    assert (began_before.last, began_before.quality) == (800.0, GOOD)
    assert began_before.min is began_before.max is began_before.changes is None
    assert (began_then.min, began_then.max, began_then.changes) == (800.0, 1200.0, 1)


@dataclass
class Teller:
    """A controller as the join sees it."""

    histories: dict[str, History] = field(default_factory=dict)
    offset_us: int | None = None


def test_points_are_chosen_and_new_ones_noticed() -> None:
    plc = Teller({"speed": per_second(), "program": per_second(STATE)}, offset_us=250)
    context = Context()
    assert context.join_delay_ns == 0
    assert context.at(0, S) == {}
    context.refer(ContextSettings(), {"plc": plc})
    assert list(context.points) == ["plc/speed", "plc/program"]
    assert context.points is context.points
    assert context.at(0, S)["plc/speed"].offset_us == 250
    before = context.points
    plc.histories = {**plc.histories, "tool": History(NUMBER, 2 * S, 6 * S)}
    assert list(context.points) == ["plc/speed", "plc/program", "plc/tool"]
    assert context.points is not before
    assert context.join_delay_ns == 2 * S
    context.refer(ContextSettings(points=("plc/tool", "plc/later")), {"plc": plc})
    assert list(context.points) == ["plc/tool"]


@pytest.mark.parametrize(
    ("period_s", "configured_s", "delay_s"), [(0.5, None, 0.5), (60, None, 5), (60, 20, 20), (1, 0, 0)]
)
def test_the_delay_is_a_period_of_the_slowest_point_capped_or_as_configured(
    period_s: float, configured_s: float | None, delay_s: float
) -> None:
    context = Context()
    slow = Teller({"speed": History(NUMBER, round(period_s * S), 180 * S)})
    context.refer(ContextSettings(join_delay_s=configured_s), {"meter": slow})
    assert context.join_delay_ns == delay_s * S


def test_windows_wait_in_their_order_and_a_late_reading_still_joins() -> None:
    plc = Teller({"speed": said(per_second(), (9.0, 100.0, GOOD))})
    context = Context()
    context.refer(ContextSettings(), {"plc": plc})
    joining: Joining[str] = Joining(context)
    joining.wait("first", 10 * S, 11 * S, now_ns=round(11.01 * S))
    joining.wait("second", 11 * S, 12 * S, now_ns=round(12.01 * S))
    assert not list(joining.due(round(11.9 * S)))
    said(plc.histories["speed"], (10.9, 300.0, GOOD))  # handed over when its round was complete
    ((name, values),) = joining.due(12 * S)
    assert name == "first"
    assert values["plc/speed"].last == 300.0
    assert values["plc/speed"].changes == 1
    assert len(joining) == 1
    assert [name for name, _ in joining.due(None)] == ["second"]


def test_a_window_whose_samples_stand_in_the_future_does_not_wait_for_it() -> None:
    context = Context()
    context.refer(ContextSettings(), {"plc": Teller({"speed": per_second()})})
    joining: Joining[str] = Joining(context)
    joining.wait("played too fast", 10 * S, 10_000 * S, now_ns=11 * S)
    assert [name for name, _ in joining.due(12 * S)] == ["played too fast"]
