"""How fast records come in: bytes per second, smoothed; pure."""

import math

_MEMORY_S = 60.0


class AppendRate:
    """A rate whose past fades with a time constant of a minute, unbiased from its first second on."""

    def __init__(self) -> None:
        self._new_bytes = 0
        self._bytes = 0.0
        self._span_s = 0.0
        self._at_s: float | None = None

    def add(self, size_bytes: int) -> None:
        """Count bytes that came."""
        self._new_bytes += size_bytes

    def advance(self, now_s: float) -> None:
        """Let time pass, up to `now_s` on the monotonic clock."""
        if self._at_s is not None:
            step_s = now_s - self._at_s
            fading = math.exp(-step_s / _MEMORY_S)
            self._bytes = self._bytes * fading + self._new_bytes
            self._span_s = self._span_s * fading + step_s
            self._new_bytes = 0
        self._at_s = now_s

    @property
    def bytes_s(self) -> float:
        """The rate, in bytes per second."""
        return self._bytes / self._span_s if self._span_s > 0 else 0.0

    def hours_to(self, room_bytes: int) -> float | None:
        """How long until so many bytes more have come; None while nothing comes."""
        return room_bytes / self.bytes_s / 3600 if self.bytes_s > 1e-3 else None
