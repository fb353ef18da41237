"""Sentences of the configuration: what was found, and, as advice, what to type instead.

Each sentence follows the file, line and key that it is about, so it starts small.
"""

from collector.texts.sentence import Text

REFUSED = Text(
    "config.refused",
    "the configuration does not take effect; mistakes found: {count}",
    "Correct them and look again with the same command.",
)

# Files

NO_MAIN_FILE = Text(
    "config.no-main-file",
    "there is no collector.toml in {folder}",
    "Copy the example files (the folder config of collector) to {folder} and change them to suit your "
    "gateway; or name the folder that you mean: collector check FOLDER",
)
NO_MACHINES = Text(
    "config.no-machines",
    "there is no machine file in {folder}",
    "Write one file for each machine into that folder, with a name that ends in .toml, like the examples.",
)
MACHINE_FILE_NAME = Text(
    "config.machine-file-name",
    'this file would be left out, because its name does not end in ".toml"',
    "Rename it to {name}, or move it out of the folder.",
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
NOT_UTF8 = Text(
    "config.not-utf8",
    "the text is not stored as UTF-8",
    'In your editor choose "Save as" and the encoding UTF-8.',
)
SYNTAX = Text(
    "config.syntax",
    "this is not TOML: {reason}",
    'Write one key on each line, as in: key = 12 or: key = "text". Text needs quotes; numbers, true and '
    "false have none.",
)
SYNTAX_VALUE = Text(
    "config.syntax.value",
    "the value after the equals sign is not TOML",
    'Text needs quotes, as in: key = "text". Numbers have none and a point before the decimals; true and '
    "false are written small.",
)
SYNTAX_QUOTES = Text(
    "config.syntax.quotes",
    "found {found}: these quotes are those of a word processor, which TOML does not know",
    'Type the plain sign " before and behind a text, and write such files with nano or another plain editor.',
)
SYNTAX_EQUALS = Text(
    "config.syntax.equals",
    "an equals sign is missing after the key",
    "Write: key = value. A table's name stands in brackets: [table]. A remark starts with #.",
)
SYNTAX_END = Text(
    "config.syntax.end",
    "something follows the value",
    "Write one key on each line. Decimals have a point, not a comma; a remark starts with #.",
)
SYNTAX_STRING = Text(
    "config.syntax.string",
    "this text does not end, or contains a character that it may not",
    'Put one " before and one " after the text, on the same line; write \\\\ where you want one \\.',
)
SYNTAX_BRACKET = Text(
    "config.syntax.bracket",
    "a closing bracket is missing",
    "Close [ with ] and [[ with ]] on the same line; a list may go over several lines, with commas between.",
)
SYNTAX_TWICE = Text(
    "config.syntax.twice",
    "this key or table is already there",
    "Delete one of the two. For one more entry of a list use double brackets, as in [[waveforms]].",
)
TOO_DEEP = Text("config.too-deep", "brackets are nested too deeply", "Write it flatter, as in the examples.")

MORE = Text(
    "config.more",
    "mistakes that are not listed here: {count}",
    "Correct those above and look again.",
)

# Keys

UNKNOWN_KEY = Text(
    "config.unknown-key", "found the key {found}, which is unknown here", 'Type "{nearest}" instead.'
)
UNKNOWN_KEY_ELSEWHERE = Text(
    "config.unknown-key.elsewhere",
    "found the key {found}, which is unknown here",
    "It belongs to {tables}; move it there.",
)
UNKNOWN_KEY_LIST = Text(
    "config.unknown-key.list",
    "found the key {found}, which is unknown here",
    "Delete it, or use one of these: {keys}.",
)
SECRET = Text(
    "config.secret",
    "found {found}; a secret must not stand in this file",
    "Write it alone into the file /etc/collector/secrets/mqtt-password and name that in [broker]: "
    'password_file = "credential:secrets_mqtt-password". Then delete it here; if others may have read it, '
    "change it.",
)
MISSING_KEY = Text(
    "config.missing-key", 'the key "{key}" is missing', "Add a line, such as: {key} = {example}"
)
MISSING_TABLE = Text(
    "config.missing-table", 'the table "{key}" is missing', "Add it as a line of its own: {table}"
)
MISSING_KIND = Text(
    "config.missing-kind",
    'the key "{key}" is missing, which says what kind it is',
    'Add a line, such as: {key} = "{example}". Possible are: {choices}.',
)

# Values

NUMBER_IN_QUOTES = Text(
    "config.number-in-quotes", "found {found}; the quotes make it text", "Type {number} without quotes."
)
NOT_A_NUMBER = Text(
    "config.not-a-number",
    "found {found}, where a number belongs",
    "Type a number without quotes, such as {example}.",
)
NOT_WHOLE = Text(
    "config.not-whole",
    "found {found}, where a whole number belongs",
    "Type a whole number without quotes, such as {example}.",
)
NOT_FINITE = Text(
    "config.not-finite", "found {found}, which is not a definite number", "Type a number, such as {example}."
)
NOT_TEXT = Text(
    "config.not-text", "found {found}, where text belongs", "Type text in quotes, such as {example}."
)
NOT_TRUE_OR_FALSE = Text(
    "config.not-true-or-false",
    "found {found}, where yes or no belongs",
    "Type true or false, without quotes.",
)
NOT_A_DATE = Text(
    "config.not-a-date",
    "found {found}, where a date belongs",
    "Type year, month and day without quotes: 2025-03-31",
)
NOT_A_TIME = Text(
    "config.not-a-time",
    "found {found}, where a date with a time belongs",
    "Type it without quotes, with the distance to UTC: 2025-03-31T08:00:00+09:00",
)
NOT_A_LIST = Text(
    "config.not-a-list",
    "found {found}, where a list belongs",
    "Type it in brackets, with commas: [{example}]",
)
EMPTY_LIST = Text("config.empty-list", "found an empty list", "Type at least {least} entry, in the brackets.")
TOO_MANY = Text("config.too-many", "found {count} entries, more than the {most} allowed", "Delete some.")
NOT_A_TABLE = Text(
    "config.not-a-table",
    "found {found}, where a table belongs",
    "Write {table} on a line of its own, its keys below.",
)
LIST_OF_TABLES = Text(
    "config.list-of-tables",
    "found one table, where a list of tables belongs",
    "Write the table's name in double brackets: {table}",
)
ONE_TABLE = Text(
    "config.one-table",
    "found a list, where one table belongs",
    "Write the table's name in single brackets, and only once: {table}",
)
NOT_ABOVE = Text(
    "config.not-above", "found {found}; it must be above {limit}", "Type a number above {limit}."
)
NOT_AT_LEAST = Text(
    "config.not-at-least", "found {found}; it must be {limit} or more", "Type {limit} or a larger number."
)
NOT_BELOW = Text(
    "config.not-below", "found {found}; it must be below {limit}", "Type a number below {limit}."
)
NOT_AT_MOST = Text(
    "config.not-at-most", "found {found}; it must be {limit} or less", "Type {limit} or a smaller number."
)
CHOICE = Text(
    "config.choice", "found {found}, which is not possible here", "Type {nearest}. Possible are: {choices}."
)
CHOICE_LIST = Text(
    "config.choice.list", "found {found}, which is not possible here", "Type one of these: {choices}."
)
CHOICE_OR_NUMBER = Text(
    "config.choice-or-number",
    "found {found}, which is not possible here",
    "Type a number without quotes, or one of these: {choices}.",
)
NAME = Text(
    "config.name",
    "found {found}; a name may have only small letters a to z, digits and hyphens",
    'Type "{suggestion}", or another such name.',
)
ROOT = Text(
    "config.root",
    "found {found}; it is made of small letters a to z, digits and hyphens, with single slashes between",
    'Type "{suggestion}".',
)
HEXADECIMAL = Text(
    "config.hexadecimal",
    "found {found}, where 1 to 8 bytes in hexadecimal belong",
    "Type two digits (0 to 9, a to f) for each byte, without spaces, such as {example}.",
)
NOT_OF_THIS_FORM = Text(
    "config.not-of-this-form",
    "found {found}, which does not have the form that is needed",
    "Type it like this: {example}",
)
EMPTY_TEXT = Text(
    "config.empty-text", "found an empty text", "Type something between the quotes, such as {example}."
)
TOO_LONG = Text(
    "config.too-long", "found a text of {length} letters; at most {most} are allowed", "Type a shorter text."
)
NOT_VALID = Text(
    "config.not-valid",
    "found {found}, which is not valid ({reason})",
    "{docs}/configuration.md says what is.",
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
BELONGS_TOGETHER = Text(
    "config.belongs-together",
    '"{key}" needs "{other}" beside it',
    "Add a line, such as: {other} = {example}; or delete the line with {key}.",
)
HOST = Text(
    "config.host",
    "found {found}; here belongs the broker's name or address alone",
    'Type it without "mqtt://", user, port and slashes, such as "broker.example.org"; the port has a key of '
    "its own.",
)
FILE_MISSING = Text(
    "config.file-missing",
    "found {found}, but there is no file {file}",
    "Type the path of an existing file; relative paths count from the configuration folder.",
)
FILE_MISSING_NEAREST = Text(
    "config.file-missing.nearest",
    "found {found}, but there is no file {file}",
    'Type "{nearest}" if you mean that file.',
)
FILE_UNREADABLE = Text(
    "config.file-unreadable",
    "found {found}; the user {user} may not read {file}",
    "Let the user that collector runs as read it; a password or key belongs into /etc/collector/secrets, "
    'named as "credential:secrets_FILE". To check as that user: sudo -u collector collector check',
)
CREDENTIAL_MISSING = Text(
    "config.credential-missing",
    "found {found}, but systemd passes no such credential",
    "Put the file {name} into the secrets folder ({docs}/installing.md), then type: "
    "sudo systemctl restart collector",
)
FOLDER_UNWRITABLE = Text(
    "config.folder-unwritable",
    "found {found}; the user {user} cannot write to {folder}",
    "Give that folder to the user that collector runs as, or type another one. To check as that user: "
    "sudo -u collector collector check",
)
NOT_A_FOLDER = Text(
    "config.not-a-folder", "found {found}, but {file} is not a folder", "Type the path of a folder."
)
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
