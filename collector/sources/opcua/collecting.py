"""What happens while connected: find the nodes, read them, and judge by the server's clock whether it lives.

It loads asyncua, so it is imported when a source is first connected.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence

from asyncua import ua

from collector.clock import Clock
from collector.errors import SourceError
from collector.points import Arrival, PointKind, Reading
from collector.sources.opcua.analog import analogs
from collector.sources.opcua.connection import Connection, connected
from collector.sources.opcua.failures import unanswered
from collector.sources.opcua.handover import Handover, Losses
from collector.sources.opcua.nodes import Located, Tree, locate
from collector.sources.opcua.polling import Polling
from collector.sources.opcua.sampled import Sampled, bad
from collector.sources.opcua.settings import OpcuaSettings
from collector.sources.opcua.subscription import Subscription
from collector.sources.opcua.values import status_of
from collector.sources.opcua.wanted import Profile
from collector.texts import opcua as say

_CLOCK = ua.NodeId(ua.ObjectIds.Server_ServerStatus_CurrentTime)
_LOOKS = 4
"""The server's clock is looked at so often within `silent_after_s`."""
_GONE = {ua.StatusCodes.BadNodeIdUnknown, ua.StatusCodes.BadNodeIdInvalid}

Ranges = dict[str, tuple[float, float]]


async def collect(
    settings: OpcuaSettings,
    profile: Profile,
    losses: Losses,
    found: Callable[[Sequence[Located], Ranges], None],
    paced: Callable[[Mapping[str, float]], None],
    clock: Clock,
) -> AsyncGenerator[Arrival, None]:
    """Connect, tell what was found and how often each point will be heard of, and yield what comes.

    Raises:
        SourceError: the server cannot be reached, or is silent beyond its limit.
        Exception: what nobody expected, as it was raised.
    """
    async with connected(settings, clock) as connection:
        located = await locate(connection, settings, profile)
        found(located, await _ranges(connection, located))
        handover = Handover(losses)
        life = _Life(connection, settings, profile, handover, losses, paced, clock)
        await life.start(located)
        tasks = [asyncio.create_task(_reported(run(), handover)) for run in life.tasks()]
        try:
            while True:
                yield await handover.take()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


async def _reported(work: Awaitable[None], handover: Handover) -> None:
    """Let whatever ends a task end the connection, in the order of what arrived before."""
    try:
        await work
    except Exception as error:  # noqa: BLE001 (raised again where the arrivals are taken)
        handover.fail(error)


async def _ranges(connection: Connection, located: Sequence[Located]) -> Ranges:
    numbers = [item for item in located if item.node is not None and item.point.kind is PointKind.NUMBER]
    nodes = {item.node: None for item in numbers if item.node is not None}
    said = await analogs(connection, Tree(connection, ()), list(nodes))
    known = {item.point.name: said[item.node].range for item in numbers if item.node in said}
    return {name: range_ for name, range_ in known.items() if range_ is not None}


