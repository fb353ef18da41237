"""From the outbox to the broker, for as long as the daemon runs: connect, send, confirm, and again.

Nothing is confirmed to the outbox before the broker has acknowledged it with success.
"""

import asyncio
import contextlib
import random
from collections.abc import Sequence

import structlog

from collector.clock import UtcClock
from collector.errors import BrokerError
from collector.health import BrokerReport, Condition, Said, State
from collector.messages import Message
from collector.mqtt import Acknowledgement, BrokerSettings, Connection, Will
from collector.outbox import Outbox
from collector.texts import broker as say

_FIRST_PAUSE_S = 0.5
_REFUSED_PAUSE_S = 10.0

log = structlog.get_logger(__name__)


class Publisher:
    """Sends what the outbox holds. `condition` says how the broker is."""

    def __init__(
        self, settings: BrokerSettings, client_id: str, will: Will, outbox: Outbox, clock: UtcClock
    ) -> None:
        self._settings = settings
        self._client_id = client_id
        self._will = will
        self._outbox = outbox
        self._clock = clock
        self._connection: Connection | None = None
        self._announced: dict[str, bytes] = {}
        self._sent: dict[int, Message] = {}
        self._refused: dict[str, asyncio.TimerHandle] = {}
        self._room = asyncio.Event()
        self.condition = Condition(State.STARTING, clock.now_us())
        self.next_retry_ns: int | None = None
        self.confirmed = 0

    def announce(self, topic: str, payload: bytes) -> None:
        """Keep a retained message in place: sent now and after every connection, since brokers forget."""
        if self._announced.get(topic) != payload:
            self._announced[topic] = payload
            if self._connection is not None:
                self._connection.publish(topic, payload, retain=True)

    def report(self) -> BrokerReport:
        """How the broker is, and what it has taken."""
        retry_ns = self.next_retry_ns
        now_ns = self._clock.monotonic_ns()
        return BrokerReport(
            state=self.condition.state,
            since_us=self.condition.since_us,
            reason=Said.of(self.condition.reason) if self.condition.reason else None,
            address="{}:{}".format(*self._settings.address),
            confirmed=self.confirmed,
            next_retry_s=None if retry_ns is None else max(0.0, (retry_ns - now_ns) / 1e9),
        )

    async def drain(self, timeout_s: float) -> None:
        """Wait until all is confirmed, but not longer than this, and not at all while offline."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while self._connection is not None and self._outbox.state().records:
                    self._room.clear()
                    await self._room.wait()

    async def run(self) -> None:
        """Keep a connection and send over it, until cancelled; then say goodbye to the broker."""
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                connection = await Connection.open(
                    self._settings, self._client_id, will=self._will, on_acknowledged=self._acknowledged
                )
            except BrokerError as error:
                self._failed(error)
            else:
                pause_s = _FIRST_PAUSE_S
                try:
                    await self._serve(connection)
                except BrokerError as error:
                    self._failed(error)
                finally:
                    self._connection = None
                    await connection.close()
                    self._take_back()
            wait_s = pause_s * random.uniform(0.5, 1.0)  # noqa: S311 (spreads reconnections, no secret)
            self.next_retry_ns = self._clock.monotonic_ns() + int(wait_s * 1e9)
            await asyncio.sleep(wait_s)
            pause_s = min(pause_s * 2, self._settings.reconnect_max_s)

    async def _serve(self, connection: Connection) -> None:
        """Send until the connection is lost, which raises BrokerError."""
        self._connection = connection
        self.next_retry_ns = None
        self._judge()
        log.info("broker.connected", host=self._settings.host, in_flight=connection.in_flight)
        for topic, payload in self._announced.items():
            connection.publish(topic, payload, retain=True)
        sending = asyncio.create_task(self._send(connection))
        try:
            await asyncio.wait({sending, connection.lost}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
            connection.lost.result()
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _send(self, connection: Connection) -> None:
        while True:
            await self._outbox.ready.wait()
            room = connection.in_flight - len(self._sent)
            if room <= 0:
                self._room.clear()
                await self._room.wait()
                continue
            for outgoing in self._outbox.take(room, self._refused):
                message = outgoing.message
                mid = connection.publish(
                    message.topic, message.payload, retain=message.retain, late=outgoing.late
                )
                self._sent[mid] = message

    def _acknowledged(self, acknowledgements: Sequence[Acknowledgement]) -> None:
        for acknowledgement in acknowledgements:
            message = self._sent.pop(acknowledgement.mid, None)
            if message is None:  # an announcement
                if acknowledgement.refusal is not None:
                    self._withhold(self._will.topic, acknowledgement.refusal)
            elif acknowledgement.refusal is None:
                self._outbox.confirm(message.epoch, message.seq)
                self.confirmed += 1
            else:
                self._withhold(message.topic, acknowledgement.refusal)
                self._outbox.release([(message.epoch, message.seq)])
        self._room.set()

    def _withhold(self, topic: str, refusal: str) -> None:
        """Keep a topic's records back for a while after the broker refused one: its rules may be repaired."""
        if topic in self._refused:
            return
        log.warning("broker.refused", topic=topic, reason=refusal)
        self.condition.change(
            State.FAILED, self._clock.now_us(), say.PUBLISH_REFUSED(topic=topic, reason=refusal)
        )
        self._refused[topic] = asyncio.get_running_loop().call_later(_REFUSED_PAUSE_S, self._try_again, topic)

    def _try_again(self, topic: str) -> None:
        del self._refused[topic]
        self._outbox.ready.set()
        if self._connection is not None:
            if topic in self._announced:
                self._connection.publish(topic, self._announced[topic], retain=True)
            asyncio.get_running_loop().call_later(2.0, self._judge)

    def _judge(self) -> None:
        """Call the broker healthy when it is there and refuses nothing."""
        if self._connection is not None and not self._refused:
            self.condition.change(State.OK, self._clock.now_us())

    def _failed(self, error: BrokerError) -> None:
        log.warning("broker.failed", code=error.sentence.code, reason=str(error))
        self.condition.change(State.FAILED, self._clock.now_us(), error.sentence)

    def _take_back(self) -> None:
        """After a lost connection nothing is in flight any more; what was refused is tried at once."""
        self._sent.clear()
        for timer in self._refused.values():
            timer.cancel()
        self._refused.clear()
        self._outbox.release()
