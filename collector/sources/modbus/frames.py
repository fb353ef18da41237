"""The frames of Modbus, which pymodbus makes of requests and takes replies out of; pure.

Only the four functions that read are named. Responses are our own where the library is careless.
"""

import logging
import struct

from pymodbus.exceptions import ModbusIOException
from pymodbus.framer import FramerBase, FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadCoilsResponse, ReadDiscreteInputsRequest
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadHoldingRegistersResponse,
    ReadInputRegistersRequest,
)

from collector.sources.modbus.settings import Table


class _Registers(ReadHoldingRegistersResponse):
    """The library takes registers out one by one, and drops half of one at the end without a word."""

    def decode(self, data: bytes) -> None:
        """Take them out all at once."""
        if data[0] % 2 or len(data) != 1 + data[0]:
            raise ModbusIOException("not a whole number of registers")
        self.registers = struct.unpack(f">{data[0] // 2}H", data[1:])

    def __str__(self) -> str:
        return type(self).__name__  # the library asks for this text with every reply, to log it or not


class _InputRegisters(_Registers):
    function_code = 4


class _Coils(ReadCoilsResponse):
    """The library does not look at the number of bytes."""

    def decode(self, data: bytes) -> None:
        """Take the bits out, if all are there."""
        if len(data) != 1 + data[0]:
            raise ModbusIOException("not as many bytes as announced")
        super().decode(data)


class _DiscreteInputs(_Coils):
    function_code = 2


REQUESTS: dict[Table, type[ModbusPDU]] = {
    "coil": ReadCoilsRequest,
    "discrete-input": ReadDiscreteInputsRequest,
    "holding": ReadHoldingRegistersRequest,
    "input": ReadInputRegistersRequest,
}
_RESPONSES = (_Coils, _DiscreteInputs, _Registers, _InputRegisters)


def framer_of(*, rtu: bool) -> FramerBase:
    """What makes and reads the frames of a line."""
    # It writes to standard error by itself; what matters of it is in our own answers.
    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
    decoder = DecodePDU(is_server=False)
    for response in _RESPONSES:
        decoder.register(response)
    return FramerRTU(decoder) if rtu else FramerSocket(decoder)