class _Life:
    """One connection's life."""

    def __init__(
        self,
        connection: Connection,
        settings: OpcuaSettings,
        profile: Profile,
        handover: Handover,
        losses: Losses,
        paced: Callable[[Mapping[str, float]], None],
        clock: Clock,
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._profile = profile
        self._handover = handover
        self._losses = losses
        self._paced = paced
        self._monotonic_ns = clock.monotonic_ns
        self._sampled = Sampled(losses)
        self._missing: set[str] = set()
        self._sampling: Subscription | Polling
        now = clock.monotonic_ns
        if settings.mode == "subscription":
            self._sampling = Subscription(connection, settings, self._sampled, handover, losses, now)
        else:
            self._sampling = Polling(connection, settings, self._sampled, handover, now)

    def tasks(self) -> list[Callable[[], Awaitable[None]]]:
        """What has to run beside."""
        polling = [self._sampling.run] if isinstance(self._sampling, Polling) else []
        return [self._watch, *polling]

    async def start(self, located: Sequence[Located]) -> None:
        """Begin to read everything."""
        await self._sampling.start()
        await self._begin(located)

    async def _begin(self, located: Sequence[Located]) -> None:
        """Read these points from now on; what is not there is bad, and looked for again later."""
        now_ns = self._monotonic_ns()
        readings: list[Reading] = []
        by_node: dict[ua.NodeId, list[Located]] = {}
        for item in located:
            if item.node is None:
                readings.append(self._miss(item, now_ns, item.reason))
            else:
                by_node.setdefault(item.node, []).append(item)
        shared = [node for node in by_node if self._sampled.points(node)]
        await self._sampling.remove(shared)
        for node, items in by_node.items():
            self._missing.difference_update(item.point.name for item in items)
            self._sampled.add(node, [*self._sampled.points(node), *items])
        for node, status in (await self._sampling.add(list(by_node))).items():
            readings += [self._miss(item, now_ns, status) for item in self._sampled.drop(node)]
        if readings:
            self._handover.put(Arrival(now_ns, tuple(readings)))
        if isinstance(self._sampling, Subscription):
            watched = [(node, item) for node in by_node for item in self._sampled.points(node)]
            self._paced({item.point.name: self._sampling.period_s(node) for node, item in watched})

    def _miss(self, item: Located, now_ns: int, reason: str) -> Reading:
        self._missing.add(item.point.name)
        return bad(item, now_ns, reason)

    async def _watch(self) -> None:
        """Look at the server's clock and for nodes that came or went, again and again.

        Raises:
            SourceError: the clock stood still, or nothing was sent, for `silent_after_s`.
        """
        limit_s = self._settings.silent_after_s
        moved_ns, shown = self._monotonic_ns(), None
        sought_ns = moved_ns
        while True:
            left_s = limit_s - (self._monotonic_ns() - moved_ns) / 1e9
            try:
                async with asyncio.timeout(left_s):
                    await asyncio.sleep(limit_s / _LOOKS)
                    time = await self._look()
            except TimeoutError:
                self._connection.hung = True
                raise SourceError(say.SILENT(url=self._settings.url, seconds=limit_s)) from None
            except SourceError as error:
                if not unanswered(error):
                    raise
                continue  # no sign of life; the limit judges
            now_ns = self._monotonic_ns()
            if time != shown:
                shown, moved_ns = time, now_ns
                self._handover.put(Arrival(now_ns, ()))
            self._check_publishing(now_ns)
            if self._missing and now_ns - sought_ns >= limit_s * 1e9:
                sought_ns = now_ns
                await self._seek()
                moved_ns = self._monotonic_ns()

    async def _look(self) -> object:
        """What the server's clock shows; on the way, see whether nodes are gone and read what was missed.

        A server without a clock to read is alive as long as it answers: then this is always something new.

        Raises:
            SourceError: the server cannot be reached, or did not answer in time.
        """
        (time,) = await self._connection.read([_CLOCK])
        await self._check_nodes()
        if isinstance(self._sampling, Subscription) and self._sampling.incomplete:
            await self._read_anew(self._sampling)
        value = time.Value.Value if time.Value is not None else None
        return value if value is not None else object()

    async def _check_nodes(self) -> None:
        nodes = self._sampled.nodes
        classes = await self._connection.read(nodes, ua.AttributeIds.NodeClass)
        gone = [node for node, answer in zip(nodes, classes, strict=True) if status_of(answer) in _GONE]
        if not gone:
            return
        now_ns = self._monotonic_ns()
        items = [item for node in gone for item in self._sampled.drop(node)]
        readings = tuple(self._miss(item, now_ns, "BadNodeIdUnknown") for item in items)
        self._handover.put(Arrival(now_ns, readings))
        await self._sampling.remove(gone)

    async def _read_anew(self, subscription: Subscription) -> None:
        """Messages were lost, nobody knows of which points: so all are read, and may be vouched for again."""
        nodes = self._sampled.nodes
        asked_ns, missing = self._monotonic_ns(), self._losses.messages
        values = await self._connection.read(nodes)
        subscription.incomplete = self._losses.messages != missing  # more may have been lost meanwhile
        self._handover.put(self._sampled.arrival(nodes, values, asked_ns, self._monotonic_ns()))

    def _check_publishing(self, now_ns: int) -> None:
        if not isinstance(self._sampling, Subscription):
            return
        silent_s = (now_ns - self._sampling.heard_ns) / 1e9
        if silent_s > max(self._settings.silent_after_s, 2 * self._sampling.heartbeat_s):
            raise SourceError(say.NOT_PUBLISHING(url=self._settings.url, seconds=round(silent_s, 1)))

    async def _seek(self) -> None:
        """Look once more for what is missing; if the profile's machine is gone too, its points stay bad."""
        try:
            located = await locate(self._connection, self._settings, self._profile)
        except SourceError:  # were it the connection, the next look would tell
            return
        again = [item for item in located if item.point.name in self._missing]
        await self._begin(again)
