"""The running gateway: reloading, the last good configuration, one bad stream beside a good one, the CLI."""

import asyncio
import json
import os
import signal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from servers import PATIENCE_S, Collector, Mosquitto, Subscriber, until, write_configuration

from collector.messages import Message
from collector.outbox import OutboxSettings
from collector.outbox.files import RealFiles
from collector.outbox.log import Log

SIMULATED = """\
channels = [{ name = "x", unit = "g" }]
window = { samples = 256 }
source = { kind = "simulated", rate_hz = 3200 }
"""

DEAD = """
[[waveforms]]
name = "%s"
channels = [{ name = "i", unit = "A" }]
window = { samples = 128 }
source = { kind = "serial", port = "/dev/no-port-%s", baud = 9600, rate_hz = 99, format = { kind = "text" } }
"""

SECOND = """
[[waveforms]]
name = "%s"
channels = [{ name = "x", unit = "g" }]
window = { samples = %d }
source = { kind = "simulated", rate_hz = 1600 }
"""


@pytest.fixture
def collector(broker: Mosquitto, collector: Collector) -> Collector:
    """A collector of one simulated machine."""
    write_configuration(collector.folder, broker.port, SIMULATED)
    return collector


def machine_file(collector: Collector) -> Path:
    return collector.folder / "machines" / "mill-1.toml"


async def collecting(collector: Collector, name: str = "mill-1/spindle") -> dict[str, Any] | None:
    report = await collector.report()
    return report if report and report["sources"].get(name, {}).get("windows") else None


async def test_reload_changes_what_changed_and_interrupts_nothing_else(
    collector: Collector, broker: Mosquitto
) -> None:
    machine_file(collector).write_text(machine_file(collector).read_text() + SECOND % ("motor", 128))
    subscriber = await Subscriber.start(broker.port)
    await collector.start()
    await until(lambda: collecting(collector, "mill-1/motor"))
    text = machine_file(collector).read_text()
    machine_file(collector).write_text(
        text.replace("samples = 128", "samples = 512") + SECOND % ("table", 64)
    )
    code, output = await collector.ask("reload")
    assert code == 0, output
    assert "mill-1/motor changed" in output
    assert "mill-1/table added" in output
    assert "mill-1/spindle" not in output
    await until(lambda: collecting(collector, "mill-1/table"))
    await until(lambda: _told(collector, "mill-1/motor", "source.reconfigured"))
    assert (await collector.ask("status"))[0] == 0
    await asyncio.sleep(0.5)
    machine_file(collector).write_text(text.split('\n[[waveforms]]\nname = "motor"')[0])
    assert collector.process is not None
    collector.process.process.send_signal(signal.SIGHUP)
    await until(lambda: _sources(collector, ["mill-1/spindle"]))
    cleared = await until(lambda: [topic for topic, payload in subscriber.raw if not payload])
    topics = [(topic, json.loads(payload)) for topic, payload in subscriber.raw if payload]
    await subscriber.end()
    assert {topic.split("/", 4)[-1] for topic in cleared} == {"mill-1/motor/meta", "mill-1/table/meta"}
    spindle = [r for topic, r in topics if topic.endswith("mill-1/spindle/features")]
    assert [r["first"] for r in spindle] == [256 * i for i in range(len(spindle))]
    motor = [r for topic, r in topics if topic.endswith("mill-1/motor/features")]
    assert {r["n"] for r in motor} == {128, 512}
    firsts = [r["first"] for r in motor]
    assert firsts == sorted(set(firsts))  # indices go on over the reload
    assert len({r["meta"] for r in motor}) == 2
    gaps = [r for topic, r in topics if topic.endswith("mill-1/motor/event") and r["event"] == "gap"]
    assert [gap["cause"] for gap in gaps] == ["reconnect"]


