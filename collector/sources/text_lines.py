"""Lines of numbers from a micro-controller board: settings and decoder; pure.

Lines carry no checksum. What makes a number believable is its form, its place among the right number of
columns, its range, and that the lines before and behind it are whole (docs/decisions/0005).
"""

import re
from collections.abc import Iterable
from itertools import chain
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from collector.samples import Channel, Loss, LossCause, Run
from collector.settings import PositiveFinite, Settings
from collector.sources.device_clock import UNJUDGED, UNKNOWN, Counts, DeviceTime, SampleCounter, split
from collector.sources.full_scale import believable, for_channels

LONGEST_LINE = 1024
"""Bytes; a longer line is garbage, whatever it holds."""

NUMBER = rb"([+-]?(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][+-]?\d++)?)"
"""A number as boards print it, as a regular expression with one group."""


class TextFormat(Settings):
    """One sample a line: numbers between delimiters."""

    kind: Literal["text"]
    delimiter: str = ""
    """Between the numbers; empty means any white space."""
    columns: tuple[int, ...] | None = None
    """The column of each channel, counted from 1; without it channel 1 is column 1 and so on."""
    scale: tuple[PositiveFinite, ...] | PositiveFinite = 1.0
    """Channel unit for one step of the number sent; one number for all channels or one for each."""
    line_columns: int | None = Field(default=None, ge=1)
    """How many columns a line has; without it the last column that is used here is the last there is."""
    counter_column: int | None = None
    """The column (from 1) of a sample counter, with `counter_modulus`."""
    counter_modulus: int | None = Field(default=None, gt=1)
    """The counter runs from 0 to this minus 1 and starts again."""
    time_column: int | None = None
    """The column (from 1) of the device's own time stamp, with `time_unit_s`."""
    time_unit_s: PositiveFinite | None = None
    """How many seconds one step of the device's time stamp is (0.001 for milliseconds)."""
    time_modulus: PositiveFinite | None = None
    """The time stamp starts again after so many steps (4294967296 for 32 bits); without it, it never does."""


def shortest_line(settings: TextFormat, channels: int) -> int:
    """The fewest bytes of a line: a digit for each number, what stands between the columns, and its end."""
    columns = settings.columns or tuple(range(1, channels + 1))
    numbers = {*columns, *filter(None, (settings.counter_column, settings.time_column))}
    between = max(1, len(settings.delimiter.strip())) * (_width(settings, numbers) - 1)
    return len(numbers) + between + len(b"\n")


