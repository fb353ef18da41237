"""Whether a serial port can carry the samples that are to come over it; pure."""

from collections.abc import Callable, Iterable, Iterator
from decimal import ROUND_CEILING

from collector.sources.serial import SerialSettings, least_bytes
from collector.sources.serial_port import keeps_to_its_baud
from collector.texts import configuration as texts
from collector.texts import number
from collector.toml.document import Document
from collector.toml.problems import Problem, shown
from collector.toml.toml_lines import TomlPath

_BITS_PER_BYTE = 10
"""With start and stop bit."""
_TOLERANCE = 1.05
"""Sensors keep neither to their rate nor to their speed exactly."""


def check_speeds(documents: Iterable[Document], device: Callable[[str], str]) -> Iterator[Problem]:
    """That no sensor needs more than its port carries, where a name tells that the port keeps to its baud."""
    for document in documents:
        for path in document.entries(("waveforms",)):
            source = document.valid((*path, "source"), SerialSettings)
            channels = len(list(document.entries((*path, "channels"))))
            if not source or not channels:
                continue
            if keeps_to_its_baud(source.port) or keeps_to_its_baud(device(source.port)):
                yield from _check_speed(document, (*path, "source", "baud"), source, channels)


def _check_speed(
    document: Document, path: TomlPath, source: SerialSettings, channels: int
) -> Iterator[Problem]:
    size = least_bytes(source.format, channels)
    needed = source.rate_hz * size * _BITS_PER_BYTE
    if needed > source.baud * _TOLERANCE:
        sentence = texts.BAUD_LOW(
            found=shown(source.baud),
            rate_hz=number(source.rate_hz),
            bytes=size,
            least=number(needed, 1, ROUND_CEILING),
        )
        yield document.problem(path, sentence)
