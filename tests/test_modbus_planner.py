"""Planning of Modbus requests by properties, and turns that never drift."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.sources.modbus.planner import Limits, Request, Span, pieces, plan
from collector.sources.modbus.schedule import Pace, soonest


@st.composite
def apart(draw: st.DrawFn) -> list[Span]:
    """Spans that do not overlap, except for values that share all or some of another's registers."""
    spans: list[Span] = []
    at = draw(st.integers(0, 50))
    for gap, count in draw(st.lists(st.tuples(st.integers(0, 12), st.integers(1, 9)), max_size=14)):
        spans.append(Span(at + gap, count))
        if draw(st.booleans()):
            inner = draw(st.integers(0, count - 1))
            spans.append(Span(at + gap + inner, draw(st.integers(1, count - inner))))
        at += gap + count
    return draw(st.permutations(spans))


any_spans = st.lists(st.builds(Span, st.integers(0, 60), st.integers(1, 12)), max_size=7)


@st.composite
def limits_for(draw: st.DrawFn, spans: Sequence[Span], least: int = 1) -> Limits:
    """Limits whose forbidden places no span needs."""
    free = sorted(set(range(80)) - {place for span in spans for place in range(span.first, span.end)})
    forbidden = draw(st.lists(st.sampled_from(free), max_size=4)) if free else []
    return Limits(
        draw(st.integers(least, 30)), draw(st.integers(0, 12)), tuple(Span(place, 1) for place in forbidden)
    )


def read(requests: Sequence[Request], most: int) -> Counter[int]:
    """How often each place is read."""
    return Counter(
        place
        for request in requests
        for piece in pieces(request.span, most)
        for place in range(piece.first, piece.end)
    )


class TestPlan:
    @given(st.data(), apart())
    def test_every_place_once_none_forbidden_limits_kept(
        self, data: st.DataObject, spans: list[Span]
    ) -> None:
        limits = data.draw(limits_for(spans))
        requests = plan(spans, limits)
        times = read(requests, limits.most)
        wanted = {place for span in spans for place in range(span.first, span.end)}
        assert all(times[place] == 1 for place in wanted)
        assert max(times.values(), default=1) == 1
        assert not {span.first for span in limits.forbidden} & times.keys()
        assert sorted(index for request in requests for index in request.members) == list(range(len(spans)))
        for request in requests:
            assert all(piece.count <= limits.most for piece in pieces(request.span, limits.most))

    @given(st.data(), any_spans)
    def test_no_value_is_torn(self, data: st.DataObject, spans: list[Span]) -> None:
        limits = data.draw(limits_for(spans))
        for request in plan(spans, limits):
            held = [spans[index] for index in request.members]
            assert all(request.span.first <= span.first and span.end <= request.span.end for span in held)
            assert request.span.count <= max(limits.most, *(span.count for span in held))
            assert {request.span.first, request.span.end} <= {
                edge for span in held for edge in (span.first, span.end)
            }

    @given(st.data(), apart())
    def test_holes_are_no_larger_than_allowed(self, data: st.DataObject, spans: list[Span]) -> None:
        limits = data.draw(limits_for(spans))
        wanted = {place for span in spans for place in range(span.first, span.end)}
        for request in plan(spans, limits):
            hole = 0
            for place in range(request.span.first, request.span.end):
                hole = 0 if place in wanted else hole + 1
                assert hole <= limits.largest_hole

    @given(st.data(), apart())
    def test_never_more_than_simple_greed(self, data: st.DataObject, spans: list[Span]) -> None:
        limits = data.draw(limits_for(spans))
        assert len(plan(spans, limits)) <= greedy(spans, limits)

    @settings(max_examples=60)
    @given(st.data(), any_spans)
    def test_there_is_no_way_with_fewer(self, data: st.DataObject, spans: list[Span]) -> None:
        limits = data.draw(limits_for(spans, least=12))
        assert len(plan(spans, limits)) == fewest(spans, limits)

    def test_contiguous_floats_are_one_request(self) -> None:
        spans = [Span(2 * i, 2) for i in range(50)]
        assert plan(spans, Limits(125)) == [Request(Span(0, 100), tuple(range(50)))]

    def test_a_value_longer_than_the_limit_is_read_in_pieces(self) -> None:
        (request,) = plan([Span(10, 200)], Limits(125))
        assert list(pieces(request.span, 125)) == [Span(10, 125), Span(135, 75)]

    def test_a_forbidden_register_is_not_read_over(self) -> None:
        spans = [Span(0, 2), Span(4, 2)]
        assert len(plan(spans, Limits(125, 8))) == 1
        assert len(plan(spans, Limits(125, 8, (Span(3, 1),)))) == 2


def greedy(spans: Sequence[Span], limits: Limits) -> int:
    """Take the values in their order and begin anew whenever the next one cannot join; no foresight."""
    count, first, end = 0, 0, -1
    for span in sorted(spans, key=lambda span: (span.first, -span.count)):
        if end >= 0 and allowed(span, first, end, limits):
            end = max(end, span.end)
        else:
            count, first, end = count + 1, span.first, span.end
    return count


def allowed(span: Span, first: int, end: int, limits: Limits) -> bool:
    places = range(end, span.first)
    barred = any(place in places for forbidden in limits.forbidden for place in [forbidden.first])
    fits = max(end, span.end) - first <= max(limits.most, end - first)
    return fits and len(places) <= limits.largest_hole and not barred


def fewest(spans: Sequence[Span], limits: Limits) -> int:
    """By trying every way to put values together."""

    def together(indices: frozenset[int]) -> bool:
        chosen = sorted((spans[index] for index in indices), key=lambda span: span.first)
        first, end = chosen[0].first, chosen[0].end
        for span in chosen[1:]:
            if not allowed(span, first, end, limits):
                return False
            end = max(end, span.end)
        return end - first <= limits.most

    @cache
    def least(left: frozenset[int]) -> int:
        if not left:
            return 0
        one = min(left)
        others = sorted(left - {one})
        ways = []
        for choice in range(1 << len(others)):
            group = frozenset([one, *(index for bit, index in enumerate(others) if choice >> bit & 1)])
            if together(group):
                ways.append(1 + least(left - group))
        return min(ways)

    return least(frozenset(range(len(spans))))


@dataclass
class Thing:
    pace: Pace


class TestTurns:
    @given(st.integers(1, 1000), st.lists(st.integers(0, 5000), max_size=30))
    def test_turns_stay_on_their_grid(self, period_ns: int, waits: list[int]) -> None:
        pace, now_ns, turns = Pace(period_ns, due_ns=17), 17, 0
        for wait in waits:
            now_ns = max(now_ns, pace.due_ns) + wait
            skipped = pace.done(now_ns)
            turns += 1 + skipped
            assert pace.due_ns == 17 + turns * period_ns
            assert pace.due_ns > now_ns - period_ns, "at most one turn is late"
            assert not skipped or pace.due_ns <= now_ns, "a turn that is still to come is not skipped"

    def test_a_fast_thing_is_not_held_up_by_many_slow_ones(self) -> None:
        fast = Thing(Pace(100, due_ns=100))
        slow = [Thing(Pace(10_000)) for _ in range(20)]
        assert soonest([*slow, fast], 50) in slow
        assert soonest([*slow, fast], 100) is fast

    def test_what_is_due_first_comes_first(self) -> None:
        things = [Thing(Pace(100, due_ns=300)), Thing(Pace(1000, due_ns=200))]
        assert soonest(things, 0) is things[1]
