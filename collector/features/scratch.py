"""How numpy goes fastest through rows of samples: where the arrays lie that are written again and again."""

import math
from contextvars import Context
from typing import Any

import numpy as np
import numpy.typing as npt

_LINE_BYTES = 64
"""A line of the cache, and the widest vector register; numpy's own arrays begin at any multiple of 16."""
_BUFFER_UNIT = 16
_USUAL = 8192
"""Numpy's own choice."""


def kept(*shape: int, dtype: npt.DTypeLike = np.float64) -> npt.NDArray[Any]:
    """An array of any content that is kept for writing; it begins where a line of the cache does.

    With wide registers, what is written across lines costs up to twice as much.
    """
    kind = np.dtype(dtype)
    raw = np.empty(math.prod(shape) * kind.itemsize + _LINE_BYTES, dtype=np.uint8)
    start = -raw.__array_interface__["data"][0] % _LINE_BYTES
    return np.ndarray(shape, kind, raw, start)


def laid(memory: npt.NDArray[Any], *shape: int) -> npt.NDArray[Any]:
    """An array in the first part of kept memory, where others lie as well: each overwrites the others."""
    return memory[: math.prod(shape)].reshape(shape)


def quiet(n: int = _USUAL) -> Context:
    """A context in whose `run` numpy makes NaN of what is undefined without a warning, and goes row by row.

    It would take several short rows of `n` numbers in one go, and copy each row's mean, or the window that
    all rows share, as often as that takes: twice the time. Its buffer is made no longer than a row, so that
    it cannot. To enter a context that is kept costs next to nothing, `np.errstate` ten times as much.
    """
    settings = Context()
    settings.run(np.seterr, all="ignore")
    settings.run(np.setbufsize, max(n // _BUFFER_UNIT * _BUFFER_UNIT, _BUFFER_UNIT))
    return settings
