"""The records of a controller: summaries of what its points said, and changes of states.

What every stream's records have in common is in stream_records.py.
"""

from collections.abc import Mapping
from typing import Any

from collector.aggregate import state_value
from collector.clock import Told
from collector.messages import Change, Readings
from collector.points import Reading, Value
from collector.streams.stream_records import StreamRecords


class ControllerRecords:
    """Makes the records of a controller."""

    def __init__(self, stream: StreamRecords) -> None:
        self._stream = stream
        self._topic = stream.topic("readings")
        self._ended: Told | None = None
        """The end of the last summary, where the next one begins."""

    def summary(
        self,
        from_ns: int,
        to_ns: int,
        points: Mapping[str, Mapping[str, Any]],
        *,
        offset_us: int | None,
        lost: int,
    ) -> None:
        """What all points said in a stretch of time: the fields of each one's summary."""
        from_us = self._stream.clock.as_told_us(self._ended, from_ns)
        self._ended = self._stream.clock.tell(to_ns)
        self._stream.put(
            Readings,
            self._topic,
            from_ns,
            t_us=from_us,
            from_us=from_us,
            to_us=self._ended.utc_us,
            offset_us=offset_us,
            lost=lost,
            points=dict(points),
        )

    def change(self, reading: Reading, previous: Value | None) -> None:
        """A state or text became another one."""
        self._stream.put(
            Change,
            self._topic,
            reading.received_ns,
            point=reading.point,
            value=state_value(reading.value),
            quality=reading.quality,
            previous=state_value(previous),
            source_us=reading.source_us,
        )
