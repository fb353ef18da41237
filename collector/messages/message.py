"""One encoded record on its way from here to the store."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """A topic and the bytes for it: these bytes are sent, kept and sent again, never made anew.

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
