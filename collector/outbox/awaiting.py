"""Records that the broker has taken and the store has not yet spoken of: names and times alone. Pure."""

from collections.abc import Iterator, Mapping
from itertools import takewhile

from collector.outbox.state import Key


class Awaiting:
    """Keys by the time of the broker's acknowledgement, the oldest first."""

    def __init__(self) -> None:
        self._since_s: dict[Key, float] = {}

    def __len__(self) -> int:
        return len(self._since_s)

    def __contains__(self, key: Key) -> bool:
        return key in self._since_s

    def __iter__(self) -> Iterator[Key]:
        return iter(self._since_s)

    @property
    def oldest_s(self) -> float:
        """When the oldest one was acknowledged; infinity where there is none."""
        return next(iter(self._since_s.values()), float("inf"))

    def add(self, key: Key, now_s: float) -> None:
        """The broker acknowledged a record just now."""
        self._since_s.pop(key, None)
        self._since_s[key] = now_s

    def update(self, since_s: Mapping[Key, float]) -> None:
        """Records that it acknowledged earlier."""
        if since_s:
            self._since_s |= since_s
            self._since_s = dict(sorted(self._since_s.items(), key=lambda item: item[1]))

    def since_s(self, key: Key) -> float | None:
        """When a record was acknowledged; None where nothing is awaited for it."""
        return self._since_s.get(key)

    def pop(self, key: Key) -> float | None:
        """Nothing is awaited for a record any more; since when it was, or None."""
        return self._since_s.pop(key, None)

    def until(self, before_s: float) -> list[Key]:
        """Those that were acknowledged at `before_s` or earlier."""
        return [key for key, _ in takewhile(lambda item: item[1] <= before_s, self._since_s.items())]

    def oldest(self, count: int) -> list[Key]:
        """The `count` oldest."""
        return [key for key, _ in zip(self._since_s, range(count), strict=False)]
