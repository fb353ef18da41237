"""What must fit together in the table `[broker]` of a file, and whether the files that it names are there."""

from collections.abc import Iterator
from pathlib import Path

from collector.dialling import may_be_host
from collector.mqtt.settings import BrokerSettings, TlsSettings
from collector.texts import configuration as texts
from collector.toml.belonging import belongs, belongs_both_ways
from collector.toml.document import Document
from collector.toml.named_files import absolute, named_file
from collector.toml.problems import Problem, shown
from collector.toml.toml_lines import TomlPath

_TLS_FILES = ("ca_file", "cert_file", "key_file")


def check_broker(document: Document) -> Iterator[Problem]:
    """What must fit together; pure."""
    broker = document.valid(("broker",), BrokerSettings)
    if broker:
        if not may_be_host(broker.host):
            found = shown(broker.host.rpartition("@")[2])  # before an @ may stand a password
            yield document.problem(("broker", "host"), texts.HOST(found=found))
        yield from belongs(document, ("broker",), "password_file", "user")
    if document.valid(("broker", "tls"), TlsSettings):
        yield from belongs_both_ways(document, ("broker", "tls"), "cert_file", "key_file")


def check_broker_files(document: Document, folder: Path) -> Iterator[Problem]:
    """Whether password and certificates are there; relative paths count from `folder`."""
    broker = document.valid(("broker",), BrokerSettings)
    tls = document.valid(("broker", "tls"), TlsSettings)
    named: list[tuple[TomlPath, str | None]] = []
    if broker:
        named.append((("broker", "password_file"), broker.password_file))
    if tls:
        named += [(("broker", "tls", key), getattr(tls, key)) for key in _TLS_FILES]
    for path, file in named:
        sentence = named_file(file, folder) if file else None
        if sentence:
            yield document.problem(path, sentence)


def anchored_broker(broker: BrokerSettings, folder: Path) -> BrokerSettings:
    """The settings with every path absolute or `credential:NAME`."""
    tls = broker.tls and broker.tls.model_copy(
        update={key: absolute(getattr(broker.tls, key), folder) for key in _TLS_FILES}
    )
    return broker.model_copy(update={"tls": tls, "password_file": absolute(broker.password_file, folder)})
