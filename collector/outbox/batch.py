"""Records read back from disk, a batch at a time; damage that has come since they were found is told."""

from bisect import bisect_right
from collections.abc import Collection
from itertools import islice
from operator import itemgetter

from collector.messages import Message
from collector.outbox.folder import Folder
from collector.outbox.index import DONE, HANDED, SegmentIndex
from collector.outbox.segment import Damage, Found, decode_record
from collector.outbox.trouble import Trouble

_READ_RECORDS, _READ_BYTES = 256, 512 << 10


def read_batch(folder: Folder, trouble: Trouble, withheld: Collection[str]) -> list[Message]:
    """The oldest records that only the disk has, at most 256 or 512 KiB, leaving out some topics.

    They count as handed to the event loop. An empty list means that there are none.
    """
    for segment in folder.segments:
        folder.scan(segment)
        numbers = list(islice(segment.pending_numbers(withheld), _READ_RECORDS))
        if numbers and (messages := _load(folder, trouble, segment, numbers)):
            return messages
    return []


def _load(folder: Folder, trouble: Trouble, segment: SegmentIndex, numbers: list[int]) -> list[Message]:
    """The first of these records, as many as may be read together, but one at least."""
    spans = [segment.span(number) for number in numbers]
    start = spans[0][0]
    count = max(1, bisect_right(spans, start + _READ_BYTES, key=itemgetter(1)))
    del numbers[count:], spans[count:]
    data = folder.read(segment, start, spans[-1][1])
    read = [decode_record(data, offset - start, segment.name, offset) for offset, _ in spans]
    for number, message in zip(numbers, read, strict=True):
        segment.change(number, DONE if message is None else HANDED)
    messages = [message for message in read if message is not None]
    if len(messages) < len(read):  # whole when they were scanned, and damaged since
        trouble.damage(segment, _places(segment, numbers, read))
    return messages


def _places(segment: SegmentIndex, numbers: list[int], read: list[Message | None]) -> list[Found | Damage]:
    """What a scan would have found of these records."""
    places: list[Found | Damage] = []
    for number, message in zip(numbers, read, strict=True):
        offset, end = segment.span(number)
        if message is None:
            places.append(Damage(offset, end, 1, segment.seq(number)))
        else:
            places.append(Found(offset, end, message.seq, message.t_us, message.sync, message.topic))
    return places
