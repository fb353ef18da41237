"""The daemon killed and the broker gone at random, and a disk that is really full: nothing is lost unsaid.

`COLLECTOR_SOAK_SECONDS` makes it last longer.
"""

import asyncio
import os
import random
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from links import Proxy
from outbox_faults import FaultyFiles
from servers import Collector, Mosquitto, until, write_configuration
from test_outbox import confirm, fill, take

from benchmarks.receipt_writer import receipts
from collector.messages import RecordsLost, decode
from collector.outbox import Cause, Files, Outbox, OutboxSettings
from collector.outbox.files import RealFiles

SECONDS = float(os.environ.get("COLLECTOR_SOAK_SECONDS", "12"))
SIMULATED = """\
channels = [{ name = "x", unit = "g" }]
window = { samples = 256 }
source = { kind = "simulated", rate_hz = 12800 }
"""


class Heard:
    """What counts as delivered: every record by its identity."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, int], bytes] = {}

    def take(self, payload: bytes) -> None:
        """Take a record; a repetition has to be the same bytes."""
        if b'"kind":"status"' in payload:
            return
        record = decode(payload)
        known = self.records.setdefault((record.epoch, record.seq), payload)
        assert known == payload

    @property
    def undeclared(self) -> list[tuple[str, int]]:
        """Records that are missing, and older than one of their run that was delivered.

        They are stored and sent in order: only the newest of a run may be lost with it.
        """
        records = [decode(payload) for payload in self.records.values()]
        losses = [r for r in records if isinstance(r, RecordsLost)]
        missing = []
        for epoch in {epoch for epoch, _ in self.records}:
            newest = max(seq for known, seq in self.records if known == epoch)
            for seq in range(1, newest + 1):
                declared = any(
                    loss.lost_epoch == epoch and (loss.first_seq or 0) <= seq <= (loss.last_seq or newest)
                    for loss in losses
                )
                if (epoch, seq) not in self.records and not declared:
                    missing.append((epoch, seq))
        return missing


@pytest.mark.parametrize("delivery", ["broker", "store"])
async def test_killed_at_random_while_the_broker_comes_and_goes(tmp_path: Path, delivery: str) -> None:
    """Delivered is what the broker acknowledged, as a proxy saw it, or what the store took."""
    choose = random.Random(delivery)
    broker, heard, kills = Mosquitto(tmp_path), Heard(), 0
    loop = asyncio.get_running_loop()
    end_s = loop.time() + SECONDS
    async with Proxy(broker.port).running() as proxy:
        port = proxy.port if delivery == "broker" else broker.port
        outbox = f'delivery = "{delivery}"\nreceipt_hold_s = 1'
        write_configuration(tmp_path, port, SIMULATED, outbox=outbox)
        collector = Collector(tmp_path)
        try:
            while loop.time() < end_s or kills < 3:
                await broker.start()
                async with receipts(broker.port, keep=heard.take):
                    for _ in range(choose.randint(1, 2)):
                        await collector.start()
                        await until(collector.report)
                        await asyncio.sleep(choose.uniform(0.1, 3))
                        await collector.end(signal.SIGKILL)
                        kills += 1
                    await collector.start()
                    await until(collector.report)
                    await asyncio.sleep(choose.uniform(0.1, 2))
                    await (broker.kill if choose.random() < 0.5 else broker.stop)()
                await asyncio.sleep(choose.uniform(0.1, 3))
                if choose.random() < 0.6:
                    await collector.end(signal.SIGKILL)
                    kills += 1
                else:
                    await collector.end()
            await broker.start()
            async with receipts(broker.port, keep=heard.take):
                await collector.start()
                await until(lambda: nothing_waits(collector))
                await collector.end()
        finally:
            if collector.process is not None:
                await collector.end(signal.SIGKILL)
            await broker.stop()
    for payload in proxy.acknowledged:
        heard.take(payload)
    assert len({epoch for epoch, _ in heard.records}) >= 3
    assert heard.undeclared == []


async def nothing_waits(collector: Collector) -> bool:
    report = await collector.report()
    return report is not None and report["outbox"]["pending"] < 5 and not report["outbox"]["disk_bytes"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[tuple[Path, Files]]:
    """A file system of 5 MiB, where this user may mount one; else a file layer that is full at as much."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ("mount", "-t", "tmpfs", "-o", "size=5m", "tmpfs", str(folder))
    mounted = os.geteuid() == 0 and subprocess.run(command, check=False, capture_output=True).returncode == 0
    yield folder, RealFiles() if mounted else FaultyFiles(capacity_bytes=5 << 20)
    if mounted:
        subprocess.run(("umount", str(folder)), check=True)


async def test_a_disk_that_is_full_keeps_the_newest_and_says_what_it_cost(
    small_disk: tuple[Path, Files],
) -> None:
    """With the system's own ENOSPC; where nothing can be mounted, with a layer that is as strict."""
    folder, files = small_disk
    settings = OutboxSettings(directory=folder / "outbox", max_mib=16, commit_interval_s=60)
    outbox = await Outbox.open(settings, files)
    for first in range(1, 12_001, 500):
        fill(outbox, range(first, first + 500), size=1500)
        await outbox.commit()
    losses = outbox.losses()
    assert {loss.cause for loss in losses} == {Cause.OVERFLOW}
    lost = sum(loss.records or 0 for loss in losses)
    assert lost == outbox.state().dropped > 0
    epoch = outbox.epoch
    await outbox.close()

    outbox = await Outbox.open(settings, files)  # nobody has declared it: the next run does
    again = [loss for loss in outbox.losses() if loss.epoch == epoch]
    sent = []
    while outbox.state().records:
        some = await take(outbox, 1)
        sent += some
        confirm(outbox, some)
        again += outbox.losses()
    seqs = {o.message.seq for o in sent if o.message.epoch == epoch}
    assert max(seqs) == 12_000
    declared = {
        seq
        for loss in again
        if loss.first_seq is not None and loss.last_seq is not None
        for seq in range(loss.first_seq, loss.last_seq + 1)
    }
    assert set(range(1, 12_001)) <= seqs | declared
    await outbox.close()
