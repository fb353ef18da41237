"""Lengths of time, as people say them."""


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
