"""What the configuration says of a Modbus device: how it is reached and asked, and its points; values only.

One source is one unit (one device). Several that share a port name the same port. What keys must have to do
with each other is in mistakes.py, how an address becomes a table and a place in addresses.py.
"""

from typing import Annotated, Literal

from pydantic import Field

from collector.points import PointKind
from collector.settings import Finite, PositiveFinite, Settings
from collector.sources.point_settings import PointSettings, ProfileName
from collector.sources.serial_port import SerialPort

Table = Literal["coil", "discrete-input", "holding", "input"]
"""The four tables of a Modbus device; the first two hold bits, the others registers of 16 bits."""
BIT_TABLES = ("coil", "discrete-input")

ValueType = Literal["bool", "i16", "u16", "i32", "u32", "i64", "u64", "f16", "f32", "f64", "text"]
ByteOrder = Literal["big", "little"]
WordOrder = Literal["high-first", "low-first"]
Addressing = Literal["pdu", "manual"]

Address = Annotated[int, Field(ge=0, le=465_536)] | Annotated[str, Field(min_length=1, max_length=6)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]

MAX_REGISTERS = 125
"""The most registers in one reply, by the protocol."""
MAX_BITS = 2000


class ModbusPointSettings(PointSettings):
    """One value in a device's registers."""

    table: Table | None = None
    """Which table it stands in; with manual numbers the number says so already."""
    address: Address | None = Field(default=None, examples=[0])
    """Where it begins, as `addressing` says. Numbers with leading zeros need quotes."""
    type: ValueType | None = Field(default=None, examples=["f32"])
    """How it is written there; coils and discrete inputs are `bool` and need none."""
    registers: Annotated[int, Field(ge=1, le=1000)] | None = None
    """How many registers a text takes, two letters in each."""
    encoding: Literal["ascii", "utf-8", "latin-1", "shift-jis"] = "ascii"
    """How the letters of a text are written."""
    bit: Annotated[int, Field(ge=0, le=63)] | None = None
    """Only this bit of an unsigned number, counted from 0 for the lowest; the point is true or false."""
    bits: tuple[Annotated[int, Field(ge=0, le=63)], Annotated[int, Field(ge=0, le=63)]] | None = None
    """Only these bits of an unsigned number, the lowest and the highest, as a number of their own."""
    byte_order: ByteOrder | None = None
    """Which byte of a register comes first; not given, as for the whole device."""
    word_order: WordOrder | None = None
    """Which register of a longer number comes first; not given, as for the whole device."""
    scale: Finite = 1.0
    """What one step of the number is in the point's unit."""
    offset: Finite = 0.0
    """Added after scaling."""
    valid_low: Finite | None = None
    """Below this, in the point's unit, the value is bad."""
    valid_high: Finite | None = None
    """Above this, in the point's unit, the value is bad."""

    def point_kind(self) -> PointKind:
        """How it is evaluated."""
        if self.type == "text":
            return PointKind.TEXT
        if self.states is not None or self.bit is not None or self.type in {None, "bool"}:
            return PointKind.STATE
        return PointKind.NUMBER


class ForbiddenSettings(Settings):
    """Registers that must never be read, because the device minds it."""

    table: Table | None = None
    """Which table they stand in; with manual numbers the numbers say so already."""
    first: Address
    """The first of them, as `addressing` says."""
    last: Address
    """The last of them."""


class ModbusSettings(Settings):
    """A Modbus device, whichever way it is reached."""

    unit_id: Annotated[int, Field(ge=0, le=255)] = 1
    """The device's number (unit id, slave address)."""
    profile: ProfileName | None = None
    """A list of points that comes with the collector, such as `eastron-sdm630`; what is said here
    goes before it."""
    addressing: Addressing | None = Field(default=None, examples=["pdu", "manual"])
    """`pdu`: addresses count from 0, as they are sent. `manual`: numbers of manuals, which count from 1 and
    begin with a digit for the table, such as 30001 and 40001."""
    byte_order: ByteOrder = "big"
    """Which byte of a register comes first; nearly always `big`."""
    word_order: WordOrder = "high-first"
    """Which register of a number of 32 or 64 bits comes first."""
    every_s: PositiveFinite = 1.0
    """Seconds from one reading to the next, for points that do not say it themselves."""
    timeout_s: Annotated[float, Field(ge=0.01, le=60)] = 1.0
    """How long the device may take to answer. On a serial port the time of sending comes on top."""
    discard_s: Annotated[float, Field(ge=0.01, le=60)] = 1.0
    """After a missing answer a serial line is left alone for so long beyond the timeout, and what still comes
    is thrown away; `timeout_s` and this together must be longer than the slowest answer."""
    pause_s: Annotated[float, Field(ge=0, le=10)] | None = None
    """Rest on the line before each request; not given, 3.5 characters on a serial port, else none."""
    max_registers: Annotated[int, Field(ge=1, le=MAX_REGISTERS)] = MAX_REGISTERS
    """The most registers that the device gives at once."""
    max_bits: Annotated[int, Field(ge=1, le=MAX_BITS)] = MAX_BITS
    """The most coils or discrete inputs that the device gives at once."""
    largest_hole: Annotated[int, Field(ge=0, le=MAX_BITS)] = 8
    """Points no further apart than this are read together, and what is between them is thrown away."""
    forbidden: tuple[ForbiddenSettings, ...] = ()
    """Registers that must never be read."""
    silent_after_s: PositiveFinite | None = None
    """Without a good answer for so long the device counts as lost; not given, three periods of its most
    frequent point, and 10 seconds at least."""
    points: Annotated[tuple[ModbusPointSettings, ...], Field(max_length=2000)] = ()
    """The values to read, and what differs from the profile."""


class ModbusTcpSettings(ModbusSettings):
    """A device, or a gateway with devices behind it, that speaks Modbus TCP."""

    kind: Literal["modbus-tcp"]
    host: str = Field(min_length=1, max_length=253, examples=["192.168.0.20"])
    """The device's name or address."""
    port: Annotated[int, Field(ge=1, le=65535)] = 502
    """Its TCP port."""


class ModbusRtuSettings(ModbusSettings):
    """A device on a serial port, usually RS-485, alone or with others."""

    kind: Literal["modbus-rtu"]
    port: SerialPort
    """The port's stable name, such as /dev/serial/by-id/usb-…"""
    baud: int = Field(gt=0, examples=[9600])
    """Bits per second, as all devices on the line are set."""
    parity: Literal["none", "even", "odd"] = "none"
    """The parity bit, as all devices on the line are set."""
    stop_bits: Literal[1, 2] = 1
    """The number of stop bits."""


class ModbusRtuOverTcpSettings(ModbusSettings):
    """A device on the serial line of a network converter that passes the bytes on as they are."""

    kind: Literal["modbus-rtu-over-tcp"]
    host: str = Field(min_length=1, max_length=253, examples=["192.168.0.21"])
    """The converter's name or address."""
    port: Annotated[int, Field(ge=1, le=65535)] = Field(examples=[4196])
    """The converter's TCP port."""


AnyModbusSettings = ModbusTcpSettings | ModbusRtuSettings | ModbusRtuOverTcpSettings
