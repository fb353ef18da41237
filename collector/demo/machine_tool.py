"""The shop's machine tool: what its controller says, and the process of its own that serves it.

The server itself is in machine_tool_server.py, which alone loads the library for it.
"""

import asyncio
import contextlib
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from typing import Any

from collector.demo.shop import Moment, ProgramState

MAKER = "urn:collector:demo:machine-tool"
"""The namespace of what is not in the standard."""
_PROGRAM_STATES = {ProgramState.RUNNING: 1, ProgramState.ENDED: 2}
_AUTOMATIC = 1


@contextlib.asynccontextmanager
async def running_machine_tool(port: int, name: str, began_ns: int) -> AsyncIterator[None]:
    """Let the machine `name` run while the context lasts; its server is there after some seconds."""
    # A session of its own: Ctrl-C is for us. Should we be killed, its standard input ends, and so does it.
    command = ("-m", "collector.demo.machine_tool_server", str(port), name, str(began_ns))
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdin=PIPE, start_new_session=True
    )
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


def values(moment: Moment) -> dict[str, Any]:
    """What the controller says at a moment, by the names of its points."""
    return {
        "operation-mode": _AUTOMATIC,
        "feed-override": 100.0,
        "program-name": moment.program,
        "program-state": _PROGRAM_STATES[moment.program_state],
        "is-rotating": moment.speed_rpm > 0,
        "spindle-override": 100.0,
        "spindle-speed": moment.speed_rpm,
        "spindle-load": moment.load_percent,
        "tool-number": moment.tool.number,
    }
