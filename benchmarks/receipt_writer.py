"""A stand-in for the group's store, where what is measured or tested is the gateway: it writes receipts.

It speaks the real wire contract, and keeps the numbers of records alone unless told. Tests use it as well as
the benchmarks. Run as a program it serves until it is ended: `python -m benchmarks.receipt_writer PORT`.
"""

import asyncio
import contextlib
import json
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable

from collector.messages import RECEIPT, Receipt, Rejected, Topics, parse_topic, seq_ranges
from collector.mqtt import BrokerSettings, Connection

Key = tuple[str, int]
"""Epoch and number."""


class ReceiptWriter:
    """Takes the records of all gateways, unless `deaf`; says so every `interval_s`, unless `mute`."""

    def __init__(
        self,
        root: str,
        interval_s: float,
        reject: Callable[[Key], str | None],
        keep: Callable[[bytes], None],
    ) -> None:
        self.deaf = self.mute = False
        self.copies: Counter[Key] = Counter()
        """How often each record came."""
        self._root = root
        self._interval_s = interval_s
        self._reject = reject
        self._keep = keep
        self._news: dict[tuple[str, str], set[int]] = defaultdict(set)
        """Numbers to be receipted, by topic of the receipt and epoch."""

    def take(self, topic: str, payload: bytes, _retained: bool) -> None:
        """Take a record."""
        place = parse_topic(topic, self._root)
        if self.deaf or place is None or place.company == RECEIPT:
            return
        self._keep(payload)
        record = json.loads(payload)
        epoch, seq = record["epoch"], record["seq"]
        self.copies[epoch, seq] += 1
        self._news[Topics(self._root, place.company, place.gateway).receipt, epoch].add(seq)

    async def write(self, connection: Connection) -> None:
        """Write receipts until cancelled."""
        while True:
            await asyncio.sleep(self._interval_s)
            news, self._news = self._news, defaultdict(set)
            for (topic, epoch), seqs in news.items():
                reasons = {seq: reason for seq in seqs if (reason := self._reject((epoch, seq)))}
                receipt = Receipt(
                    epoch=epoch,
                    stored=seq_ranges(seqs - reasons.keys()),
                    rejected=[Rejected(seq=seq, reason=reason) for seq, reason in sorted(reasons.items())],
                )
                if not self.mute:
                    connection.publish(topic, receipt.model_dump_json().encode())


@contextlib.asynccontextmanager
async def receipts(
    port: int,
    root: str = "shopfloor/v1",
    *,
    interval_s: float = 0.05,
    reject: Callable[[Key], str | None] = lambda _key: None,
    keep: Callable[[bytes], None] = lambda _payload: None,
) -> AsyncIterator[ReceiptWriter]:
    """Write receipts meanwhile, at a broker on this computer."""
    writer = ReceiptWriter(root, interval_s, reject, keep)
    # MQTT 3.1.1: unpacking what a late record carries beside its payload costs paho more than all the rest.
    settings = BrokerSettings(host="127.0.0.1", port=port, in_flight=1000, protocol="mqtt311")
    connection = await Connection.open(settings, "store", on_message=writer.take)
    try:
        await connection.subscribe(f"{root}/+/+/+/+/+")
        writing = asyncio.create_task(writer.write(connection))
        try:
            yield writer
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
    finally:
        await connection.close()


async def _serve(port: int) -> None:
    async with receipts(port):
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(int(sys.argv[1])))
