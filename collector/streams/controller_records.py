"""The records of a controller: summaries of what its points said, and changes of states.

What every stream's records have in common is in stream_records.py.
"""

from collections.abc import Mapping
from typing import Any

from collector.aggregate import state_value
from collector.clock import STEP_LIMIT_NS
from collector.messages import Change, Readings
from collector.points import Reading, Value
from collector.streams.stream_records import StreamRecords


class ControllerRecords:
    """Makes the records of a controller."""

    def __init__(self, stream: StreamRecords) -> None:
        self._stream = stream
        self._topic = stream.topic("readings")
        self._ended: tuple[int, int] | None = None
        """The end of the last summary: monotonic nanoseconds, and UTC microseconds as it was told."""

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
        from_us, to_us = self._began_us(from_ns), self._stream.clock.utc_us(to_ns)
        self._ended = to_ns, to_us
        self._stream.put(
            Readings,
            self._topic,
            from_ns,
            from_us=from_us,
            to_us=to_us,
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

    def _began_us(self, from_ns: int) -> int:
        """UTC of a beginning; where it follows on a summary, that one's end as it was told.

        The map to UTC moves a little all the time: that must not look like a hole. A clock that was set does.
        """
        now_us = self._stream.clock.utc_us(from_ns)
        if self._ended is None or self._ended[0] != from_ns:
            return now_us
        told_us = self._ended[1]
        return told_us if 1000 * abs(now_us - told_us) <= STEP_LIMIT_NS else now_us
