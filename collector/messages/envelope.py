"""What all records of the wire contract, version 1, have in common.

Times are integer microseconds of UTC; numbers are finite or null.
"""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from collector.described import Described

CONTRACT_VERSION: Literal[1] = 1

Number = Annotated[float, Field(allow_inf_nan=False)]


class Wire(Described):
    """Strictness shared by all records: readers ignore fields that a later version adds, writers add none."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)


class Envelope(Wire):
    """What every record begins with."""

    v: Literal[1] = CONTRACT_VERSION
    """Version of this contract."""
    epoch: str
    """One run of the daemon: a counter that survives restarts, and random digits. Sorts in order of runs."""
    seq: int
    """Counts the records of an epoch. (company, gateway, epoch, seq) identifies a record for ever."""
    prev: int | None
    """The `seq` of the record before this one on the same topic and epoch; null for the first."""
    meta: str | None
    """The hash of the meta record under which this one was made; null for events of the gateway itself."""
    t_us: int
    """UTC in microseconds: of a window's first sample, or of the event."""
    t: str
    """The same as ISO 8601 text."""
    sync: bool
    """Whether the gateway's clock was synchronised; if not, trust only `mono_us`."""
    boot: str
    """The gateway's boot id; `mono_us` compares only between records of one boot."""
    mono_us: int
    """The same moment on the gateway's monotonic clock, in microseconds."""
