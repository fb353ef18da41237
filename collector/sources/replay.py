"""Recordings played back as a source: CSV and npz, read whole when opened."""

import warnings
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from collector.errors import SourceError
from collector.samples import Channel, Loss, LossCause, Run, Signal
from collector.settings import PositiveFinite, Settings
from collector.sources.full_scale import for_channels
from collector.sources.pacing import Pace
from collector.texts import Sentence
from collector.texts import sources as say


class ReplaySettings(Settings):
    """A recording in a file, with an exact rate."""

    kind: Literal["replay"]
    file: Path
    """A .csv or .npz file; a relative path counts from the configuration file's folder."""
    rate_hz: PositiveFinite
    """The rate of the recording, taken as exact."""
    speed: PositiveFinite | Literal["max"] = 1.0
    """1 plays in real time, 10 ten times faster, "max" as fast as the gateway can."""
    repeat: bool = False
    """Start again at the end; no window spans the seam."""
    array: str = "samples"
    """npz: the array's name, [n, channels] or [n]."""
    scale: tuple[PositiveFinite, ...] | PositiveFinite | str = 1.0
    """Channel unit for one step of the stored value: a number, one a channel, or an array's name (npz)."""
    columns: tuple[int, ...] | None = None
    """The column of each channel, counted from 1."""
    delimiter: str = ","
    """CSV: between the numbers; empty means any white space."""
    skip_lines: int = Field(default=0, ge=0)
    """CSV: heading lines to skip."""


def replay_source(settings: ReplaySettings, channels: tuple[Channel, ...]) -> "ReplaySource":
    """The source that the settings describe; the file is not looked at before it is opened."""
    return ReplaySource(settings, Signal(channels, settings.rate_hz, rate_exact=True))


@dataclass(frozen=True, slots=True)
class ReplaySource:
    """A recording; it can always wait for us, so nothing of it is ever dropped."""

    settings: ReplaySettings
    signal: Signal
    origin: str = "replay"
    waits: bool = True
    silent_after_s: None = None

    def open(self) -> "ReplayDevice":
        """Read the file.

        Raises:
            SourceError: it is missing, damaged, or not of the shape that the settings say.
        """
        settings, channels = self.settings, len(self.signal.channels)
        try:
            load = _load_npz if settings.file.suffix == ".npz" else _load_csv
            columns, scale = load(settings, channels)
        except FileNotFoundError as error:
            raise SourceError(say.RECORDING_MISSING(file=str(settings.file))) from error
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise SourceError(say.RECORDING_UNREADABLE(file=str(settings.file), reason=str(error))) from error
        if not len(columns):
            raise SourceError(say.RECORDING_EMPTY(file=str(settings.file)))
        return ReplayDevice(columns, scale, Pace(settings.rate_hz, settings.speed), repeat=settings.repeat)


class ReplayDevice:
    """A recording being played: stored values `[n, channels]` as they are in the file, and where we are."""

    def __init__(
        self, stored: npt.NDArray[Any], scale: npt.NDArray[np.float64], pace: Pace, *, repeat: bool
    ) -> None:
        self._stored = stored
        self._scale = scale
        self._pace = pace
        self._repeat = repeat
        self._at = self._played = 0

    def read(self) -> Sequence[Run] | None:
        """The next block once it is due; None at the end."""
        if self._at == len(self._stored) and not self._repeat:
            return None
        start = self._at % len(self._stored)
        block = self._stored[start : start + self._pace.block]
        if not self._pace.await_sample(self._played + len(block)):
            return ()
        # The seam loses nothing, but what stands on its two sides did not follow one another.
        seam = Loss(LossCause.RECONNECT, samples=0) if self._at and not start else None
        self._at = start + len(block)
        self._played += len(block)
        return [Run(block.T.astype(np.float64, order="C") * self._scale, seam)]

    def bad_bytes(self) -> int:
        """None: a file that is not understood is not opened."""
        return 0

    def close(self) -> None:
        """Forget the recording."""
        self._stored = self._stored[:0]


