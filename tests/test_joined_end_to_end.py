"""What the machine was doing beside what was felt: a real Modbus server, the daemon, a broker, a stranger."""

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
from mill import (
    PERIOD_S,
    SPEED_AND_CURRENT,
    TIMEOUT_S,
    VIBRATION,
    Plc,
    contexts,
    floats,
    last_of,
    letters,
    plc_toml,
    source,
)
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
from servers import Collector, Mosquitto, Subscriber, free_port, until, write_configuration

from collector.messages import decode
from collector.pseudonym_key import FILE_NAME
from collector.sharing import pseudonym

CANARY_PROGRAM, CANARY_JOB = "CANARY-WELLE-471", "CANARY-JOB-BEST3"
POINTS = (
    SPEED_AND_CURRENT
    + """\
  { name = "mode", table = "holding", address = 4, type = "u16", states = { 0 = "manual", 1 = "automatic" } },
  { name = "program", table = "holding", address = 5, type = "text", registers = 8, share = "pseudonym" },
  { name = "job", table = "holding", address = 13, type = "text", registers = 8 },
"""
)
REGISTERS = [*floats(1000.0), *floats(3.0), 1, *letters(CANARY_PROGRAM), *letters(CANARY_JOB)]

SILENT_OPCUA = """
[[controllers]]
name = "cnc"

[controllers.source]
kind = "opcua"
url = "opc.tcp://127.0.0.1:%d"
security = "none"
points = [{ name = "feed", node = "ns=2;i=4", unit = "%%" }]
"""


def configure(collector: Collector, broker: Mosquitto, port: int) -> None:
    write_configuration(collector.folder, broker.port, VIBRATION + plc_toml(port, POINTS))


def whole_seconds(subscriber: Subscriber) -> list[dict[str, Any]]:
    """What was said of the current in those seconds in which it was known all the time."""
    summaries = [record for record in subscriber.records("readings") if record["reading"] == "summary"]
    whole = [record for record in summaries if record["to_us"] - record["from_us"] > 999_000]
    currents = [record["points"]["current"] for record in whole]  # the last summary may be shorter
    return [current for current in currents if current["coverage"] == 1.0]


