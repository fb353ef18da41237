"""The shop's accelerometer: a real pseudo-terminal with binary frames in real time."""

import asyncio
import contextlib
import os
import tty
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np

from collector.clock import monotonic_ns
from collector.demo.shop import vibration
from collector.samples import Channel, Samples
from collector.sources.checksums import checksum

NOMINAL_HZ = 1600.0
TRUE_HZ = 1593.6
"""The device's crystal is off, as real ones are; the collector finds out."""
SCALE_G = 1 / 2048
SYNC = b"\xaa\x55"
_TICK_S = 0.02
_LAYOUT = np.dtype([("sync", "S2"), ("counter", "<u2"), ("values", "<i2", 3), ("crc", "<u2")])
_CRC = checksum("crc16-modbus", _LAYOUT.itemsize - 2)


@contextlib.asynccontextmanager
async def running_accelerometer(port: Path, began_ns: int) -> AsyncIterator[None]:
    """Send what is felt behind the serial port `port` while the context lasts."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    os.set_blocking(ours, False)
    port.symlink_to(os.ttyname(theirs))
    sending = asyncio.create_task(_send(ours, began_ns))
    try:
        yield
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        port.unlink()
        os.close(ours)
        os.close(theirs)


async def _send(fd: int, began_ns: int) -> None:
    model = vibration(tuple(Channel(name, "g") for name in "xyz"), TRUE_HZ)
    sent = int((monotonic_ns() - began_ns) * TRUE_HZ / 1e9)
    while True:
        await asyncio.sleep(_TICK_S)
        due = int((monotonic_ns() - began_ns) * TRUE_HZ / 1e9)
        with contextlib.suppress(BlockingIOError):  # nobody reads: a real sensor's bytes would be lost too
            os.write(fd, frames(model.samples(sent, due - sent), sent))
        sent = due


def frames(samples: Samples, first: int) -> bytes:
    """Binary frames of a run `[3, n]`: sync, counter u16, three i16, crc16-modbus, all little-endian."""
    n = samples.shape[1]
    frame = np.zeros(n, dtype=_LAYOUT)
    frame["sync"] = SYNC
    frame["counter"] = (first + np.arange(n)) % 65536
    frame["values"] = np.clip(np.rint(samples.T / SCALE_G), -32768, 32767)
    if _CRC is not None:
        frame["crc"] = _CRC(frame.view(np.uint8).reshape(n, -1)[:, :-2])
    return frame.tobytes()
