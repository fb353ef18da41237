"""The daemon under a clock that is so many seconds ahead of the computer's, as a program that can be killed.

`python tests/shifted_gateway.py FOLDER SECONDS`
"""

import asyncio
import sys
from pathlib import Path

from collector.clock import SystemClock
from collector.run import run, stop_on_signals


class ShiftedClock(SystemClock):
    """The computer's clock at another time of day; synchronised, as that of a gateway at work."""

    def __init__(self, ahead_s: float) -> None:
        super().__init__()
        self._ahead_ns = round(ahead_s * 1e9)

    def utc_ns(self) -> int:
        """Nanoseconds since 1970, so much later."""
        return super().utc_ns() + self._ahead_ns

    def synchronised(self) -> bool:
        """It is."""
        return True


async def main(folder: Path, ahead_s: float) -> None:
    """One run."""
    stop = asyncio.Event()
    with stop_on_signals(stop):
        await run(folder, folder / "state", clock=ShiftedClock(ahead_s), stop=stop)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), float(sys.argv[2])))