async def test_vibration_and_controller_become_one_record(
    tmp_path: Path, broker: Mosquitto, collector: Collector
) -> None:
    port = free_port()
    configure(collector, broker, port)
    subscriber = await Subscriber.start(broker.port)
    async with Plc(port, REGISTERS).serving() as plc:
        await collector.start()
        await until(lambda: last_of(contexts(subscriber, "plc/speed"), "good"))
        await until(lambda: whole_seconds(subscriber))
        set_from_s = time.monotonic()
        await plc.set(0, floats(3000.0))
        set_to_s = time.monotonic()
        await plc.set(4, [0])
        await until(lambda: contexts(subscriber, "plc/speed")[-1]["last"] == 3000.0)
        await until(lambda: contexts(subscriber, "plc/mode")[-1]["last"] == "manual")
        code, output = await collector.ask("status")
        assert code == 0, output
        assert "mill-1/plc" in output
        code, output = await collector.ask("test", "mill-1/plc", "--seconds", "1")
        assert code == 0
        assert CANARY_JOB in output, "staff at the gateway see all of it"
        assert "3000" in output
        assert "(function 03)" in output, "where it stands"
        assert "453b 8000" in output, "the registers of the speed, before decoding"
    # The controller is off now; the vibration goes on.
    stale = await until(lambda: last_of(contexts(subscriber, "plc/speed"), "stale"))
    # The last that was said is the speed, or that a question which was under way got no answer.
    assert stale["last"] in {3000.0, None}
    assert stale["vouched_s"] > 3 * PERIOD_S
    await until(lambda: contexts(subscriber, "plc/speed")[-1]["vouched_s"] > stale["vouched_s"] + 0.5)
    failed = await until(lambda: _in_state(collector, "mill-1/plc", "failed"))
    assert failed["reason"]["advice"]
    spindle = await source(collector, "mill-1/spindle")
    assert (spindle["state"], spindle["lost"]) == ("ok", 0)
    assert (await collector.ask("status"))[0] == 1
    async with Plc(port, REGISTERS).serving():
        await until(lambda: last_of(contexts(subscriber, "plc/speed"), "good"))
        code, status_json = await collector.ask("status", "--json")
        code, sharing = await collector.ask("share")
        assert code == 0
        await collector.end()
    await until(lambda: subscriber.records("status")[-1]["state"] == "stopped")
    raw = subscriber.raw
    features = subscriber.records("features")
    readings = subscriber.records("readings")
    speeds = contexts(subscriber, "plc/speed")
    whole = whole_seconds(subscriber)
    await subscriber.end()

    # The one change is in the one window in which it was read, if not between two, and after it was made.
    after = next(window for window in speeds if window["last"] == 3000.0)
    changed_s = after["to_s"] - after["changed_s"]
    assert set_from_s <= changed_s <= set_to_s + PERIOD_S + TIMEOUT_S
    for window in speeds[speeds.index(after) - 1 : speeds.index(stale)]:
        if window["from_s"] < changed_s <= window["to_s"]:
            assert (window["min"], window["max"], window["changes"]) == (1000.0, 3000.0, 1)
        else:
            assert (window["min"], window["changes"]) == (window["max"], 0)
    for window in speeds:
        if window["quality"] == "good":
            assert window["last"] == (
                1000.0 if window["to_s"] < changed_s or window["seq"] > stale["seq"] else 3000.0
            )
            assert window["vouched_s"] <= 3 * PERIOD_S
            assert window["unit"] == "/min"
    # No window is missing, and their order is kept.
    assert [record["first"] for record in features] == [256 * index for index in range(len(features))]
    assert [record["seq"] for record in features] == sorted(record["seq"] for record in features)
    # Summaries follow one another without a hole, also while the controller was off.
    summaries = [record for record in readings if record["reading"] == "summary"]
    assert [r["from_us"] for r in summaries[1:]] == [r["to_us"] for r in summaries[:-1]]
    assert any(r["points"]["speed"]["coverage"] == 0 for r in summaries)
    assert whole
    for current in whole:
        assert current["count"] in range(3, 12)
        assert (current["mean"], current["rms"], current["std"]) == (3.0, 3.0, 0.0)
    changes = [(r["point"], r["previous"], r["value"]) for r in readings if r["reading"] == "change"]
    assert ("mode", "automatic", "manual") in changes

    # What must not leave is nowhere; the pseudonym is the one of this gateway's key.
    key = bytes.fromhex((collector.folder / "state" / FILE_NAME).read_text())
    programs = {record["context"]["plc/program"]["last"] for record in features}
    assert programs - {None} == {pseudonym(key, CANARY_PROGRAM)}
    assert not any("plc/job" in record["context"] for record in features)
    outbox = b"".join(file.read_bytes() for file in (tmp_path / "outbox").rglob("*") if file.is_file())
    assert collector.process is not None
    everything = [*(payload for _, payload in raw), status_json, sharing, *collector.process.lines]
    assert not any("CANARY" in text for text in everything)
    assert b"CANARY" not in outbox
    for topic, payload in raw:
        if not topic.endswith("/status"):
            decode(payload.encode())


async def _in_state(collector: Collector, name: str, state: str) -> dict[str, Any] | None:
    found = await source(collector, name)
    return found if found.get("state") == state else None


