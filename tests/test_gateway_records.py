"""What the gateway's own records say of the run before."""

import json
from pathlib import Path
from typing import Any

import pytest
from stand_ins import SettableClock

from collector.clock import UtcClock
from collector.gateway_records import GatewayRecords
from collector.journal import Journal
from collector.messages import Message, Topics
from collector.outbox import Mark, Outbox, OutboxSettings

TOPICS = Topics("shopfloor/v1", "works", "gw1")


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
