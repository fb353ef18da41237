"""The file with the key that pseudonyms are made with: made at first use, or carried from another gateway.

What the key is for is in sharing.py.
"""

import os
import secrets
from pathlib import Path

from collector.errors import SourceError
from collector.settings import CredentialPath, Settings, credential_path
from collector.texts import points as say

FILE_NAME = "pseudonym.key"
_BYTES = 32


class SharingSettings(Settings):
    """How names of programs, tools and jobs become pseudonyms."""

    key_file: CredentialPath | None = None
    """The key, copied from another gateway of the company, so that both give the same pseudonyms. Without it,
    a key of this gateway's own is made."""


class PseudonymKey:
    """The key, read or made when it is first needed."""

    def __init__(self, settings: SharingSettings, state_folder: Path) -> None:
        self._own = settings.key_file is None
        self._file = (
            state_folder / FILE_NAME if settings.key_file is None else credential_path(settings.key_file)
        )
        self._key: bytes | None = None

    def __call__(self) -> bytes:
        """The key.

        Raises:
            SourceError: its file cannot be read or made, or is no key.
        """
        if self._key is None:
            self._key = self._read()
        return self._key

    def _read(self) -> bytes:
        try:
            if self._own and not self._file.exists():
                _make(self._file)
            text = self._file.read_text(encoding="ascii").strip()
        except (OSError, ValueError) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
            raise SourceError(say.KEY_UNUSABLE(file=str(self._file), reason=reason)) from error
        try:
            key = bytes.fromhex(text)
        except ValueError:
            key = b""
        if len(key) != _BYTES:
            raise SourceError(say.KEY_DAMAGED(file=str(self._file)))
        return key


def _make(file: Path) -> None:
    """Write a new key beside its place and move it there whole, so that a power cut leaves it or nothing."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_suffix(".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as opened:
        opened.write(secrets.token_hex(_BYTES) + "\n")
        opened.flush()
        os.fsync(opened.fileno())
    new.replace(file)
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
