"""A connection to the broker, kept for as long as the daemon runs: made, used, and made again after a pause.

Here is what outlives a connection: what is to be announced on each, how long a message the broker takes, and
how the broker is. What happens on one stands in `session.py`.
"""

import asyncio
import contextlib
from collections.abc import Sequence

import structlog

from collector.clock import UtcClock
from collector.errors import BrokerError
from collector.health import BrokerReport, Condition, State
from collector.mqtt import (
    Acknowledgement,
    BrokerSettings,
    Connection,
    SizeLimit,
    TimeLimits,
    Will,
    reconnect_pauses,
)
from collector.outbox import Outbox
from collector.publish.pauses import Pauses
from collector.publish.receipts import read_receipt
from collector.publish.session import Session

log = structlog.get_logger(__name__)


class Publisher:
    """Sends what the outbox holds. `condition` says how the broker is.

    `receipts` is the topic of the store's receipts, None where they do not count; `confirmed` is how many
    records brokers have taken before.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        client_id: str,
        will: Will,
        outbox: Outbox,
        clock: UtcClock,
        *,
        receipts: str | None = None,
        confirmed: int = 0,
        pauses: Pauses = Pauses(),  # noqa: B008 (frozen)
        limits: TimeLimits = TimeLimits(),  # noqa: B008 (frozen)
    ) -> None:
        self._settings = settings
        self._client_id = client_id
        self._will = will
        self._outbox = outbox
        self._clock = clock
        self._receipts = receipts
        self._confirmed_before = confirmed
        self._pauses = pauses
        self._limits = limits
        self._session: Session | None = None
        self._announced: dict[str, bytes] = {}
        self._size_limit = SizeLimit(pauses.held_s)
        self.condition = Condition(clock)
        self.next_retry_ns: int | None = None

    def announce(self, topic: str, payload: bytes) -> None:
        """Keep a retained message in place: sent now and after every connection, since brokers forget."""
        if self._announced.get(topic) != payload:
            self._announced[topic] = payload
            if self._session is not None:
                self._session.announce(topic)

    @property
    def announced(self) -> list[str]:
        """The topics of which the broker may keep a message of ours."""
        return sorted(self._announced)

    def withdraw(self, topic: str) -> None:
        """Have the broker forget what it keeps, now or on the next connection: an empty message does that."""
        self.announce(topic, b"")

    @property
    def confirmed(self) -> int:
        """How many records the broker has taken."""
        return self._confirmed_before + (0 if self._session is None else self._session.confirmed)

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
        if self._session is not None:
            self._session.look()

    async def drain(self, timeout_s: float) -> None:
        """Wait until all is acknowledged, but not longer than this, and not at all while offline."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while (session := self._session) is not None and (
                    session.sending or self._outbox.state().records
                ):
                    session.progress.clear()
                    await session.progress.wait()

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
        session = self._session = Session(
            connection,
            self._outbox,
            self._announced,
            self._size_limit,
            self.condition,
            self._clock,
            receipt_topic=self._receipts,
            pauses=self._pauses,
        )
        log.info("broker.connected", host=self._settings.host, in_flight=connection.in_flight)
        try:
            await session.run()
        except BrokerError as error:
            self._failed(error)
        finally:
            self._confirmed_before = self.confirmed
            self._session = None
            session.close()
            await connection.close()
        return loop.time() - began_s

    def _failed(self, error: BrokerError) -> None:
        log.warning("broker.failed", code=error.sentence.code, reason=str(error))
        self.condition.change(State.FAILED, error.sentence)

    def _acknowledged(self, acknowledgements: Sequence[Acknowledgement]) -> None:
        if self._session is not None:  # else we are saying goodbye
            self._session.acknowledged(acknowledgements)

    def _received(self, _topic: str, payload: bytes, _retained: bool) -> None:
        """Take a receipt, for there is nothing else that we ask for."""
        if (receipt := read_receipt(payload)) is not None:
            self._outbox.receipt(receipt)
        if self._session is not None:
            self._session.progress.set()
