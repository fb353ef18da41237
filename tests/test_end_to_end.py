"""The main job on real input: bytes into a serial port, records out of a broker, to a stranger's client."""

import asyncio
import contextlib
import gzip
import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats
from servers import Collector, Mosquitto, Subscriber, send, serial_port, until, write_configuration

from collector.demo.accelerometer import SCALE_G, SYNC, frames
from collector.messages import decode

SPEED = float(os.environ.get("COLLECTOR_RECORDING_SPEED", "3"))
"""How much faster than recorded the recording is sent."""

CHANNELS = """\
channels = [{ name = "x", unit = "g" }, { name = "y", unit = "g" }, { name = "z", unit = "g" }]
window = { samples = 1024, overlap = 0.5 }
features = { bands = [{ low_hz = 10, high_hz = 100 }] }
"""

TEXT = """
[waveforms.source]
kind = "serial"
port = "{port}"
baud = 115200
rate_hz = {rate}
format = {{ kind = "text" }}
"""

BINARY = """
[waveforms.source]
kind = "serial"
port = "{port}"
baud = 921600
rate_hz = {rate}
silent_after_s = 2
format = {{ kind = "binary", sync = "{sync}", counter = "u16", scale = {scale}, checksum = "crc16-modbus" }}
"""


def binary(port: Path, rate: float) -> str:
    return CHANNELS + BINARY.format(port=port, rate=rate, sync=SYNC.hex(), scale=SCALE_G)


def recorded_bursts(recordings: Path) -> Iterator[tuple[float, list[str]]]:
    """The lines of the real recording with the stamp that was written after them, from 0."""
    lines: list[str] = []
    began = None
    with gzip.open(recordings / "mill_accel_stream.txt.gz", "rt") as stream:
        for line in stream:
            if not line.startswith("2016"):
                lines.append(line)
                continue
            stamp = datetime.fromisoformat(line.strip()).timestamp()
            began = stamp if began is None else began
            if lines:
                yield stamp - began, lines
                lines = []


async def state_is(collector: Collector, state: str) -> dict[str, Any] | None:
    report = await collector.report()
    if report is None or report["sources"]["mill-1/spindle"]["state"] != state:
        return None
    return report


async def listens(collector: Collector, port: Path) -> bool:
    """Whether the collector has opened the port, and thrown away what came before."""
    assert collector.process is not None
    descriptors = Path(f"/proc/{collector.process.process.pid}/fd")
    with contextlib.suppress(OSError):
        if any(descriptor.resolve() == port.resolve() for descriptor in descriptors.iterdir()):
            await asyncio.sleep(0.5)
            return True
    return False


def account_closes(source: dict[str, Any]) -> bool:
    return bool(source["fed"] == source["advanced"] + source["discarded"] + source["lost"] + source["open"])


async def test_the_real_recording_with_its_stalls(
    recordings: Path, tmp_path: Path, broker: Mosquitto, collector: Collector
) -> None:
    port = tmp_path / "accelerometer"
    write_configuration(tmp_path, broker.port, CHANNELS + TEXT.format(port=port, rate=1000.0 * SPEED))
    subscriber = await Subscriber.start(broker.port)
    bursts = list(recorded_bursts(recordings))
    async with serial_port(port) as wire:
        await collector.start()
        await until(lambda: listens(collector, port))
        loop = asyncio.get_running_loop()
        began = loop.time()
        for at_s, lines in bursts:
            await asyncio.sleep(max(0.0, began + at_s / SPEED - loop.time()))
            await send(wire, "".join(lines).encode())
        sent = np.array([line.split() for _, lines in bursts for line in lines], dtype=float).T
        # The line on the way when the port is opened may be cut, so the first one never counts; the last one
        # waits for its successor.
        report = await until(lambda: _fed(collector, sent.shape[1] - 2))
    source = report["sources"]["mill-1/spindle"]
    assert source["rate_state"] == "measured"
    assert 959.4 * 0.997 <= source["measured_hz"] / SPEED <= 960.0 * 1.003
    stalled = (0.44 + 0.32 + 0.26) * 960
    assert source["lost"] <= 0.01 * stalled
    assert account_closes(source)
    features = await until(lambda: _all_windows(subscriber, source["windows"]))
    await subscriber.end()
    for record in features:
        window = sent[:, 1 + record["first"] : 1 + record["first"] + record["n"]]
        for row, name in enumerate("xyz"):
            values = record["channels"][name]
            assert values["mean"] == pytest.approx(window[row].mean(), rel=1e-9)
            assert values["rms"] == pytest.approx(window[row].std(), rel=1e-9)
            assert values["kurtosis"] == pytest.approx(
                scipy.stats.kurtosis(window[row], fisher=False), rel=1e-9
            )


