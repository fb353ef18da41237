"""Sentences about Modbus devices: what keeps them from answering, and what does not fit in their settings."""

from collector.texts.sentence import Text

# The connection

UNREACHABLE = Text(
    "source.modbus.unreachable",
    "Nothing answers at {place}: {reason}.",
    "Check the device's power and network cable, and that host and port of its source are right, in the "
    "machine's file.",
)
UNKNOWN_HOST = Text(
    "source.modbus.unknown-host",
    "The name {host} is not known in this network.",
    "Set host of its source, in the machine's file, to the device's IP address, such as 192.168.0.20.",
)
CONNECT_TIMEOUT = Text(
    "source.modbus.connect-timeout",
    "Nothing answered at {place} within {seconds} s.",
    "Check the device's power and network cable, and that host of its source is right, in the machine's "
    "file.",
)
LOST = Text(
    "source.modbus.lost",
    "The connection to {place} broke before unit {unit} answered.",
    "It is made again by itself. If this comes back, check cables and power, and whether too many other "
    "programs are connected to the device.",
)
NO_ANSWER = Text(
    "source.modbus.no-answer",
    "Unit {unit} on {place} does not answer (waited {seconds} s).",
    "Check the device's power and that unit_id of its source is right, in the machine's file.",
)
NO_ANSWER_SERIAL = Text(
    "source.modbus.no-answer.serial",
    "Unit {unit} on {place} does not answer (waited {seconds} s).",
    "Check the device's power, that unit_id, baud, parity and stop_bits of its source, in the machine's "
    "file, are as on the device; else exchange the wires A and B.",
)
GARBLED = Text(
    "source.modbus.garbled",
    "What came from {place} instead of an answer of unit {unit} is nonsense: {count} bytes.",
    "Compare baud, parity and stop_bits with the device's settings; see that no two devices have the same "
    "number; check the cable's ends and screen.",
)
STRANGE = Text(
    "source.modbus.strange",
    "What came from {place} is no answer to what unit {unit} was asked: {count} bytes.",
    "The connection was made again. If this comes back, see whether unit_id of its source is right, in the "
    "machine's file, and whether another program uses the same device.",
)
SHORT = Text(
    "source.modbus.short",
    "Unit {unit} on {place} gave {found} instead of {wanted} values; they were thrown away.",
    "Set max_registers (or max_bits) of its source, in the machine's file, to what its manual allows at "
    "once.",
)
BEHIND_GATEWAY = Text(
    "source.modbus.behind-gateway",
    "The gateway {place} says that unit {unit} behind it does not answer (exception {exception}).",
    "Check that device's power and wiring, and that unit_id of its source is right, in the machine's file.",
)

# What the device refuses

ILLEGAL_FUNCTION = Text(
    "source.modbus.illegal-function",
    "Unit {unit} on {place} does not know the table of {first} to {last} (exception 1).",
    "Look in its manual whether these are holding or input registers, and change the table or the number.",
)
ILLEGAL_ADDRESS = Text(
    "source.modbus.illegal-address",
    "Unit {unit} on {place} has nothing at {first} to {last} (exception 2).",
    "Compare address and type of the point, and addressing of its source, in the machine's file, with the "
    "manual; many manuals count from 1, the protocol from 0.",
)
ILLEGAL_VALUE = Text(
    "source.modbus.illegal-value",
    "Unit {unit} on {place} refuses to give {first} to {last} at once (exception 3).",
    "Set max_registers (or max_bits) of its source, in the machine's file, to what its manual allows at "
    "once.",
)
DEVICE_FAILURE = Text(
    "source.modbus.device-failure",
    "Unit {unit} on {place} failed when it was asked for {first} to {last} (exception 4).",
    "Look whether the device shows a fault. If it does so always, leave these registers out.",
)
BUSY = Text(
    "source.modbus.busy",
    "Unit {unit} on {place} was too busy to give {first} to {last} (exception {exception}).",
    "Ask less often: set a larger every_s.",
)
REFUSED = Text(
    "source.modbus.refused",
    "Unit {unit} on {place} refuses to give {first} to {last} (exception {exception}).",
    "Look up the exception's number in the device's manual.",
)
READ_SINGLY = Text(
    "source.modbus.read-singly",
    "Unit {unit} on {place} refuses to give {first} to {last} together; each value there is read by itself.",
    "To read them together again, correct the points that are still bad, list the registers between them "
    "that do not exist in forbidden of its source, in the machine's file, or set largest_hole = 0 there.",
)

