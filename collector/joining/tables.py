"""Setting keys in a TOML text that people wrote; pure: text in, text out.

Remarks, order and everything else of the text stay as they are.
"""

import tomllib
from collections.abc import Mapping
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

Keys = Mapping[tuple[str, ...], Any]
"""Values by path, as in `("broker", "tls", "ca_file")`."""


def with_keys(text: str, wanted: Keys) -> str | None:
    """The text with these keys set; None if it cannot be changed without touching anything else."""
    try:
        expected = _set(tomllib.loads(text), wanted, dict)
        changed = tomlkit.dumps(_set(tomlkit.parse(text), wanted, tomlkit.table))
        return changed if tomllib.loads(changed) == expected else None
    except (TOMLKitError, ValueError, TypeError, AttributeError):
        return None  # no TOML, or what should be a table is none


def as_text(wanted: Keys) -> str:
    """The keys as lines to paste."""
    return tomlkit.dumps(_set(tomlkit.document(), wanted, tomlkit.table))


def value_at(text: str, path: tuple[str, ...]) -> Any:
    """The value of a key; None where there is none, or no TOML."""
    try:
        value: Any = tomllib.loads(text)
        for part in path:
            value = value[part]
    except (ValueError, LookupError, TypeError):
        return None
    return value


def _set(document: Any, wanted: Keys, new_table: Any) -> Any:
    for (*tables, key), value in wanted.items():
        table = document
        for name in tables:
            if name not in table:
                table[name] = new_table()
            table = table[name]
        table[key] = value
    return document