async def _fed(collector: Collector, at_least: int) -> dict[str, Any] | None:
    report = await collector.report()
    return report if report and report["sources"]["mill-1/spindle"]["fed"] >= at_least else None


def _all_windows(subscriber: Subscriber, count: int) -> list[dict[str, Any]] | None:
    features = subscriber.records("features")
    return features if len(features) >= count else None


async def test_removed_frames_are_counted_exactly_and_no_window_spans_them(
    recordings: Path, tmp_path: Path, broker: Mosquitto, collector: Collector
) -> None:
    port = tmp_path / "accelerometer"
    write_configuration(tmp_path, broker.port, binary(port, 4000.0))
    raw = np.load(recordings / "mill_accel_1khz_int16.npz")["raw"][:20_000].T * SCALE_G
    everything = frames(raw, 0)
    size = len(everything) // raw.shape[1]
    removed = {3_000: 1, 7_777: 250, 12_345: 1_024, 12_500 + 1_024: 3}
    kept = np.ones(raw.shape[1], dtype=bool)
    for first, count in removed.items():
        kept[first : first + count] = False
    subscriber = await Subscriber.start(broker.port)
    async with serial_port(port) as wire:
        await collector.start()
        await until(lambda: listens(collector, port))
        for start in range(0, raw.shape[1], 200):
            part = [everything[i * size : (i + 1) * size] for i in range(start, start + 200) if kept[i]]
            await send(wire, b"".join(part))
            await asyncio.sleep(0.02)
        report = await until(lambda: _fed(collector, raw.shape[1]))
    source = report["sources"]["mill-1/spindle"]
    assert source["lost"] == sum(removed.values()) == int((~kept).sum())
    assert not source["lost_estimated"]
    assert account_closes(source)
    features = await until(lambda: _all_windows(subscriber, source["windows"]))
    gaps = await until(lambda: [r for r in subscriber.records("event") if r["event"] == "gap"])
    await subscriber.end()
    assert features
    for record in features:
        inside = slice(record["first"], record["first"] + record["n"])
        assert kept[inside].all()
        assert record["channels"]["x"]["rms"] == pytest.approx(raw[0, inside].std(), rel=1e-9)
    assert sum(gap["lost"] for gap in gaps) == sum(removed.values())
    assert all(gap["cause"] == "device" and not gap["estimated"] for gap in gaps)