async def test_metadata_changes_without_interrupting(collector: Collector, broker: Mosquitto) -> None:
    subscriber = await Subscriber.start(broker.port)
    await collector.start()
    await until(lambda: collecting(collector))
    text = machine_file(collector).read_text()
    machine_file(collector).write_text(text.replace('name = "mill-1"', 'name = "mill-1"\nmaker = "Okuma"'))
    code, output = await collector.ask("reload")
    assert code == 0
    assert "mill-1/spindle described anew" in output
    await until(lambda: len({r["meta"] for r in subscriber.records("features")}) == 2)
    meta = subscriber.records("meta")[-1]
    features = subscriber.records("features")
    gaps = [r for r in subscriber.records("event") if r["event"] == "gap"]
    await subscriber.end()
    assert meta["content"]["machine"]["maker"] == "Okuma"
    assert features[-1]["meta"] == meta["meta"]
    assert [r["first"] for r in features] == [256 * i for i in range(len(features))]
    assert not gaps


async def _sources(collector: Collector, names: list[str]) -> bool:
    report = await collector.report()
    return report is not None and list(report["sources"]) == names


async def test_a_wrong_configuration_is_refused_with_the_same_messages(collector: Collector) -> None:
    await collector.start()
    await until(lambda: collecting(collector))
    good = machine_file(collector).read_text()
    machine_file(collector).write_text(good.replace("samples", "sample"))
    checked, messages = await collector.ask("check")
    code, output = await collector.ask("reload")
    assert checked == code == 2
    assert "machines/mill-1.toml:7" in output
    assert "window.sample" in output
    assert output == messages
    code, output = await collector.ask("status")
    assert code == 1
    assert "collector reload" in output
    report = await until(collector.report)
    assert report["sources"]["mill-1/spindle"]["state"] == "ok"
    machine_file(collector).write_text(good)
    assert (await collector.ask("reload"))[0] == 0
    assert (await collector.ask("status"))[0] == 0


async def test_a_change_that_nobody_reloaded_is_told_and_is_no_alarm(collector: Collector) -> None:
    await collector.start()
    await until(lambda: collecting(collector))
    good = machine_file(collector).read_text()
    machine_file(collector).write_text(good.replace("samples = 256", "samples = 512"))
    report = await until(lambda: _changed(collector))
    assert report["configuration"]["state"] == "ok"
    assert report["configuration"]["reason"]["code"] == "gateway.not-reloaded"
    code, output = await collector.ask("status")
    assert code == 0, output
    assert "configuration  ● ok" in output
    assert "are not in use" in output
    assert "sudo collector reload" in output
    assert (await collector.ask("reload"))[0] == 0
    assert "are not in use" not in (await collector.ask("status"))[1]


async def _changed(collector: Collector) -> dict[str, Any] | None:
    report = await collector.report()
    return report if report and report["configuration"]["changed_us"] else None


async def test_what_needs_a_restart_is_said(collector: Collector) -> None:
    await collector.start()
    await until(lambda: collecting(collector))
    main = collector.folder / "collector.toml"
    main.write_text(main.read_text().replace('name = "gw1"', 'name = "gw2"'))
    code, output = await collector.ask("reload")
    assert code == 1
    assert "[gateway]" in output
    assert "restart" in output


async def test_boot_with_a_wrong_configuration_uses_the_last_good_one(collector: Collector) -> None:
    await collector.start()
    await until(lambda: collecting(collector))
    assert await collector.end() == 0
    machine_file(collector).write_text("[machine\n")
    await collector.start()
    report = await until(lambda: collecting(collector))
    assert report["configuration"]["state"] == "failed"
    assert report["configuration"]["reason"]["code"] == "gateway.on-last-good"
    assert (await collector.ask("status"))[0] == 1


async def test_boot_with_a_wrong_configuration_and_no_good_one_exits_with_2(collector: Collector) -> None:
    machine_file(collector).write_text("[machine\n")
    await collector.start()
    assert collector.process is not None
    assert await asyncio.wait_for(collector.process.process.wait(), PATIENCE_S) == 2
    await collector.end()
    output = "\n".join(collector.process.lines)
    assert "machines/mill-1.toml:1" in output
    assert "Traceback" not in output


