"""Lines of text -> delimiter, columns, and what each column is for; pure.

A column of numbers that only ever counts up is the device's counter or time; other numbers are channels, and
what is no number is left out.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from collector.sources.text_lines import NUMBER, TextFormat, is_ignored

_DELIMITERS = (",", ";", "|", "")
_LEAST_LINES = 5
_LEAST_LINES_TO_COUNT = 12
"""So many lines have to count up before it is no accident."""
_MOST = 0.9
_USUAL_MODULI = (256, 65_536, 4_294_967_296)
_ROUND_MODULI = {2**bits for bits in range(4, 33)} | {10**digits for digits in range(2, 10)}
_number = re.compile(NUMBER)


@dataclass(frozen=True, slots=True)
class Columns:
    """A format for the lines, and the columns that count up, whether or not it uses them."""

    format: TextFormat
    channels: int
    counter_column: int | None = None
    counter_modulus: int | None = None
    """Where the counter starts again; the next usual number, where it was not seen to."""
    time_column: int | None = None
    time_step: float = 0.0


def guess_text(data: bytes) -> Columns | None:
    """The columns of the lines in these bytes; the first and the last line may be cut."""
    lines = [line.rstrip(b"\r") for line in data.split(b"\n")[1:-1] if not is_ignored(line)]
    if len(lines) < _LEAST_LINES:
        return None
    for delimiter in _DELIMITERS:
        rows = [[part.strip() for part in line.split(delimiter.encode() or None)] for line in lines]
        width, votes = Counter(map(len, rows)).most_common(1)[0]
        rows = [row for row in rows if len(row) == width]
        if votes < _MOST * len(lines) or (delimiter and width == 1):
            continue
        numbers = [column for column in range(width) if _is_of_numbers([row[column] for row in rows])]
        if numbers:
            return _columns(delimiter, width, numbers, rows)
    return None


def _is_of_numbers(parts: Sequence[bytes]) -> bool:
    return sum(_number.fullmatch(part) is not None for part in parts) >= _MOST * len(parts)


def _columns(delimiter: str, width: int, numbers: list[int], rows: Sequence[Sequence[bytes]]) -> Columns:
    good = [row for row in rows if all(_number.fullmatch(row[column]) for column in numbers)]
    values = {column: np.array([float(row[column]) for row in good]) for column in numbers}
    steps = {column: _step(values[column]) for column in numbers}
    rising = [column for column in numbers if steps[column]]
    channels = [column for column in numbers if column not in rising]
    if not channels:  # a ramp is a signal, too, if there is no other
        rising, channels = [], numbers
    counter = next((column for column in rising if steps[column] == 1), None)
    time = next((column for column in rising if column != counter), None)
    modulus = None if counter is None else _modulus(values[counter])
    likely = None if counter is None else next((m for m in _USUAL_MODULI if m > values[counter].max()), None)
    used = [*channels, *([counter] if modulus is not None and counter is not None else [])]
    format_ = TextFormat(
        kind="text",
        delimiter=delimiter,
        columns=None if channels == list(range(len(channels))) else tuple(column + 1 for column in channels),
        line_columns=width if width > max(used) + 1 else None,
        counter_column=None if counter is None or modulus is None else counter + 1,
        counter_modulus=modulus,
    )
    return Columns(
        format_,
        len(channels),
        None if counter is None else counter + 1,
        modulus or likely,
        None if time is None else time + 1,
        0.0 if time is None else steps[time],
    )


def _step(values: npt.NDArray[np.float64]) -> float:
    """How far a column goes on from line to line; 0 where it does not only go on."""
    steps = np.diff(values)
    back = steps < 0
    seldom = 1 + len(steps) // 100
    if len(values) < _LEAST_LINES_TO_COUNT or np.count_nonzero(back) > seldom:
        return 0.0
    if len(np.unique(values)) < len(values) / 4:  # a temperature may rise for a while, too
        return 0.0
    step = float(steps[~back].mean())
    # A clock that counts more slowly than lines come stands still in between.
    near = np.abs(steps - step) <= max(step, 1.0 if np.all(values == np.rint(values)) else 0.0)
    if np.count_nonzero(near) < _MOST * len(steps):
        return 0.0
    return 1.0 if np.count_nonzero(steps == 1) >= _MOST * len(steps) else step


def _modulus(counts: npt.NDArray[np.float64]) -> int | None:
    """Where a counter starts again, if it was seen to."""
    times = np.count_nonzero((np.diff(counts) < 0) & (counts[1:] == 0))
    most = int(counts.max()) + 1
    return most if times > 1 or (times and most in _ROUND_MODULI) else None
