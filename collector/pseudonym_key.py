"""The file with the key that pseudonyms are made with: made at first use, or carried from another gateway.

What the key is for is in sharing.py.
"""

import secrets
from pathlib import Path

from collector.errors import SourceError
from collector.settings import CredentialPath, Settings, credential_path
from collector.texts import points as say
from collector.whole_file import write_whole

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
                write_whole(self._file, f"{secrets.token_hex(_BYTES)}\n".encode())
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