async def test_a_reload_of_the_controller_leaves_the_waveform_alone(
    broker: Mosquitto, collector: Collector
) -> None:
    port = free_port()
    configure(collector, broker, port)
    file = collector.folder / "machines" / "mill-1.toml"
    subscriber = await Subscriber.start(broker.port)
    async with Plc(port, REGISTERS).serving():
        await collector.start()
        await until(lambda: last_of(contexts(subscriber, "plc/speed"), "good"))
        file.write_text(
            file.read_text()
            .replace('unit = "/min"', 'unit = "Hz"')
            .replace(
                '[machine]\nname = "mill-1"',
                '[machine]\nname = "mill-1"\ncontext = { points = ["plc/speed"] }',
            )
        )
        code, output = await collector.ask("reload")
        assert code == 0, output
        assert "mill-1/plc changed" in output
        assert "mill-1/spindle described anew" in output
        await until(
            lambda: last_of([c for c in contexts(subscriber, "plc/speed") if c["unit"] == "Hz"], "good")
        )
        file.write_text(file.read_text().replace("plc/speed", "plc/spede"))
        code, output = await collector.ask("reload")
        assert code == 2
        assert "plc/speed" in output
        assert collector.process is not None
        collector.process.process.send_signal(signal.SIGTERM)
        await collector.end()
    features = subscriber.records("features")
    metas = [r for topic, r in _topics(subscriber) if topic.endswith("spindle/meta")]
    await subscriber.end()
    assert [record["first"] for record in features] == [256 * index for index in range(len(features))]
    last = features[-1]
    assert list(last["context"]) == ["plc/speed"]
    described = next(meta for meta in metas if meta["meta"] == last["meta"])
    (point,) = described["content"]["context"]["points"]
    assert (point["name"], point["unit"]) == ("plc/speed", "Hz")
    await asyncio.sleep(0)


TRACE_FROM, TRACE_MS = 74_500, 8_500
"""The busiest part of the trace: a tool change, 20 beginnings and ends of cuts, many changes of speed."""

TRACED = """
[[controllers]]
name = "cnc"

[controllers.source]
kind = "modbus-tcp"
host = "127.0.0.1"
port = %d
addressing = "pdu"
every_s = 0.1
points = [
  { name = "speed", table = "holding", address = 0, type = "i16", unit = "/min" },
  { name = "tool", table = "holding", address = 1, type = "u16" },
  { name = "cut", table = "holding", address = 2, type = "u16", states = { 0 = "off", 1 = "on" } },
]
"""

REPLAYED = """\
channels = [{ name = "x", unit = "g" }]
window = { samples = 250 }
source = { kind = "replay", file = "%s", array = "raw", columns = [1], scale = "scale_g", rate_hz = 1000 }
"""


@asynccontextmanager
async def tracing(port: int, trace: dict[str, list[int]]) -> AsyncIterator[Callable[[], float]]:
    """A Modbus server that plays a trace of 1 kHz in real time from the moment that the caller begins."""
    began_s: list[float] = []

    def begin() -> float:
        began_s.append(time.monotonic())
        return began_s[0]

    async def play(
        function: int, start: int, address: int, count: int, registers: list[int], values: object
    ) -> None:
        index = round((time.monotonic() - began_s[0]) * 1000) if began_s else 0
        now = [column[min(index, TRACE_MS - 1)] & 0xFFFF for column in trace.values()]
        registers[: len(now)] = now

    bits = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
    words = [SimData(0, values=[0] * len(trace), datatype=DataType.REGISTERS)]
    device = SimDevice(1, simdata=(bits, bits, words, words), action=play)
    server = ModbusTcpServer(device, address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    try:
        yield begin
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]


