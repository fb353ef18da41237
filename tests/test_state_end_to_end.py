"""What a machine is doing, all the way: a real Modbus server, the daemon, a broker, and someone who asks."""

import asyncio
import os
from typing import Any

from mill import SPEED_AND_CURRENT, VIBRATION, Plc, floats, plc_toml
from servers import PROGRAM, Collector, Mosquitto, Subscriber, free_port, until, write_configuration

from collector.config import load
from collector.messages import decode

STATE = """
[machine.state]
turning = { point = "plc/speed" }
cutting = { point = "plc/current", above = 10.0 }
dwell_s = 0.5
"""


async def converse(collector: Collector, answers: str, *command: str) -> tuple[int, str]:
    """Run a command that asks, with these answers typed ahead: exit code and what it said."""
    process = await asyncio.create_subprocess_exec(
        *map(str, (PROGRAM, *command, "--config", collector.folder)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=os.environ | {"COLUMNS": "200"},
    )
    said, _ = await asyncio.wait_for(process.communicate(answers.encode()), 120)
    assert process.returncode is not None
    return process.returncode, said.decode()


def of_state(subscriber: Subscriber, kind: str) -> list[dict[str, Any]]:
    """The records of the stream `state`."""
    found = []
    for topic, payload in subscriber.raw:
        if topic.endswith(f"/mill-1/state/{kind}") and payload:  # an empty one takes a description back
            found.append(decode(payload.encode()).model_dump(mode="json"))
    return found


def states(subscriber: Subscriber) -> list[str]:
    return [record["state"] for record in of_state(subscriber, "event")]


def readings(subscriber: Subscriber, reading: str) -> list[dict[str, Any]]:
    return [record for record in of_state(subscriber, "readings") if record["reading"] == reading]


ABSENT = """
channels = [{ name = "x", unit = "g" }]
window = { samples = 256 }
source = { kind = "serial", port = "/dev/no-port", baud = 9600, rate_hz = 100, format = { kind = "text" } }
"""
FELT = """
[machine.state]
turning = { feature = "spindle/x/rms" }
"""


async def test_learning_looks_first_and_watches_for_long_enough(
    broker: Mosquitto, collector: Collector
) -> None:
    write_configuration(collector.folder, broker.port, ABSENT)
    file = collector.folder / "machines" / "mill-1.toml"
    without = file.read_text()
    file.write_text(without + FELT)
    await collector.start()
    await until(collector.report)
    file.write_text(without + FELT.replace("/rms", "/peak"))
    for answers, more in (("", ("--activity", "idle")), ("idle\n", ())):
        code, said = await converse(collector, answers, "learn", "mill-1", *more)
        assert code == 1, said
        assert "Watching" not in said
        assert "sudo collector reload" in said
    assert (await collector.ask("reload"))[0] == 0
    code, said = await converse(collector, "", "learn", "mill-1", "--activity", "idle", "--seconds", "1")
    assert code == 1, said
    assert "Watching for 1 s" in said
    assert "not one value of spindle/x/peak came: from one to the next it takes 2.56 s." in said
    assert "--seconds 31" in said
    code, said = await converse(collector, "idle\ny\nn\n\n", "learn", "mill-1", "--seconds", "1")
    assert said.count("Watching for 1 s. Let it go on: idle.") == 2
    assert said.count("Watch it once more?") == 2


async def test_a_machine_is_commissioned_cuts_is_lost_and_counted(
    broker: Mosquitto, collector: Collector
) -> None:
    port = free_port()
    described = VIBRATION + STATE + plc_toml(port, SPEED_AND_CURRENT)
    write_configuration(collector.folder, broker.port, described)
    file = collector.folder / "machines" / "mill-1.toml"
    subscriber = await Subscriber.start(broker.port)
    async with Plc(port, [*floats(0.0), *floats(0.0)]).serving() as plc:
        await collector.start()

        async def machine() -> dict[str, Any]:
            report = await collector.report()
            return dict(report["machines"]["mill-1"]) if report else {}

        async def is_not_learned() -> bool:
            return ((await machine()).get("reason") or {}).get("code") == "state.not-learned"

        await until(is_not_learned)
        assert (await machine())["activity"] == "unknown"

        # One activity without questions, the other one in a conversation.
        code, said = await collector.ask("learn", "mill-1", "--activity", "idle", "--seconds", "3")
        assert code == 1, said
        assert "turning" in said
        assert not (collector.folder / "learned" / "mill-1.toml").exists()
        await plc.set(0, floats(3000.0))
        code, said = await converse(collector, "turning\n\ny\n", "learn", "mill-1", "--seconds", "3")
        assert code == 0, said
        threshold = load(collector.folder).learned["mill-1"].turning
        assert threshold is not None
        assert threshold.right == 1.0
        assert 0 < threshold.below < threshold.above < 3000
        assert min(threshold.values_no, threshold.values_yes) >= 10
        written = (collector.folder / "learned" / "mill-1.toml").read_bytes()
        code, said = await collector.ask("learn", "mill-1", "--write")
        assert code == 1, said
        assert "--replace" in said
        assert (collector.folder / "learned" / "mill-1.toml").read_bytes() == written
        code, said = await collector.ask("reload")
        assert code == 0, said
        assert "mill-1/state changed" in said
        assert "mill-1/spindle" not in said  # nothing else was interrupted

        await until(lambda: "turning" in states(subscriber))
        await plc.set(2, floats(20.0))
        await until(lambda: "cutting" in states(subscriber))
        await plc.set(2, floats(0.0))
        (cut,) = await until(lambda: readings(subscriber, "cut"))
        assert (cut["previous"], cut["next"]) == ("turning", "turning")
        assert cut["duration_s"] > 0.5
        spindle = cut["waveforms"]["spindle"]
        assert spindle["windows"] > 0
        assert spindle["windows"] * 0.08 <= cut["duration_s"] + 0.16
        assert spindle["channels"]["x"]["rms"]["min"] <= spindle["channels"]["x"]["rms"]["mean"]
        assert cut["context"]["plc/speed"] == {
            "kind": "number",
            "min": 3000.0,
            "max": 3000.0,
            "mean": 3000.0,
            "windows": spindle["windows"],
            "unit": "/min",
        }
        code, page = await collector.ask("status")
        assert "the spindle turns (plc/speed is 3000)" in page or "it does not cut" in page, page
    await until(lambda: states(subscriber)[-1] == "unknown")
    lost = of_state(subscriber, "event")[-1]
    assert lost["why"][-1]["answer"] is None
    code, page = await collector.ask("status")
    assert "nothing fresh and good comes from plc/speed" in page, page
    assert await collector.end() == 0
    collector.process = None

    hours = await until(lambda: [r for r in readings(subscriber, "utilisation") if r["period"] == "hour"])
    whole = [record for record in readings(subscriber, "utilisation") if record["period"] == "shift"]
    assert {record["shift"] for record in whole} == {"day"}
    for record in (*hours, *whole):
        total_us = sum(round(1e6 * seconds) for seconds in record["seconds"].values())
        assert total_us == record["to_us"] - record["from_us"]
        assert not record["complete"]
    spent = {state: sum(record["seconds"][state] for record in hours) for state in hours[0]["seconds"]}
    assert abs(spent["cutting"] - cut["duration_s"]) < 0.01
    assert min(spent["turning"], spent["unknown"]) > 0

    # A restart leaves a hole that is known, and begins where it begins.
    before_us = max(record["to_us"] for record in hours)
    await collector.start()
    await until(collector.report)
    file.write_text(file.read_text().replace("[machine.state]", "[machine.other]").replace("turning =", "#"))
    code, said = await collector.ask("reload")
    assert code == 2, said  # a mistake changes nothing
    await until(lambda: _is_told(collector, told=True))
    text = file.read_text()
    file.write_text(
        text.partition("[machine.other]")[0] + "[[controllers]]" + text.partition("[[controllers]]")[2]
    )
    code, said = await collector.ask("reload")
    assert code == 0, said
    assert "mill-1/state removed" in said
    await until(lambda: _is_told(collector, told=False))
    assert await collector.end() == 0
    collector.process = None
    later = await until(
        lambda: [
            record
            for record in readings(subscriber, "utilisation")
            if record["period"] == "hour" and record["from_us"] > before_us
        ]
    )
    assert later[0]["epoch"] > hours[0]["epoch"]
    metas = of_state(subscriber, "meta")
    assert metas[-1]["content"]["state"]["rules"][0]["learned"]["right"] == 1.0
    assert "learned" not in metas[0]["content"]["state"]["rules"][0]
    await subscriber.end()


async def _is_told(collector: Collector, *, told: bool) -> bool:
    report = await collector.report()
    return report is not None and ("mill-1" in report["machines"]) is told