async def test_one_dead_stream_stops_nothing_else(collector: Collector) -> None:
    machine_file(collector).write_text(machine_file(collector).read_text() + DEAD % ("motor", 1))
    await collector.start()
    report = await until(lambda: collecting(collector))
    motor = await until(lambda: _failed(collector, "mill-1/motor"))
    assert motor["reason"]["code"].startswith("source.serial.no")
    assert motor["reason"]["advice"]
    assert report["sources"]["mill-1/spindle"]["lost"] == 0
    code, output = await collector.ask("test", "mill-1/motor", "--seconds", "1")
    assert code == 1
    assert "/dev/no-port" in output
    code, output = await collector.ask("test", "mill-1")
    assert code == 2
    assert "Type one of them: mill-1/motor, mill-1/spindle" in output
    code, output = await collector.ask("test", "mill-1/spindle", "--seconds", "1")
    assert code == 0
    assert "3200 Hz" in output
    assert "running collector" in output


async def test_how_long_a_source_delivers_nothing_counts_from_its_own_beginning(
    collector: Collector,
) -> None:
    text = machine_file(collector).read_text()
    machine_file(collector).write_text(text + DEAD % ("motor", 1))
    await collector.start()
    await until(lambda: _failed(collector, "mill-1/motor"))
    machine_file(collector).write_text(text + DEAD % ("motor", 1) + DEAD % ("pump", 2))
    assert (await collector.ask("reload"))[0] == 0
    await until(lambda: _failed(collector, "mill-1/pump"))
    _, output = await collector.ask("status")
    motor, pump = output.partition("mill-1/motor\n")[2].split("mill-1/pump\n")
    assert "It has delivered nothing since the start, " in motor
    assert "It has delivered nothing since it was added or configured anew, " in pump


async def _failed(collector: Collector, name: str) -> dict[str, Any] | None:
    report = await collector.report()
    source = report["sources"][name] if report else {}
    return dict(source) if source.get("state") == "failed" else None


async def test_without_a_daemon(collector: Collector) -> None:
    code, output = await collector.ask("status")
    assert code == 3
    assert "systemctl start collector" in output
    code, output = await collector.ask("test", "mill-1/spindle", "--seconds", "1")
    assert code == 0
    assert "running collector" not in output
    code, output = await collector.ask("test", "mill-1", "--seconds", "1")
    assert code == 0
    assert "mill-1/spindle: " in output
    code, output = await collector.ask("test", "mill-1/spindel")
    assert code == 2
    assert "mill-1/spindle" in output
    assert (await collector.ask("reload"))[0] == 3


async def test_two_daemons_do_not_share_a_gateway(collector: Collector) -> None:
    await collector.start()
    await until(lambda: collecting(collector))
    second = Collector(collector.folder)
    await second.start()
    assert second.process is not None
    assert await asyncio.wait_for(second.process.process.wait(), PATIENCE_S) == 1
    await second.end()
    assert "Traceback" not in "\n".join(second.process.lines)
    assert await collecting(collector)


async def test_status_and_last_will(collector: Collector, broker: Mosquitto) -> None:
    subscriber = await Subscriber.start(broker.port, "shopfloor/v1/works/gw1/status")
    await collector.start()
    healthy = await until(lambda: [r for r in subscriber.records("status") if r["state"] == "healthy"])
    assert healthy[0]["sources"]["mill-1/spindle"]["origin"] == "simulated"
    await collector.end(signal.SIGKILL)
    await until(lambda: subscriber.records("status")[-1]["state"] == "offline")
    await collector.start()
    await until(lambda: subscriber.records("status")[-1]["state"] == "healthy")
    assert await collector.end() == 0
    await until(lambda: subscriber.records("status")[-1]["state"] == "stopped")
    await asyncio.sleep(0.2)
    states = [r["state"] for r in subscriber.records("status")]
    await subscriber.end()
    assert states[-1] == "stopped"


