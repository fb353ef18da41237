"""Waveform sources: one file a device kind; `source.py` says what each must offer, `reader.py` reads.

`SourceSettings` is the closed union of what a configuration may say under `source`.
"""

from typing import Annotated, assert_never

from pydantic import Field

from collector.samples import Channel
from collector.sources.replay import ReplaySettings, replay_source
from collector.sources.serial import SerialSettings, serial_source
from collector.sources.simulated import SimulatedSettings, simulated_source
from collector.sources.source import WaveformSource

SourceSettings = Annotated[SerialSettings | ReplaySettings | SimulatedSettings, Field(discriminator="kind")]


def describe_source(settings: SourceSettings, channels: tuple[Channel, ...]) -> WaveformSource:
    """Make the source that the settings describe; nothing is opened yet."""
    match settings:
        case SerialSettings():
            return serial_source(settings, channels)
        case ReplaySettings():
            return replay_source(settings, channels)
        case SimulatedSettings():
            return simulated_source(settings, channels)
        case _:
            assert_never(settings)