async def test_unplug_garbage_and_replug(tmp_path: Path, broker: Mosquitto, collector: Collector) -> None:
    port = tmp_path / "accelerometer"
    write_configuration(tmp_path, broker.port, binary(port, 2000.0))
    subscriber = await Subscriber.start(broker.port)
    sent = np.random.default_rng(1).normal(0, 1, (3, 40_000)).round(2)
    sent = np.rint(sent / SCALE_G) * SCALE_G

    async def stream(wire: int, first: int, last: int) -> None:
        for start in range(first, last, 40):
            await send(wire, frames(sent[:, start : start + 40], start))
            await asyncio.sleep(0.02)

    async with serial_port(port) as wire:
        await collector.start()
        await until(lambda: listens(collector, port))
        await stream(wire, 0, 4_000)
        await until(lambda: state_is(collector, "ok"))
        await send(wire, os.urandom(3_000))  # garbage in the stream
        await stream(wire, 4_000, 6_000)
        report = await until(lambda: state_is(collector, "degraded"))
        assert report["sources"]["mill-1/spindle"]["bad_bytes"] >= 2_900
        assert report["sources"]["mill-1/spindle"]["reason"]["advice"]
    report = await until(lambda: state_is(collector, "failed"))  # unplugged
    assert report["sources"]["mill-1/spindle"]["next_retry_s"] is not None or report["sources"]
    code, output = await collector.ask("status")
    assert code == 1
    assert "mill-1/spindle" in output
    async with serial_port(port) as wire:  # the same name, another device behind it
        streaming = asyncio.create_task(stream(wire, 10_000, 40_000))
        await until(lambda: _fed(collector, 12_000), 30)
        report = await until(lambda: state_is(collector, "degraded"))
        assert report["sources"]["mill-1/spindle"]["reason"]["code"] == "source.losing.reconnect"
        streaming.cancel()
        await asyncio.gather(streaming, return_exceptions=True)
        for _ in range(40):  # nonsense, as from a wrong baud rate
            await send(wire, os.urandom(500))
            await asyncio.sleep(0.1)
        report = await until(lambda: state_is(collector, "failed"))
        reason = report["sources"]["mill-1/spindle"]["reason"]
        assert "baud" in reason["advice"]
    events = subscriber.records("event")
    features = subscriber.records("features")
    await subscriber.end()
    gaps = [event for event in events if event["event"] == "gap"]
    assert any(gap["cause"] == "reconnect" and gap["estimated"] for gap in gaps)
    alarms = [event["code"] for event in events if event["event"] == "alarm" and event["active"]]
    assert any(code.startswith("source.serial") for code in alarms)
    # Every window that came out consists of samples that were sent, in order.
    ends = np.array([values["channels"]["x"]["mean"] for values in features])
    means = np.convolve(sent[0], np.full(1024, 1 / 1024), "valid")
    assert len(ends)
    assert all(np.isclose(means, mean, rtol=0, atol=1e-12).any() for mean in ends)


async def test_a_gap_over_runs_that_saw_no_sample_is_declared(
    tmp_path: Path, broker: Mosquitto, collector: Collector
) -> None:
    port = tmp_path / "accelerometer"
    write_configuration(tmp_path, broker.port, binary(port, 2000.0))
    subscriber = await Subscriber.start(broker.port)
    sent = frames(np.zeros((3, 4_000)), 0)

    async def delivers(epochs: int) -> None:
        async with serial_port(port) as wire:
            await until(lambda: listens(collector, port))
            await send(wire, sent)
            await until(lambda: len({record["epoch"] for record in subscriber.records("features")}) == epochs)

    await collector.start()
    await delivers(1)
    assert await collector.end() == 0
    await collector.start()  # the sensor is not there
    dead = await until(lambda: state_is(collector, "failed"))
    assert await collector.end() == 0
    await collector.start()
    report = await until(lambda: state_is(collector, "failed"))
    machine = tmp_path / "machines" / "mill-1.toml"
    machine.write_text(machine.read_text().replace("samples = 1024", "samples = 512"))
    assert (await collector.ask("reload"))[0] == 0
    await delivers(2)
    gaps = await until(lambda: [event for event in subscriber.records("event") if event["event"] == "gap"])
    features, events = subscriber.records("features"), subscriber.records("event")
    await subscriber.end()
    (first, second, third) = [event for event in events if event["event"] == "restart"]
    assert first["last_us"] is None
    assert second["last_us"] > first["t_us"]
    assert second["t_us"] < third["last_us"] < third["t_us"]
    gap = gaps[-1]
    assert (gap["cause"], gap["previous_epoch"], gap["epoch"]) == ("restart", dead["epoch"], report["epoch"])
    seen = [record["t_us"] for record in features if record["epoch"] not in {gap["epoch"], dead["epoch"]}]
    assert 0 <= gap["from_us"] - max(seen) < 2_000_000
    assert gap["to_us"] > dead["now_us"]


