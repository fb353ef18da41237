"""`collector outbox`: it shows, copies and gives up what waits, and never disturbs a running daemon."""

import json
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from rich.console import Console
from servers import Collector, Mosquitto, Subscriber, until, write_configuration

from collector.cli.outbox_page import show_outbox
from collector.messages import Message, RecordsLost, decode
from collector.outbox import Cause, Outbox, OutboxLoss, OutboxSettings

SIMULATED = """\
channels = [{ name = "x", unit = "g" }]
window = { samples = 256 }
source = { kind = "simulated", rate_hz = 3200 }
"""


@pytest_asyncio.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    """A broker that is down until a test starts it."""
    mosquitto = Mosquitto(tmp_path)
    yield mosquitto
    await mosquitto.stop()


@pytest_asyncio.fixture
async def collector(broker: Mosquitto, collector: Collector) -> Collector:
    """A collector of one simulated machine, running."""
    write_configuration(collector.folder, broker.port, SIMULATED)
    await collector.start()
    return collector


async def waiting(collector: Collector, count: int) -> bool:
    report = await collector.report()
    return report is not None and report["outbox"]["pending"] >= count


async def lost(subscriber: Subscriber) -> list[RecordsLost]:
    found = [decode(payload.encode()) for topic, payload in subscriber.raw if topic.endswith("/event")]
    return [event for event in found if isinstance(event, RecordsLost)]


async def test_while_the_daemon_runs(collector: Collector, broker: Mosquitto, tmp_path: Path) -> None:
    await until(lambda: waiting(collector, 30))
    code, page = await collector.ask("outbox")
    assert code == 0, page
    assert "records wait" in page
    assert "000001-" in page

    copy = tmp_path / "copy.jsonl"
    code, said = await collector.ask("outbox", "export", str(copy))
    assert code == 0, said
    lines = [json.loads(line) for line in copy.read_text(encoding="utf-8").splitlines()]
    assert len(lines) >= 30
    assert f"{len(lines):,} records" in said
    assert {line["topic"].rpartition("/")[2] for line in lines} >= {"features", "event", "meta"}
    assert [line["record"]["seq"] for line in lines] == list(range(1, len(lines) + 1))
    code, said = await collector.ask("outbox", "export", str(copy))
    assert code == 1
    assert "there already" in said

    code, said = await collector.ask("outbox", "purge")  # nobody answers the question
    assert code == 1
    assert await waiting(collector, len(lines))
    before = await collector.report()
    assert before is not None
    code, said = await collector.ask("outbox", "purge", "--yes")
    assert code == 0, said
    purged = int(said.partition(" ")[0].replace(",", ""))
    assert purged >= len(lines)
    after = await collector.report()
    assert after is not None
    assert after["epoch"] == before["epoch"]
    assert after["outbox"]["pending"] < purged
    assert after["outbox"]["dropped"] == 0
    with collector.halted():  # it tells the loss once, so it meets no broker before somebody listens
        await broker.start()
        subscriber = await Subscriber.start(broker.port)
    (loss,) = await until(lambda: lost(subscriber))
    assert (loss.cause, loss.records, loss.first_seq) == ("purged", purged, 1)
    seqs = sorted(record["seq"] for record in subscriber.records("features"))
    assert not seqs or seqs[0] > purged
    await subscriber.end()


async def test_while_it_does_not_run(collector: Collector, broker: Mosquitto, tmp_path: Path) -> None:
    await until(lambda: waiting(collector, 30))
    await collector.end()
    code, text = await collector.ask("outbox", "--json")
    assert code == 0, text
    page = json.loads(text)
    assert page["running"] is False
    assert page["losses"] == []
    (epoch,) = page["epochs"]
    assert epoch["records"] == epoch["last_seq"] >= 30

    copy = tmp_path / "copy.jsonl"
    code, said = await collector.ask("outbox", "export", str(copy))
    assert code == 0, said
    assert len(copy.read_bytes().splitlines()) == epoch["records"]
    code, said = await collector.ask("outbox", "purge", "--yes")
    assert code == 0, said
    assert said.startswith(f"{epoch['records']:,} records deleted")
    code, said = await collector.ask("outbox")
    assert "nothing waits" in said
    assert "given up (purged), and not heard of yet" in said
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in (tmp_path / "outbox").iterdir())

    await broker.start()
    subscriber = await Subscriber.start(broker.port)
    await collector.start()
    (loss,) = await until(lambda: lost(subscriber))
    assert (loss.cause, loss.records, loss.lost_epoch) == ("purged", epoch["records"], epoch["epoch"])
    await subscriber.end()
    await until(lambda: nothing_is_to_be_declared(collector))


