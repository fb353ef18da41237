"""Sentences for who reads the data back."""

from collector.texts.sentence import Text

NOTHING_THERE = Text(
    "research.nothing-there",
    "There is nothing to read at {where}.",
    "Give a store.toml, a file of SQLite, a postgresql:// URL, or the folder of a snapshot.",
)
NOTHING_NAMED = Text(
    "research.nothing-named",
    "Nothing says where to read: there is no {file} on this computer that you may read.",
    "Say it with where=…: a store.toml, a file of SQLite, a postgresql:// URL, or the folder of a snapshot.",
)
NOT_SUBSCRIBED = Text(
    "research.not-subscribed",
    "No records can be followed. {reason}",
    "Compare what you gave to subscribe, such as host, port, tls and client_id, with what the group's "
    "administrator gave you.",
)
NO_FRAMES = Text(
    "research.no-frames",
    "Neither pandas nor polars is installed.",
    "Install one of them: pip install pandas",
)
NO_FRAME = Text("research.no-frame", "{library} is not installed.", "pip install {library}")
NO_FRAME_KIND = Text("research.no-frame-kind", "There is no frame {found}.", "There are: {known}.")
STATE_HAS_NO_WINDOWS = Text(
    "research.state-has-no-windows",
    "{company}/{machine}/state has no windows and no summaries, but cuts, utilisation and changes of state.",
    'Call load_state("{company}", "{machine}", "cut"), or with "utilisation" or "state".',
)
NO_FEATURES = Text(
    "research.no-features",
    "{company}/{machine}/{stream} has no {unknown} between these times.",
    "There are: {known}.",
)
UNITS_DIFFER = Text(
    "research.units-differ",
    "Not all rows are in the same unit: {names}.",
    'Go by the column meta: attrs["conflicts"] tells the unit under each of its values.',
)
DEFINITIONS_DIFFER = Text(
    "research.definitions-differ",
    "Not all rows are by the same definition: {names}.",
    'Go by the column meta: attrs["conflicts"] tells the definition under each of its values.',
)
NO_STREAM = Text(
    "research.no-stream",
    "There is no stream {name}.",
    "The names most like it are: {near}.",
)
NO_KIND = Text("research.no-kind", "{found} is no kind of record.", "There are: {known}.")
NOT_A_SNAPSHOT = Text(
    "research.not-a-snapshot",
    "The snapshot {folder} is damaged: {file} is not what its manifest says.",
    "Copy it again from where you have it.",
)
