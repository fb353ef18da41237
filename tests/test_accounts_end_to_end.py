"""Accounts of utilisation over power cuts: what was counted is published once, and nothing is made up."""

import signal
import sys
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from servers import Collector, Mosquitto, Process, Subscriber, until, write_configuration

from collector.outbox.files import RealFiles
from collector.outbox.notes import read_note

STATE = """\
channels = [{ name = "x", unit = "g" }]
window = { samples = 256 }
source = { kind = "simulated", rate_hz = 3200 }

[machine.state]
turning = { feature = "spindle/x/rms", above = 0.001 }
"""
CALENDAR = """
[calendar]
time_zone = "UTC"
shifts = [
  { name = "early", start = "06:00", end = "10:00" },
  { name = "late", start = "09:00", end = "18:00" },
]
"""
HOUR_S = 3600


class Shifted(Collector):
    """A collector whose clock shows so many seconds before ten o'clock when it is made, and goes on."""

    def __init__(self, folder: Path, before_ten_s: float) -> None:
        super().__init__(folder)
        day_s = time.time() // 86_400 * 86_400
        self.ten_s = day_s + 10 * HOUR_S
        self.ahead_s = self.ten_s - before_ten_s - time.time()

    async def start(self) -> None:
        """Start it, without waiting."""
        program = Path(__file__).with_name("shifted_gateway.py")
        self.process = await Process.start(sys.executable, program, self.folder, str(self.ahead_s))

    async def cut_power(self) -> float:
        """Kill it; returns the time by its clock, in UTC seconds."""
        assert self.process is not None
        await self.process.end(signal.SIGKILL)
        self.process = None
        return time.time() + self.ahead_s

    def marked(self) -> list[dict[str, Any]]:
        """The accounts in the mark on disk."""
        return list((read_note(RealFiles(), self.folder / "outbox" / "mark.note") or {}).get("accounts", []))


def accounts(subscriber: Subscriber) -> list[dict[str, Any]]:
    """The accounts that were published, each record once however often it was sent."""
    known = {}
    for record in subscriber.records("readings"):
        if record["reading"] == "utilisation":
            known[record["epoch"], record["seq"]] = record
    return list(known.values())


def starts(subscriber: Subscriber) -> list[dict[str, Any]]:
    """Every start that was declared, in order."""
    found = {r["epoch"]: r for r in subscriber.records("event") if r["event"] == "restart"}
    return [found[epoch] for epoch in sorted(found)]


def of(records: list[dict[str, Any]], period: str, shift: str | None = None) -> list[dict[str, Any]]:
    """Those of one series, in the order of time."""
    own = [record for record in records if (record["period"], record["shift"]) == (period, shift)]
    return sorted(own, key=lambda record: int(record["from_us"]))


def assert_sound(records: list[dict[str, Any]]) -> None:
    """Each adds up; those of a series do not overlap."""
    for record in records:
        total_us = sum(round(1e6 * seconds) for seconds in record["seconds"].values())
        assert total_us == record["to_us"] - record["from_us"] > 0
        assert abs(record["t_us"] - record["from_us"]) < 50_000
    for period, shift in {(record["period"], record["shift"]) for record in records}:
        for earlier, later in pairwise(of(records, period, shift)):
            assert earlier["to_us"] <= later["from_us"]


@pytest.fixture
def folder(tmp_path: Path, broker: Mosquitto) -> Path:
    """A configuration of a machine whose state is told, with two shifts."""
    write_configuration(tmp_path, broker.port, STATE)
    file = tmp_path / "collector.toml"
    file.write_text(file.read_text() + CALENDAR)
    return tmp_path


async def test_what_was_counted_before_a_power_cut_is_published_once(broker: Mosquitto, folder: Path) -> None:
    subscriber = await Subscriber.start(broker.port)
    collector = Shifted(folder, before_ten_s=HOUR_S / 2)
    await collector.start()
    await until(lambda: any(draft["fields"]["seconds"]["turning"] > 0 for draft in collector.marked()))
    cut_s = await collector.cut_power()
    left = collector.marked()
    assert accounts(subscriber) == []

    # Killed again once it is published: not a second time.
    await collector.start()
    await until(lambda: len(accounts(subscriber)) == len(left))
    await until(lambda: [draft for draft in collector.marked() if draft["t_us"] > cut_s * 1e6])
    await collector.cut_power()
    again = collector.marked()
    told, began_us = accounts(subscriber), starts(subscriber)[1]["t_us"]
    for draft in left:
        (record,) = [r for r in told if r["t_us"] == draft["t_us"] and r["shift"] == draft["fields"]["shift"]]
        assert record == record | draft["fields"] | {"boot": draft["boot"], "mono_us": draft["mono_us"]}
        assert record["sync"]
        assert not record["complete"]
        assert record["to_us"] <= cut_s * 1e6 < began_us

    # Killed while it is on its way: once, or in that moment not at all, and so is the start.
    await collector.start()
    await until(lambda: collector.marked() != again)
    cut_s = await collector.cut_power()
    await collector.start()
    await until(lambda: starts(subscriber)[-1]["t_us"] > cut_s * 1e6)
    began_us = starts(subscriber)[-1]["t_us"]
    await until(lambda: [draft for draft in collector.marked() if draft["t_us"] > began_us])
    assert await collector.end() == 0
    assert collector.marked() == []
    await until(lambda: sum(r["from_us"] > began_us for r in accounts(subscriber)) == len(left))
    told = accounts(subscriber)
    metas = {record["meta"] for record in subscriber.records("meta")}
    await subscriber.end()
    assert_sound(told)
    assert {record["meta"] for record in told} <= metas
    begun = Counter((record["period"], record["shift"], record["from_us"]) for record in told)
    assert set(begun.values()) == {1}


async def test_an_hour_that_was_published_is_not_told_again_in_part(broker: Mosquitto, folder: Path) -> None:
    subscriber = await Subscriber.start(broker.port)
    collector = Shifted(folder, before_ten_s=15)
    await collector.start()
    await until(lambda: [d for d in collector.marked() if d["fields"]["shift"] == "early"])
    await until(lambda: of(accounts(subscriber), "hour") and of(accounts(subscriber), "shift", "early"))
    cut_s = await collector.cut_power()
    assert cut_s > collector.ten_s
    (late,) = [draft for draft in collector.marked() if draft["fields"]["shift"] == "late"]
    await collector.start()
    await until(lambda: of(accounts(subscriber), "shift", "late"))
    await until(collector.report)
    assert await collector.end() == 0
    await until(lambda: len(of(accounts(subscriber), "shift", "late")) == 2)
    told = accounts(subscriber)
    await subscriber.end()

    assert_sound(told)
    (early,) = of(told, "shift", "early")
    before, *_ = of(told, "hour")
    for record in (before, early):
        assert record["to_us"] == round(1e6 * collector.ten_s)
        assert record["seconds"]["turning"] > 0
    part, rest = of(told, "shift", "late")
    assert part["from_us"] == late["fields"]["from_us"] == before["from_us"]
    assert part["seconds"] == late["fields"]["seconds"]
    assert part["to_us"] < cut_s * 1e6 < rest["from_us"]
