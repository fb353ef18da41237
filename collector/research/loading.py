"""Data frames of pandas or polars: `load` windows or summaries, `load_state` what a machine did."""

import importlib.util
import warnings
from collections.abc import Collection
from typing import Any, Literal, get_args

from collector.errors import CollectorError, UsageError
from collector.messages import STATE_STREAM
from collector.research.archive import Where, must_have, open_archive
from collector.research.columns import Columns, columns_of, columns_of_state
from collector.research.rows import Selection
from collector.store.stretch import stretch_us
from collector.texts import research as say
from collector.times import When

FrameKind = Literal["pandas", "polars"]
StateRecord = Literal["cut", "utilisation", "state"]

_NAMED = 5
"""So many columns or features are named in a warning."""


def load(
    company: str,
    machine: str,
    stream: str,
    start: When | None = None,
    end: When | None = None,
    *,
    features: str | Collection[str] | None = None,
    where: Where = None,
    frame: FrameKind | None = None,
) -> Any:
    """A data frame with a row for each window of a waveform, or each summary of a controller.

    `features` names those to load, such as `["rms", "band_rms"]`; of a controller the figures, such as
    `["mean"]`. The rows are in order of gateway, epoch and seq, from `start` on and before `end`. Without any
    row there are the columns that every record has.

    What the columns mean is attached: `frame.attrs["units"]` by column, `["definitions"]` by feature, and
    `["meta"]`, the whole description of the stream, by the hash in the column `meta`. pandas carries it along
    through most operations; polars knows nothing of it, and only the frame given here has it. What changed
    within the rows is in neither of the first two but in `["conflicts"]`, and a warning names it. `frame` is
    pandas where that is installed, unless it says `"polars"`.

    Raises:
        StoreError: the database cannot be read.
        CollectorError: there is no such place, stream, time or feature, or neither pandas nor polars.
        UsageError: the stream is that of a machine's state, which `load_state` reads.
    """
    if stream == STATE_STREAM:
        raise UsageError(say.STATE_HAS_NO_WINDOWS(company=company, machine=machine))
    library = _library(frame)
    selection = Selection(company, machine, stream, *stretch_us(start, end))
    wanted = [features] if isinstance(features, str) else features
    with open_archive(where) as archive:
        columns = columns_of(
            archive.records(selection, "features"),
            archive.records(selection, "readings"),
            archive.metas(selection),
            wanted,
        )
        if not columns.rows:
            must_have(archive, selection)
    _warn(columns)
    unknown = [name for name in wanted or () if not _has(columns, name)]
    if columns.rows and unknown:
        known = ", ".join(sorted({*columns.definitions, *columns.conflicts["definitions"]}))
        names = {"company": company, "machine": machine, "stream": stream}
        raise CollectorError(say.NO_FEATURES(**names, unknown=", ".join(unknown), known=known))
    return _frame(columns, library)


def load_state(
    company: str,
    machine: str,
    record: StateRecord,
    start: When | None = None,
    end: When | None = None,
    *,
    where: Where = None,
    frame: FrameKind | None = None,
) -> Any:
    """A data frame with a row for each `cut`, account of `utilisation`, or change of `state` of a machine.

    The columns are the fields of the record, of what is nested the names joined by dots: `duration_s`,
    `waveforms.spindle.channels.x.rms.mean`, `seconds.idle`, `ratios.known`. A list is its JSON text. Order,
    times and what is attached are those of `load`.

    Raises:
        StoreError: the database cannot be read.
        CollectorError: there is no such place, machine with states, or time, or neither pandas nor polars.
        UsageError: there is no such record.
    """
    if record not in get_args(StateRecord):
        raise UsageError(say.NO_KIND(found=record, known=", ".join(get_args(StateRecord))))
    library = _library(frame)
    selection = Selection(company, machine, STATE_STREAM, *stretch_us(start, end))
    with open_archive(where) as archive:
        rows = archive.records(selection, "event" if record == "state" else "readings")
        columns = columns_of_state(rows, record, archive.metas(selection))
        if not columns.rows:
            must_have(archive, selection)
    _warn(columns)
    return _frame(columns, library)


def _warn(columns: Columns) -> None:
    """Say what must not be mixed: who looks at values alone does not see it."""
    of_units, of_features = columns.conflicts["units"], columns.conflicts["definitions"]
    units = [
        f"{name} ({', '.join(dict.fromkeys(unit or '—' for unit in said.values()))})"
        for name, said in of_units.items()
    ]
    features = [name for name in of_features if _has_values(columns, name.partition(".")[0])]
    for text, names in ((say.UNITS_DIFFER, units), (say.DEFINITIONS_DIFFER, features)):
        if names:
            named = ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
            sentence = text(names=named)
            warnings.warn(f"{sentence} {sentence.advice}", stacklevel=3)


def _has(columns: Columns, feature: str) -> bool:
    return feature in columns.definitions or _has_values(columns, feature)


def _has_values(columns: Columns, feature: str) -> bool:
    return any(feature in name.split(".")[1:] for name in columns.values)


def _library(frame: FrameKind | None) -> FrameKind:
    """What makes the frame, told before much is read."""
    if frame is not None and frame not in get_args(FrameKind):
        raise UsageError(say.NO_FRAME_KIND(found=frame, known=", ".join(get_args(FrameKind))))
    found: list[FrameKind] = [kind for kind in get_args(FrameKind) if importlib.util.find_spec(kind)]
    if not found:
        raise CollectorError(say.NO_FRAMES())
    if frame is not None and frame not in found:
        raise CollectorError(say.NO_FRAME(library=frame))
    return frame or found[0]


def _frame(columns: Columns, library: FrameKind) -> Any:
    attached: dict[Any, Any] = {
        "units": columns.units,
        "definitions": columns.definitions,
        "conflicts": columns.conflicts,
        "meta": columns.meta,
    }
    if library == "pandas":
        import pandas as pd  # noqa: PLC0415 (heavy, and not everybody's)

        frame = pd.DataFrame(columns.values).astype({"t": "datetime64[us, UTC]"})
        frame.attrs.update(attached)
        return frame
    import polars as pl  # noqa: PLC0415

    utc = pl.Datetime("us", "UTC")
    table = pl.DataFrame(columns.values, schema_overrides={"t": utc}, infer_schema_length=None)
    setattr(table, "attrs", attached)  # noqa: B010 (it declares none)
    return table