async def test_systemd_is_told_and_the_watchdog_fed(collector: Collector, tmp_path: Path) -> None:
    import socket

    address = tmp_path / "notify.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(str(address))
        told.setblocking(False)
        heard: list[str] = []

        def hear(word: str) -> bool:
            while True:
                try:
                    heard.append(told.recv(4096).decode())
                except BlockingIOError:
                    return word in heard

        os.environ["NOTIFY_SOCKET"] = str(address)
        try:
            await collector.start()
        finally:
            del os.environ["NOTIFY_SOCKET"]
        await until(lambda: hear("READY=1"))
        await until(lambda: hear("WATCHDOG=1"))
        assert collector.process is not None
        collector.process.process.send_signal(signal.SIGSTOP)  # a blocked event loop
        await asyncio.sleep(0.5)
        hear("")
        heard.clear()
        await asyncio.sleep(2.5)
        assert not hear("WATCHDOG=1")
        collector.process.process.send_signal(signal.SIGCONT)
        await until(lambda: hear("WATCHDOG=1"))
        await collector.end()
        assert hear("STOPPING=1")


@pytest.mark.parametrize("command", [["schema", "machine"], ["schema", "wire"], ["version"], ["--help"]])
async def test_commands_that_need_nothing(collector: Collector, command: list[str]) -> None:
    from servers import PROGRAM, Process

    process = await Process.start(PROGRAM, *command)
    assert await asyncio.wait_for(process.process.wait(), PATIENCE_S) == 0
    await process.end()
    if command[0] == "schema":
        assert json.loads("\n".join(process.lines))


async def test_reloads_at_the_same_time_take_turns(collector: Collector) -> None:
    text = machine_file(collector).read_text()
    machine_file(collector).write_text(text + SECOND % ("motor", 128))
    await collector.start()
    await until(lambda: collecting(collector, "mill-1/motor"))
    machine_file(collector).write_text(text + SECOND % ("motor", 512))
    assert collector.process is not None
    collector.process.process.send_signal(signal.SIGHUP)
    answers = await asyncio.gather(collector.ask("reload"), collector.ask("reload"))
    assert [code for code, _ in answers] == [0, 0]
    assert await until(lambda: collecting(collector, "mill-1/motor"))


async def test_a_stop_during_a_reload_stops(collector: Collector) -> None:
    text = machine_file(collector).read_text()
    for delay_s in (0.0, 0.05, 0.15):
        machine_file(collector).write_text(text + SECOND % ("motor", 128))
        await collector.start()
        await until(lambda: collecting(collector, "mill-1/motor"))
        machine_file(collector).write_text(text + SECOND % ("motor", 512))
        assert collector.process is not None
        collector.process.process.send_signal(signal.SIGHUP)
        await asyncio.sleep(delay_s)
        assert await collector.end() == 0


async def test_a_stream_that_comes_back_goes_on_with_its_indices(
    collector: Collector, broker: Mosquitto
) -> None:
    text = machine_file(collector).read_text()
    machine_file(collector).write_text(text + SECOND % ("motor", 128))
    subscriber = await Subscriber.start(broker.port)
    await collector.start()
    await until(lambda: collecting(collector, "mill-1/motor"))
    for content in (text + SECOND % ("motor", 128), text, text + SECOND % ("motor", 128)):
        machine_file(collector).write_text(content)
        assert (await collector.ask("reload"))[0] == 0
        if "motor" in content:
            await until(lambda: collecting(collector, "mill-1/motor"))
    await until(lambda: len({r["meta"] for r in _motor(subscriber, "event") if r["event"] == "gap"}) == 1)
    firsts = [r["first"] for r in _motor(subscriber, "features")]
    await subscriber.end()
    assert firsts == sorted(set(firsts))


def _motor(subscriber: Subscriber, kind: str) -> list[dict[str, Any]]:
    return [json.loads(p) for topic, p in subscriber.raw if topic.endswith(f"mill-1/motor/{kind}")]


async def _delivered(collector: Collector) -> bool:
    report = await collector.report()
    return report is not None and report["broker"]["state"] == "ok" and report["outbox"]["pending"] == 0


