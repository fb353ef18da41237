"""What `collector scan` says; what becomes a remark in TOML is one short line."""

from collector.texts.sentence import Text

# The list of ports

PORT = Text("cli.scan.port", "port")
WHAT = Text("cli.scan.what", "what it says it is")
USED_BY = Text("cli.scan.used-by", "used by")
FREE = Text("cli.scan.free", "nobody")
USED_BY_COLLECTOR = Text("cli.scan.used-by-collector", "collector: {sources}")
NOT_LASTING = Text("cli.scan.not-lasting", "(this name may change)")
LOOK_AT_ONE = Text("cli.scan.look-at-one", "To see what is on one of them: collector scan {port}")
OTHERS_UNSEEN = Text(
    "cli.scan.others-unseen", "Programs of other users are not seen; with sudo before the command they are."
)
NO_PORTS = Text(
    "cli.scan.no-ports",
    "This computer has no serial port.",
    "Plug the device in. If it is in, try another cable, for some only charge; and see whether this tells of "
    "a new device: sudo dmesg | tail",
)

# What is being done

LISTENING = Text("cli.scan.listening", "listening on {port} at {baud} baud")
MEASURING = Text("cli.scan.measuring", "counting samples on {port} at {baud} baud")
ASKING = Text("cli.scan.asking", "asking unit {unit} on {place} {settings}")
STOPPED = Text("cli.scan.stopped", "Stopped; this is what was found until then.")
STOPPED_WITHOUT = Text("cli.scan.stopped-without", "Stopped; nothing was found until then.")

# What was found

STREAM = Text("cli.scan.stream", "{port} at {baud} baud: {format}; {rate} samples a second")
RATE_TOO_LOW = Text("cli.scan.rate-too-low", "too few to count")
TEXT_LINES = Text(
    "cli.scan.text-lines", "lines of text, {channels} channels, {delimiter} between the numbers"
)
SPACES = Text("cli.scan.spaces", "spaces")
WITMOTION = Text("cli.scan.witmotion", "the WitMotion protocol")
FRAMES = Text(
    "cli.scan.frames", "binary frames that begin with {sync}, {channels} channels, checksum {checksum}"
)
UNIT_FOUND = Text("cli.scan.unit-found", "unit {unit} on {place}: {device}")
SETTINGS = Text("cli.scan.settings", "{place} ({settings})")
LIKE = Text("cli.scan.like", "reads like {profile} ({evidence})")
OR = Text("cli.scan.or", "; or ")
UNKNOWN_DEVICE = Text("cli.scan.unknown-device", "a device that is not known; describe it by its manual")
ANY_NUMBER = Text("cli.scan.any-number", "It answers to every number, so the number does not matter.")
COMPARE = Text(
    "cli.scan.compare", "Compare this with the type plate and the display; a likeness is no proof."
)
PASTE = Text("cli.scan.paste", "To paste into the machine's file in {folder}:")

# Remarks in the TOML

RATE_MEASURED = Text("cli.scan.rate-measured", "Measured: {rate}. If the manual tells another, write that.")
RATE_UNKNOWN = Text("cli.scan.rate-unknown", "Too few samples came to count; write what the manual tells.")
FRAMES_CERTAIN = Text(
    "cli.scan.frames-certain", "Length and checksum are certain; counter, values and order are a guess."
)
FRAMES_UNCERTAIN = Text(
    "cli.scan.frames-uncertain", "Without a checksum all of this is a guess: compare it with the manual."
)
COUNTER_UNUSED = Text(
    "cli.scan.counter-unused",
    "Column {column} counts samples. If it starts again at 0 after {modulus}, take away the # of two lines:",
)
SCALE = Text("cli.scan.scale", "What one step of the number is in the channel's unit.")
UNIT_UNKNOWN = Text("cli.scan.unit-unknown", "As sent. Once scale is right, write g, m/s2, A or V.")
UNIT_BY_GRAVITY = Text("cli.scan.unit-by-gravity", "Together they make what gravity does in this unit.")
READS_LIKE = Text("cli.scan.reads-like", "It read: {evidence}")
REGISTER_READ = Text("cli.scan.register-read", "It read {word}. Put in what the manual lists.")
NO_REGISTER = Text(
    "cli.scan.no-register", "It answered, but gave none of the usual registers: see its manual."
)

# Nothing found, or not possible

HELD_BY_COLLECTOR = Text(
    "cli.scan.held-by-collector",
    "The running collector holds {port} for {sources}.",
    "To see what it delivers: collector test {source}. To search the port, stop the collector meanwhile: "
    "sudo systemctl stop collector",
)
NOT_UNDERSTOOD = Text(
    "cli.scan.not-understood",
    "{bytes_per_s} bytes a second come from {port}, but make no sense. The last, at {baud} baud: {sample}",
    "Look up the device's speed and format in its manual. If its speed is an unusual one, type it: "
    "collector scan {port} --baud 250000",
)
OTHER_MASTER = Text(
    "cli.scan.other-master",
    "On {port} somebody else asks Modbus devices already ({baud} baud).",
    "A serial line has only one who asks. Read from that one, or disconnect it, and scan again.",
)
NOTHING_ON_PORT = Text(
    "cli.scan.nothing-on-port",
    "On {port} nothing sends by itself, and no Modbus unit answers.",
    "Check power and wiring; on RS-485 exchange A and B. See the device's manual for its number, baud and "
    "parity, and search there: collector scan {port} --baud 9600 --units 1-247",
)
NOTHING_ON_NETWORK = Text(
    "cli.scan.nothing-on-network",
    "{place} can be reached, but no Modbus unit from {first} to {last} answers there.",
    "See the device's manual for its number: --units 1-247 asks for all. If it is a converter that passes "
    "the bytes of an RS-485 line on as they are, add --converter",
)
NO_CONNECTION = Text(
    "cli.scan.no-connection",
    "Nothing answers at {place}.",
    "Check the device's power and network cable, its IP address, and its port for Modbus TCP: mostly 502, "
    "else type HOST:PORT.",
)
UNKNOWN_HOST = Text(
    "cli.scan.unknown-host",
    "{host} is no name that this network knows, and no serial port in /dev.",
    "Of a serial port type the whole path; this lists them: sudo collector scan. Of a device on the network "
    "type its IP address, such as 192.168.0.20",
)
NO_SUCH_PORT = Text(
    "cli.scan.no-such-port",
    "There is no port {port}.",
    "Plug the device in. If it is in, take one of the ports that this lists: sudo collector scan",
)
GARBLED = Text(
    "cli.scan.garbled",
    "Something answers on {place}, but it makes no sense.",
    "See that no two devices have the same number; check parity, the cable's ends and its screen.",
)
NOT_A_PLACE = Text(
    "cli.scan.not-a-place",
    "{found} is neither a serial port nor a host.",
    "Type a port such as /dev/serial/by-id/usb-…, or a host such as 192.168.0.20 or 192.168.0.20:502",
)
NOT_A_RANGE = Text(
    "cli.scan.not-a-range",
    "{found} are no unit numbers.",
    "Type one number or two from 0 to 255, such as 1-32",
)
