"""An outbox with its publisher on the way to a real broker, as tests of delivery need them."""

import asyncio
import contextlib
import gc
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Collection
from pathlib import Path
from typing import Any

import pytest
from servers import Mosquitto, Subscriber, until

from collector.clock import SystemClock, UtcClock
from collector.health import State
from collector.messages import Message
from collector.mqtt import BrokerSettings, TimeLimits, Will
from collector.outbox import Outbox, OutboxSettings, Outgoing
from collector.publish import Pauses, Publisher

ROOT = "shopfloor/v1/works/gw1"
STATUS = f"{ROOT}/status"
MILL, LATHE = f"{ROOT}/mill-1/spindle/features", f"{ROOT}/lathe-1/spindle/features"
METAS = [f"{ROOT}/mill-{n}/spindle/meta" for n in range(20)]
QUICK = Pauses(first_s=0.05, lasting_s=0.5, refused_s=0.2)
LIMITS = TimeLimits(dial_s=1, answer_s=2, goodbye_s=0.3)


class WatchedOutbox(Outbox):
    """The outbox, noting what is confirmed and how often it is asked."""

    taken = 0
    confirmed: list[int]

    def take(self, room: int, withheld: Collection[str] = ()) -> list[Outgoing]:
        self.taken += 1
        assert room > 0
        return super().take(room, withheld)

    def confirm(self, epoch: str, seq: int) -> None:
        self.confirmed.append(seq)
        super().confirm(epoch, seq)


class Delivery:
    """An outbox and its publisher, which runs from `start` on."""

    def __init__(self, outbox: WatchedOutbox) -> None:
        self.outbox = outbox
        self.publisher: Publisher
        self.running: asyncio.Task[None] | None = None
        self.appended: list[int] = []

    def start(
        self,
        port: int,
        pauses: Pauses = QUICK,
        *,
        keepalive_s: int = 30,
        receipts: str | None = None,
        **broker: Any,
    ) -> None:
        """Begin to deliver to a broker on this computer."""
        settings = BrokerSettings.model_validate(
            {"host": "127.0.0.1", "port": port, "reconnect_max_s": 0.3} | broker
        )
        self.publisher = Publisher(
            settings.model_copy(update={"keepalive_s": keepalive_s}),  # shorter than may be configured
            "works-gw1",
            Will(STATUS, b'{"state": "offline"}'),
            self.outbox,
            UtcClock(SystemClock()),
            receipts=receipts,
            pauses=pauses,
            limits=LIMITS,
        )
        self.running = asyncio.create_task(self.publisher.run())

    def append(self, count: int, *topics: str, size: int = 500) -> None:
        """Put records into the outbox, each topic in its turn."""
        for _ in range(count):
            for topic in topics or (MILL,):
                seq = len(self.appended) + 1
                epoch = self.outbox.epoch
                payload = json.dumps({"epoch": epoch, "seq": seq, "filling": "x" * size}).encode()
                self.outbox.append(Message(epoch, seq, topic, payload, seq, sync=True))
                self.appended.append(seq)

    @property
    def pending(self) -> int:
        """How many records are not confirmed."""
        return self.outbox.state().records

    async def connected(self) -> None:
        """Wait until all is well."""
        await until(lambda: self.publisher.condition.state is State.OK)

    async def end(self) -> None:
        """Cancel it, and see that it ends soon and cleanly."""
        if self.running is not None:
            self.running.cancel()
            async with asyncio.timeout(1.5):
                with pytest.raises(asyncio.CancelledError):
                    await self.running
            self.running = None


@contextlib.asynccontextmanager
async def delivering(settings: OutboxSettings) -> AsyncIterator[Delivery]:
    """A delivery that is ended at the end; it leaves no socket open."""
    outbox = await WatchedOutbox.open(settings)
    assert isinstance(outbox, WatchedOutbox)
    outbox.confirmed = []
    delivery = Delivery(outbox)
    mistakes: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: mistakes.append(context))
    yield delivery
    try:
        await delivery.end()
        assert not mistakes  # of callbacks, timers among them
    finally:
        await outbox.close()
        gc.collect()  # what was not closed is a warning, and an error


@contextlib.asynccontextmanager
async def subscribed(port: int, topic: str = "shopfloor/#") -> AsyncIterator[Subscriber]:
    subscriber = await Subscriber.start(port, topic)
    try:
        yield subscriber
    finally:
        await subscriber.end()


@contextlib.asynccontextmanager
async def feeding(delivery: Delivery, *topics: str) -> AsyncIterator[None]:
    """Records come in all the time meanwhile."""

    async def feed() -> None:
        while True:
            delivery.append(5, *topics)
            await asyncio.sleep(0.01)

    task = asyncio.create_task(feed())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def seqs(payloads: list[tuple[str, str]]) -> dict[str, list[int]]:
    """The sequence numbers of received records, by topic."""
    found = defaultdict(list)
    for topic, payload in payloads:
        record = json.loads(payload)
        if "seq" in record:
            found[topic].append(record["seq"])
    return found


def all_seqs(subscriber: Subscriber) -> set[int]:
    return {seq for of_topic in seqs(subscriber.raw).values() for seq in of_topic}


class Guarded:
    """A broker with an access list that can be changed while it runs."""

    def __init__(self, folder: Path) -> None:
        self._rules = folder / "acl"
        self.allow("shopfloor/#")
        self.broker = Mosquitto(folder, "allow_anonymous true", f"acl_file {self._rules}")

    def allow(self, *writable: str) -> None:
        """Say what may be written; everything may be read."""
        lines = [f"topic write {topic}" for topic in writable] + ["topic read #"]
        self._rules.write_text("\n".join(lines) + "\n")
        self._rules.chmod(0o600)
