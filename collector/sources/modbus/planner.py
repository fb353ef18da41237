"""Which places of a table to read together, so that a device is asked as seldom as its limits allow; pure.

Places are registers or bits. How often, and what they mean, is decided elsewhere.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """`count` places from `first` on; the values of one span belong together."""

    first: int
    count: int

    @property
    def end(self) -> int:
        """The first place behind it."""
        return self.first + self.count

    def overlaps(self, first: int, end: int) -> bool:
        """Whether any of its places is in `first` to `end`, the latter not included."""
        return self.first < end and first < self.end


@dataclass(frozen=True, slots=True)
class Limits:
    """At most `most` places at once, over holes of at most `largest_hole`, and never `forbidden` ones."""

    most: int
    largest_hole: int = 0
    forbidden: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """One reading of the places of `span`, which holds the wanted spans at these positions of their list."""

    span: Span
    members: tuple[int, ...]


def plan(wanted: Sequence[Span], limits: Limits) -> list[Request]:
    """The fewest requests that hold each wanted span whole.

    Only a span that is longer than `limits.most` by itself makes a longer request, which takes several
    `pieces`. The spans must keep clear of the forbidden places.

    From the left, each request takes the next span for as long as it can. What begins behind a span that does
    not fit is either inside that span or fits no better, so this is optimal.
    """
    requests: list[Request] = []
    first = end = 0
    members: list[int] = []
    for index in sorted(range(len(wanted)), key=lambda index: (wanted[index].first, -wanted[index].count)):
        span = wanted[index]
        if members and _joins(span, first, end, limits):
            members.append(index)
            end = max(end, span.end)
            continue
        if members:
            requests.append(Request(Span(first, end - first), tuple(members)))
        first, end, members = span.first, span.end, [index]
    if members:
        requests.append(Request(Span(first, end - first), tuple(members)))
    return requests


def pieces(span: Span, most: int) -> Iterator[Span]:
    """What is asked for at once: the span itself, or parts of `most` places where it is longer."""
    for first in range(span.first, span.end, most):
        yield Span(first, min(most, span.end - first))


def _joins(span: Span, first: int, end: int, limits: Limits) -> bool:
    if span.end <= end:
        return True
    if span.end - first > limits.most or span.first - end > limits.largest_hole:
        return False
    return not any(forbidden.overlaps(end, span.first) for forbidden in limits.forbidden)
