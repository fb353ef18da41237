"""From the outbox to the broker, for as long as the daemon runs: connect, send, acknowledge, and again.

Nothing is acknowledged to the outbox before the broker has taken it with success. Of a topic that the broker
refuses, one message is tried now and then; the rest of it waits in the outbox, and other topics go on. What
is longer than the broker takes waits alone, for the next connection: the broker says how long that is, or the
connections that it ends do. What the store says of our records comes on the same connection, and is handed to
the outbox as it is.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import structlog
from pydantic import ValidationError

from collector.clock import UtcClock
from collector.errors import BrokerError
from collector.health import BrokerReport, Condition, State
from collector.messages import Receipt
from collector.mqtt import (
    Acknowledgement,
    BrokerSettings,
    Connection,
    Ends,
    SizeLimit,
    TimeLimits,
    Will,
    reconnect_pauses,
)
from collector.outbox import Key, Outbox, Outgoing
from collector.texts import Sentence
from collector.texts import broker as say
from collector.times import moment

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pauses:
    """How long the publisher waits before it tries again, in seconds."""

    first_s: float = 0.5
    """After the first failure; doubled with each that follows, up to `reconnect_max_s`."""
    lasting_s: float = 10.0
    """After a connection that lasted so long they begin anew; a shorter one counts as a failure.

    Else two gateways under one name would throw each other out as fast as they can.
    """
    refused_s: float = 10.0
    """Until a refused topic is tried again: the broker's rules may have been repaired."""
    held_s: float = 3600.0
    """Until what ended the connection is tried again, which costs one more."""


