"""The mark of the streams on disk, and what newer records tell beyond it."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from collector.outbox.files import Files
from collector.outbox.index import SegmentIndex
from collector.outbox.notes import MARK, read_note, write_note
from collector.outbox.state import Mark, NewestRecord, StreamMark


def save_mark(files: Files, directory: Path, mark: Mark) -> None:
    """Save a mark.

    Raises:
        OSError: the one before is still there.
    """
    write_note(files, directory / MARK, mark_content(mark))


def previous_mark(files: Files, directory: Path, segments: Iterable[SegmentIndex]) -> Mark | None:
    """The mark that was saved last, with the newest records that were found; None where there is neither.

    Raises:
        OSError: it exists and cannot be read.
    """
    content = read_note(files, directory / MARK)
    mark = _mark_from(content) if content else None
    newest: dict[str, NewestRecord] = {}
    last: NewestRecord | None = None
    for segment in segments:
        for topic, (seq, t_us, sync) in segment.newest.items():
            newest[topic] = record = NewestRecord(segment.name.epoch, seq, t_us, sync)
            if last is None or (record.epoch, record.seq) > (last.epoch, last.seq):
                last = record
    if mark is None and last is not None:
        mark = Mark(last.epoch, last.seq, last.t_us, last.sync)
    return replace(mark, newest=newest) if mark else None


def mark_content(mark: Mark) -> dict[str, Any]:
    """What is saved of a mark."""
    return {
        "epoch": mark.epoch,
        "last_seq": mark.last_seq,
        "t_us": mark.t_us,
        "sync": mark.sync,
        "streams": {name: [s.last_sample, s.t_us, s.sync] for name, s in mark.streams.items()},
        "accounts": list(mark.accounts),
        "retained": list(mark.retained),
    }


def _mark_from(content: dict[str, Any]) -> Mark | None:
    """The mark that was saved; None where the content is not one."""
    try:
        streams = {name: StreamMark(*values) for name, values in content["streams"].items()}
        accounts = tuple(map(dict, content.get("accounts", ())))  # earlier versions saved none
        return Mark(
            content["epoch"],
            content["last_seq"],
            content["t_us"],
            content["sync"],
            streams,
            accounts=accounts,
            retained=tuple(map(str, content.get("retained", ()))),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
