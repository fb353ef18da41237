"""Receipts on their way to the gateways, no more at a time than the broker allows.

A receipt that is lost does no harm: the record comes again, and so does the receipt.
"""

from collections import deque
from collections.abc import Iterable, Sequence

from collector.messages import Receipt, Topics
from collector.mqtt import Acknowledgement, Connection
from collector.store.arrivals import Sender
from collector.texts import Sentence
from collector.texts import store as say


class Receipting:
    """Sends receipts over one connection; `refused` says why the broker does not take them."""

    connection: Connection | None = None

    def __init__(self, root: str) -> None:
        self._root = root
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._sent: dict[int, str] = {}
        self.refused: Sentence | None = None

    def send(self, receipts: Iterable[tuple[Sender, Receipt]]) -> None:
        """Send these after those that wait already."""
        for (company, gateway), receipt in receipts:
            topic = Topics(self._root, company, gateway).receipt
            self._waiting.append((topic, receipt.model_dump_json().encode()))
        self._send()

    def acknowledged(self, acknowledgements: Sequence[Acknowledgement]) -> None:
        """The broker has answered."""
        for acknowledgement in acknowledgements:
            topic = self._sent.pop(acknowledgement.mid)
            reason = acknowledgement.refusal
            self.refused = (
                say.RECEIPT_REFUSED(topic=topic, reason=reason, root=self._root) if reason else None
            )
        self._send()

    def _send(self) -> None:
        connection = self.connection
        assert connection is not None
        while self._waiting and len(self._sent) < connection.in_flight and not connection.lost.done():
            topic, payload = self._waiting.popleft()
            self._sent[connection.publish(topic, payload)] = topic
