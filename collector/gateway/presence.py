"""The gateway at its broker: what is announced there, by which publisher, and how it takes its leave.

What is sent and how stands in `publish/`; what the status says in `status.py`.
"""

import asyncio
from collections.abc import Collection, Sequence

import structlog

from collector.clock import UtcClock
from collector.config import Config
from collector.gateway.status import offline_status
from collector.health import BrokerReport
from collector.messages import Message, Status, Topics
from collector.mqtt import Will
from collector.outbox import Outbox
from collector.publish import Publisher
from collector.streams.streams import ended
from collector.texts import Sentence
from collector.texts import gateway as say

_LEAVE_S = 1.0
"""How long a broker that is no longer ours may take for the last records; the next one gets the rest."""

log = structlog.get_logger(__name__)


class Presence:
    """At one broker at a time; it begins with `start`."""

    def __init__(self, config: Config, topics: Topics, outbox: Outbox, clock: UtcClock) -> None:
        self._topics = topics
        self._outbox = outbox
        self._clock = clock
        self._publisher = self._new_publisher(config)
        self._publishing: asyncio.Task[None] | None = None

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Begin to publish."""
        self._publishing = tasks.create_task(self._publisher.run())

    def announce(self, meta: Message) -> None:
        """Keep a description in place."""
        self._publisher.announce(meta.topic, meta.payload)

    def announce_status(self, status: Status) -> None:
        """Keep the status in place."""
        self._publisher.announce(self._topics.status, status.model_dump_json().encode())

    def withdraw(self, topic: str) -> None:
        """Take back what the broker keeps on a topic."""
        self._publisher.withdraw(topic)

    def withdraw_all_but(self, described: Collection[str], retained: Sequence[str]) -> Sentence | None:
        """Take back what the run before had announced of streams that are there no longer.

        Returns:
            what to say of that which is under another name that we had, where we may not write now.
        """
        ours = self._topics.status.removesuffix("status")
        left = sorted({*retained} - {*described, self._topics.status})
        for topic in left:
            if topic.startswith(ours):
                self._publisher.withdraw(topic)
        others = [topic for topic in left if not topic.startswith(ours)]
        if not others:
            return None
        log.warning("broker.left-behind", topics=others)
        return say.LEFT_BEHIND(name=_whose(others[0]), count=len(others))

    @property
    def retained(self) -> list[str]:
        """The topics of which the broker may keep a message of ours."""
        return self._publisher.announced

    def look(self) -> None:
        """Once a second."""
        self._publisher.look()

    def report(self) -> BrokerReport:
        """How the broker is."""
        return self._publisher.report()

    async def leave(self, goodbye_s: float, *, for_good: bool = False) -> None:
        """Give the last records a moment; where it is `for_good`, take back all that the broker keeps."""
        await self._publisher.drain(goodbye_s)
        if for_good:
            for topic in self._publisher.announced:
                self._publisher.withdraw(topic)
            await self._publisher.drain(goodbye_s)
        if self._publishing is not None:
            await ended([self._publishing])

    async def move(self, config: Config, tasks: asyncio.TaskGroup) -> None:
        """Leave this broker for another one, or come back in another way; there, nothing is announced yet."""
        await self.leave(_LEAVE_S)
        self._publisher = self._new_publisher(config, self._publisher.confirmed)
        self.start(tasks)

    def _new_publisher(self, config: Config, confirmed: int = 0) -> Publisher:
        # No name has a dot in it, so no two gateways of the group get the same id.
        client_id = config.broker.client_id or f"{self._topics.company}.{self._topics.gateway}"
        will = Will(self._topics.status, offline_status(self._outbox.epoch).model_dump_json().encode())
        return Publisher(
            config.broker,
            client_id,
            will,
            self._outbox,
            self._clock,
            receipts=self._topics.receipt if config.outbox.delivery == "store" else None,
            confirmed=confirmed,
        )


def _whose(topic: str) -> str:
    """The gateway that a retained topic is of, a stream's or its own, whatever its root is."""
    parts = topic.split("/")
    return "/".join(parts[-3:-1] if parts[-1] == "status" else parts[-5:-3])
