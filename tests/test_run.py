"""Keeping house: whatever waits elsewhere, systemd hears that the daemon lives."""

import asyncio
import socket
from pathlib import Path

import pytest
from servers import PATIENCE_S, free_port, write_configuration

from collector.run import run

SIMULATED = """\
channels = [{ name = "x", unit = "g" }]
window = { samples = 256 }
source = { kind = "simulated", rate_hz = 3200 }
"""


@pytest.mark.usefixtures("busy_workers")
async def test_the_watchdog_is_fed_though_no_worker_thread_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_configuration(tmp_path, free_port(), SIMULATED)
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.setblocking(False)
        systemd.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        running = asyncio.create_task(run(tmp_path, tmp_path, stop=stop))
        try:
            async with asyncio.timeout(PATIENCE_S):
                for _ in range(2):
                    while await loop.sock_recv(systemd, 100) != b"WATCHDOG=1":
                        pass
        finally:
            stop.set()
            await running