# The configuration

UNKNOWN_PROFILE = Text(
    "config.modbus.unknown-profile",
    'found "{profile}", which is no profile of a Modbus device',
    'Type "{nearest}", or one of these: {known}.',
)
NO_POINTS = Text(
    "config.modbus.no-points",
    "there is nothing to read: neither a profile nor points",
    'Add a line, such as: profile = "eastron-sdm630"; or describe the points, each under its own table.',
)
HOST = Text(
    "config.modbus.host",
    "found {found}, which is neither the name nor the address of a device",
    'Type its address alone, such as "192.168.0.20", four numbers up to 255; a port has a key of its own.',
)
ADDRESSING_MISSING = Text(
    "config.modbus.addressing-missing",
    'the key "addressing" is missing, which says how the addresses count',
    'Type addressing = "manual" for numbers such as 30001 and 40001, or addressing = "pdu" for addresses '
    "that count from 0.",
)
NAME_TWICE = Text(
    "config.modbus.name-twice",
    'the name "{name}" is already used by another point of this device',
    "Type another name.",
)
NEEDS_KEY = Text(
    "config.modbus.needs-key", 'the point "{name}" has no {key}', "Add a line, such as: {key} = {example}"
)
NOT_A_PLACE = Text(
    "config.modbus.not-a-place",
    "found {found}, where an address from 0 to 65535 belongs",
    'Type a number from 0 to 65535; or set addressing = "manual" if it is a number of the manual.',
)
NOT_A_NUMBER_OF_MANUALS = Text(
    "config.modbus.not-a-number-of-manuals",
    "found {found}, which is no number of a register or coil",
    'Type 5 or 6 digits that begin with 0 (coils, in quotes: "00001"), 1 (discrete inputs: 10001), 3 (input '
    'registers: 30001) or 4 (holding registers: 40001); or set addressing = "pdu".',
)
OTHER_TABLE = Text(
    "config.modbus.other-table",
    "found {found}, but the number {number} is in the table {table}",
    "Delete this line, or correct the number.",
)
BEYOND_END = Text(
    "config.modbus.beyond-end",
    "found {found}; the value would reach beyond the end of the table",
    "Correct the address or the type.",
)
BIT_TYPE = Text(
    "config.modbus.bit-type",
    "found {found}, but coils and discrete inputs hold single bits",
    'Delete this line; or set table = "holding" or "input" if it is a register.',
)
ONLY_FOR = Text(
    "config.modbus.only-for",
    '"{key}" has no meaning for the point "{name}"; it belongs to {what}',
    "Delete this line, or correct the type.",
)
BIT_BEYOND = Text(
    "config.modbus.bit-beyond",
    "found bit {found}; a number of the type {type} has the bits 0 to {last}",
    "Type a number from 0 to {last}, or a longer type.",
)
BITS_ORDER = Text(
    "config.modbus.bits-order",
    "found {found}; the lowest bit comes first",
    "Type it the other way round.",
)
SCALE_ZERO = Text(
    "config.modbus.scale-zero", "found 0, which would make every value the same", "Type another number."
)
VALID_ORDER = Text(
    "config.modbus.valid-order",
    "found {found}, which is not above valid_low = {low}; no value would be valid",
    "Type a number above {low}, or exchange the two.",
)
IS_FORBIDDEN = Text(
    "config.modbus.is-forbidden",
    'the point "{name}" would need registers that "forbidden" excludes',
    "Delete the point, or make the forbidden range smaller.",
)
FORBIDDEN_ORDER = Text(
    "config.modbus.forbidden-order",
    "found {found}, which does not lie behind the first one in the same table",
    "Type the last register of the range, in the same table as the first.",
)
SILENT_SHORT = Text(
    "config.modbus.silent-short",
    "found {found} s, but a good answer comes only every {every} s",
    "Type a number well above {every}, or delete this line.",
)
SAME_LINE = Text(
    "config.modbus.same-line",
    "another device on {place} has other settings for the same line",
    "Devices that share a port share its baud, parity and stop_bits; type the same for all.",
)
