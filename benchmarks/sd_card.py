"""What delivery writes to the disk: a real daemon with a broker and a store, for both ways of delivery.

Bytes are those of the daemon's process that the kernel has to bring to the disk (`write_bytes` in
/proc/PID/io): whole pages, the mark of the streams once a minute among them. The folder is on a disk.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from time import monotonic, sleep

from benchmarks.rig import DISK, STREAMS, broker, free_port, write_configuration
from benchmarks.tables import Column, Table
from collector.control import ask
from collector.errors import ControlError
from collector.messages import Message
from collector.outbox import Outbox, OutboxSettings
from collector.outbox.files import NewFile, RealFiles

_PATIENCE_S = 60.0
_RECORDS, _GROUP, _PAYLOAD_BYTES = 20_000, 60, 2000


class CountedFiles(RealFiles):
    """Counts the bytes that the outbox writes, and its syncs."""

    def __init__(self) -> None:
        self.written_bytes = 0
        self.syncs = 0

    def create(self, path: Path) -> NewFile:
        """Make a file that counts."""
        return _CountedFile(self, super().create(path))


class _CountedFile:
    def __init__(self, files: CountedFiles, file: NewFile) -> None:
        self._files = files
        self._file = file

    def write(self, data: bytes) -> None:
        self._files.written_bytes += len(data)
        self._file.write(data)

    def sync(self) -> None:
        self._files.syncs += 1
        self._file.sync()

    def close(self) -> None:
        self._file.close()


def tables(seconds: float) -> Iterable[Table]:
    rows = [(name, *_watch(delivery, there, seconds)) for name, delivery, there in _CASES]
    yield Table(
        f"Bytes written to the disk in {seconds:g} s by a daemon with three streams",
        "`--seconds 600` for ten minutes; from 10 s after the start on; all that the process wrote, whole "
        "pages of 4096 bytes, with the mark once a minute; the log is what its segments hold at the end",
        (
            Column("delivery"),
            Column("records"),
            Column("payload, bytes"),
            Column("all, bytes"),
            Column("outbox log, bytes"),
        ),
        rows,
    )
    yield _outage()


_CASES = (
    ("broker, which answers", "broker", True),
    ("store, which answers", "store", True),
    ("broker, which is away", "broker", False),
)


def _watch(delivery: str, there: bool, seconds: float) -> tuple[int, int, int, int]:
    """Records, their bytes, bytes written by the process, and bytes in segments of the outbox."""
    with tempfile.TemporaryDirectory(dir=DISK) as name, ExitStack() as stack:
        folder = Path(name)
        port = stack.enter_context(broker(folder)) if there else free_port()
        write_configuration(folder, port, STREAMS)
        file = folder / "collector.toml"
        file.write_text(
            file.read_text(encoding="utf-8").replace("[outbox]", f'[outbox]\ndelivery = "{delivery}"'),
            encoding="utf-8",
        )
        if there:
            writer = subprocess.Popen([sys.executable, "-m", "benchmarks.receipt_writer", str(port)])
            stack.callback(writer.wait)
            stack.callback(writer.terminate)
            sleep(2)
        command = (
            str(Path(sys.executable).with_name("collector")),
            *("run", "--config", name, "--state", name + "/state"),
        )
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        stack.callback(process.wait)
        stack.callback(process.terminate)
        _report(folder)
        sleep(10)
        before, bytes_before, began_s = _report(folder), _written(process.pid), monotonic()
        sleep(max(0.0, seconds - (monotonic() - began_s)))
        after, bytes_after = _report(folder), _written(process.pid)
        records = _made(after) - _made(before)
        log_bytes = sum(path.stat().st_size for path in (folder / "outbox").glob("*.log"))
        return records, records * _RECORD_BYTES, bytes_after - bytes_before, log_bytes


_RECORD_BYTES = 2258
"""Of a features record of these streams, as the pipeline's benchmark has it."""


def _made(report: dict[str, dict[str, int]]) -> int:
    return report["broker"]["confirmed"] + report["outbox"]["pending"]


def _report(folder: Path) -> dict[str, dict[str, int]]:
    end_s = monotonic() + _PATIENCE_S
    while True:
        try:
            return dict(asyncio.run(ask(folder / "control.sock", {"do": "report"})))
        except ControlError:
            if monotonic() > end_s:
                raise
            sleep(0.1)


def _written(pid: int) -> int:
    """Bytes that a process caused to be written to a disk."""
    lines = Path(f"/proc/{pid}/io").read_text(encoding="ascii").splitlines()
    return int(dict(line.split(": ") for line in lines)["write_bytes"])


def _outage() -> Table:
    with tempfile.TemporaryDirectory(dir=DISK) as name:
        return asyncio.run(_write_through(Path(name)))


async def _write_through(folder: Path) -> Table:
    """An outage: every record goes to disk, in groups as they come within a second; then all is delivered."""
    files = CountedFiles()
    outbox = await Outbox.open(OutboxSettings(directory=folder / "outbox", commit_interval_s=60), files)
    files.written_bytes = files.syncs = 0
    payload = os.urandom(_PAYLOAD_BYTES // 2).hex().encode()
    for first in range(1, _RECORDS + 1, _GROUP):
        for seq in range(first, min(first + _GROUP, _RECORDS + 1)):
            outbox.append(
                Message(outbox.epoch, seq, "shopfloor/v1/works/gw1/m/s/features", payload, seq, sync=True)
            )
        await outbox.commit()
    stored_bytes, syncs = files.written_bytes, files.syncs
    while outbox.state().records:
        await outbox.ready.wait()
        for outgoing in outbox.take(64):
            outbox.confirm(outgoing.message.epoch, outgoing.message.seq)
        await asyncio.sleep(0)
    await outbox.close()
    payload_bytes = _RECORDS * _PAYLOAD_BYTES
    return Table(
        f"Bytes written for {_RECORDS} records of {_PAYLOAD_BYTES} bytes in an outage",
        f"one sync for {_GROUP} records; the delivery marks while the backlog goes are in the last row",
        (Column(""), Column("bytes"), Column("syncs"), Column("ratio to the payload", 3)),
        [
            ("payload", payload_bytes, None, 1.0),
            ("until all is stored", stored_bytes, syncs, stored_bytes / payload_bytes),
            ("until all is delivered", files.written_bytes, files.syncs, files.written_bytes / payload_bytes),
        ],
    )
