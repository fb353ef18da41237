"""The outbox's small files, each replaced as a whole: epoch, delivery mark, mark of the streams, losses.

A note is one line: the CRC of a JSON text, and the JSON text. A damaged note counts as none. The outbox must
work, if with repetitions, without any of them.
"""

import contextlib
import json
import zlib
from pathlib import Path
from typing import Any

from collector.outbox.files import Files

EPOCH, DELIVERED, MARK, LOSSES = "epoch.note", "delivered.note", "mark.note", "losses.note"
UNFINISHED = ".tmp"

_LARGEST_BYTES = 1 << 20


def read_note(files: Files, path: Path) -> dict[str, Any] | None:
    """Read a note; None where there is none, or only a damaged one.

    Raises:
        OSError: it exists and cannot be read.
    """
    try:
        crc, _, text = files.read(path, 0, _LARGEST_BYTES).partition(b" ")
    except FileNotFoundError:
        return None
    try:
        content = json.loads(text) if int(crc, 16) == zlib.crc32(text) else None
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def encode_note(content: dict[str, Any]) -> bytes:
    """The bytes of a note's file."""
    text = json.dumps(content, separators=(",", ":")).encode() + b"\n"
    return b"%08x %s" % (zlib.crc32(text), text)


def write_note(files: Files, path: Path, content: dict[str, Any]) -> None:
    """Replace a note; after a power cut either the old or the new one is there, whole.

    Raises:
        OSError: the old one is still there.
    """
    unfinished = path.with_name(path.name + UNFINISHED)
    try:
        file = files.create(unfinished)
        try:
            file.write(encode_note(content))
            file.sync()
        finally:
            file.close()
        files.rename(unfinished, path)
    except OSError:
        with contextlib.suppress(OSError):  # the first error is the one to tell
            files.unlink(unfinished)
        raise
    files.sync_directory(path.parent)
