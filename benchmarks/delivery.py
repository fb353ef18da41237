"""The daemon's own way from a record to the broker, joined as the daemon joins it. Nothing here measures."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from collector.clock import SystemClock, UtcClock, boot_id
from collector.config import Config
from collector.journal import Journal
from collector.messages import Message, Topics
from collector.mqtt import Will
from collector.outbox import Outbox
from collector.publish import Publisher


class WatchedOutbox(Outbox):
    """An outbox that shows the last record, and tells when all of them are confirmed."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.all_confirmed = asyncio.Event()
        self.last: Message | None = None
        self._unconfirmed = 0

    def append(self, message: Message) -> None:
        """Take a record."""
        super().append(message)
        self.last = message
        self._unconfirmed += 1
        self.all_confirmed.clear()

    def confirm(self, epoch: str, seq: int) -> None:
        """Let go of a record."""
        super().confirm(epoch, seq)
        self._unconfirmed -= 1
        if not self._unconfirmed:
            self.all_confirmed.set()


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where records are made, and where they wait for the broker's confirmation."""

    journal: Journal
    outbox: WatchedOutbox


@asynccontextmanager
async def delivering(config: Config) -> AsyncIterator[Delivery]:
    """Journal, outbox and publisher at work."""
    clock = UtcClock(SystemClock())
    outbox = await WatchedOutbox.open(config.outbox)
    assert isinstance(outbox, WatchedOutbox)
    topics = Topics(config.gateway.root, config.gateway.company, config.gateway.name)
    journal = Journal(topics, clock, outbox, boot_id())
    publisher = Publisher(config.broker, "benchmark", Will(topics.status, b"{}"), outbox, clock)
    publishing = asyncio.create_task(publisher.run())
    try:
        yield Delivery(journal, outbox)
    finally:
        publishing.cancel()
        await asyncio.gather(publishing, return_exceptions=True)
        await outbox.close()
