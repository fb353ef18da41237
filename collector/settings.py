"""The strict model that every part's settings build on, and the few value types they share.

Each part declares its own settings beside the code that uses them; `config/` only puts them together.
Nothing here reads a file.
"""

import os
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field

from collector.described import Described

NAME = "^[a-z0-9-]+$"
Name = Annotated[str, Field(pattern=NAME, min_length=1, max_length=64)]
"""A name that becomes one level of an MQTT topic: small letters, digits and hyphens."""

PointPath = Annotated[str, Field(pattern=r"^[a-z0-9-]+/[a-z0-9-]+$", max_length=129)]
"""A point by `controller/point`."""

PositiveFinite = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class Settings(Described):
    """A table of the configuration: unknown keys are refused, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


CredentialPath = Annotated[str, Field(min_length=1)]
"""A file's path, or `credential:NAME` for a systemd credential (LoadCredential=)."""


def credential_path(path: CredentialPath) -> Path:
    """The file that a `CredentialPath` means.

    Outside systemd a `credential:NAME` resolves to `NAME` in no folder, which does not exist.
    """
    kind, _, name = path.rpartition(":")
    if kind != "credential":
        return Path(path)
    return Path(os.environ.get("CREDENTIALS_DIRECTORY", "/nonexistent")) / name