class _Item(NamedTuple):
    """What is sent: a record of the outbox, or an announcement, which has no key."""

    topic: str
    payload: bytes
    retain: bool
    late: bool = False
    key: Key | None = None

    @property
    def size_bytes(self) -> int:
        return len(self.topic.encode()) + len(self.payload)


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why a topic is held back, and the item that is tried again when the timer ends."""

    reason: Sentence
    item: _Item
    timer: asyncio.TimerHandle


class Publisher:
    """Sends what the outbox holds. `condition` says how the broker is."""

    def __init__(
        self,
        settings: BrokerSettings,
        client_id: str,
        will: Will,
        outbox: Outbox,
        clock: UtcClock,
        *,
        receipts: str | None = None,
        pauses: Pauses = Pauses(),
        limits: TimeLimits = TimeLimits(),  # noqa: B008 (frozen)
    ) -> None:
        self._settings = settings
        self._client_id = client_id
        self._will = will
        self._outbox = outbox
        self._clock = clock
        self._receipts = receipts
        """The topic of the store's receipts; None where they do not count."""
        self._unheard: Sentence | None = None
        """Why the broker does not hand them out."""
        self._pauses = pauses
        self._limits = limits
        self._connection: Connection | None = None
        self._announced: dict[str, bytes] = {}
        self._first: dict[str, _Item] = {}
        """What goes before the records, one of a topic: announcements, and what is tried again."""
        self._sent: dict[int, _Item] = {}
        """By message id: not acknowledged yet on this connection."""
        self._size_limit = SizeLimit(pauses.held_s)
        self._one_at_a_time: asyncio.TimerHandle | None = None
        """Until when: to find the message that ended the last connections."""
        self._refused: dict[str, _Refusal] = {}
        """By topic."""
        self._record_too_large: Sentence | None = None
        """The first one of this connection, while any is shelved."""
        self._announcements_too_large: dict[str, Sentence] = {}
        """By topic."""
        self._room = asyncio.Event()
        """More may be in flight, and nothing is there to be sent."""
        self._progress = asyncio.Event()
        self.condition = Condition(clock)
        self.next_retry_ns: int | None = None
        self.confirmed = 0

    def announce(self, topic: str, payload: bytes) -> None:
        """Keep a retained message in place: sent now and after every connection, since brokers forget."""
        if self._announced.get(topic) != payload:
            self._announced[topic] = payload
            if self._connection is not None and topic not in self._refused:
                self._send_first(_Item(topic, payload, retain=True))

    @property
    def announced(self) -> list[str]:
        """The topics of which the broker may keep a message of ours."""
        return sorted(self._announced)

    def withdraw(self, topic: str) -> None:
        """Have the broker forget what it keeps, now or on the next connection: an empty message does that."""
        self.announce(topic, b"")

    def report(self) -> BrokerReport:
        """How the broker is, and what it has taken."""
        retry_ns = self.next_retry_ns
        now_ns = self._clock.monotonic_ns()
        return BrokerReport(
            **self.condition.facts(),
            address=self._settings.where,
            confirmed=self.confirmed,
            next_retry_s=None if retry_ns is None else max(0.0, (retry_ns - now_ns) / 1e9),
        )

    def look(self) -> None:
        """Once a second, also while all is quiet: certificates near their end, limits are tried again."""
        if self._connection is None:
            return
        if self._size_limit.forgotten(asyncio.get_running_loop().time()):
            self._send_one_at_a_time()
            self._outbox.unshelve()
            for topic in self._announcements_too_large:
                self._send_first(_Item(topic, self._announced.get(topic, b""), retain=True))
        self._judge()

    async def drain(self, timeout_s: float) -> None:
        """Wait until all is acknowledged, but not longer than this, and not at all while offline."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while self._connection is not None and (
                    self._first or self._sent or self._outbox.state().records
                ):
                    self._progress.clear()
                    await self._progress.wait()

    async def run(self) -> None:
        """Keep a connection and send over it, until cancelled; then say goodbye to the broker."""
        first_s, longest_s = self._pauses.first_s, self._settings.reconnect_max_s
        pauses = reconnect_pauses(first_s, longest_s)
        while True:
            self.next_retry_ns = None
            lasted_s = await self._connect_and_serve()
            if lasted_s >= self._pauses.lasting_s:
                pauses = reconnect_pauses(first_s, longest_s)
            pause_s = next(pauses)
            self.next_retry_ns = self._clock.monotonic_ns() + int(pause_s * 1e9)
            await asyncio.sleep(pause_s)

    async def _connect_and_serve(self) -> float:
        """One connection from its beginning to its end; returns how many seconds it lasted."""
        loop = asyncio.get_running_loop()
        try:
            connection = await Connection.open(
                self._settings,
                self._client_id,
                will=self._will,
                limits=self._limits,
                on_acknowledged=self._acknowledged,
                on_message=self._received,
            )
        except BrokerError as error:
            self._failed(error)
            return 0.0
        began_s = loop.time()
        try:
            await self._serve(connection)
        except BrokerError as error:
            self._failed(error)
        finally:
            self._take_back()
            await connection.close()
        return loop.time() - began_s

    async def _serve(self, connection: Connection) -> None:
        """Send until the connection is lost, which raises BrokerError."""
        self._connection = connection
        loop = asyncio.get_running_loop()
        self._size_limit.connected()
        if self._size_limit.forgotten(loop.time()) or self._size_limit.one_at_a_time:
            self._send_one_at_a_time()
        self._judge()
        log.info("broker.connected", host=self._settings.host, in_flight=connection.in_flight)
        for topic, payload in self._announced.items():
            self._send_first(_Item(topic, payload, retain=True))
        listening = asyncio.create_task(self._listen(connection))  # before anything is sent
        sending = asyncio.create_task(self._send(connection))
        try:
            await asyncio.wait({sending, connection.lost}, return_when=asyncio.FIRST_COMPLETED)
            (sending if sending.done() else connection.lost).result()
        except BrokerError:
            self._size_limit.ended([item.size_bytes for item in self._sent.values()], loop.time())
            raise
        finally:
            self._send_together()
            listening.cancel()
            sending.cancel()
            await asyncio.gather(listening, sending, return_exceptions=True)

    def _send_one_at_a_time(self) -> None:
        """Have one message alone on its way, until the connection has lasted."""
        self._send_together()
        loop = asyncio.get_running_loop()
        self._one_at_a_time = loop.call_later(self._pauses.lasting_s, self._send_together)

    def _send_together(self) -> None:
        if self._one_at_a_time is not None:
            self._one_at_a_time.cancel()
            self._one_at_a_time = None
            self._room.set()

    async def _listen(self, connection: Connection) -> None:
        """Ask for the store's receipts, where they count, until the broker grants them."""
        while self._receipts is not None:
            try:
                await connection.subscribe(self._receipts)
            except BrokerError as error:
                if connection.lost.done():
                    return
                if self._unheard is None:
                    log.warning("broker.receipts-refused", code=error.sentence.code, reason=str(error))
                self._unheard = error.sentence
            else:
                self._unheard = None
            self._judge()
            if self._unheard is None:
                return
            await asyncio.sleep(self._pauses.refused_s)

    async def _send(self, connection: Connection) -> None:
        while True:
            await self._outbox.ready.wait()
            if not self._send_on(connection):
                self._room.clear()
                await self._room.wait()

    def _send_on(self, connection: Connection) -> bool:
        """Send what is there, as far as it may be in flight; whether more may be.

        Raises:
            BrokerError: the connection is gone.
        """
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

    def _next(self, room: int) -> list[_Item]:
        """At most `room` items to send now."""
        first = list(self._first.values())
        if self._one_at_a_time is not None:  # what ends the connection shall not be all that was sent
            first.sort(key=lambda item: item.size_bytes)
        items = first[:room]
        for item in items:
            del self._first[item.topic]
        if room > len(items):
            items += map(_record, self._outbox.take(room - len(items), self._refused.keys()))
        return items

    def _send_first(self, item: _Item) -> None:
        self._first[item.topic] = item
        self._outbox.ready.set()

    def _acknowledged(self, acknowledgements: Sequence[Acknowledgement]) -> None:
        for acknowledgement in acknowledgements:
            item = self._sent.pop(acknowledgement.mid)
            if acknowledgement.refusal is None:
                self._delivered(item)
            else:
                self._hold(item, say.PUBLISH_REFUSED(topic=item.topic, reason=acknowledgement.refusal))
        self._progress.set()
        connection = self._connection
        if connection is None:
            return
        with contextlib.suppress(BrokerError):  # `lost` tells it
            # At once: waking a task takes two more turns of the event loop, with the broker waiting.
            if not self._outbox.ready.is_set() or self._send_on(connection):
                self._room.set()

    def _delivered(self, item: _Item) -> None:
        self._size_limit.taken(item.size_bytes)
        if item.key is not None:
            self._outbox.acknowledge(*item.key)
            self.confirmed += 1
        else:
            if not item.payload and self._announced.get(item.topic) == item.payload:
                del self._announced[item.topic]
            if self._announcements_too_large.pop(item.topic, None):
                self._judge()  # a shorter one is in place
        if item.topic in self._refused:
            self._let_go(self._refused.pop(item.topic), item)

    def _received(self, _topic: str, payload: bytes, _retained: bool) -> None:
        """Take a receipt, for there is nothing else that we ask for."""
        try:
            receipt = Receipt.model_validate_json(payload)
        except ValidationError as error:
            mistake = error.errors(include_url=False, include_input=False)[0]
            log.warning("receipt.unreadable", bytes=len(payload), where=mistake["loc"], reason=mistake["msg"])
            return
        self._outbox.receipt(receipt)
        self._progress.set()

    def _shelve(self, item: _Item, reason: Sentence) -> None:
        """Keep back what is too long for this connection; what else there is of its topic goes on."""
        if item.key is not None:
            first = self._record_too_large is None
            self._record_too_large = self._record_too_large or reason
            self._outbox.shelve(*item.key)
        else:
            first = item.topic not in self._announcements_too_large
            self._announcements_too_large[item.topic] = reason
            if (held := self._refused.get(item.topic)) is not None and held.item.key is None:
                held.timer.cancel()  # there is nothing to be tried again: a record shows whether it is taken
                del self._refused[item.topic]
                self._outbox.ready.set()
        if first:
            log.warning("broker.too-large", topic=item.topic, reason=str(reason))
        self._judge()

    def _hold(self, item: _Item, reason: Sentence) -> None:
        """Hold back a refused topic; the first item that met the refusal is the one to be tried again."""
        held = self._refused.get(item.topic)
        if held is not None and held.item.key != item.key:
            if item.key is not None:
                self._outbox.release([item.key])
            return
        if held is not None:
            held.timer.cancel()
        else:
            log.warning("broker.refused", topic=item.topic, code=reason.code, reason=str(reason))
        timer = asyncio.get_running_loop().call_later(self._pauses.refused_s, self._try_again, item.topic)
        self._refused[item.topic] = _Refusal(reason, item, timer)
        self._judge()

    def _try_again(self, topic: str) -> None:
        item = self._refused[topic].item
        if item.key is None:
            self._send_first(_Item(topic, self._announced.get(topic, b""), retain=True))
        else:
            self._send_first(item._replace(late=True))

    def _let_go(self, refusal: _Refusal, taken: _Item) -> None:
        """The broker has taken an item of a refused topic: the rest may go."""
        refusal.timer.cancel()
        if refusal.item.key is not None and refusal.item.key != taken.key:
            self._outbox.release([refusal.item.key])
        announced = self._announced.get(taken.topic)
        if announced is not None and not (taken.retain and announced == taken.payload):
            self._send_first(_Item(taken.topic, announced, retain=True))
        self._outbox.ready.set()
        log.info("broker.accepts-again", topic=taken.topic)
        self._judge()

    def _judge(self) -> None:
        """While connected: call the broker healthy when it refuses nothing."""
        if not self._outbox.shelved:
            self._record_too_large = None
        refused = (refusal.reason for refusal in self._refused.values())
        too_large = (*self._announcements_too_large.values(), self._record_too_large)
        reason = next(filter(None, (*refused, *too_large, self._unheard)), None)
        if reason is not None:
            self.condition.change(State.FAILED, reason)
            return
        ends = self._connection.ends if self._connection is not None else Ends()
        warning = ends.warning(moment(self._clock.now_us()))
        self.condition.change(State.DEGRADED if warning else State.OK, warning)

    def _failed(self, error: BrokerError) -> None:
        log.warning("broker.failed", code=error.sentence.code, reason=str(error))
        self.condition.change(State.FAILED, error.sentence)

    def _take_back(self) -> None:
        """After a connection nothing is in flight any more; what was refused is tried on the next one."""
        self._connection = None
        self._unheard = None
        for refusal in self._refused.values():
            refusal.timer.cancel()
        self._refused.clear()
        self._announcements_too_large.clear()
        self._record_too_large = None
        self._first.clear()
        self._sent.clear()
        self._outbox.release()
        self._progress.set()


def _record(outgoing: Outgoing) -> _Item:
    message = outgoing.message
    key = (message.epoch, message.seq)
    # Never retained: what the broker keeps is announced, and an old description must not take its place.
    return _Item(message.topic, message.payload, retain=False, late=outgoing.late, key=key)
