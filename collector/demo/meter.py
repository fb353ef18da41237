"""The shop's power meter: a Modbus TCP server on a loopback port, with the registers of its profile."""

import contextlib
import logging
import struct
from collections.abc import AsyncIterator

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from collector.clock import monotonic_ns
from collector.demo.shop import at, energy_kwh
from collector.profiles import load_profile

PROFILE = "eastron-sdm630"
_FIRST_INPUT_REGISTER = 30001
_MAINS_HZ = 50.0
_VOLTS = (229.6, 230.4, 230.1)


@contextlib.asynccontextmanager
async def running_meter(port: int, began_ns: int) -> AsyncIterator[None]:
    """Serve the meter while the context lasts; every answer is of the moment it is asked for."""
    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
    places = {
        point["name"]: point["address"] - _FIRST_INPUT_REGISTER for point in load_profile(PROFILE)["points"]
    }

    async def measure(
        _function: int, _start: int, _address: int, _count: int, registers: list[int], _values: object
    ) -> None:
        for name, value in values((monotonic_ns() - began_ns) / 1e9).items():
            registers[places[name] : places[name] + 2] = struct.unpack(">HH", struct.pack(">f", value))

    words = [SimData(0, values=[0] * (max(places.values()) + 2), datatype=DataType.REGISTERS)]
    bits = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
    device = SimDevice(1, simdata=(bits, bits, words, words), action=measure)
    server = ModbusTcpServer(device, address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    try:
        yield
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]


def values(seconds: float) -> dict[str, float]:
    """What the meter measures so many seconds after the beginning, by the names of the profile's points."""
    moment = at(seconds)
    measured = {"power": moment.power_w, "frequency": _MAINS_HZ, "energy-import": energy_kwh(seconds)}
    for phase, (volts, amperes) in enumerate(zip(_VOLTS, moment.currents_a, strict=True), start=1):
        measured |= {
            f"voltage-l{phase}": volts,
            f"current-l{phase}": amperes,
            f"power-l{phase}": moment.power_w * amperes / sum(moment.currents_a),
        }
    return measured
