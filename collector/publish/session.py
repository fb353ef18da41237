"""What is sent over one connection and what becomes of it; nothing here goes over to the next connection.

Nothing is acknowledged to the outbox before the broker has taken it with success. Of a topic that the broker
refuses, one message is tried now and then; the rest of it waits in the outbox, and other topics go on. What
is longer than the broker takes waits alone, for the next connection: the broker says how long that is, or the
connections that it ends do.
"""

import asyncio
import contextlib
from collections.abc import Sequence

import structlog

from collector.clock import UtcClock
from collector.errors import BrokerError
from collector.health import Condition, State
from collector.mqtt import Acknowledgement, Connection, SizeLimit
from collector.outbox import Outbox
from collector.publish.item import Item, announcement, record
from collector.publish.pauses import Pauses
from collector.publish.receipts import ReceiptSubscription
from collector.publish.refusals import Refusals
from collector.texts import Sentence
from collector.texts import broker as say
from collector.times import moment

log = structlog.get_logger(__name__)


class Session:
    """One connection at work. `announced` is what the broker shall keep, by topic; what is withdrawn goes.

    `progress` is set whenever something has come to its end; `confirmed` counts the records that were taken.
    """

    def __init__(
        self,
        connection: Connection,
        outbox: Outbox,
        announced: dict[str, bytes],
        size_limit: SizeLimit,
        condition: Condition,
        clock: UtcClock,
        *,
        receipt_topic: str | None,
        pauses: Pauses,
    ) -> None:
        self.confirmed = 0
        self.progress = asyncio.Event()
        self._connection = connection
        self._outbox = outbox
        self._announced = announced
        self._size_limit = size_limit
        self._condition = condition
        self._clock = clock
        self._pauses = pauses
        self._loop = asyncio.get_running_loop()
        self._first: dict[str, Item] = {}
        """What goes before the records, one of a topic: announcements, and what is tried again."""
        self._sent: dict[int, Item] = {}
        """By message id: not acknowledged yet."""
        self._room = asyncio.Event()
        """More may be in flight, and nothing is there to be sent."""
        self._one_at_a_time: asyncio.TimerHandle | None = None
        """Until when: to find the message that ended the last connections."""
        self._refusals = Refusals(pauses.refused_s, self._try_again)
        self._receipts = ReceiptSubscription(connection, pauses.refused_s, self._judge)
        self._receipt_topic = receipt_topic
        self._record_too_large: Sentence | None = None
        """The first one, while any is shelved."""
        self._announcements_too_large: dict[str, Sentence] = {}
        """By topic."""

    @property
    def sending(self) -> bool:
        """Whether an announcement is to be sent, or something has no answer yet."""
        return bool(self._first or self._sent)

    async def run(self) -> None:
        """Send until the connection is lost, which raises BrokerError."""
        self._size_limit.connected()
        if self._size_limit.forgotten(self._loop.time()) or self._size_limit.one_at_a_time:
            self._send_one_at_a_time()
        self._judge()
        for topic in self._announced:
            self._announce(topic)
        tasks = []
        if self._receipt_topic is not None:  # before anything is sent
            tasks.append(asyncio.create_task(self._receipts.ask(self._receipt_topic)))
        tasks.append(sending := asyncio.create_task(self._send()))
        lost = self._connection.lost
        try:
            await asyncio.wait({sending, lost}, return_when=asyncio.FIRST_COMPLETED)
            (sending if sending.done() else lost).result()
        except BrokerError:
            self._size_limit.ended([item.size_bytes for item in self._sent.values()], self._loop.time())
            raise
        finally:
            self._send_together()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def close(self) -> None:
        """Nothing is in flight any more; what was refused is tried on the next connection."""
        self._refusals.close()
        self._outbox.release()
        self.progress.set()

    def announce(self, topic: str) -> None:
        """Something else is to be announced on a topic."""
        if topic not in self._refusals:
            self._announce(topic)

    def look(self) -> None:
        """Once a second: try again what was too long, and judge the broker."""
        if self._size_limit.forgotten(self._loop.time()):
            self._send_one_at_a_time()
            self._outbox.unshelve()
            for topic in self._announcements_too_large:
                self._announce(topic)
        self._judge()

    def acknowledged(self, acknowledgements: Sequence[Acknowledgement]) -> None:
        """The broker has answered, to one publish or to many."""
        for acknowledgement in acknowledgements:
            item = self._sent.pop(acknowledgement.mid)
            if acknowledgement.refusal is None:
                self._delivered(item)
            else:
                self._hold(item, say.PUBLISH_REFUSED(topic=item.topic, reason=acknowledgement.refusal))
        self.progress.set()
        with contextlib.suppress(BrokerError):  # `lost` tells it
            # At once: waking a task takes two more turns of the event loop, with the broker waiting.
            if not self._outbox.ready.is_set() or self._send_on():
                self._room.set()

    async def _send(self) -> None:
        while True:
            await self._outbox.ready.wait()
            if not self._send_on():
                self._room.clear()
                await self._room.wait()

    def _send_on(self) -> bool:
        """Send what is there, as far as it may be in flight; whether more may be.

        Raises:
            BrokerError: the connection is gone.
        """
        connection = self._connection
        in_flight = connection.in_flight if self._one_at_a_time is None else 1
        room = in_flight - len(self._sent)
        with connection.together:
            for item in self._next(room) if room > 0 else ():
                size, size_bytes = len(item.payload), item.size_bytes
                if not connection.takes(size_bytes):
                    limit = connection.max_packet_bytes or 0
                    self._shelve(item, say.PUBLISH_TOO_LARGE(topic=item.topic, bytes=size, limit=limit))
                elif not self._size_limit.takes(size_bytes):
                    self._shelve(item, say.PUBLISH_ENDS_CONNECTION(topic=item.topic, bytes=size))
                else:
                    mid = connection.publish(item.topic, item.payload, retain=item.retain, late=item.late)
                    self._sent[mid] = item
        return len(self._sent) < in_flight

    def _next(self, room: int) -> list[Item]:
        """At most `room` items to send now."""
        first = list(self._first.values())
        if self._one_at_a_time is not None:  # what ends the connection shall not be all that was sent
            first.sort(key=lambda item: item.size_bytes)
        items = first[:room]
        for item in items:
            del self._first[item.topic]
        if room > len(items):
            items += map(record, self._outbox.take(room - len(items), self._refusals.topics))
        return items

    def _send_first(self, item: Item) -> None:
        self._first[item.topic] = item
        self._outbox.ready.set()

    def _announce(self, topic: str) -> None:
        self._send_first(announcement(topic, self._announced.get(topic, b"")))

    def _send_one_at_a_time(self) -> None:
        """Have one message alone on its way, until the connection has lasted."""
        self._send_together()
        self._one_at_a_time = self._loop.call_later(self._pauses.lasting_s, self._send_together)

    def _send_together(self) -> None:
        if self._one_at_a_time is not None:
            self._one_at_a_time.cancel()
            self._one_at_a_time = None
            self._room.set()

    def _delivered(self, item: Item) -> None:
        self._size_limit.taken(item.size_bytes)
        if item.key is not None:
            self._outbox.acknowledge(*item.key)
            self.confirmed += 1
        else:
            if not item.payload and self._announced.get(item.topic) == item.payload:
                del self._announced[item.topic]
            if self._announcements_too_large.pop(item.topic, None):
                self._judge()  # a shorter one is in place
        if (tried := self._refusals.end(item.topic)) is not None:
            self._let_go(tried, item)

    def _shelve(self, item: Item, reason: Sentence) -> None:
        """Keep back what is too long for this connection; what else there is of its topic goes on."""
        if item.key is not None:
            first = self._record_too_large is None
            self._record_too_large = self._record_too_large or reason
            self._outbox.shelve(*item.key)
        else:
            first = item.topic not in self._announcements_too_large
            self._announcements_too_large[item.topic] = reason
            if self._refusals.announced(item.topic):
                self._refusals.end(item.topic)  # there is nothing to be tried again: a record shows it
                self._outbox.ready.set()
        if first:
            log.warning("broker.too-large", topic=item.topic, reason=str(reason))
        self._judge()

    def _hold(self, item: Item, reason: Sentence) -> None:
        """Hold back a refused topic."""
        if self._refusals.refused(item, reason):
            self._judge()
        elif item.key is not None:
            self._outbox.release([item.key])

    def _try_again(self, item: Item) -> None:
        if item.key is None:
            self._announce(item.topic)
        else:
            self._send_first(item._replace(late=True))

    def _let_go(self, tried: Item, taken: Item) -> None:
        """The broker has taken an item of a refused topic: the rest may go."""
        if tried.key is not None and tried.key != taken.key:
            self._outbox.release([tried.key])
        announced = self._announced.get(taken.topic)
        if announced is not None and not (taken.retain and announced == taken.payload):
            self._announce(taken.topic)
        self._outbox.ready.set()
        log.info("broker.accepts-again", topic=taken.topic)
        self._judge()

    def _judge(self) -> None:
        """Call the broker healthy when it refuses nothing."""
        if not self._outbox.shelved:
            self._record_too_large = None
        too_large = (*self._announcements_too_large.values(), self._record_too_large)
        reason = next(filter(None, (*self._refusals.reasons, *too_large, self._receipts.refusal)), None)
        if reason is not None:
            self._condition.change(State.FAILED, reason)
            return
        warning = self._connection.ends.warning(moment(self._clock.now_us()))
        self._condition.change(State.DEGRADED if warning else State.OK, warning)
