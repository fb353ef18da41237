"""What the gateway's own records say of the run before."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from servers import write_configuration
from stand_ins import SettableClock

from collector.clock import UtcClock
from collector.gateway import Gateway
from collector.gateway.records import GatewayRecords
from collector.journal import Draft, Journal
from collector.messages import Cut, Message, Topics, decode
from collector.outbox import Mark, Outbox, OutboxSettings
from collector.run import starting_configuration

TOPICS = Topics("shopfloor/v1", "works", "gw1")
SIMULATED = """\
channels = [{ name = "x", unit = "g" }]
window = { samples = 256 }
source = { kind = "simulated", rate_hz = 3200 }
"""


async def opened(folder: Path) -> Outbox:
    return await Outbox.open(OutboxSettings(directory=folder))


async def restart(folder: Path) -> dict[str, Any]:
    """The event of the next run."""
    outbox = await opened(folder)
    journal = Journal(TOPICS, UtcClock(SettableClock()), outbox, "boot")
    event: dict[str, Any] = json.loads(GatewayRecords(journal, outbox).started().payload)
    await outbox.close()
    return event


async def run(folder: Path, marked_seq: int | None, records: int, *, sync: bool = True) -> str:
    """A run that leaves so many records that nobody has taken, and the mark of one of them."""
    outbox = await opened(folder)
    if marked_seq is not None:
        assert await outbox.save_mark(Mark(outbox.epoch, marked_seq, marked_seq * 1_000, sync=sync))
    for seq in range(1, records + 1):
        outbox.append(Message(outbox.epoch, seq, f"topic/{seq % 3}", b"{}", seq * 1_000, sync))
    await outbox.close()
    return outbox.epoch


async def test_the_first_run_has_none_before_it(tmp_path: Path) -> None:
    event = await restart(tmp_path)
    assert [event[of] for of in ("previous_epoch", "last_seq", "last_us", "last_sync")] == [None] * 4


async def test_a_step_of_the_clock_is_the_difference_of_the_offsets_that_are_told(tmp_path: Path) -> None:
    outbox = await opened(tmp_path)
    kernel = SettableClock(utc=1_790_000_000_000_000_999)
    journal = Journal(TOPICS, UtcClock(kernel), outbox, "boot")
    kernel.utc -= 3_600_000_000_001
    change = journal.clock.look()
    assert change is not None
    event = json.loads(GatewayRecords(journal, outbox).clock_set(change).payload)
    assert event["step_us"] == event["offset_us"] - event["offset_before_us"] == -3_600_000_000
    kernel.utc -= 3_600_000_000_001 + 999
    change = journal.clock.look()
    assert change is not None
    event = json.loads(GatewayRecords(journal, outbox).clock_set(change).payload)
    assert event["step_us"] == event["offset_us"] - event["offset_before_us"]
    await outbox.close()


@pytest.mark.parametrize(
    ("marked", "records", "last"), [(50, 73, 73), (50, 20, 50), (None, 73, 73), (50, 0, 50)]
)
async def test_the_last_record_that_is_known_is_the_newer_of_mark_and_disk(
    tmp_path: Path, marked: int | None, records: int, last: int
) -> None:
    epoch = await run(tmp_path, marked, records)
    event = await restart(tmp_path)
    assert event["previous_epoch"] == epoch
    assert (event["last_seq"], event["last_us"], event["last_sync"]) == (last, last * 1_000, True)


async def test_the_number_is_the_highest_also_where_the_clock_was_set_back(tmp_path: Path) -> None:
    outbox = await opened(tmp_path)
    assert await outbox.save_mark(Mark(outbox.epoch, 5, 9_000, sync=True))
    outbox.append(Message(outbox.epoch, 8, "topic", b"{}", 2_000, sync=True))
    await outbox.close()
    event = await restart(tmp_path)
    assert (event["last_seq"], event["last_us"]) == (8, 9_000)


async def test_a_run_that_was_killed_before_its_first_mark_is_the_one_before(tmp_path: Path) -> None:
    await run(tmp_path, 900, 3)
    killed = await run(tmp_path, None, 7, sync=False)
    event = await restart(tmp_path)
    assert (event["previous_epoch"], event["last_seq"]) == (killed, 7)
    assert (event["last_us"], event["last_sync"]) == (7_000, False)


async def test_a_cut_that_the_mark_has_is_published_once(tmp_path: Path) -> None:
    write_configuration(tmp_path, 1, SIMULATED)
    config, configuration = starting_configuration(tmp_path, tmp_path)
    figures = {"windows": 3, "lost": 0, "clipped": 0, "quality": {}, "channels": {}}
    said = {"from_us": 1_000, "to_us": 90_001_000, "duration_s": 90.0, "previous": "idle", "next": None}
    fields = said | {"waveforms": {"spindle": figures}, "context": {}}
    draft = Draft(TOPICS.of("mill-1", "state", "readings"), "0" * 16, "a-boot", 7, 1_000, True, fields, "cut")
    outbox = await opened(tmp_path / "outbox")
    accounts = [asdict(draft)]
    assert await outbox.save_mark(Mark(outbox.epoch, 5, 90_001_000, sync=True, accounts=accounts))
    await outbox.close()
    for times in (1, 0):
        outbox = await opened(tmp_path / "outbox")
        gateway = Gateway(config, tmp_path, tmp_path, configuration, UtcClock(SettableClock()), outbox)
        await gateway.publish_left_accounts()
        records = [decode(taken.message.payload) for taken in outbox.take(100)]
        cuts = [record for record in records if isinstance(record, Cut) and record.epoch == outbox.epoch]
        assert [(cut.boot, cut.t_us, cut.waveforms["spindle"].windows, cut.next) for cut in cuts] == [
            ("a-boot", 1_000, 3, None)
        ] * times
        await outbox.close()
