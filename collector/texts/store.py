"""Sentences of the group's store."""

from collector.texts.sentence import Text

# store.toml

NO_FILE = Text(
    "store.file.missing",
    "There is no file {file}",
    "Copy the example config/store.toml there, or name another file: --config FILE",
)
GROUP_NEEDS_POSTGRESQL = Text(
    "store.group.needs-postgresql",
    "{found} makes several ingesters share the records, which SQLite cannot take from more than one",
    'Leave group out, or take kind = "postgresql" under [sink].',
)
GROUP_NEEDS_MQTT5 = Text(
    "store.group.needs-mqtt5",
    "{found} makes several ingesters share the records, which MQTT 3.1.1 has no word for",
    'Leave group out, or take protocol = "mqtt5" under [broker].',
)
PASSWORD_IN_URL = Text(
    "store.sink.password-in-url",
    "The URL holds a password, which everybody who may read this file can see",
    "Write the password alone into a file of its own, and name that: password_file = "
    '"credential:secrets_postgresql-password"',
)

# The database

SQLITE_FAILED = Text(
    "store.sqlite.failed",
    "The database {file} cannot be used: {reason}.",
    "Check that the folder exists, belongs to the user that runs the store, and that the disk is not full. "
    "Gateways keep their data until it is stored.",
)
POSTGRESQL_FAILED = Text(
    "store.postgresql.failed",
    "PostgreSQL at {url} cannot be used: {reason}.",
    "Check that it runs (systemctl status postgresql), sink.url, and the user's rights. "
    "Gateways keep their data until it is stored.",
)
POSTGRESQL_MISSING = Text(
    "store.postgresql.missing",
    "The Python package psycopg is missing.",
    "Install it: pip install 'collector[store]'",
)
NEWER_SCHEMA = Text(
    "store.schema.newer",
    "The database {where} was made by a newer version of this program.",
    "Install the same version here.",
)
INGEST_STOPPED = Text(
    "store.ingest.unexpected",
    "The store failed in an unexpected way ({kind}: {message}).",
    "It is tried again by itself. Please report this with the log: sudo journalctl -u collector-store",
)
RECEIPT_REFUSED = Text(
    "store.receipt.refused",
    "The broker refuses receipts on {topic}: {reason}.",
    "Check the broker's access rules: the store must be allowed to write below {root}/receipt.",
)

# check, status

GOOD = Text("store.file.good", "The store's configuration is good.")

# export

FOLDER_NOT_EMPTY = Text(
    "store.export.not-empty",
    "There is something in the folder {folder} already.",
    "Name a folder that is empty, or not there yet.",
)
FOLDER_UNUSABLE = Text(
    "store.export.unusable", "The folder {folder} cannot be written: {reason}.", "Name another folder."
)
PYARROW_MISSING = Text(
    "store.export.no-pyarrow",
    "Parquet needs the Python package pyarrow.",
    "Install it: pip install 'collector[store]', or take --format csv.",
)
