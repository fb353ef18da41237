"""How fast a backlog drains, with receipts and without, against bare paho; what a large one takes of memory.

Every way of draining gives the same records to the same mosquitto, in turns. `bare paho` publishes with QoS 1
and as many in flight, in its own `loop()` in this thread; it reads no disk and waits for no receipt. The
store is a stand-in in another process that writes the receipts of the wire contract; while it is there it
takes what bare paho sends, too.
"""

import asyncio
import logging
import os
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median
from time import monotonic, process_time, sleep

import paho.mqtt.client as paho
import structlog
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from benchmarks.rig import DISK, broker
from benchmarks.tables import Cell, Column, Table
from benchmarks.watched import cpu_s
from collector.clock import SystemClock, UtcClock
from collector.messages import Message, Topics
from collector.mqtt import BrokerSettings, Will
from collector.outbox import Outbox, OutboxSettings
from collector.publish import Publisher

_TURNS = 3
_RECORDS, _PAYLOAD_BYTES = 20_000, 2000
_REST_S = 1.0
"""Between turns, and as often again until the stand-in has worked off what the last one sent."""
_AT_REST_S = 0.03
"""CPU that it uses meanwhile for its timer."""
_IN_FLIGHT = 20
"""What mosquitto allows unless it is configured otherwise."""
_BACKLOG_MIB = 2048
_TOPICS = Topics("shopfloor/v1", "works", "gateway-1")
_TOPIC = _TOPICS.of("mill-1", "spindle", "features")
_FILLING = os.urandom(_PAYLOAD_BYTES // 2).hex()
_MEASURE = "import sys; from benchmarks.backlog import large; large(sys.argv[1], int(sys.argv[2]))"


def tables(_seconds: float) -> Iterable[Table]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    yield _drain()
    yield _memory()


def _drain() -> Table:
    rows: list[tuple[Cell, ...]] = []
    with tempfile.TemporaryDirectory(dir=DISK) as name, ExitStack() as stack:
        port = stack.enter_context(broker(Path(name)))
        rows += _take_turns(Path(name), port, "broker", "nobody listens", _rest)
        writer = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.receipt_writer", str(port)], stdout=subprocess.PIPE
        )
        stack.callback(writer.wait)
        stack.callback(writer.terminate)
        assert writer.stdout is not None
        writer.stdout.readline()
        rows += _take_turns(Path(name), port, "store", "a store listens", partial(_rest, writer.pid))
    return Table(
        f"A backlog of {_RECORDS} records of {_PAYLOAD_BYTES} bytes drains",
        f"records a second on the wall, medians of {_TURNS} turns, until the outbox is empty; with `store` a "
        "receipt has come for each; the aim is a ratio of at least 0.8 with the store; CPU is that of the "
        "sending process, which is what counts where broker and store are other computers",
        (
            Column("delivery"),
            Column("records/s"),
            Column("slowest"),
            Column("fastest"),
            Column("ratio", 2),
            Column("CPU, us a record"),
            Column("ratio by CPU", 2),
        ),
        rows,
    )


def _rest(stand_in: int | None = None) -> None:
    """Wait until it has nothing to do, where there is one."""
    before_s = float("-inf")
    while True:
        sleep(_REST_S)
        if stand_in is None or (now_s := cpu_s(stand_in)) - before_s < _AT_REST_S:
            return
        before_s = now_s


def _take_turns(
    folder: Path, port: int, delivery: str, who: str, rest: Callable[[], None]
) -> list[tuple[Cell, ...]]:
    """Bare paho and the outbox in turns."""
    bare, ours = [], []
    for turn in range(_TURNS):
        rest()
        bare.append(_bare(port))
        backlog = folder / f"{delivery}-{turn}"
        asyncio.run(fill(backlog, _RECORDS))
        rest()
        ours.append(asyncio.run(_deliver(backlog, delivery, port)))
    rows: list[tuple[Cell, ...]] = []
    for name, turns in ((f"bare paho, {who}", bare), (delivery, ours)):
        speeds, costs = zip(*turns, strict=True)
        speed = median(speeds) / median(rate for rate, _ in bare)
        cost = median(cost for _, cost in bare) / median(costs)
        rows.append((name, median(speeds), min(speeds), max(speeds), speed, median(costs), cost))
    return rows


def _record(epoch: str, seq: int) -> Message:
    payload = b'{"epoch": "%s", "seq": %d, "filling": "%s"}' % (epoch.encode(), seq, _FILLING.encode())
    return Message(epoch, seq, _TOPIC, payload[:-50] + b'"}', seq, sync=True)