class TextDecoder:
    """Bytes -> runs of samples; where the stream is cut makes no difference.

    A line is given out once the next one proves good: garbage that contains a line's end cuts a number in
    two, and either half may look like a sample.
    """

    def __init__(self, settings: TextFormat, channels: tuple[Channel, ...], rate_hz: float) -> None:
        columns = settings.columns or tuple(range(1, len(channels) + 1))
        self._counter = self._time = None
        self._modulus = settings.counter_modulus
        if settings.counter_column and self._modulus:
            self._counter = SampleCounter(self._modulus)
            columns += (settings.counter_column,)
        elif settings.time_column and settings.time_unit_s:
            self._time = DeviceTime(1 / (rate_hz * settings.time_unit_s), settings.time_modulus)
            columns += (settings.time_column,)
        width = _width(settings, columns)
        groups = sorted(set(columns))
        self._numbers = len(groups)
        self._order = [groups.index(column) for column in columns]
        self._line = _line_pattern(settings.delimiter, width, groups)
        self._tail = _tail_pattern(settings.delimiter, numbers_only=len(groups) == width)
        self._channels = len(channels)
        self._scale = for_channels(settings.scale, len(channels))[:, 0]
        self._low, self._high = believable(channels)
        self._rest = b""
        self._opened = self._started = False
        self._held: list[bytes] = []
        self._good_before = False
        self._dropped = 0
        self.bad_bytes = 0
        """Bytes of lines that gave no sample; the cut line just after opening is not counted."""

    def feed(self, data: bytes) -> list[Run]:
        """Take the next bytes; gives the samples certain by now, with what is missing before them."""
        lines = self._lines(data)
        if not lines:
            return []
        lines = self._held + lines
        rows, good = self._read(lines)
        before = np.concatenate(([self._good_before], good))[: len(good) - 1]
        take = before & good[:-1] & good[1:]
        self._held = lines[-1:]
        self._good_before = bool(good[-2]) if len(good) > 1 else self._good_before
        self._drop(lines[index] for index in np.flatnonzero(~take))
        taken = np.flatnonzero(take)
        dropped = np.diff(taken, prepend=-1 - self._dropped) - 1
        self._dropped = len(take) - 1 - int(taken[-1]) if len(taken) else self._dropped + len(take)
        return self._runs(rows[taken], dropped, [lines[index] for index in taken])

    def _lines(self, data: bytes) -> list[bytes]:
        """Whole lines, without their end, that are neither blank nor a remark."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        excess = len(self._rest) - LONGEST_LINE - 1
        if excess > 0:  # thrown away at once; what is left still is too long a line
            self._rest = self._rest[:-excess]
            self.bad_bytes += excess
        if lines and not self._opened:
            self._opened = True
            cut = lines.pop(0)
            self._good_before = self._tail.fullmatch(cut) is not None and len(cut) <= LONGEST_LINE
            if not self._good_before:
                self._drop([cut])
        return [line for line in lines if len(line) > LONGEST_LINE or not is_ignored(line)]

    def _read(self, lines: list[bytes]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
        """The numbers of each line `[lines, used columns]`, scaled, and whether they can be true."""
        matches = [self._line.fullmatch(line) if len(line) <= LONGEST_LINE else None for line in lines]
        good = np.array([match is not None for match in matches])
        texts = chain.from_iterable(match.groups() for match in matches if match)
        numbers = np.fromiter(map(float, texts), np.float64).reshape(-1, self._numbers)[:, self._order]
        rows = np.zeros((len(lines), len(self._order)))
        rows[good] = numbers
        values = rows[:, : self._channels]
        values *= self._scale
        good &= np.isfinite(rows).all(axis=1)
        good &= ((values >= self._low) & (values <= self._high)).all(axis=1)
        if self._counter and self._modulus:
            count = rows[:, -1]
            good &= (count == np.rint(count)) & (count >= 0) & (count < self._modulus)
        return rows, good

    def _runs(self, rows: npt.NDArray[np.float64], dropped: Counts, lines: list[bytes]) -> list[Run]:
        """Cut samples where some are missing; `dropped` counts the lines thrown away before each."""
        if self._counter:
            missing = self._counter.missing(rows[:, -1].astype(np.int64))
            once = missing >= 0
            self._drop(lines[index] for index in np.flatnonzero(~once))
            rows, dropped, missing = rows[once], dropped[once], missing[once]
            guessed = np.zeros(len(missing), np.bool_)
        elif self._time:
            missing, guessed = self._time.missing(rows[:, -1])
            untold = missing == UNJUDGED
            missing, guessed = np.where(untold, dropped, missing), untold | guessed
        else:
            missing, guessed = dropped, np.ones(len(dropped), np.bool_)
        if not len(rows):
            return []
        losses = {
            int(index): Loss(
                LossCause.GARBAGE if dropped[index] else LossCause.DEVICE,
                None if missing[index] == UNKNOWN else int(missing[index]),
                modulus=self._modulus if self._counter else None,
                estimated=bool(guessed[index]),
            )
            for index in np.flatnonzero(missing)
            if self._started or index
        }
        self._started = True
        return split(rows[:, : self._channels].T, losses)

    def _drop(self, lines: Iterable[bytes]) -> None:
        self.bad_bytes += sum(len(line) + 1 for line in lines)


def is_ignored(line: bytes) -> bool:
    """Whether a line is blank or a remark."""
    return line.startswith(b"#") or not line.strip(b" \t\r")


def _width(settings: TextFormat, columns: Iterable[int]) -> int:
    """How many columns a line has of which these are used."""
    return max(settings.line_columns or 0, *columns, settings.time_column or 0)


def _line_pattern(delimiter: str, width: int, groups: list[int]) -> re.Pattern[bytes]:
    """A whole line; the columns in `groups` are numbers, the others any printable text."""
    mark = re.escape(delimiter.strip()).encode()
    between = rb"[ \t]*+" + mark + rb"[ \t]*+" if mark else rb"[ \t]++"
    # Not possessive: Python 3.11.2, Debian 12's, gets possessive groups wrong.
    text = rb"(?:(?!" + mark + rb")[ -~])*" if mark else rb"[!-~]++"
    columns = (NUMBER if column in groups else text for column in range(1, width + 1))
    return re.compile(rb"[ \t]*+" + between.join(columns) + rb"[ \t]*+\r?")


def _tail_pattern(delimiter: str, *, numbers_only: bool) -> re.Pattern[bytes]:
    """What the end of a good line, cut anywhere, is made of."""
    signs = rb"0-9eE+\-. \t" + re.escape(delimiter).encode() if numbers_only else rb" -~\t"
    return re.compile(rb"[" + signs + rb"]*+\r?")
