"""The context join: what the machine was doing during a window of samples; pure.

A reading counts by when it was received, against the monotonic times of the window's first and last sample;
the time since the last sample of the window before belongs to a window that adjoins it.
A finished window waits a little before it is joined, because a round of polling is handed over when it is
complete: docs/decisions/0013-context-join.md. Statistics of readings alone are in aggregate.py.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from operator import is_not
from typing import Annotated, Any, Generic, NamedTuple, Protocol, TypeVar

from pydantic import Field

from collector.aggregate import seconds_since, state_value
from collector.history import History
from collector.messages import ContextNumber, ContextState
from collector.points import PointKind
from collector.settings import PointPath, Settings

LONGEST_USUAL_DELAY_S = 5.0
"""Without a configured delay a window never waits longer, however slowly a point is polled."""

LONGEST_DELAY_S = 60.0

Finished = TypeVar("Finished")


class ContextSettings(Settings):
    """What every window of the machine's waveforms says about the machine."""

    points: tuple[PointPath, ...] | None = Field(default=None, examples=[["plc/spindle-speed"]])
    """The points, as "controller/point"; without it, all of the machine's controllers that are shared."""
    join_delay_s: Annotated[float, Field(ge=0, le=LONGEST_DELAY_S)] | None = None
    """How many seconds a window waits for late readings; without it, the longest period of its points."""


class Telling(Protocol):
    """A controller, as far as the join is concerned."""

    @property
    def histories(self) -> Mapping[str, History]:
        """What its shared points have said, by the points' names; replaced when the points change."""

    @property
    def offset_us(self) -> int | None:
        """Gateway's UTC minus the controller's own clock, where it can be estimated."""


class Context:
    """The points of one machine that its windows are joined with."""

    def __init__(self) -> None:
        self.settings = ContextSettings()
        self._controllers: dict[str, Telling] = {}
        self._seen: list[Mapping[str, History]] = []
        self._points: dict[str, tuple[Telling, History]] = {}

    def refer(self, settings: ContextSettings, controllers: Mapping[str, Telling]) -> None:
        """Join with these controllers from now on."""
        self.settings, self._controllers = settings, dict(controllers)
        self._seen, self._points = [], {}

    @property
    def points(self) -> Mapping[str, tuple[Telling, History]]:
        """The chosen points that are known by now, by `controller/point`; another object once they change."""
        if not self._controllers:
            return self._points
        seen = [controller.histories for controller in self._controllers.values()]
        if len(seen) != len(self._seen) or any(map(is_not, seen, self._seen)):
            there = {
                f"{name}/{point}": (controller, history)
                for name, controller in self._controllers.items()
                for point, history in controller.histories.items()
            }
            wanted = self.settings.points
            chosen = there if wanted is None else {path: there[path] for path in wanted if path in there}
            self._seen, self._points = seen, chosen
        return self._points

    @property
    def join_delay_ns(self) -> int:
        """How long a finished window waits; 0 where there is nothing to wait for."""
        points = self.points
        if not points:
            return 0
        if self.settings.join_delay_s is not None:
            return round(self.settings.join_delay_s * 1e9)
        slowest_ns = max(history.period_ns for _, history in points.values())
        return min(slowest_ns, round(LONGEST_USUAL_DELAY_S * 1e9))

    def at(self, first_ns: int, last_ns: int) -> dict[str, ContextNumber | ContextState]:
        """What every chosen point said between two moments, by `controller/point`."""
        return {
            path: joined(history, first_ns, last_ns, controller.offset_us)
            for path, (controller, history) in self.points.items()
        }


def joined(
    history: History, first_ns: int, last_ns: int, offset_us: int | None = None
) -> ContextNumber | ContextState:
    """What a point said between two moments: from the value that held at the first one on."""
    end = history.at(last_ns)
    common: dict[str, Any] = {
        "quality": end.quality,
        "changes": history.changes(first_ns, last_ns) if history.remembers(first_ns) else None,
        "changed_s": seconds_since(end.changed_ns, last_ns),
        "vouched_s": seconds_since(end.vouched_ns, last_ns),
        "source_us": end.source_us,
        "offset_us": offset_us,
    }
    point = history.point
    if point.kind is not PointKind.NUMBER:
        return ContextState(kind=point.kind.value, last=state_value(end.value), **common)
    good = history.good_values(first_ns, last_ns) if history.remembers(first_ns) else []
    values = [float(value) for value in good]
    return ContextNumber(
        last=None if end.value is None else float(end.value),
        min=min(values, default=None),
        max=max(values, default=None),
        unit=point.unit,
        **common,
    )


class _Waiting(NamedTuple, Generic[Finished]):
    finished: Finished
    since_ns: int
    last_ns: int
    due_ns: int


class Joining(Generic[Finished]):
    """Finished windows that wait for their context, in their order."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._waiting: deque[_Waiting[Finished]] = deque()
        self._last_ns = 0  # of the window before

    def __len__(self) -> int:
        return len(self._waiting)

    def wait(
        self, finished: Finished, first_ns: int, last_ns: int, now_ns: int, *, adjoins: bool = False
    ) -> None:
        """Let a window wait; never longer than the delay from now, wherever its samples stand in time.

        One that `adjoins` the window before begins where that ended, so that no change falls between them.
        """
        due_ns = min(last_ns, now_ns) + self.context.join_delay_ns
        since_ns = self._last_ns if adjoins else first_ns
        self._waiting.append(_Waiting(finished, since_ns, last_ns, due_ns))
        self._last_ns = last_ns

    def due(self, now_ns: int | None) -> Iterator[tuple[Finished, dict[str, ContextNumber | ContextState]]]:
        """The windows that have waited enough, joined; with None, all of them."""
        while self._waiting and (now_ns is None or self._waiting[0].due_ns <= now_ns):
            window = self._waiting.popleft()
            yield window.finished, self.context.at(window.since_ns, window.last_ns)
