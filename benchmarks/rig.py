"""What the benchmarks run against: servers on loopback, and a gateway's configuration.

Nothing here measures.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

DISK = "/var/tmp"
"""A folder for large files that is on a disk, where /tmp may be in memory."""
WINDOW = 4096
RATES_HZ = (1_600, 6_400, 25_600)

_START_S = 20.0
_ROOMY = ("max_queued_messages 10000",)

_GATEWAY = """\
[gateway]
company = "works"
name = "gateway-1"

[broker]
host = "127.0.0.1"
port = {port}

[outbox]
directory = "outbox"

[control]
socket = "control.sock"
"""
_STREAM = """\
[[waveforms]]
name = "at-{rate_hz}"
source = {{ kind = "simulated", rate_hz = {rate_hz} }}
channels = [{{ name = "x", unit = "g" }}, {{ name = "y", unit = "g" }}, {{ name = "z", unit = "g" }}]
window = {{ samples = {window} }}

[waveforms.features]
peaks = 5
bands = [
    {{ low_hz = 10, high_hz = 100 }}, {{ low_hz = 100, high_hz = 300 }}, {{ low_hz = 300, high_hz = 700 }}
]
"""


STREAMS = "\n".join(_STREAM.format(rate_hz=rate_hz, window=WINDOW) for rate_hz in RATES_HZ)
"""Three simulated streams of three channels each."""


def write_configuration(folder: Path, port: int, streams: str) -> None:
    """A gateway with one machine that has these streams."""
    (folder / "machines").mkdir()
    (folder / "collector.toml").write_text(_GATEWAY.format(port=port), encoding="utf-8")
    machine = f'[machine]\nname = "mill-1"\n\n{streams}'
    (folder / "machines" / "mill-1.toml").write_text(machine, encoding="utf-8")


def free_port() -> int:
    """A port of this computer that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def broker(folder: Path, *lines: str) -> Iterator[int]:
    """A mosquitto that lets everybody in, with more lines of configuration, on the port that is yielded."""
    with broker_process(folder, *lines) as (port, _):
        yield port


@contextlib.contextmanager
def broker_process(folder: Path, *lines: str) -> Iterator[tuple[int, int]]:
    """The same; yields its port and its process."""
    program = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if program is None:
        raise SystemExit("mosquitto is not installed; ./dev bench installs it")
    port = free_port()
    user = "user root\n" if os.geteuid() == 0 else ""
    settings = folder / "mosquitto.conf"
    settings.write_text(
        "\n".join((f"{user}listener {port} 127.0.0.1", "allow_anonymous true", *(lines or _ROOMY), "")),
        encoding="utf-8",
    )
    with _running(program, "-c", str(settings)) as pid:
        _await_listening(port)
        yield port, pid


@contextlib.contextmanager
def server(module: str) -> Iterator[int]:
    """A server of ours (`python -m module PORT`) in another process, on the port that is yielded."""
    port = free_port()
    with _running(sys.executable, "-m", module, str(port)):
        _await_listening(port)
        yield port


@contextlib.contextmanager
def _running(*command: str) -> Iterator[int]:
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def _await_listening(port: int) -> None:
    end_s = time.monotonic() + _START_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            if time.monotonic() > end_s:
                raise
            time.sleep(0.02)
        else:
            return