async def test_broker_killed_under_load_then_the_daemon(
    tmp_path: Path, broker: Mosquitto, collector: Collector
) -> None:
    """COLLECTOR_OUTAGE_S=60 makes it the full minute."""
    outage_s = float(os.environ.get("COLLECTOR_OUTAGE_S", "8"))
    waveform = """\
channels = [{ name = "x", unit = "g" }, { name = "y", unit = "g" }, { name = "z", unit = "g" }]
window = { samples = 256 }
source = { kind = "simulated", rate_hz = 6400 }
"""
    write_configuration(tmp_path, broker.port, waveform, outbox="commit_interval_s = 0.5")
    before = await Subscriber.start(broker.port)
    await collector.start()
    await until(lambda: len(before.records("features")) > 40)
    await broker.kill()
    await asyncio.sleep(outage_s)
    report = await until(lambda: _fed_lately(collector))
    assert report["broker"]["state"] == "failed"
    assert report["outbox"]["pending"] > 20 * outage_s
    assert report["sources"]["mill-1/spindle"]["lost"] == 0  # acquisition never paused
    source = report["sources"]["mill-1/spindle"]
    assert source["windows"] * 256 / 6400 > outage_s
    await asyncio.sleep(1.5)
    await collector.end(__import__("signal").SIGKILL)
    committed = source["windows"]  # of this report, all are older than the commit interval by now
    await before.end()
    await broker.start()
    after = await Subscriber.start(broker.port)
    await collector.start()
    features = await until(lambda: _of_both(before, after, committed), 60)
    report = await until(lambda: _drained(collector), 60)
    gaps = await until(lambda: [r for r in after.records("event") if r["event"] == "gap"])
    # What was made before the broker was found again comes after all that waited.
    await until(lambda: any(record["first"] == 0 for record in after.records("features")))
    late = after.late
    payloads = [
        json.loads(p) | {"payload": p} for t, p in [*before.raw, *after.raw] if t.endswith("/features")
    ]
    await after.end()
    first_epoch = min(record["epoch"] for record in features)
    # Every committed window is there, without a hole, and duplicates are the same bytes.
    indices = sorted({r["first"] for r in payloads if r["epoch"] == first_epoch})
    assert indices[:committed] == [256 * i for i in range(committed)]
    by_identity: dict[tuple[str, int], set[str]] = {}
    for record in payloads:
        by_identity.setdefault((record["epoch"], record["seq"]), set()).add(record["payload"])
    assert all(len(versions) == 1 for versions in by_identity.values())
    assert late >= outage_s * 20
    restart = next(gap for gap in gaps if gap["cause"] == "restart")
    assert restart["previous_epoch"] == first_epoch
    events = after.records("event")
    restarts = [event for event in events if event["event"] == "restart"]
    begun = next(event for event in restarts if event["previous_epoch"] == first_epoch)
    numbers = [record["seq"] for record in [*payloads, *events] if record["epoch"] == first_epoch]
    assert begun["last_seq"] == max(numbers)  # which waited on the disk
    last_before = max(r["t_us"] for r in payloads if r["epoch"] == first_epoch)
    first_after = min(r["t_us"] for r in payloads if r["epoch"] != first_epoch)
    assert abs(restart["from_us"] - last_before) < 2_000_000
    assert restart["to_us"] == pytest.approx(first_after, abs=100_000)
    for record in payloads:
        decode(record["payload"].encode())


async def _fed_lately(collector: Collector) -> dict[str, Any] | None:
    report = await collector.report()
    return report if report and report["sources"]["mill-1/spindle"]["last_data_age_s"] < 1 else None


def _of_both(before: Subscriber, after: Subscriber, count: int) -> list[dict[str, Any]] | None:
    features = [*before.records("features"), *after.records("features")]
    first_epoch = min((record["epoch"] for record in features), default="")
    old = {record["seq"] for record in features if record["epoch"] == first_epoch}
    return features if len(old) >= count else None


async def _drained(collector: Collector) -> dict[str, Any] | None:
    report = await collector.report()
    return (
        report if report and report["broker"]["state"] == "ok" and report["outbox"]["pending"] < 30 else None
    )
