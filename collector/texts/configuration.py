"""Sentences of a gateway's configuration as a whole: what is missing in it, and what does not fit together.

Each sentence follows the file, line and key that it is about, so it starts small. What any TOML file can have
wrong is in toml.py.
"""

from collector.texts.sentence import Text

# Files

NO_MAIN_FILE = Text(
    "config.no-main-file",
    "there is no collector.toml in {folder}",
    "Copy the example files to {folder} and change them to suit your gateway (they are in "
    "/opt/collector/examples, and in the folder config of the clone); or name the folder that you mean: "
    "collector check FOLDER",
)
NO_MAIN_FILE_NEAR = Text(
    "config.no-main-file.near",
    "there is no collector.toml in {folder}, but a file {name}",
    'If that is the one, rename it: sudo mv "{folder}/{name}" "{folder}/collector.toml"',
)
NO_SUCH_FILE = Text(
    "config.no-such-file",
    "there is no such file in {folder}",
    "Type the configuration's folder alone, as in: collector check /etc/collector",
)
NO_MACHINES = Text(
    "config.no-machines",
    "there is no machine file in {folder}",
    "Write one file for each machine into that folder, with a name that ends in .toml, like the examples.",
)
NO_MACHINES_NEAR = Text(
    "config.no-machines.near",
    "there is no folder machines in {folder}, but a folder {name}",
    'If that is the one, rename it: sudo mv "{folder}/{name}" "{folder}/machines"',
)
MACHINE_FILE_BESIDE = Text(
    "config.machine-file-beside",
    "this file of a machine would be left out, because it does not lie in the folder {folder}",
    "Move it there, or somewhere else if it is no longer used.",
)
MACHINE_FILE_NAME = Text(
    "config.machine-file-name",
    'this file would be left out, because its name does not end in ".toml"',
    "Rename it to {name}, or move it out of the folder.",
)
MACHINE_SUBFOLDER = Text(
    "config.machine-subfolder",
    "the files in this folder would be left out, such as {name}",
    "Move those that are meant into {folder}/ itself, or the folder somewhere else.",
)
SECOND_MACHINE = Text(
    "config.second-machine",
    "a second machine begins here; each machine needs a file of its own",
    "Move what belongs to it (line {line} on) into a new file, such as {folder}/OTHER.toml. If it is the "
    "same machine, move these keys to the first [machine].",
)
IS_FOLDER = Text(
    "config.is-folder",
    "this is a folder, where a file belongs",
    "Put the file that is meant in its place, or move the folder somewhere else.",
)
UNREADABLE = Text(
    "config.unreadable",
    "it cannot be read: {reason}",
    "Let the user that collector runs as read it: chmod a+rX {file}",
)
UNREADABLE_FOR = Text(
    "config.unreadable-for",
    "the user {user} cannot read it",
    "Let that user read it: sudo chmod a+rX {file}",
)

# What must fit together

