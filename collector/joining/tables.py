"""The lines of a configuration that an enrolment asks for; pure: text in, text out.

Remarks, order and everything else of the text stay as they are.
"""

import tomllib
from collections.abc import Mapping
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

Wanted = Mapping[str, Mapping[str, Any]]
"""By table, a table in a table with a dot (`broker.tls`): what its keys shall be."""


def with_tables(text: str, wanted: Wanted) -> str | None:
    """The text with these keys set; None if it cannot be changed without touching anything else."""
    try:
        expected = _updated(tomllib.loads(text), wanted)
        document = tomlkit.parse(text)
        for name, keys in wanted.items():
            table: Any = document
            for part in name.split("."):
                if part not in table:
                    table[part] = tomlkit.table()
                table = table[part]
            for key, value in keys.items():
                table[key] = value
        changed = tomlkit.dumps(document)
        return changed if tomllib.loads(changed) == expected else None
    except (TOMLKitError, ValueError, TypeError, AttributeError):
        return None  # no TOML, or a table that is none


def as_text(wanted: Wanted) -> str:
    """The tables to paste."""
    return tomlkit.dumps(_updated({}, wanted))


def _updated(data: dict[str, Any], wanted: Wanted) -> dict[str, Any]:
    for name, keys in wanted.items():
        table = data
        for part in name.split("."):
            table = table.setdefault(part, {})
        table.update(keys)
    return data
