"""Finding out what is connected, for `collector scan`: ports, accelerometer streams, Modbus units.

Guessing (bytes or registers -> what they probably are) is pure and stands apart from listening and asking.
Nothing here writes to a device: a stream is only listened to, a unit only asked with functions that read.
"""

from collections.abc import Callable

from collector.texts import Sentence

Progress = Callable[[Sentence], None]
"""Told what is being done now, for whoever waits."""
