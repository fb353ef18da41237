"""The file that a new member of the group is given, and the secret that opens it.

The group's administrator seals it, whoever joins opens it. Keys and certificates are text here.
"""

import base64
import json
import secrets
from datetime import datetime
from typing import Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from pydantic import Field, ValidationError

from collector.errors import EnrolmentError
from collector.local_time import local_minute
from collector.settings import Settings
from collector.texts import enrolment as say

Kind = Literal["gateway", "ingester", "researcher"]

_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""None that is taken for another when it is read out or written down."""
_SECRET_LETTERS, _GROUP_LETTERS = 20, 4
_SALT_BYTES, _NONCE_BYTES, _KEY_BYTES = 16, 12, 32


class Enrolment(Settings):
    """All that a member needs to connect."""

    kind: Kind
    user: str
    """The name in the certificate: under it the broker knows the member."""
    company: str | None = None
    """Of a gateway."""
    gateway: str | None = None
    """Its name in the company."""
    companies: tuple[str, ...] = ()
    """Whose data a researcher may read."""
    stored: bool = False
    """Whether the group has a store, whose word a gateway can wait for."""
    share: str | None = None
    """Under which ingesters share the records; nobody else may know it."""
    root: str
    """Where all topics of the group begin."""
    host: str
    port: int
    authority: str
    """The certificate (PEM) of who vouches for the broker."""
    certificate: str
    """The member's own (PEM)."""
    key: str | None
    """The certificate's key (PEM), unless it was made where it is used and has never left."""

    @property
    def name(self) -> str:
        """What people call the member: `works/gw1` of a gateway."""
        return self.user.partition("@")[0] if self.gateway is None else f"{self.company}/{self.gateway}"


class _Sealed(Settings):
    """The file. What is readable in it cannot be changed without the secret either."""

    collector_enrolment: Literal[1] = 1
    member: str = Field(max_length=200)
    """Whose it is, for people."""
    expires: datetime
    salt: str
    nonce: str
    sealed: str

    def readable(self) -> bytes:
        """What the seal covers without hiding it."""
        return f"{self.collector_enrolment}\n{self.member}\n{self.expires.isoformat()}".encode()


def new_secret() -> str:
    """A secret of 98 bits to be told by another way than the file, such as by phone."""
    drawn = "".join(secrets.choice(_LETTERS) for _ in range(_SECRET_LETTERS))
    groups = (drawn[i : i + _GROUP_LETTERS] for i in range(0, _SECRET_LETTERS, _GROUP_LETTERS))
    return "-".join(groups)


def seal(enrolment: Enrolment, member: str, secret: str, expires: datetime) -> bytes:
    """The file's content, which only `secret` opens, and only until it expires."""
    salt, nonce = secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(_NONCE_BYTES)
    head = _Sealed(member=member, expires=expires, salt=_text(salt), nonce=_text(nonce), sealed="")
    sealed = AESGCM(_key(secret, salt)).encrypt(nonce, enrolment.model_dump_json().encode(), head.readable())
    whole = head.model_copy(update={"sealed": _text(sealed)})
    return whole.model_dump_json(indent=1).encode() + b"\n"


def unseal(content: bytes, secret: str, now: datetime) -> Enrolment:
    """What was sealed.

    Raises:
        EnrolmentError: it is no such file, it was changed, the secret is another, or it has expired.
    """
    sealed = _read(content)
    if now >= sealed.expires:
        raise EnrolmentError(say.EXPIRED(member=sealed.member, date=local_minute(sealed.expires)))
    try:
        salt, nonce, hidden = (base64.b64decode(part) for part in (sealed.salt, sealed.nonce, sealed.sealed))
        plain = AESGCM(_key(secret, salt)).decrypt(nonce, hidden, sealed.readable())
    except (InvalidTag, ValueError):
        raise EnrolmentError(say.WRONG_SECRET(member=sealed.member)) from None
    try:
        return Enrolment.model_validate_json(plain)
    except ValidationError:
        raise EnrolmentError(say.NEWER(member=sealed.member)) from None


def member_of(content: bytes) -> str:
    """Whose enrolment a file is, as far as it says so without the secret.

    Raises:
        EnrolmentError: it is no such file.
    """
    return _read(content).member


def _read(content: bytes) -> _Sealed:
    try:
        return _Sealed.model_validate(json.loads(content))
    except (ValueError, RecursionError):
        raise EnrolmentError(say.NO_ENROLMENT()) from None


def _key(secret: str, salt: bytes) -> bytes:
    """Slow on purpose, though a drawn secret is too long to be guessed."""
    letters = "".join(letter for letter in secret.upper() if letter in _LETTERS)
    return Scrypt(salt=salt, length=_KEY_BYTES, n=1 << 14, r=8, p=1).derive(letters.encode())


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
