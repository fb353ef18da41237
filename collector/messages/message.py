"""One encoded record on its way from here to the store."""

from typing import NamedTuple


class Message(NamedTuple):
    """A topic and the bytes for it: these bytes are sent, kept and sent again, never made anew.

    `epoch` and `seq` identify it within a gateway; `t_us` is the record's UTC time in microseconds, which
    `sync` says was taken from a synchronised clock. A tuple, which is made in a fraction of the time.
    """

    epoch: str
    seq: int
    topic: str
    payload: bytes
    t_us: int
    sync: bool
    retain: bool = False
