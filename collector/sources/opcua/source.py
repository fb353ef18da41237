"""A controller as a source of points: what is known of it without, and between, connections.

Nothing of asyncua is loaded before the first connection, and then in a thread: it takes a second.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from collector.clock import Clock, SystemClock
from collector.points import Arrival
from collector.sources.opcua.handover import Losses
from collector.sources.opcua.settings import OpcuaSettings
from collector.sources.opcua.wanted import known, read_profile
from collector.texts import Sentence

if TYPE_CHECKING:
    from collector.sources.opcua.nodes import Located

Collect = Callable[..., AsyncGenerator[Arrival, None]]


def opcua_source(settings: OpcuaSettings, clock: Clock | None = None) -> "OpcuaSource":
    """The source that the settings describe; nothing is connected yet."""
    return OpcuaSource(settings, clock or SystemClock())


class OpcuaSource:
    """A `PointSource`; each connection is made anew, and every node looked for again."""

    origin = "live"

    def __init__(self, settings: OpcuaSettings, clock: Clock) -> None:
        self.settings = settings
        self.losses = Losses()
        """What was lost on the way since the start."""
        self.ranges: dict[str, tuple[float, float]] = {}
        """The range that the server declares for a point (EURange): an override may end at 100 or 125 %."""
        self._clock = clock
        self._profile = read_profile(settings.profile)
        self.points = tuple(wanted.point for wanted in known(settings, self._profile))
        """Those of the configuration; once connected, also those that the profile found."""

    @property
    def silent_after_s(self) -> float:
        """As configured."""
        return self.settings.silent_after_s

    @property
    def remarks(self) -> tuple[Sentence, ...]:
        """That our own certificate ends soon: then an operator has something to do at the controller."""
        if self.settings.security == "none":
            return ()
        from collector.sources.opcua import certificates  # noqa: PLC0415 (heavy)

        ending = certificates.expiry(self.settings.certificate_folder, self._clock)
        return () if ending is None else (ending,)

    @property
    def lost(self) -> int:
        """At least so many values were lost since the start; the losses may tell more."""
        return self.losses.at_server + self.losses.messages + self.losses.here

    async def arrivals(self) -> AsyncGenerator[Arrival, None]:
        """Connect with a fresh client, and yield what comes until closed.

        Raises:
            SourceError: the server cannot be reached, refuses us, or is silent beyond its limit.
        """
        collect = await asyncio.to_thread(_load)
        arriving = collect(self.settings, self._profile, self.losses, self._found, self._paced, self._clock)
        async with contextlib.aclosing(arriving):
            async for arrival in arriving:
                yield arrival

    def _found(self, located: "Sequence[Located]", ranges: dict[str, tuple[float, float]]) -> None:
        known = {point.name: point for point in self.points}
        found = {item.point.name: item.point for item in located}
        for name in found.keys() & known.keys():  # how often it is heard of is as it was, until told
            found[name] = replace(found[name], every_s=known[name].every_s)
        self.points = tuple((known | found).values())
        self.ranges |= ranges

    def _paced(self, periods_s: Mapping[str, float]) -> None:
        """The server has said how often these points will be heard of."""
        self.points = tuple(
            replace(point, every_s=periods_s.get(point.name, point.every_s)) for point in self.points
        )


def _load() -> Collect:
    from collector.sources.opcua.collecting import collect  # noqa: PLC0415 (heavy)

    return collect
