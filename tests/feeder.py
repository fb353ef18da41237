"""A gateway without devices, as a program that can be killed: the real outbox, numbering, and publisher.

It writes down what it knows for certain, a line at a time into a file that outlives it:

    record EPOCH SEQ DIGEST    a record was made
    stored EPOCH SEQ           all records of the epoch up to this one are on the disk, or were delivered
    drained                    nothing waits any more

`python tests/feeder.py SETTINGS.json` goes on where the run before was killed, until the wanted number of
records was made and all of them are with the store.
"""

import asyncio
import contextlib
import hashlib
import random
import sys
from pathlib import Path

from pydantic import BaseModel

from collector.clock import SystemClock, UtcClock, boot_id
from collector.gateway.records import GatewayRecords
from collector.gateway.status import offline_status
from collector.journal import Journal
from collector.messages import Features, Message, Topics
from collector.mqtt import BrokerSettings, Will
from collector.outbox import Mark, Outbox, OutboxSettings
from collector.publish import Publisher


class FeederSettings(BaseModel):
    """What a feeder is told."""

    broker: BrokerSettings
    outbox: OutboxSettings
    company: str
    root: str
    truth: Path
    records: int
    """How many to make, over all runs."""
    channels: int
    """More make larger records."""
    burst: int = 0
    """So many are made at once at the very beginning."""
    pause_s: float = 0.02
    """Between handfuls."""


class Feeder:
    """One run."""

    def __init__(self, settings: FeederSettings, outbox: Outbox, truth: Path) -> None:
        self._settings = settings
        self._outbox = outbox
        self._clock = UtcClock(SystemClock())
        self._topics = Topics(settings.root, settings.company, "gw1")
        self._journal = Journal(self._topics, self._clock, outbox, boot_id())
        self._gateway = GatewayRecords(self._journal, outbox)
        self._truth = truth.open("ab", buffering=0)
        self._random = random.Random(settings.company)
        self._first = 0

    async def run(self, made: int) -> None:
        """Make records until there are enough, and wait until all are delivered."""
        settings, outbox = self._settings, self._outbox
        will = Will(self._topics.status, offline_status(outbox.epoch).model_dump_json().encode())
        publisher = Publisher(
            settings.broker,
            f"{settings.company}.gw1",
            will,
            outbox,
            self._clock,
            receipts=self._topics.receipt,
        )
        self._note(self._gateway.started())
        self._make(settings.burst if not made else 0)
        publishing = asyncio.create_task(publisher.run())
        try:
            while made + self._journal.last_seq < settings.records:
                self._make(self._random.randint(1, 60))
                await self._store()
                await asyncio.sleep(settings.pause_s)
            while (state := outbox.state()).records or state.unscanned:
                self._declare_losses()
                await asyncio.sleep(0.05)
            self._write("drained")
        finally:
            publishing.cancel()
            await asyncio.gather(publishing, return_exceptions=True)

    def _make(self, count: int) -> None:
        for _ in range(count):
            values = {
                name: self._random.random() for name in ("mean", "rms", "peak", "p2p", "crest", "kurtosis")
            }
            topic = self._topics.of(f"mill-{self._random.randint(1, 3)}", "spindle", "features")
            self._note(
                self._journal.record(
                    Features,
                    topic,
                    self._clock.monotonic_ns(),
                    meta="0123456789abcdef",
                    first=self._first,
                    n=512,
                    hop=512,
                    rate_hz=6400.0,
                    rate_state="exact",
                    measured_hz=None,
                    lost=0,
                    clipped=0,
                    quality=[],
                    channels={f"c{number}": values for number in range(self._settings.channels)},
                )
            )
            self._first += 512

    async def _store(self) -> None:
        """See to it that all that was made is on the disk, and say so."""
        self._declare_losses()
        last_seq = self._journal.last_seq
        await self._outbox.commit()
        if self._outbox.state().uncommitted == 0:
            self._write(f"stored {self._outbox.epoch} {last_seq}")
        sync = self._clock.synchronised
        await self._outbox.save_mark(Mark(self._outbox.epoch, last_seq, self._clock.now_us(), sync, {}))

    def _declare_losses(self) -> None:
        for event in self._gateway.declare_losses():
            self._note(event)

    def _note(self, message: Message) -> None:
        # Nobody else has seen the record yet: it leaves memory only when the loop goes on.
        self._write(f"record {message.epoch} {message.seq} {hashlib.sha256(message.payload).hexdigest()}")

    def _write(self, line: str) -> None:
        self._truth.write(f"{line}\n".encode())


async def main(settings: FeederSettings) -> None:
    """One run of the feeder."""
    made = 0
    with contextlib.suppress(FileNotFoundError):
        made = settings.truth.read_bytes().count(b"record ")
    outbox = await Outbox.open(settings.outbox)
    try:
        await Feeder(settings, outbox, settings.truth).run(made)
    finally:
        await outbox.close()


if __name__ == "__main__":
    asyncio.run(main(FeederSettings.model_validate_json(Path(sys.argv[1]).read_bytes())))