async def test_a_machine_is_renamed_while_the_broker_is_away(
    tmp_path: Path, collector: Collector, broker: Mosquitto
) -> None:
    await collector.start()
    await until(lambda: _delivered(collector))
    await broker.kill()
    windows = (await until(lambda: collecting(collector)))["sources"]["mill-1/spindle"]["windows"]
    await until(lambda: _more(collector, "mill-1/spindle", windows))
    text = machine_file(collector).read_text()
    machine_file(collector).write_text(text.replace('"mill-1"', '"mill-2"'))
    code, output = await collector.ask("reload")
    assert code == 0
    assert "mill-1/spindle removed" in output
    assert "mill-2/spindle added" in output
    await until(lambda: collecting(collector, "mill-2/spindle"))
    again = Mosquitto(tmp_path, port=broker.port)
    with collector.halted():
        await again.start()
        subscriber = await Subscriber.start(again.port)
    await until(lambda: _delivered(collector))
    chains = await until(lambda: _whole_chains(subscriber))
    await subscriber.end()
    await again.stop()
    assert sorted(chains) == ["mill-1", "mill-2"]
    assert ("shopfloor/v1/works/gw1/mill-1/spindle/meta", "") in subscriber.raw
    assert chains["mill-1"] > 3
    assert chains["mill-2"] > 0


async def test_a_description_goes_from_the_broker_also_when_its_stream_is_taken_out_between_two_runs(
    collector: Collector, broker: Mosquitto
) -> None:
    text = machine_file(collector).read_text()
    machine_file(collector).write_text(text + SECOND % ("motor", 128))
    await collector.start()
    subscriber = await Subscriber.start(broker.port)
    await until(lambda: len({topic for topic, _ in subscriber.raw if topic.endswith("/meta")}) == 2)
    await until(lambda: collecting(collector, "mill-1/motor"))
    assert await collector.end() == 0
    machine_file(collector).write_text(text)
    await collector.start()
    await until(lambda: ("shopfloor/v1/works/gw1/mill-1/motor/meta", "") in subscriber.raw)
    await until(lambda: _delivered(collector))
    await subscriber.end()
    subscriber = await Subscriber.start(broker.port, "shopfloor/v1/+/+/+/+/meta")
    await until(lambda: subscriber.raw)
    assert {topic.split("/")[-2] for topic, _ in subscriber.raw} == {"spindle"}
    await subscriber.end()


async def test_a_gateway_that_gets_another_name_takes_back_what_the_broker_keeps_of_the_old_one(
    collector: Collector, broker: Mosquitto
) -> None:
    await collector.start()
    await until(lambda: _delivered(collector))
    main = collector.folder / "collector.toml"
    main.write_text(main.read_text().replace('"gw1"', '"gw2"'))
    subscriber = await Subscriber.start(broker.port)
    await until(lambda: any(topic == "shopfloor/v1/works/gw1/status" for topic, _ in subscriber.raw))
    assert await collector.end() == 0
    await until(lambda: ("shopfloor/v1/works/gw1/mill-1/spindle/meta", "") in subscriber.raw)
    await until(lambda: None in _states(subscriber, "gw1"))
    said = _states(subscriber, "gw1")
    assert said[-2:] == ["stopped", None], "whoever listens hears that it is off before it is gone"
    await subscriber.end()
    await collector.start()
    await until(lambda: _delivered(collector))
    report = await collector.report()
    assert report is not None
    assert report["configuration"]["reason"] is None
    subscriber = await Subscriber.start(broker.port)
    await until(lambda: _states(subscriber, "gw2"))
    assert not any("/gw1/" in topic for topic, _ in subscriber.raw)
    await subscriber.end()


def _states(subscriber: Subscriber, gateway: str) -> list[str | None]:
    """What a gateway has said of itself; None where it took that back."""
    said = [payload for topic, payload in subscriber.raw if topic.endswith(f"/{gateway}/status")]
    return [json.loads(payload)["state"] if payload else None for payload in said]


async def test_what_could_not_be_taken_back_is_told(collector: Collector, broker: Mosquitto) -> None:
    await collector.start()
    await until(lambda: _delivered(collector))
    assert await collector.end() == 0  # with a mark; and it does not know yet
    main = collector.folder / "collector.toml"
    main.write_text(main.read_text().replace('"gw1"', '"gw2"'))
    await collector.start()
    report = await until(collector.report)
    reason = report["configuration"]["reason"]
    assert report["configuration"]["state"] == "ok"
    assert (reason["code"], reason["values"]) == ("gateway.left-behind", {"name": "works/gw1", "count": 2})
    _, page = await collector.ask("status")
    assert "The broker still keeps what this gateway said of itself as works/gw1" in page


