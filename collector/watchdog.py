"""What systemd is told: ready, reloading, stopping, and that the parts that must never hang still move."""

import os
import socket
from collections.abc import Callable

import structlog

PATIENCE_LOOKS = 30
"""How often a counter may be found where it was. A worn card keeps a write for ten seconds and more; to be
started again then would lose what is in memory, and make no card faster."""

log = structlog.get_logger(__name__)


def notify(state: str) -> None:
    """Send one state to the service manager (sd_notify(3)); does nothing outside systemd."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notifier:
        try:
            notifier.connect("\0" + address[1:] if address.startswith("@") else address)
            notifier.sendall(state.encode())
        except OSError as error:
            log.warning("systemd.unreachable", reason=str(error))


class Watchdog:
    """Feeds systemd's watchdog while every watched counter moves; devices are not among them."""

    def __init__(self, **counters: Callable[[], int]) -> None:
        self._counters = counters
        self._seen: dict[str, int] = {}
        self._still: dict[str, int] = dict.fromkeys(counters, 0)

    def look(self) -> str | None:
        """Feed the watchdog, or tell which part stands still; call it once a second."""
        for name, counter in self._counters.items():
            now = counter()
            self._still[name] = 0 if now != self._seen.get(name) else self._still[name] + 1
            self._seen[name] = now
        stuck = next((name for name, still in self._still.items() if still > PATIENCE_LOOKS), None)
        if stuck is None:
            notify("WATCHDOG=1")
        return stuck
