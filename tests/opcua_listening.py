"""Listening to an OPC UA source as the gateway does, and waiting for what tests expect of it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

from servers import PATIENCE_S, until

from collector.errors import SourceError
from collector.points import Arrival, PointQuality, Reading, Value
from collector.sources.opcua import OpcuaSettings, OpcuaSource, opcua_source


class Heard:
    """What a source has said so far."""

    def __init__(self, source: OpcuaSource) -> None:
        self.source = source
        self.arrivals: list[Arrival] = []
        self.latest: dict[str, Reading] = {}
        self.error: Exception | None = None

    def value(self, point: str) -> Value | None:
        """The last value of a point."""
        return self.latest[point].value if point in self.latest else None

    def quality(self, point: str) -> PointQuality | None:
        """The last quality of a point."""
        return self.latest[point].quality if point in self.latest else None

    async def until(self, true: Callable[[], Any], timeout_s: float = PATIENCE_S) -> None:
        """Wait for something to become true; an error of the source is raised instead."""

        def look() -> Any:
            if self.error is not None:
                raise self.error
            return true()

        await until(look, timeout_s)

    async def failure(self, timeout_s: float = PATIENCE_S) -> SourceError:
        """Wait until the source gives up, and return why."""
        await until(lambda: self.error is not None, timeout_s)
        assert isinstance(self.error, SourceError), repr(self.error)
        return self.error

    async def listen(self) -> None:
        """Take what comes, until it ends."""
        try:
            async with contextlib.aclosing(self.source.arrivals()) as arrivals:
                async for arrival in arrivals:
                    self.arrivals.append(arrival)
                    self.latest |= {reading.point: reading for reading in arrival.readings}
        except Exception as error:  # noqa: BLE001 (told to the test)
            self.error = error


@contextlib.asynccontextmanager
async def listening(source: OpcuaSource) -> AsyncIterator[Heard]:
    """Listen for as long as the block lasts."""
    heard = Heard(source)
    task = asyncio.create_task(heard.listen())
    try:
        yield heard
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def refusal(source: OpcuaSource) -> SourceError:
    """Why a source cannot be connected."""
    async with listening(source) as heard:
        return await heard.failure()


def source_of(url: str, *points: dict[str, Any], **changes: Any) -> OpcuaSource:
    """A quick source."""
    quick = {"kind": "opcua", "url": url, "sampling_ms": 50, "publishing_ms": 50, "silent_after_s": 4}
    return opcua_source(OpcuaSettings.model_validate(quick | changes | {"points": points}))
