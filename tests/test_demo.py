"""The demo as a user sees it: on a pipe, on a terminal, and ended with Ctrl-C."""

import asyncio
import fcntl
import os
import pty
import signal
import struct
import termios

from servers import PROGRAM, Process, until


async def test_on_a_pipe_it_prints_plain_lines_and_ends_by_itself() -> None:
    demo = await Process.start(PROGRAM, "demo", "--seconds", "4")
    assert await asyncio.wait_for(demo.process.wait(), 60) == 0
    await demo.end()
    text = "\n".join(demo.lines)
    assert "mosquitto_sub -p" in text
    assert "x rms" in text
    assert "\x1b[" not in text
    assert "Traceback" not in text


async def test_the_printed_command_works_and_ctrl_c_ends_cleanly() -> None:
    demo = await Process.start(PROGRAM, "demo")
    line = await until(lambda: next((line for line in demo.lines if "mosquitto_sub" in line), None))
    beside = await asyncio.create_subprocess_shell(
        f"{line.strip()} -C 3", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    output, _ = await asyncio.wait_for(beside.communicate(), 60)
    assert b"shopfloor/v1/demo-works/gw1/mill-1/spindle/" in output
    status = next(line for line in demo.lines if "collector status" in line).strip().split()
    asked = await Process.start(PROGRAM, *status[1:])
    assert await asyncio.wait_for(asked.process.wait(), 60) in {0, 1}
    await asked.end()
    assert any("mill-1/spindle" in line for line in asked.lines)
    assert await demo.end(signal.SIGINT) == 0
    assert "Traceback" not in "\n".join(demo.lines)


async def test_on_a_terminal_it_draws_a_spectrum() -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    demo = await asyncio.create_subprocess_exec(
        PROGRAM,
        "demo",
        "--seconds",
        "4",
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=os.environ | {"TERM": "xterm"},
    )
    os.close(theirs)
    os.set_blocking(ours, False)
    screen = b""

    def read() -> None:
        nonlocal screen
        try:
            screen += os.read(ours, 65536)
        except OSError:
            asyncio.get_running_loop().remove_reader(ours)

    asyncio.get_running_loop().add_reader(ours, read)
    assert await asyncio.wait_for(demo.wait(), 60) == 0
    asyncio.get_running_loop().remove_reader(ours)
    os.close(ours)
    text = screen.decode(errors="replace")
    assert "Spectrum of x" in text
    assert "█" in text
    assert "90-110 Hz" in text
