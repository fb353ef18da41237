"""Sources: a file or folder for each kind; `source.py` says what each must offer, `reader.py` reads samples.

`SourceSettings` and `ControllerSourceSettings` are the closed unions of what a configuration may say under
`source` of a waveform and of a controller.
"""

from collections.abc import Iterator
from typing import Annotated, assert_never

from pydantic import Field

from collector.points import Point
from collector.samples import Channel
from collector.sources import modbus, opcua
from collector.sources.modbus import (
    ModbusRtuOverTcpSettings,
    ModbusRtuSettings,
    ModbusTcpSettings,
)
from collector.sources.modbus.polls import points_of
from collector.sources.modbus.profile import completed
from collector.sources.opcua import OpcuaSettings, opcua_source
from collector.sources.replay import ReplaySettings, replay_source
from collector.sources.serial import SerialSettings, serial_source
from collector.sources.simulated import SimulatedSettings, simulated_source
from collector.sources.source import PointSource, WaveformSource
from collector.texts import Sentence

SourceSettings = Annotated[SerialSettings | ReplaySettings | SimulatedSettings, Field(discriminator="kind")]
AnyControllerSource = ModbusTcpSettings | ModbusRtuSettings | ModbusRtuOverTcpSettings | OpcuaSettings
ControllerSourceSettings = Annotated[AnyControllerSource, Field(discriminator="kind")]


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


def describe_controller_source(settings: ControllerSourceSettings) -> PointSource:
    """Make the source that the settings describe; nothing is connected yet."""
    match settings:
        case ModbusTcpSettings() | ModbusRtuSettings() | ModbusRtuOverTcpSettings():
            from collector.sources.modbus.source import modbus_source  # noqa: PLC0415 (pymodbus is heavy)

            return modbus_source(settings)
        case OpcuaSettings():
            return opcua_source(settings)
        case _:
            assert_never(settings)


def mistakes(settings: ControllerSourceSettings) -> Iterator[tuple[tuple[str | int, ...], Sentence]]:
    """Which keys of a controller's source do not fit together: the key's path, and what to type instead."""
    if isinstance(settings, OpcuaSettings):
        return opcua.mistakes(settings)
    return modbus.mistakes(settings)


def known_points(settings: ControllerSourceSettings) -> tuple[tuple[Point, ...], bool]:
    """The points that are known before any connection, and whether more may be found then.

    The settings must be without `mistakes`.
    """
    if isinstance(settings, OpcuaSettings):
        return opcua_source(settings).points, settings.profile is not None
    return points_of(completed(settings)), False