async def test_a_real_trace_agrees_with_the_context_of_the_windows(
    recordings: Path, broker: Mosquitto, collector: Collector
) -> None:
    whole = np.load(recordings / "cnc_turning_trace_1khz.npz")
    part = slice(TRACE_FROM, TRACE_FROM + TRACE_MS)
    columns = {"speed": "Speed_MainSpindle", "tool": "TOOL_Number", "cut": "CUT_Signal"}
    trace = {name: whole[column][part].astype(int).tolist() for name, column in columns.items()}
    port = free_port()
    waveform = REPLAYED % (recordings / "mill_accel_1khz_int16.npz")
    write_configuration(collector.folder, broker.port, waveform + TRACED % port)
    subscriber = await Subscriber.start(broker.port)
    async with tracing(port, trace) as begin:
        await collector.start()
        await until(lambda: last_of(contexts(subscriber, "cnc/speed"), "good"))
        began_s = begin()
        ends_s = began_s + TRACE_MS / 1000
        await until(lambda: subscriber.records("features")[-1]["mono_us"] / 1e6 > ends_s)
        await collector.end()
    features = [
        record
        for record in subscriber.records("features")
        if began_s < record["mono_us"] / 1e6 and record["mono_us"] / 1e6 + 0.249 < ends_s
    ]
    await subscriber.end()
    assert len(features) > TRACE_MS / 250 - 4

    def said(name: str, from_s: float, to_s: float) -> set[Any]:
        """What the trace had between two moments, to the 5 ms that an answer takes."""
        first, last = (round((at_s - began_s) * 1000) for at_s in (from_s - 0.005, to_s))
        values = trace[name][max(first, 0) : last + 1]
        return {("off", "on")[value] for value in values} if name == "cut" else set(values)

    changed = dict.fromkeys(columns, 0)
    for record in features:
        from_s, to_s = record["mono_us"] / 1e6, record["mono_us"] / 1e6 + 0.249
        for name in columns:
            point = record["context"][f"cnc/{name}"]
            assert point["quality"] == "good"
            assert point["vouched_s"] <= 3 * PERIOD_S
            # The value at the end is the trace's when it was read, which is no longer ago than is said.
            read_s = to_s - point["vouched_s"]
            assert point["last"] in said(name, read_s - PERIOD_S, read_s), (name, record["first"])
            changed[name] += point["changes"] > 0
            # What held at the start, read up to a period before, and at the end differ: so it changed inside.
            settled = [said(name, at_s - 2 * PERIOD_S, at_s) for at_s in (from_s, to_s)]
            if all(len(values) == 1 for values in settled) and settled[0] != settled[1]:
                assert point["changes"], (name, record["first"])
            if name != "cut":
                assert (point["min"] < point["max"]) == (point["changes"] > 0)
                assert {point["min"], point["max"], point["last"]} <= said(name, from_s - 2 * PERIOD_S, to_s)
    assert changed["speed"] > 10
    assert changed["tool"] >= 1
    assert changed["cut"] >= 3


def _topics(subscriber: Subscriber) -> list[tuple[str, dict[str, Any]]]:
    return [(topic, json.loads(payload)) for topic, payload in subscriber.raw]


async def test_windows_go_out_though_no_controller_ever_answers(tmp_path: Path, broker: Mosquitto) -> None:
    """The connection is made, and then nothing: worse than one that is refused."""

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    write_configuration(tmp_path, broker.port, VIBRATION + plc_toml(port, POINTS) + SILENT_OPCUA % port)
    collector, subscriber = Collector(tmp_path), await Subscriber.start(broker.port)
    await collector.start()
    try:
        await until(lambda: _failed(collector, "mill-1/plc"))
        await until(lambda: _failed(collector, "mill-1/cnc"))
        known = len(subscriber.records("features"))
        features = await until(lambda: subscriber.records("features")[known + 20 :])
        report = await until(collector.report)
    finally:
        assert await collector.end() == 0
        server.close()
    await subscriber.end()
    assert report["sources"]["mill-1/spindle"]["lost"] == 0
    for point in ("plc/speed", "plc/mode", "plc/program", "cnc/feed"):
        said = features[-1]["context"][point]
        assert (said["last"], said["vouched_s"], said["changed_s"]) == (None, None, None)
        assert said["quality"] in {"stale", "bad"}
    assert not [
        r for r in subscriber.records("readings") if r.get("points", {}).get("speed", {}).get("count")
    ]


async def _failed(collector: Collector, name: str) -> bool:
    report = await collector.report()
    return report is not None and report["sources"][name]["state"] == "failed"
