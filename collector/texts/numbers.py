"""Numbers as people type them, for sentences and tables that people read."""

import math
from decimal import ROUND_HALF_EVEN, Context

_LEAST, _MOST = 1e-9, 1e15
"""Outside of these an exponent is easier to read than the zeros."""


def number(value: float, digits: int = 12, rounding: str = ROUND_HALF_EVEN) -> str:
    """A number without exponent, of so many digits that count; all digits before the point are kept."""
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value) or (value and not _LEAST <= abs(value) < _MOST):
        return f"{value:.{digits}g}"
    before = len(str(int(abs(value))))
    written = format(Context(max(digits, before), rounding).create_decimal(repr(float(value))), "f")
    return written.rstrip("0").rstrip(".") if "." in written else written
