"""Modbus devices as sources of points, over TCP, on a serial port, or through a converter; only read.

`settings` and `mistakes` are what the configuration needs; `modbus_source` makes a source of settings.
"""

from collector.sources.modbus.mistakes import is_other_line, mistakes
from collector.sources.modbus.settings import (
    AnyModbusSettings,
    ModbusPointSettings,
    ModbusRtuOverTcpSettings,
    ModbusRtuSettings,
    ModbusSettings,
    ModbusTcpSettings,
)

__all__ = [
    "AnyModbusSettings",
    "ModbusPointSettings",
    "ModbusRtuOverTcpSettings",
    "ModbusRtuSettings",
    "ModbusSettings",
    "ModbusTcpSettings",
    "is_other_line",
    "mistakes",
]
