"""The demo as a user sees it: on a pipe, on a terminal, ended with Ctrl-C; and whether it tells the truth."""

import asyncio
import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import termios
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from io import StringIO
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from servers import PATIENCE_S, PROGRAM, Collector, Mosquitto, Process, Subscriber, free_port, until

from collector.demo.accelerometer import running_accelerometer
from collector.demo.configuration import (
    LOAD,
    MACHINE,
    POINTS,
    POWER,
    SPEED,
    STATE,
    STREAM,
    TOOL,
    TOPICS,
    Places,
    write_configuration,
)
from collector.demo.configuration import (
    PROGRAM as PROGRAM_NAME,
)
from collector.demo.machine_tool import running_machine_tool
from collector.demo.meter import running_meter
from collector.demo.received import Received
from collector.demo.shop import ROUND, Activity, Moment, at
from collector.demo.table import line, page
from collector.pseudonym_key import FILE_NAME
from collector.sharing import pseudonym

NUMBER = r"[\d.]+"
JOINED = (
    r"\|  program-name [a-z2-7]{12}  program-state \w+  tool-number \d  "
    rf"spindle-speed {NUMBER} /min  spindle-load {NUMBER} %  power {NUMBER} W"
)
PROGRAMS = {operation.program for operation in ROUND}
LATE_S = 2.0
"""A reading may be so old when it is received on a busy machine."""


async def test_on_a_pipe_it_prints_plain_lines_and_nothing_else_and_ends_by_itself() -> None:
    demo = await Process.start(PROGRAM, "demo", "--seconds", "8")
    assert await asyncio.wait_for(demo.process.wait(), 180) == 0
    await demo.end()
    introduction, windows, end = demo.lines[:4], demo.lines[4:-1], demo.lines[-1]
    assert "mosquitto_sub -p" in introduction[1]
    assert re.fullmatch(r"\d+ records received; the demo has ended\.", end)
    felt = rf"\S+  x rms {NUMBER} g  y rms {NUMBER} g  z rms {NUMBER} g  {NUMBER} Hz {NUMBER} g .*  \|  .*Hz"
    for window in windows:  # on a very busy machine there may be none in the time
        assert re.match(felt, window), window


