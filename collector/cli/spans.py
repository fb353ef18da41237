"""Lengths of time, as people say them."""

from collector.texts import Sentence
from collector.texts import cli as say


def span(microseconds: int) -> str:
    """A length of time as people say it: `0.3 s`, `12 s`, `5 min`, `3 h 20 min`, `4 d 2 h`."""
    seconds = max(0, microseconds) / 1e6
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = int(seconds // 60)
    if minutes < 120:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // 1440} d {minutes % 1440 // 60} h"


def waiting_for(oldest_us: int | None, now_us: int, *, sync: bool) -> Sentence:
    """For how long the oldest record has waited, as far as its time is that of a clock that was set."""
    if oldest_us is None or not sync:
        return say.OLDEST_UNDATED()
    return say.OLDEST_FOR(age=span(now_us - oldest_us))