async def nothing_is_to_be_declared(collector: Collector) -> bool:
    _, text = await collector.ask("outbox", "--json")
    return not json.loads(text)["losses"]


async def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    """Also where the daemon is not found, because its socket is another one."""
    write_configuration(tmp_path, 1, SIMULATED)
    outbox = await Outbox.open(OutboxSettings(directory=tmp_path / "outbox"))
    message = Message(outbox.epoch, 1, "t", b'{"seq": 1}', 1_000_000, sync=True)
    odd = Message(outbox.epoch, 2, "t", b"\xff\n", 1_000_001, sync=True)
    outbox.append(message)
    outbox.append(odd)
    await outbox.commit()
    collector = Collector(tmp_path)
    code, said = await collector.ask("outbox", "purge", "--yes")
    assert code == 1
    assert "Another collector is already using" in said
    code, said = await collector.ask("outbox", "export", str(tmp_path / "copy"))
    assert code == 0, said
    assert (tmp_path / "copy").read_bytes() == (
        b'{"topic": "t", "record": {"seq": 1}}\n{"topic": "t", "base64": "/wo="}\n'
    )
    assert [o.message for o in outbox.take(5)] == [message, odd]
    await outbox.close()


async def test_nothing_was_ever_kept(tmp_path: Path) -> None:
    write_configuration(tmp_path, 1, SIMULATED)
    collector = Collector(tmp_path)
    code, said = await collector.ask("outbox")
    assert (code, said.splitlines()) == (
        0,
        ["the collector is not running; this is what is on disk", "nothing waits"],
    )
    code, said = await collector.ask("outbox", "purge", "--yes")
    assert (code, said.strip()) == (0, "Nothing waits, so nothing was deleted.")
    assert not (tmp_path / "outbox").exists()
    code, said = await collector.ask("outbox", "export", str(tmp_path / "no" / "copy"))
    assert code == 1
    assert "cannot be written" in said


async def test_a_mistake_elsewhere_hides_nothing_that_waits(collector: Collector) -> None:
    await until(lambda: waiting(collector, 3))
    main, machine = collector.folder / "collector.toml", collector.folder / "machines" / "mill-1.toml"
    machine.write_text("[machine")
    main.write_text(main.read_text() + "\n[calendar]\ntime_zone = 9\n")
    code, page = await collector.ask("outbox")
    assert code == 0, page
    assert "records wait" in page
    main.write_text(main.read_text().replace("directory = ", "directry = "))
    code, page = await collector.ask("outbox")
    assert code == 2
    assert "directry" in page
    assert "machines/mill-1.toml:1" in page


def test_many_losses_of_one_cause_are_one_line(tmp_path: Path) -> None:
    """As on a disk that was full for hours; where damage hides how many there were, no number is made up."""
    lost = [OutboxLoss(Cause.OVERFLOW, "1-a", count, None, None, None, None, 10) for count in (9, 10, 1000)]
    lost.append(OutboxLoss(Cause.OVERFLOW, "2-b", 3, None, None, None, None, 10))
    lost += [OutboxLoss(Cause.CORRUPT, "1-a", count, None, None, None, None, 10) for count in (2, None)]
    console = Console(width=100)
    with console.capture() as captured:
        console.print(show_outbox(OutboxSettings(directory=tmp_path), None, [], lost))
    assert [line.rstrip() for line in captured.get().splitlines() if "given up" in line] == [
        "given up (overflow), and not heard of yet: 1,019 of 1-a",
        "given up (overflow), and not heard of yet: 3 of 2-b",
        "given up (corrupt), and not heard of yet: unknown of 1-a",
    ]
