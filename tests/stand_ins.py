"""Stand-ins that satisfy the real interfaces, shared by tests."""

from dataclasses import dataclass

S = 1_000_000_000


@dataclass
class SettableClock:
    """A `Clock` that goes only when told."""

    monotonic: int = 1000 * S
    utc: int = 1_790_000_000 * S
    good: bool = True

    def monotonic_ns(self) -> int:
        """Monotonic time."""
        return self.monotonic

    def utc_ns(self) -> int:
        """What the kernel takes for UTC."""
        return self.utc

    def synchronised(self) -> bool:
        """Whether the kernel trusts it."""
        return self.good

    def pass_time(self, seconds: float) -> None:
        """Let both clocks go on."""
        self.monotonic += round(seconds * S)
        self.utc += round(seconds * S)
