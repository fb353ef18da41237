"""Sentences for who reads the data back."""

from collector.texts.sentence import Text

NOTHING_THERE = Text(
    "research.nothing-there",
    "There is nothing to read at {where}.",
    "Give a store.toml, a file of SQLite, a postgresql:// URL, or the folder of a snapshot.",
)
NO_FRAMES = Text(
    "research.no-frames",
    "Neither pandas nor polars is installed.",
    "Install one of them: pip install pandas",
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
