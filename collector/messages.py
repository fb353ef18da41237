"""The wire contract: records, topics, encoding. All that a store or a researcher imports of the daemon."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """One encoded record on its way; these bytes are what is sent, stored and sent again, never re-made.

    `epoch` and `seq` identify it within a gateway; `t_us` is the record's UTC time in microseconds, which
    `sync` says was taken from a synchronised clock.
    """

    epoch: str
    seq: int
    topic: str
    payload: bytes
    t_us: int
    sync: bool
    retain: bool = False
