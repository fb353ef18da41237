"""How long the publisher waits before it tries again what did not go."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pauses:
    """All in seconds."""

    first_s: float = 0.5
    """After the first failure; doubled with each that follows, up to `reconnect_max_s`."""
    lasting_s: float = 10.0
    """After a connection that lasted so long they begin anew; a shorter one counts as a failure.

    Else two gateways under one name would throw each other out as fast as they can.
    """
    refused_s: float = 10.0
    """Until a refused topic is tried again: the broker's rules may have been repaired."""
    held_s: float = 3600.0
    """Until what ended the connection is tried again, which costs one more."""
