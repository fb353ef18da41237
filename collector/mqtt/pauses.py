"""How long to wait between attempts to connect."""

import random
from collections.abc import Iterator


def reconnect_pauses(first_s: float, longest_s: float) -> Iterator[float]:
    """Pauses that double up to `longest_s`, each shortened by up to a half at random.

    A group's gateways and ingesters shall not all come back to a restarted broker in the same moment.
    """
    pause_s = min(first_s, longest_s)
    while True:
        yield pause_s * random.uniform(0.5, 1.0)  # noqa: S311 (no secret)
        pause_s = min(pause_s * 2, longest_s)
