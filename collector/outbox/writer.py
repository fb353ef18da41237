"""The segment being written: a group of records at a time, safe on the medium before they count as stored."""

from collections.abc import Sequence
from pathlib import Path

from collector.messages import Message
from collector.outbox.files import Files
from collector.outbox.index import HANDED, SegmentIndex
from collector.outbox.segment import HEADER_BYTES, Found, SegmentName, encode_header, encode_record

_PIECE_BYTES = 64 * 1024


class Writer:
    """A new segment, open for appending. After any OSError it must be closed and never written again."""

    def __init__(self, files: Files, directory: Path, name: SegmentName) -> None:
        self.index = SegmentIndex(name)
        self._files = files
        self._directory = directory
        self._file = files.create(directory / name.file)
        self._name_safe = False

    def write(self, messages: Sequence[Message], limit_bytes: int) -> int:
        """Append records until the segment has `limit_bytes`, sync, and return how many were stored.

        An empty segment takes one record of any size; 0 means that the segment is full. The stored records
        enter the index as handed to the event loop, which still has them.

        Raises:
            OSError: none of these records can be relied on.
        """
        name = self.index.name
        offset = self.index.size_bytes
        buffer = bytearray()
        if offset == 0:
            buffer += encode_header(name)
            offset = HEADER_BYTES
        placed: list[Found] = []
        for message in messages:
            record = encode_record(message, name.seed, offset)
            end = offset + len(record)
            if end > limit_bytes and offset > HEADER_BYTES:
                break
            buffer += record
            placed.append(Found(offset, end, message.seq, message.t_us, message.sync, message.topic))
            offset = end
            if len(buffer) >= _PIECE_BYTES:
                self._file.write(bytes(buffer))
                buffer.clear()
        if not placed:
            return 0
        if buffer:
            self._file.write(bytes(buffer))
        self._file.sync()
        if not self._name_safe:
            self._files.sync_directory(self._directory)
            self._name_safe = True
        for found in placed:
            self.index.add(found, HANDED)
        self.index.size_bytes = offset
        return len(placed)

    def close(self) -> None:
        """Close the file.

        Raises:
            OSError: the system reports a late error; what was synced is safe all the same.
        """
        self._file.close()