def _whole_chains(subscriber: Subscriber) -> dict[str, int] | None:
    """How many windows of each machine there are, if each names the one before that is there."""
    found: dict[str, list[tuple[int, int | None]]] = {}
    for topic, payload in subscriber.raw:
        if topic.endswith("/features"):
            record = json.loads(payload)
            found.setdefault(topic.split("/")[-3], []).append((record["seq"], record["prev"]))
    pairs = [pair for chain in found.values() for pair in pairwise(sorted(chain))]
    whole = all(prev == before for (before, _), (_, prev) in pairs)
    return {machine: len(chain) for machine, chain in found.items()} if whole and len(found) > 1 else None


async def _told(collector: Collector, name: str, code: str) -> bool:
    report = await collecting(collector, name)
    reason = report["sources"][name]["reason"] if report else None
    return reason is not None and bool(reason["code"] == code)


async def _more(collector: Collector, name: str, windows: int) -> bool:
    report = await collector.report()
    return report is not None and bool(report["sources"][name]["windows"] > windows + 3)


async def test_a_machine_of_fifty_streams(collector: Collector, broker: Mosquitto) -> None:
    streams = "".join(SECOND % (f"s{number}", 1600) for number in range(50))
    machine_file(collector).write_text(f'[machine]\nname = "mill-1"\n{streams}')
    subscriber = await Subscriber.start(broker.port)
    await collector.start()
    names = [f"mill-1/s{number}" for number in range(50)]
    await until(lambda: _all_have(collector, 3))
    report = await until(collector.report)
    assert await collector.end() == 0
    await until(
        lambda: any('"stopped"' in payload for topic, payload in subscriber.raw if "/status" in topic)
    )
    found: dict[str, list[int]] = {}
    for topic, payload in subscriber.raw:
        if topic.endswith("/features"):
            found.setdefault("/".join(topic.split("/")[4:6]), []).append(json.loads(payload)["first"])
    await subscriber.end()
    assert sorted(report["sources"]) == sorted(names) == sorted(found)
    assert {source["lost"] for source in report["sources"].values()} == {0}
    for firsts in found.values():
        assert sorted(firsts)[:3] == [0, 1600, 3200]


async def _all_have(collector: Collector, windows: int) -> bool:
    report = await collector.report()
    return report is not None and all(s["windows"] > windows for s in report["sources"].values())


async def test_it_ends_in_time_over_a_large_backlog_though_the_broker_says_nothing(
    tmp_path: Path, collector: Collector
) -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    log = Log(OutboxSettings(directory=tmp_path / "outbox"), RealFiles())
    epoch, topic = log.open().epoch, "shopfloor/v1/works/gw1/mill-1/spindle/features"
    backlog = [Message(epoch, seq, topic, bytes(1500), 1_790_000_000_000_000 + seq, sync=True)
               for seq in range(1, 40_001)]  # fmt: skip
    for start in range(0, len(backlog), 1000):
        assert log.commit(backlog[start : start + 1000], 0.0) == 1000
    log.close()
    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    write_configuration(collector.folder, server.sockets[0].getsockname()[1], SIMULATED)
    await collector.start()
    made = (await until(lambda: collecting(collector)))["sources"]["mill-1/spindle"]["windows"]
    assert await collector.end() == 0  # in less than systemd waits
    server.close()
    after = Log(OutboxSettings(directory=tmp_path / "outbox"), RealFiles())
    mark = after.open().previous_mark
    while after.scan_next():
        pass
    assert after.facts().records >= len(backlog) + made
    after.close()
    assert mark is not None
    assert "mill-1/spindle" in mark.streams


async def test_without_a_folder_for_its_state_it_collects_and_says_so(collector: Collector) -> None:
    (collector.folder / "state").write_text("not a folder")
    await collector.start()
    report = await until(lambda: collecting(collector))
    assert report["configuration"]["state"] == "degraded"
    assert "state" in report["configuration"]["reason"]["text"]
    assert (await collector.ask("status"))[0] == 1
    assert (await collector.ask("reload"))[0] == 0