SAME_NAME = Text(
    "config.same-name",
    "found {found}, which line {line} of {file} already uses",
    "Type another name; each may be used only once.",
)
SAME_NUMBER = Text(
    "config.same-number",
    "found {found}, the number of the tool in line {line} of {file}",
    "Type another number, or delete one of the two tools.",
)
SAME_PORT = Text(
    "config.same-port",
    "found {found}, the port that line {line} of {file} already uses",
    "Type the port of the other sensor. This shows them all: sudo collector scan",
)
OTHER_LINE = Text(
    "config.other-line",
    "line {line} of {file} names the same port with other settings",
    'All devices on a line speak alike: type baud = {baud}, parity = "{parity}", stop_bits = {stop_bits}, '
    "or correct it there.",
)
OTHER_PORT_NAME = Text(
    "config.other-port-name",
    "found {found}, which is the port {port} of line {line} of {file} under another name",
    "Devices on one line take turns only under one name: type {port} here, too, or {found} there.",
)
NOTHING_COLLECTED = Text(
    "config.nothing-collected",
    "the machine has neither waveforms nor controllers",
    "Add a table [[waveforms]] for a sensor, or [[controllers]] for a controller or meter, see the examples.",
)
NUMBER_PSEUDONYM = Text(
    "config.number-pseudonym",
    "a number cannot leave as a pseudonym",
    'Type share = "plain" or share = "none"; only states and texts can have pseudonyms.',
)
CONTEXT_NOT_SHARED = Text(
    "config.context-not-shared",
    "found {found}, a point that does not leave the gateway",
    'Take it out of the list, or give that point share = "pseudonym" or share = "plain".',
)
RESERVED_STREAM = Text(
    "config.reserved-stream",
    "found {found}, the name under which it is told what the machine is doing",
    "Type another name, such as spindle.",
)
STATE_ASKS_NOTHING = Text(
    "config.state.asks-nothing",
    "nothing says how the machine's state is known",
    'Add a table [machine.state.turning] with a line: point = "plc/spindle-speed"; or delete this one.',
)
STATE_ONE_INPUT = Text(
    "config.state.one-input",
    'needs either "point" or "feature", and not both',
    'Type one of them, such as: point = "plc/spindle-speed", or feature = "spindle/x/rms"',
)
STATE_NO_POINTS = Text(
    "config.state.no-points",
    "the machine has no controller with points",
    'Describe it under [[controllers]], or take a feature of a waveform: feature = "spindle/x/rms".',
)
STATE_STATES = Text(
    "config.state.states",
    '"states" is for points that have names as values',
    "For a number type above = … instead, or leave both out and let `collector learn` find it.",
)
STATE_LEVELS = Text(
    "config.state.levels",
    "found {found}, which is above {above}",
    'Type a number that is at most {above}: below it the answer is no, from "above" on it is yes.',
)
STATE_NOT_SHARED = Text(
    "config.state.not-shared",
    "found {found}, a point that does not leave the gateway as it is",
    'Take another point, or give that one share = "plain": the state would tell of it.',
)
TIME_ZONE = Text(
    "config.time-zone",
    "found {found}, which is no time zone",
    'Type its name, such as "Europe/Berlin" or "Asia/Tokyo"; `timedatectl list-timezones` lists them.',
)
SPINDLE_NOT_JOINED = Text(
    "config.spindle-not-joined",
    "found {found}, which is not in the list of [machine.context]",
    "Add it to points in [machine.context], or leave that list out.",
)
RESERVED_COMPANY = Text(
    "config.reserved-company",
    "found {found}, a name that the store uses for its receipts",
    "Type the company's name, as the group's administrator gave it.",
)
RESERVED_MACHINE = Text(
    "config.reserved-machine",
    "found {found}, the name under which the gateway tells about itself",
    "Type another name for the machine, such as mill-1.",
)
SILENT_SHORT = Text(
    "config.silent-short",
    "a sample comes only every {period_s} s at {rate_hz} Hz, but after {found} s the sensor counts as lost",
    "Type silent_after_s = {least} or more, or correct rate_hz.",
)
UNIT_SCALED = Text(
    "config.unit.scaled",
    "found {found}, a unit that is not taken",
    'Type unit = {unit} and multiply "scale" of the source by {factor}; without "scale", that is '
    "scale = {factor}. A full_scale is then in {unit}, too.",
)
UNIT_VELOCITY = Text(
    "config.unit.velocity",
    "found {found}: the signal of a velocity cannot be described",
    'Choose acceleration as what the sensor puts out, and type unit = "g" or unit = "m/s2"; '
    "collector computes the velocity of it.",
)
BAUD_LOW = Text(
    "config.baud-low",
    "found {found}, but {rate_hz} samples in a second, each of {bytes} bytes or more, need {least}",
    "Set the device and this line to a speed of {least} or more, or correct rate_hz. (A byte takes 10 bits.)",
)
WINDOW_LENGTH_MISSING = Text(
    "config.window.length-missing",
    "the window has no length",
    "Add a line, such as: samples = 4096 or: seconds = 1.0",
)
WINDOW_LENGTH_TWICE = Text(
    "config.window.length-twice",
    "the window's length is given twice, as samples and as seconds",
    "Delete one of the two lines.",
)
WINDOW_SECONDS = Text(
    "config.window.seconds",
    "found {found}, which at {rate_hz} Hz is {samples} samples; {least} to {most} are possible",
    "Type a number between {low} and {high}.",
)
WINDOW_OFTEN = Text(
    "config.window.often",
    "a window every {hop} samples makes {windows} a second at {rate_hz} Hz; at most {most} are possible",
    "Type hop_samples = {least} or more; or, instead, overlap = {overlap} or less.",
)
WINDOW_SHORT = Text(
    "config.window.short",
    "a window every {hop} samples makes {windows} a second at {rate_hz} Hz; at most {most} are possible",
    "Type samples = {least} or more, without overlap and hop_samples; or correct rate_hz.",
)
WINDOW_HOP_TWICE = Text(
    "config.window.hop-twice",
    "the distance between windows is given twice, as overlap and as hop_samples",
    "Delete one of the two lines.",
)
WINDOW_HOP_LONG = Text(
    "config.window.hop-long",
    "found {found}, which is longer than the window of {samples} samples; samples would be left out",
    "Type {samples} or a smaller number.",
)
BAND_ORDER = Text(
    "config.band-order",
    "found {found}, which is not above the lower edge of {low_hz} Hz",
    "Type a frequency above {low_hz}, or exchange low_hz and high_hz.",
)
ROLLER_LARGE = Text(
    "config.roller-large",
    "found {found}; rollers of this diameter do not fit on a circle of {pitch} mm",
    "Type the diameter of one ball or roller; the bearing's maker gives both numbers.",
)
SAME_BAND = Text(
    "config.same-band", "found the same band as in line {line}", "Type other edges, or delete one of the two."
)
BAND_ABOVE_HALF_RATE = Text(
    "config.band-above-half-rate",
    "found {found}; {rate_hz} samples in a second show nothing above half of that",
    "Type {limit_hz} or less, or raise rate_hz if the sensor can do it.",
)
ENTRIES_FOR_CHANNELS = Text(
    "config.entries-for-channels",
    "found {count} entries for {channels} channels",
    "Type one entry for each channel, in the channels' order.",
)
COLUMN_BELOW_ONE = Text(
    "config.column-below-one", "found {found}; columns are counted from 1", "Type 1 for the first column."
)
COLUMN_TAKEN = Text(
    "config.column-taken",
    "found {found}, a column that is already used as {use}",
    "Type another column; with columns = [2, 3, 4] you say where the channels stand.",
)
LINE_COLUMNS = Text(
    "config.line-columns",
    "found {found}, but column {column} of the line is used",
    "Type how many numbers each line has, at least {column}; or delete this line.",
)
WITMOTION_CHANNELS = Text(
    "config.witmotion-channels",
    "found {count} channels; a WitMotion sensor sends exactly three, x, y and z",
    "Write [[waveforms.channels]] three times, for x, y and z.",
)
HOST = Text(
    "config.host",
    "found {found}; here belongs the broker's name or address alone",
    'Type it without "mqtt://", user, port and slashes, such as "broker.example.org"; the port has a key of '
    "its own.",
)

