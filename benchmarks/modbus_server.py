"""A Modbus TCP device in a process of its own: pymodbus' server with 50 floats that differ in every answer.

`python -m benchmarks.modbus_server PORT` serves until it is ended.
"""

import asyncio
import struct
import sys
from itertools import count

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

VALUES = 50


async def _serve(port: int) -> None:
    turns = count()

    async def answer(
        function: int, start: int, address: int, count: int, registers: list[int], values: object
    ) -> None:
        turn = next(turns) % 1000
        floats = struct.pack(f">{VALUES}f", *(number + turn / 8 for number in range(VALUES)))
        registers[: 2 * VALUES] = struct.unpack(f">{2 * VALUES}H", floats)

    bits = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
    words = [SimData(0, values=[0] * 2 * VALUES, datatype=DataType.REGISTERS)]
    device = SimDevice(1, simdata=(bits, bits, words, words), action=answer)
    await ModbusTcpServer(device, address=("127.0.0.1", port)).serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
