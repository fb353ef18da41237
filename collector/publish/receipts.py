"""The store's receipts, which come over the connection that the records go over: asked for, and read."""

import asyncio
from collections.abc import Callable

import structlog
from pydantic import ValidationError

from collector.errors import BrokerError
from collector.messages import Receipt
from collector.mqtt import Connection
from collector.texts import Sentence

log = structlog.get_logger(__name__)


class ReceiptSubscription:
    """A topic that the broker is asked for. `refusal` says why it does not grant it; `judge` is told."""

    def __init__(self, connection: Connection, again_s: float, judge: Callable[[], None]) -> None:
        self.refusal: Sentence | None = None
        self._connection = connection
        self._again_s = again_s
        self._judge = judge

    async def ask(self, topic: str) -> None:
        """Ask now and then, until it is granted or the connection is gone."""
        while True:
            try:
                await self._connection.subscribe(topic)
            except BrokerError as error:
                if self._connection.lost.done():
                    return
                if self.refusal is None:
                    log.warning("broker.receipts-refused", code=error.sentence.code, reason=str(error))
                self.refusal = error.sentence
            else:
                self.refusal = None
            self._judge()
            if self.refusal is None:
                return
            await asyncio.sleep(self._again_s)


def read_receipt(payload: bytes) -> Receipt | None:
    """What the store says; None, and a line in the log, where it cannot be read."""
    try:
        return Receipt.model_validate_json(payload)
    except ValidationError as error:
        mistake = error.errors(include_url=False, include_input=False)[0]
        log.warning("receipt.unreadable", bytes=len(payload), where=mistake["loc"], reason=mistake["msg"])
        return None