async def fill(folder: Path, records: int) -> None:
    """Leave a backlog in a folder, as an earlier run does."""
    outbox = await Outbox.open(OutboxSettings(directory=folder, commit_interval_s=60))
    for seq in range(1, records + 1):
        outbox.append(_record(outbox.epoch, seq))
        if seq % 500 == 0:
            await outbox.commit()
    await outbox.close()


async def _counted(outbox: Outbox) -> None:
    while outbox.state().unscanned:  # noqa: ASYNC110 (`state` has no event)
        await asyncio.sleep(0.01)


async def _deliver(folder: Path, delivery: str, port: int) -> tuple[float, float]:
    """Records a second, and microseconds of CPU for each, from the connection to the last confirmation."""
    settings = OutboxSettings.model_validate({"directory": folder, "delivery": delivery})
    outbox = await Outbox.open(settings)
    await _counted(outbox)
    publisher = Publisher(
        BrokerSettings(host="127.0.0.1", port=port, in_flight=_IN_FLIGHT),
        "gateway",
        Will(_TOPICS.status, b"{}"),
        outbox,
        UtcClock(SystemClock()),
        receipts=_TOPICS.receipt if delivery == "store" else None,
    )
    began_s, began_cpu_s = monotonic(), process_time()
    publishing = asyncio.create_task(publisher.run())
    while outbox.state().records:  # noqa: ASYNC110 (`state` has no event)
        await asyncio.sleep(0.005)
    took_s, cpu_s = monotonic() - began_s, process_time() - began_cpu_s
    publishing.cancel()
    await asyncio.gather(publishing, return_exceptions=True)
    await outbox.close()
    return _RECORDS / took_s, cpu_s / _RECORDS * 1e6


def _bare(port: int) -> tuple[float, float]:
    """The same of paho alone, from the connection to the last PUBACK."""
    records = deque(_record("000000-00000000", seq) for seq in range(1, _RECORDS + 1))
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    in_flight = 0

    def acknowledged(*_: object) -> None:
        nonlocal in_flight
        in_flight -= 1

    client.on_publish = acknowledged
    client.max_inflight_messages_set(0)
    began_s, began_cpu_s = monotonic(), process_time()
    client.connect("127.0.0.1", port)
    while not client.is_connected():
        client.loop(1.0)
    while records or in_flight:
        while records and in_flight < _IN_FLIGHT:
            message = records.popleft()
            client.publish(message.topic, message.payload, qos=1)
            in_flight += 1
        client.loop(1.0)
    took_s, cpu_s = monotonic() - began_s, process_time() - began_cpu_s
    client.disconnect()
    return _RECORDS / took_s, cpu_s / _RECORDS * 1e6


def _memory() -> Table:
    """What an outbox takes with a small and with a large backlog, each in a process of its own."""
    rows: list[tuple[Cell, ...]] = []
    for mib in (0, 64, _BACKLOG_MIB):
        with tempfile.TemporaryDirectory(dir=DISK) as name:
            asyncio.run(fill(Path(name) / "outbox", (mib << 20) // (_PAYLOAD_BYTES + 100)))
            command = (sys.executable, "-c", _MEASURE, name + "/outbox", "20")
            measured = subprocess.run(command, check=True, capture_output=True, text=True)
            rows.append((mib, *(float(figure) for figure in measured.stdout.split())))
    return Table(
        "Resident memory of a process with an outbox and nothing else",
        f"records of {_PAYLOAD_BYTES} bytes on disk from an earlier run: opened, counted, and the first "
        "20,000 taken and confirmed; what grows is the index of what waits, by some 18 bytes a record",
        (
            Column("backlog, MiB"),
            Column("records"),
            Column("until it is open, s", 2),
            Column("until all is counted, s", 1),
            Column("resident, MiB", 1),
            Column("the most, MiB", 1),
        ),
        rows,
    )


def large(folder: str, thousands: int) -> None:
    """Open a folder, deliver some of it, and print figures; run as a process."""
    asyncio.run(_open_large(Path(folder), thousands * 1000))


async def _open_large(folder: Path, deliver: int) -> None:
    began_s = monotonic()
    outbox = await Outbox.open(OutboxSettings(directory=folder))
    open_s = monotonic() - began_s
    await _counted(outbox)
    counted_s = monotonic() - began_s
    records = outbox.state().records
    left = min(deliver, records)
    while left:
        await outbox.ready.wait()
        for outgoing in outbox.take(min(_IN_FLIGHT, left)):
            outbox.confirm(outgoing.message.epoch, outgoing.message.seq)
            left -= 1
        await asyncio.sleep(0)
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    now, most = (int(fields[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
    print(records, open_s, counted_s, now, most)
    await outbox.close()