# What is allowed, and probably not meant

EXAMPLE_HOST = Text(
    "config.example-host",
    "found {found}, a name of the examples; no broker can have it, so nothing would ever be sent",
    "Type the name or address of your broker, or let an enrolment do it: sudo collector enroll FILE. For a "
    'broker on this computer type "localhost".',
)
POINT_OF_THOUSANDS = Text(
    "config.point-of-thousands",
    "found {found}, which is {number}: a point stands before decimals, not between thousands",
    "Type {meant} if that is meant, or else {number}.",
)
SHIFTS_OVERLAP = Text(
    "config.shifts-overlap",
    "the shifts {one} and {other} overlap from {start} to {end}; that time counts in both of them",
    "Correct start and end, so that one begins when the other ends; leave them if both do work then.",
)

# What must be possible on this gateway

SOCKET_TAKEN = Text(
    "config.socket-taken",
    "found {found}, but {file} is there already and is no socket",
    'Type a path where nothing is, such as "/run/collector/control.sock".',
)
SOCKET_FOLDER = Text(
    "config.socket-folder",
    "found {found}, but {file} is a folder",
    "Type the path of a socket in it: {socket}",
)
SOCKET_LONG = Text(
    "config.socket-long",
    "found {found}; the whole path has {length} bytes, and a socket's may have {most}",
    'Type a shorter path, such as "/run/collector/control.sock".',
)
LAST_GOOD_NOT_KEPT = Text(
    "config.last-good-not-kept",
    "no copy of the configuration could be kept in {folder}: {reason}",
    "Let collector write to that folder and see that the disk is not full.",
)
