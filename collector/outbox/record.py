"""A record while it is in memory. Pure."""

from dataclasses import dataclass, field

from collector.messages import Message

RECORD_ALLOWANCE_BYTES = 512
"""What a record takes beside its payload."""


@dataclass(slots=True, eq=False)
class Record:
    """A message, appended at `appended_s` or read from disk; `committing` while the disk thread stores it."""

    message: Message
    appended_s: float = 0.0
    committing: bool = False
    size_bytes: int = field(init=False)
    """What it takes of memory."""

    def __post_init__(self) -> None:
        self.size_bytes = len(self.message.payload) + RECORD_ALLOWANCE_BYTES