Recording = tuple[npt.NDArray[Any], npt.NDArray[np.float64]]
"""Stored values `[n, channels]` and the scale of each channel `[channels, 1]`."""


def _load_npz(settings: ReplaySettings, channels: int) -> Recording:
    file = str(settings.file)
    if settings.file.is_file() and not zipfile.is_zipfile(settings.file):
        raise SourceError(say.NOT_NPZ(file=file))
    with np.load(settings.file, allow_pickle=False) as archive:
        present = ", ".join(archive.files)

        def array(name: str) -> npt.NDArray[Any]:
            if name not in archive.files:
                raise SourceError(say.ARRAY_MISSING(file=file, array=name, present=present))
            return np.asarray(archive[name])

        stored = array(settings.array)
        scale = array(settings.scale) if isinstance(settings.scale, str) else settings.scale
    if stored.dtype.kind not in "biuf" or stored.ndim not in {1, 2}:
        found = f"{stored.dtype} {list(stored.shape)}"
        raise SourceError(
            say.ARRAY_NOT_SAMPLES(file=file, array=settings.array, found=found, present=present)
        )
    if stored.ndim == 1:
        stored = stored[:, np.newaxis]
    found_columns = stored.shape[1]
    if settings.columns is None:
        if found_columns != channels:
            raise SourceError(say.COLUMNS(file=file, found=found_columns, channels=channels))
    elif max(settings.columns) > found_columns:
        raise SourceError(say.COLUMN_MISSING(file=file, found=found_columns, column=max(settings.columns)))
    else:
        stored = stored[:, [column - 1 for column in settings.columns]]
    return stored, _scale(settings, scale, channels)


def _load_csv(settings: ReplaySettings, channels: int) -> Recording:
    if isinstance(settings.scale, str):
        raise SourceError(say.SCALE(file=str(settings.file), channels=channels, found=settings.scale))
    columns = None if settings.columns is None else [column - 1 for column in settings.columns]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about an empty file, which the caller looks for
            stored = np.loadtxt(
                settings.file,
                delimiter=settings.delimiter.strip() or None,
                skiprows=settings.skip_lines,
                usecols=columns,
                ndmin=2,
                encoding="utf-8-sig",
            )
    except ValueError as error:
        sentence = _first_bad_line(settings, channels)
        if sentence is None:
            raise
        raise SourceError(sentence) from error
    if stored.size and stored.shape[1] != channels:
        raise SourceError(say.COLUMNS(file=str(settings.file), found=stored.shape[1], channels=channels))
    return stored, _scale(settings, settings.scale, channels)


def _first_bad_line(settings: ReplaySettings, channels: int) -> Sentence | None:
    """Look for what the quick reader stumbled over, now line by line."""
    file, expected = str(settings.file), None
    with settings.file.open(encoding="utf-8-sig", errors="replace") as lines:
        for number, line in enumerate(lines, start=1):
            text = line.split("#")[0].strip()
            if number <= settings.skip_lines or not text:
                continue
            cells = text.split(settings.delimiter.strip() or None)
            expected = expected or (max(settings.columns) if settings.columns else channels)
            if len(cells) < expected or (not settings.columns and len(cells) != expected):
                return say.LINE_COLUMNS(file=file, line=number, found=len(cells), expected=expected)
            for column in settings.columns or range(1, channels + 1):
                if not _is_number(cells[column - 1]):
                    found = cells[column - 1].strip()[:40]
                    return say.NOT_A_NUMBER(file=file, line=number, column=column, found=found)
    return None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _scale(settings: ReplaySettings, scale: npt.ArrayLike, channels: int) -> npt.NDArray[np.float64]:
    try:
        column = for_channels(scale, channels)
    except (TypeError, ValueError):
        column = np.zeros((channels, 1))
    if not (np.isfinite(column) & (column > 0)).all():
        raise SourceError(say.SCALE(file=str(settings.file), channels=channels, found=str(scale)[:80]))
    return column
