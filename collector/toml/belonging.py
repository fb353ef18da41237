"""Keys that mean something only beside another one; pure."""

from collections.abc import Iterator

from collector.texts import toml as texts
from collector.toml.document import Document
from collector.toml.problems import Problem
from collector.toml.toml_lines import TomlPath

_BESIDE = {
    "envelope": "{ low_hz = 2000, high_hz = 6000 }",
    "user": '"example-works"',
    "cert_file": '"/etc/collector/gateway.pem"',
    "key_file": '"/etc/collector/gateway.key"',
    "counter_column": "1",
    "counter_modulus": "65536",
    "time_column": "1",
    "time_unit_s": "0.001",
}
"""What may be typed for the key that is missing."""


def belongs(document: Document, table: TomlPath, key: str, other: str) -> Iterator[Problem]:
    """A problem if `key` is there without `other`."""
    if document.value((*table, key)) is not None and document.value((*table, other)) is None:
        sentence = texts.BELONGS_TOGETHER(key=key, other=other, example=_BESIDE[other])
        yield document.problem((*table, key), sentence)


def belongs_both_ways(document: Document, table: TomlPath, one: str, other: str) -> Iterator[Problem]:
    """A problem if one of two keys is there without the other."""
    yield from belongs(document, table, one, other)
    yield from belongs(document, table, other, one)
