"""What store.toml may say, and how it is read: the store's broker, its sink, and how long it keeps what.

A wrong file is told as a gateway's configuration is: every mistake with its line and what to type instead.
"""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from collector.mqtt import BrokerSettings
from collector.mqtt.checks import anchored_broker, check_broker, check_broker_files
from collector.settings import CredentialPath, Name, Settings
from collector.texts import configuration as texts
from collector.texts import store as say
from collector.toml.accounts import Account, own_account, service_account
from collector.toml.document import Document, parse_document, validate
from collector.toml.explain import explain
from collector.toml.folders_to_write import folder_to_write
from collector.toml.named_files import absolute, anchored, named_file
from collector.toml.problems import ConfigError, Problem, shown

FILE = "store.toml"
DEFAULT_FILE = Path("/etc/collector") / FILE
_SERVICE_USER = "collector-store"
"""Who runs the store that this file describes (systemd/collector-store.service)."""

Days = Annotated[int, Field(ge=1, le=36500)]


class StoreSettings(Settings):
    """Who this ingester is, and what it listens to."""

    name: Name | None = None
    """The ingester's name, unique in the group; the computer's name unless given."""
    root: Annotated[str, Field(pattern=r"^[a-z0-9-]+(/[a-z0-9-]+)*$", max_length=200)] = "shopfloor/v1"
    """The first levels of every topic; the same in the whole group."""
    group: Name | None = Field(default=None, examples=["store"])
    """Ingesters with the same one share the records among them; leave it out for one that is alone."""

    @property
    def ingester(self) -> str:
        """The ingester's name."""
        return self.name or socket.gethostname().partition(".")[0].lower()


class SqliteSettings(Settings):
    """One file, and nothing to install; for one ingester."""

    kind: Literal["sqlite"] = "sqlite"
    """A file of SQLite."""
    file: Path = Field(default=Path("/var/lib/collector-store/store.sqlite"), examples=["store.sqlite"])
    """The database's file; its folder must be writable too."""


class PostgresqlSettings(Settings):
    """A PostgreSQL database, for any number of ingesters."""

    kind: Literal["postgresql"]
    """A database of PostgreSQL 14 or later."""
    url: str = Field(pattern="^postgres(ql)?://", examples=["postgresql:///collector"])
    """Where it is, as PostgreSQL's programs take it; without a password."""
    password_file: CredentialPath | None = None
    """A file that holds the password alone. `credential:NAME` names a systemd credential."""


SinkSettings = Annotated[SqliteSettings | PostgresqlSettings, Field(discriminator="kind")]


class RetentionSettings(Settings):
    """What is deleted by itself, once a day; what is left out here is kept for ever."""

    records_days: Days | None = None
    """Records older than so many days."""
    dead_letters_days: Days | None = 90
    """Dead letters that have not come again for so many days."""


class StoreFile(Settings):
    """store.toml."""

    store: StoreSettings = StoreSettings()
    """Who this ingester is."""
    broker: BrokerSettings
    """Where the records come from, and the receipts go."""
    sink: SinkSettings = SqliteSettings()
    """Where the records are kept."""
    retention: RetentionSettings = RetentionSettings()
    """How long."""


def load_store(path: Path = DEFAULT_FILE, *, to_run: bool = False) -> StoreFile:
    """The store's configuration in a file, or in the `store.toml` of a folder; every path in it is absolute.

    `to_run` says that this process will do what stands there, and not the service.

    Raises:
        ConfigError: it is wrong; every problem in it.
    """
    file = (path if path.suffix == ".toml" else path / FILE).absolute()
    try:
        parsed = parse_document(file.name, file.read_bytes())
    except FileNotFoundError:
        raise ConfigError((Problem(file.name, None, "", say.NO_FILE(file=str(file))),)) from None
    except OSError as error:
        unreadable = texts.UNREADABLE(reason=error.strerror or str(error), file=str(file))
        raise ConfigError((Problem(file.name, None, "", unreadable),)) from None
    if isinstance(parsed, Problem):
        raise ConfigError((parsed,))
    is_services = file == DEFAULT_FILE and not to_run
    return _judged(parsed, file.parent, service_account(_SERVICE_USER) if is_services else own_account())


def _judged(document: Document, folder: Path, writer: Account) -> StoreFile:
    problems = [
        *check_broker(document),
        *check_broker_files(document, folder),
        *_check(document, folder, writer),
    ]
    try:
        settings = validate(StoreFile, document.data)
    except ValidationError as error:
        problems += explain(document, StoreFile, error)
    if problems:
        raise ConfigError(tuple(sorted(problems, key=lambda problem: problem.line or 0)))
    return settings.model_copy(
        update={
            "broker": anchored_broker(settings.broker, folder),
            "sink": anchored_sink(settings.sink, folder),
        }
    )


def anchored_sink(
    sink: SqliteSettings | PostgresqlSettings, folder: Path
) -> SqliteSettings | PostgresqlSettings:
    """The settings with every path absolute or `credential:NAME`."""
    if isinstance(sink, SqliteSettings):
        return sink.model_copy(update={"file": anchored(sink.file, folder)})
    return sink.model_copy(update={"password_file": absolute(sink.password_file, folder)})


def _check(document: Document, folder: Path, writer: Account) -> Iterator[Problem]:
    """What must fit together, and what must be there."""
    group = document.value(("store", "group"))
    match document.value(("sink", "kind")):
        case "postgresql":
            sink = document.valid(("sink",), PostgresqlSettings)
            if sink and sink.password_file and (wrong := named_file(sink.password_file, folder)):
                yield document.problem(("sink", "password_file"), wrong)
            if sink and "@" in sink.url and ":" in sink.url.partition("://")[2].rpartition("@")[0]:
                yield document.problem(("sink", "url"), say.PASSWORD_IN_URL())
        case _:
            if group is not None:
                yield document.problem(("store", "group"), say.GROUP_NEEDS_POSTGRESQL(found=shown(group)))
            sqlite = document.valid(("sink",), SqliteSettings)
            if sqlite and (wrong := folder_to_write(sqlite.file.parent, folder, writer)):
                yield document.problem(("sink", "file"), wrong)
    if group is not None and document.value(("broker", "protocol")) == "mqtt311":
        yield document.problem(("store", "group"), say.GROUP_NEEDS_MQTT5(found=shown(group)))
