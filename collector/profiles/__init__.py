"""Lists of points of devices that people own, as data: one TOML file a profile, named as users write it.

Here is only what finds and reads them; what a profile's tables mean is decided by the source of its `kind`.
"""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

_SUFFIX = ".toml"


@cache
def _profiles() -> dict[str, dict[str, Any]]:
    """Every profile by its name."""
    found = (entry for entry in files(__name__).iterdir() if entry.name.endswith(_SUFFIX))
    read = {
        file.name.removesuffix(_SUFFIX): tomllib.loads(file.read_text(encoding="utf-8")) for file in found
    }
    return dict(sorted(read.items()))


def profile_names(kind: str | None = None) -> tuple[str, ...]:
    """The names of all profiles, or of those for one kind of source."""
    return tuple(name for name, data in _profiles().items() if kind is None or data["kind"] == kind)


def load_profile(name: str) -> dict[str, Any]:
    """The tables of a profile; each has `title` (what it is for), `kind` and `source` (where it comes from).

    Raises:
        KeyError: there is none of this name.
    """
    return _profiles()[name]
