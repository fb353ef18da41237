"""Sentences about sources: what keeps a device or a recording from giving samples."""

from collector.texts.sentence import Text

# Any source

SILENT = Text(
    "source.silent",
    "No sample arrived for {seconds} s.",
    "It is opened again by itself. If it stays so, unplug the device and plug it in again.",
)

# Serial ports

NOT_FOUND = Text(
    "source.serial.not-found",
    "There is no port {port}.",
    "Plug the device in. If it is in, set port of its source, in the machine's file, to one of these: "
    "{present}",
)
NO_PORTS = Text(
    "source.serial.no-ports",
    "There is no port {port}.",
    "Plug the device in and check its cable. Then this shows the ports there are: sudo collector scan",
)
NOT_PERMITTED = Text(
    "source.serial.not-permitted",
    "This user may not open {port}.",
    "Add the user that collector runs as to the group dialout, and start collector again: "
    "sudo usermod -a -G dialout collector",
)
BUSY = Text(
    "source.serial.busy",
    "Another program holds {port}.",
    "Close it. This shows which one: sudo fuser -v {port}",
)
BAUD_REFUSED = Text(
    "source.serial.baud-refused",
    "The port {port} cannot do {baud} baud.",
    "Set the device, and baud of its source in the machine's file, to a usual speed, such as 115200.",
)
NOT_A_PORT = Text(
    "source.serial.not-a-port",
    "{port} is not a serial port.",
    "This shows the ports there are: sudo collector scan",
)
NOT_OPENED = Text(
    "source.serial.not-opened",
    "The port {port} cannot be opened: {reason}.",
    "Unplug the device and plug it in again.",
)
VANISHED = Text(
    "source.serial.vanished",
    "The port {port} went away while it was read.",
    "Check the plug and the cable. Once the device is back, it is opened again by itself.",
)
NO_BYTES = Text(
    "source.serial.no-bytes",
    "The port {port} is open, but nothing came for {seconds} s.",
    "Check the sensor's power and cable, and that it is set to send by itself.",
)
NOT_UNDERSTOOD = Text(
    "source.serial.not-understood",
    "{bytes_per_s} bytes a second come from {port}, but no valid sample. The last ones: {sample}",
    "Compare baud ({baud}) and format ({format}) of this source, in the machine's file, with the device's "
    "settings.",
)

OTHER_DELIMITER = Text(
    "source.serial.other-delimiter",
    'Lines that can be read come from {port}, but with "{sign}" between the numbers. The last ones: {sample}',
    'Write delimiter = "{sign}" into the format of this source, in the machine\'s file.',
)
NO_DELIMITER = Text(
    "source.serial.no-delimiter",
    'Lines that can be read come from {port}, but with spaces between the numbers instead of "{found}". '
    "The last ones: {sample}",
    "Take delimiter out of the format of this source, in the machine's file.",
)
LINES_DIFFER = Text(
    "source.serial.lines-differ",
    "{bytes_per_s} bytes a second of lines that can be read come from {port}, but none is a sample. "
    "The last ones: {sample}",
    "The speed is right. Compare the lines with the channels, and with columns, line_columns and delimiter "
    "in the source's format, in the machine's file. While the collector is stopped, this finds them: "
    "sudo collector scan {port}",
)

# Recordings

RECORDING_MISSING = Text(
    "source.replay.missing",
    "There is no file {file}.",
    "Set file of its source, in the machine's file, to the path of a .csv or .npz file.",
)
RECORDING_UNREADABLE = Text(
    "source.replay.unreadable",
    "The file {file} cannot be read: {reason}.",
    "Check that it is a whole .csv or .npz file that the user collector may read.",
)
RECORDING_EMPTY = Text(
    "source.replay.empty",
    "The file {file} holds no sample.",
    "Set file of its source, in the machine's file, to a recording, and check skip_lines.",
)
NOT_NPZ = Text(
    "source.replay.not-npz",
    "The file {file} is no npz archive.",
    "Save it with numpy.savez, or give a text file a name that ends in .csv.",
)
ARRAY_MISSING = Text(
    "source.replay.array-missing",
    'The file {file} has no array "{array}".',
    "Set array or scale of its source, in the machine's file, to one of these: {present}",
)
ARRAY_NOT_SAMPLES = Text(
    "source.replay.array-not-samples",
    'The array "{array}" of {file} is {found}.',
    "Numbers of the shape [n] or [n, channels] are needed. Set array of its source, in the machine's file, "
    "to another of these: {present}",
)
COLUMNS = Text(
    "source.replay.columns",
    "The file {file} has {found} columns for {channels} channels.",
    "Say which columns to use, counted from 1, such as columns = [1, 2, 3]; or change the list of channels.",
)
COLUMN_MISSING = Text(
    "source.replay.column-missing",
    "The file {file} has {found} columns; there is no column {column}.",
    "Change columns of its source, in the machine's file; the first column is 1.",
)
LINE_COLUMNS = Text(
    "source.replay.line-columns",
    "Line {line} of {file} has {found} columns instead of {expected}.",
    "Check delimiter, columns and skip_lines of its source, in the machine's file, or mend the line.",
)
NOT_A_NUMBER = Text(
    "source.replay.not-a-number",
    'Line {line} of {file} has "{found}" in column {column}, which is no number.',
    "Set skip_lines of its source, in the machine's file, if this is a heading; check delimiter, or mend "
    "the line.",
)
SCALE = Text(
    "source.replay.scale",
    "The scale for {file} must be positive numbers, one or {channels}; it is {found}.",
    "Set scale of its source, in the machine's file, to a number, or for .npz files to the name of such an "
    "array.",
)
