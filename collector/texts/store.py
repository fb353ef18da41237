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
SQLITE_MISSING = Text(
    "store.sqlite.missing",
    "There is no database {file} yet.",
    "It is made when the store first runs: sudo systemctl start collector-store. If it runs already, compare "
    "sink.file.",
)
POSTGRESQL_FAILED = Text(
    "store.postgresql.failed",
    "PostgreSQL at {url} cannot be used: {reason}.",
    "Check that it runs (systemctl status postgresql), sink.url, and the user's rights. "
    "Gateways keep their data until it is stored.",
)
POSTGRESQL_EMPTY = Text(
    "store.postgresql.empty",
    "PostgreSQL at {url} has no tables of the store yet.",
    "They are made when the store first runs: sudo systemctl start collector-store. If it runs, compare "
    "sink.url.",
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

CLOCK_AHEAD = Text(
    "store.retention.clock-ahead",
    "The clock here says {now}, but the newest record is from {newest}.",
    "If the clock is wrong, set it: timedatectl. The store deletes nothing by it. If nothing has come for so "
    "long, delete by hand what you want gone: collector store prune",
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

# fleet

FLEET_OFFLINE = Text(
    "store.fleet.offline",
    "It is not connected: power, network or program ended without a goodbye.",
    "Ask the company whether it is switched on and online.",
)
FLEET_STOPPED = Text(
    "store.fleet.stopped",
    "It was stopped on purpose.",
    "Nothing to do, unless the company does not know of it.",
)
FLEET_SILENT = Text(
    "store.fleet.silent",
    "Nothing was heard of it for {minutes} minutes, and the broker has not missed it.",
    "Look whether the store itself is well: collector store status. Then ask the company.",
)
FLEET_UNHEARD = Text(
    "store.fleet.unheard",
    "It is not known when it was last heard: what there is of it may be old.",
    "A gateway at work is heard every 10 s. If this stays, ask the company.",
)
FLEET_DEGRADED = Text(
    "store.fleet.degraded",
    "It needs attention: {problems}.",
    "The company sees what to do with: collector status",
)
FLEET_LATE = Text(
    "store.fleet.late",
    "Records wait in it for {minutes} minutes.",
    "It is catching up after an outage, or its way to the broker is too slow, or the broker refuses some.",
)
FLEET_UNSYNCHRONISED = Text(
    "store.fleet.unsynchronised",
    "Its clock is not synchronised; the times of its records cannot be trusted.",
    "Ask the company to give it access to a time server.",
)
FLEET_OUTDATED = Text(
    "store.fleet.outdated",
    "It runs version {version}; the newest in the group is {newest}.",
    "Ask the company to bring in the new version.",
)
FLEET_REJECTED = Text(
    "store.fleet.rejected",
    "Of what it sent, {count} things were no records; some came within the last day.",
    "Look at them: collector store dead-letters",
)
FLEET_EMPTY = Text("store.fleet.empty", "No gateway has been heard of yet.")
FLEET_GOOD = Text("store.fleet.good", "all is well")
HEARD = Text("store.column.heard", "heard")
LAST_RECORD = Text("store.column.last-record", "last record")
WAITING = Text("store.column.waiting", "waiting")
VERSION = Text("store.column.version", "version")
DEAD_LETTERS = Text("store.column.dead-letters", "dead letters")
STORED = Text("store.column.stored", "stored")
LAG = Text("store.column.lag", "behind")
INGESTER = Text("store.column.ingester", "ingester")
REASON = Text("store.column.reason", "reason")
TIMES = Text("store.column.times", "times")
LAST = Text("store.column.last", "last")
TOPIC = Text("store.column.topic", "topic")
DETAIL = Text("store.column.detail", "what exactly")

# status, dead-letters

NO_INGESTER = Text(
    "store.status.none",
    "No ingester has ever used this database.",
    "Start one: sudo systemctl enable --now collector-store",
)
INGESTER_STOPPED = Text(
    "store.status.stopped",
    "The ingester {name} was stopped.",
    "Start it: sudo systemctl start collector-store. One that is gone for good is forgotten after a week.",
)
INGESTER_SILENT = Text(
    "store.status.silent",
    "The ingester {name} is not running: its last word is {minutes} minutes old.",
    "Start it: sudo systemctl start collector-store. One that is gone for good is forgotten after a week.",
)
SOME_DEAD_LETTERS = Text(
    "store.status.dead-letters",
    "{count} dead letters are kept, {recent} of them from the last day.",
    "Look at them: collector store dead-letters",
)
NO_DEAD_LETTERS = Text("store.dead-letters.none", "There are no dead letters.")

# export, prune, withdraw

EXPORTED = Text(
    "store.export.done",
    "The snapshot is in {folder}. Records: {records}. It stands for itself by the SHA-256 of its checksums:"
    "\n{digest}",
)
NOT_A_TIME = Text(
    "store.not-a-time",
    "{found} is no time.",
    "Type a day such as 2026-11-26, or a time such as 2026-11-26T12:00:00Z.",
)
NO_STRETCH = Text(
    "store.no-stretch",
    "There is no time from {start} to {end}.",
    "Give the earlier time first. The end is not included: for one day type the next day as its end.",
)
PRUNE_SURE = Text(
    "store.prune.sure",
    "Delete every record from before {before}, and dead letters last seen before {letters}?",
)
PRUNE_LETTERS_SURE = Text(
    "store.prune.letters-sure", "Records are kept for ever. Delete dead letters last seen before {letters}?"
)
PRUNE_DOUBTFUL = Text(
    "store.prune.doubtful",
    "The clock here says {now}, and the newest record is from {newest}: nothing was deleted.",
    "If the clock is wrong, set it: timedatectl. If it is right, leave out --yes, and answer the question.",
)
PRUNE_NOTHING = Text(
    "store.prune.nothing",
    "Everything is kept for ever: nothing to delete.",
    "Set records_days under [retention] in store.toml.",
)
PRUNED = Text("store.prune.done", "Deleted: {records} records and {letters} dead letters.")
WITHDRAW_SURE = Text(
    "store.withdraw.sure",
    "Delete everything of the company {company} for good? Type its name to confirm",
)
WITHDRAW_REFUSED = Text(
    "store.withdraw.refused", "That is another name; nothing was deleted.", "Type the company's name exactly."
)
WITHDRAWN = Text(
    "store.withdraw.done",
    "Deleted: {records} records and {letters} dead letters of {company}. The log keeps that this was done. "
    "What its gateways send from now on is stored again; collector group revoke ends that.",
)
NO_SUCH_COMPANY = Text(
    "store.withdraw.unknown", "There is nothing of a company {company}.", "There are: {known}."
)
FOR_EVER = Text("store.prune.for-ever", "(kept for ever)")
NO_SUCH_LETTER = Text(
    "store.dead-letters.unknown",
    "No dead letter's name begins with {digest}, or more than one does.",
    "List them: collector store dead-letters",
)
