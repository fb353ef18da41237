"""How numpy goes fastest through rows of samples: where the arrays lie that are written again and again."""

from typing import Any

import numpy as np
import numpy.typing as npt

_LINE_BYTES = 64
"""A line of the cache, and the widest vector register; numpy's own arrays begin at any multiple of 16."""
_BUFFER_UNIT = 16


def kept(*shape: int, dtype: npt.DTypeLike = np.float64) -> npt.NDArray[Any]:
    """An array of any content that is kept for writing; it begins where a line of the cache does.

    With wide registers, what is written across lines costs up to twice as much.
    """
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = np.empty(size + _LINE_BYTES, dtype=np.uint8)
    start = -raw.ctypes.data % _LINE_BYTES
    return raw[start : start + size].view(dtype).reshape(shape)


def row_by_row(n: int) -> None:
    """Let numpy go through arrays by rows of `n` numbers, until the surrounding `np.errstate` ends.

    It would take several short rows in one go, and copy each row's mean, or the window that all rows share,
    as often as that takes: twice the time. Its buffer is made no longer than a row, so that it cannot.
    """
    np.setbufsize(max(n // _BUFFER_UNIT * _BUFFER_UNIT, _BUFFER_UNIT))