async def test_the_printed_commands_work_and_ctrl_c_ends_cleanly() -> None:
    demo = await Process.start(PROGRAM, "demo")
    subscribe = await until(lambda: next((line for line in demo.lines if "mosquitto_sub -p" in line), None))
    beside = await asyncio.create_subprocess_shell(
        f"{subscribe.strip()} -C 3", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    output, _ = await asyncio.wait_for(beside.communicate(), PATIENCE_S)
    assert b"shopfloor/v1/demo-works/gw1/mill-1/" in output
    for name, code in (("status", {0, 1}), ("share", {0})):
        command = next(line for line in demo.lines if f"collector {name}" in line).strip().split()
        asked = await Process.start(PROGRAM, *command[1:])
        assert await asyncio.wait_for(asked.process.wait(), PATIENCE_S) in code
        await asked.end()
        assert any("mill-1/spindle" in line for line in asked.lines)
    await until(lambda: any(re.search(JOINED, line) for line in demo.lines))
    assert await demo.end(signal.SIGINT) == 0
    text = "\n".join(demo.lines)
    assert "Traceback" not in text
    assert not any(program in text for program in PROGRAMS)


async def test_on_a_terminal_it_shows_machine_and_vibration_side_by_side() -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    demo = await asyncio.create_subprocess_exec(
        PROGRAM, "demo", stdin=theirs, stdout=theirs, stderr=theirs, env=os.environ | {"TERM": "xterm"}
    )
    os.close(theirs)
    os.set_blocking(ours, False)
    screen = b""

    def read() -> None:
        nonlocal screen
        try:
            with contextlib.suppress(BlockingIOError):
                screen += os.read(ours, 65536)
        except OSError:  # the demo has closed it
            asyncio.get_running_loop().remove_reader(ours)

    asyncio.get_running_loop().add_reader(ours, read)
    await until(lambda: b"as a pseudonym" in screen and b"/min" in screen)
    demo.send_signal(signal.SIGINT)
    assert await asyncio.wait_for(demo.wait(), PATIENCE_S) == 0
    asyncio.get_running_loop().remove_reader(ours)
    os.close(ours)
    text = screen.decode(errors="replace")
    assert "Spectrum of x" in text
    assert "█" in text
    assert "90-110 Hz" in text
    assert "records received; the demo has ended." in text
    assert not any(program in text for program in PROGRAMS)


@asynccontextmanager
async def shop(folder: Path, broker: Mosquitto) -> AsyncIterator[float]:
    """The demo's shop and its configuration, but another broker; gives when its life began."""
    places = Places(folder / "accelerometer", broker.port, free_port(), free_port())
    write_configuration(folder, places)
    began_ns = time.monotonic_ns()
    async with (
        running_machine_tool(places.machine_tool_port, MACHINE, began_ns),
        running_meter(places.meter_port, began_ns),
        running_accelerometer(places.accelerometer, began_ns),
    ):
        yield began_ns / 1e9


def did(from_s: float, to_s: float) -> list[Moment]:
    """What the machine did between two moments of its life, every 5 ms."""
    return [at(float(seconds)) for seconds in np.arange(max(from_s, 0.0), to_s + 0.005, 0.005)]


def within(value: float, truth: Iterable[float]) -> bool:
    lowest, highest = min(truth), max(truth)
    return lowest - 0.01 <= value <= highest + 0.01


async def test_what_it_says_is_what_the_machine_did(tmp_path: Path, broker: Mosquitto) -> None:
    subscriber = await Subscriber.start(broker.port, f"{TOPICS.root}/#")
    collector = Collector(tmp_path)

    def complete() -> list[dict[str, Any]]:
        """The windows of which everything is known."""
        return [
            record
            for record in subscriber.records("features")
            if len(record["context"]) == len(POINTS)
            and all(point["quality"] == "good" for point in record["context"].values())
        ]

    async with shop(tmp_path, broker) as began_s:
        await collector.start()
        try:
            await until(lambda: any(r["context"][LOAD]["last"] > 40 for r in complete()))
            tool = complete()[-1]["context"][TOOL]["last"]
            await until(
                lambda: any(
                    r["context"][TOOL]["last"] != tool and r["context"][LOAD]["last"] > 20 for r in complete()
                ),
                90,
            )
            key = bytes.fromhex((tmp_path / "state" / FILE_NAME).read_text())
        finally:
            await collector.end()
    raw = subscriber.raw
    await subscriber.end()
    windows = complete()

    compared = 0
    heard_of: set[str] = set()
    for record in windows:
        from_s = record["mono_us"] / 1e6 - began_s
        to_s = from_s + record["n"] / record["rate_hz"]
        context = record["context"]
        truth = did(from_s - LATE_S, to_s + 0.1)
        for path, said in (
            (SPEED, [moment.speed_rpm for moment in truth]),
            (LOAD, [moment.load_percent for moment in truth]),
            (POWER, [moment.power_w for moment in truth]),
            (TOOL, [moment.tool.number for moment in truth]),
        ):
            for figure in ("last", "min", "max"):
                value = context[path][figure]
                if value is None:  # the window began before the point was heard of
                    assert figure != "last", path
                    assert path not in heard_of, (path, record["first"])
                else:
                    assert within(value, said), (path, figure, record["first"])
            if context[path]["min"] is not None:
                heard_of.add(path)
        assert context[PROGRAM_NAME]["last"] in {pseudonym(key, moment.program) for moment in truth}
        assert context[STATE]["last"] in {moment.program_state for moment in truth}
        # What was felt while it cut: teeth passing, or chatter.
        moments = did(from_s - 0.3, to_s + 0.3)
        if {moment.activity for moment in moments} == {Activity.CUTTING}:
            tooth_hz = {moment.tool.teeth * moment.speed_rpm / 60 for moment in moments}
            strongest_hz = record["channels"]["x"]["peaks"][0]["hz"]
            assert any(strongest_hz == pytest.approx(hz, rel=0.03) for hz in (*tooth_hz, 285.0))
            compared += 1
    assert compared
    assert heard_of == {SPEED, LOAD, POWER, TOOL}
    assert any(record["context"][SPEED]["changes"] for record in windows)
    assert not any(program in payload for _, payload in raw for program in PROGRAMS)

    # The page has room for all of it, however small the terminal.
    received = Received(TOPICS.of(MACHINE, STREAM, "features"))
    for topic, payload in raw:
        received.take(topic, payload.encode())
    for width, height in product((80, 100, 160), (24, 30, 50)):
        console = Console(width=width, height=height, record=True, file=StringIO())
        console.print(page(received, width, height))
        shown = console.export_text().splitlines()
        assert len(shown) <= height - 4
        assert max(len(row) for row in shown) <= width
        assert any("spindle-speed" in row and "/min" in row for row in shown)
        assert any("as a pseudonym" in row for row in shown)
    assert "program-name" in line(received.windows[-1])
