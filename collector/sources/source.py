"""What a source must offer, and nothing more: waveforms by a device that is read, points by arrivals.

A source is described by its settings and opened as often as needed; an open device is read by one thread
only. Neither knows the clock's index, the network, or health.
"""

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from collector.points import Arrival, Point
from collector.samples import Run, Signal
from collector.texts import Sentence

READ_WAIT_S = 0.2
"""The longest that `Device.read` waits for data, so that a reader thread can be stopped."""


class Device(Protocol):
    """An open device."""

    def read(self) -> Sequence[Run] | None:
        """Wait at most `READ_WAIT_S` and return what came, in order; empty when nothing did.

        Returns None at the end of a recording, and only then.

        Raises:
            SourceError: the device is gone or cannot be understood; the caller closes it.
        """

    def bad_bytes(self) -> int:
        """Bytes discarded since opening because they were part of no valid sample."""

    def close(self) -> None:
        """Give the device back; never raises."""


class WaveformSource(Protocol):
    """A configured source of one signal."""

    @property
    def signal(self) -> Signal:
        """Channels and rate, known before anything is opened."""

    @property
    def origin(self) -> str:
        """`live`, `replay` or `simulated`: published, so that no one takes a replay for a machine."""

    @property
    def waits(self) -> bool:
        """True where the source can wait for us (a file); then a full queue blocks it and nothing is lost."""

    @property
    def silent_after_s(self) -> float | None:
        """Without a valid sample for so long it counts as lost; None where it cannot fall silent."""

    def open(self) -> Device:
        """Open the device; may block for some seconds.

        Raises:
            SourceError: it cannot be opened, with what to do.
        """


class PointSource(Protocol):
    """A configured controller or meter; everything happens on the event loop."""

    @property
    def points(self) -> tuple[Point, ...]:
        """What it says; some are only known once it was connected, then they appear here."""

    @property
    def origin(self) -> str:
        """As for waveforms."""

    @property
    def silent_after_s(self) -> float:
        """Without an arrival for so long the connection counts as dead and is built anew."""

    @property
    def remarks(self) -> tuple[Sentence, ...]:
        """What an operator should see to although it answers; asked only while it does."""

    @property
    def lost(self) -> int:
        """At least so many values were lost on the way since the start, because a queue was full."""

    def arrivals(self) -> AsyncGenerator[Arrival, None]:
        """Connect with a fresh client, and yield what comes until closed (`contextlib.aclosing`).

        Raises:
            SourceError: it cannot be reached or understood, with what to do. A single point or unit that is
                bad while others are good is no error: its readings are bad.
        """
