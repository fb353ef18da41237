"""Sentences of any TOML file that people write: what was found, and, as advice, what to type instead.

Each sentence follows the file, line and key that it is about, so it starts small. What only the configuration
of a gateway can have wrong is in configuration.py.
"""

from collector.texts.sentence import Text

REFUSED = Text(
    "config.refused",
    "the configuration does not take effect; mistakes found: {count}",
    "Correct them and look again with the same command.",
)
MORE = Text(
    "config.more",
    "mistakes that are not listed here: {count}",
    "Correct those above and look again.",
)

# Form

NOT_UTF8 = Text(
    "config.not-utf8",
    "the text is not stored as UTF-8",
    'In your editor choose "Save as" and the encoding UTF-8.',
)
SYNTAX = Text(
    "config.syntax",
    "this is not TOML: {reason}",
    'Write one key on each line, as in: key = 12 or: key = "text". Text needs quotes; numbers, true and '
    "false have none. A remark starts with #.",
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
SYNTAX_WIDE = Text(
    "config.syntax.wide",
    "found {found}: these are full-width characters (全角), which TOML does not know",
    "Switch the Japanese input method off and type {plain} instead; blanks must be plain ones, too.",
)
SYNTAX_WIDE_BLANK = Text(
    "config.syntax.wide-blank",
    "a full-width blank (全角スペース) stands at column {column}, behind {before}",
    "Switch the Japanese input method off, delete that blank and type a plain one.",
)
SYNTAX_WIDE_BLANK_FIRST = Text(
    "config.syntax.wide-blank.first",
    "the line begins with a full-width blank (全角スペース)",
    "Delete it; where you want a blank, switch the Japanese input method off before.",
)
SYNTAX_UNSEEN = Text(
    "config.syntax.unseen",
    "at column {column} stands a sign that cannot be seen or looks like a blank ({sign})",
    "Delete the line and type it by hand. Text copied from a web page or a document may bring such signs.",
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
SYNTAX_UNQUOTED = Text(
    "config.syntax.unquoted",
    "found {found} behind the equals sign, a text without quotes",
    "Type it in quotes: {line}",
)
SYNTAX_MEANT = Text(
    "config.syntax.meant", "found {found} behind the equals sign, which is not TOML", "Type: {line}"
)
SYNTAX_BLANKS = Text(
    "config.syntax.blanks",
    "found {found} behind the equals sign, a number with blanks",
    "Type it without blanks: {line}",
)
SYNTAX_COMMA = Text(
    "config.syntax.comma",
    "found {found} behind the equals sign, a number with a comma",
    "Decimals have a point, thousands have no sign. Several values stand in brackets: {key} = [{found}]",
)
SYNTAX_OWN_UNIT = Text(
    "config.syntax.own-unit",
    "found {found} behind the equals sign, a number with its unit",
    "Leave the unit out, which stands in the key's name: {line}",
)
SYNTAX_UNIT = Text(
    "config.syntax.unit",
    "found {found} behind the equals sign, a number with something behind it",
    "Where a number belongs, type it alone, in the unit that {docs}/configuration.md gives for {key}; where "
    "text belongs, type it in quotes: {text}",
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
SYNTAX_CURLY = Text(
    "config.syntax.curly",
    "a table in curly brackets is not closed on its line",
    "Write all of it on one line; only lists, in square brackets, may go over several.",
)
SYNTAX_CURLY_COMMA = Text(
    "config.syntax.curly-comma", "a comma stands before the closing curly bracket", "Delete that comma."
)
SYNTAX_TWICE = Text(
    "config.syntax.twice",
    "this key or table is already there",
    "Delete one of the two. For one more entry of a list use double brackets, as in [[waveforms]].",
)
SYNTAX_TABLE_TWICE = Text(
    "config.syntax.table-twice",
    "the table {table} is already there",
    "Move its keys to the first one and delete this line. For one more entry of a list use double brackets, "
    "as in [[waveforms]].",
)
TOO_DEEP = Text("config.too-deep", "brackets are nested too deeply", "Write it flatter, as in the examples.")

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
BELONGS_TOGETHER = Text(
    "config.belongs-together",
    '"{key}" needs "{other}" beside it',
    "Add a line, such as: {other} = {example}; or delete the line with {key}.",
)

# Values

NUMBER_IN_QUOTES = Text(
    "config.number-in-quotes", "found {found}; the quotes make it text", "Type {number} without quotes."
)
WIDE_NUMBER_IN_QUOTES = Text(
    "config.number-in-quotes.wide",
    "found {found}; these are full-width digits (全角), and the quotes make them text",
    "Switch the Japanese input method off and type {number} without quotes.",
)
NUMBER_FIRST = Text(
    "config.number-first",
    "found the key {found}, where a whole number belongs",
    'Type the number first and what it means behind it, as in: 0 = "idle"',
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
BLANKS_AROUND = Text(
    "config.blanks-around", "found {found}, with a blank before or behind it", "Type it without: {plain}"
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

# Files that are named

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
    "Make it for that user: sudo install -d -m 750 -o {user} {wanted}",
)
FOLDER_OF_OTHERS = Text(
    "config.folder-of-others",
    "found {found}, where the user {user} cannot write",
    "Make a folder of its own in it: sudo install -d -m 750 -o {user} {wanted}; then type {typed} here.",
)
FOLDER_CLOSED = Text(
    "config.folder-closed",
    "found {found}; the user {user} may not enter {folder}",
    "Type a folder elsewhere. Those of people, in /home and /root, are closed to the service.",
)
FOLDER_READ_ONLY = Text(
    "config.folder-read-only",
    "found {found}; nothing can be written to {folder}, which is read-only here",
    "If its disk is write-protected, type another folder. If only the service says so: it may write to its "
    "own folder in /var/lib, and elsewhere only as {docs}/installing.md says.",
)
NOT_A_FOLDER = Text(
    "config.not-a-folder", "found {found}, but {file} is not a folder", "Type the path of a folder."
)
