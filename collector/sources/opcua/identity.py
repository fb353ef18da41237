"""Who the user is to a server: a name with a password, a certificate, or nobody in particular.

It loads asyncua, so it is imported only by what is connected.
"""

from collections.abc import Callable
from typing import TypeVar

from asyncua import Client
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from collector.errors import SourceError
from collector.settings import CredentialPath, credential_path
from collector.sources.opcua.settings import ConnectionSettings
from collector.texts import opcua as say

_T = TypeVar("_T")


def identify(client: Client, settings: ConnectionSettings) -> None:
    """Say who the user is; files are read afresh, so that the next connection uses a new password.

    Raises:
        SourceError: a file cannot be read or used.
    """
    if settings.user is not None:
        client.set_user(settings.user)
        if settings.password_file is not None:
            client.set_password(_text(settings.password_file).strip("\r\n"))
    elif settings.user_certificate_file is not None and settings.user_key_file is not None:
        client.user_certificate = _parsed(settings.user_certificate_file, x509.load_pem_x509_certificate)
        client.user_private_key = _parsed(settings.user_key_file, _rsa_key)


def _rsa_key(data: bytes) -> rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key(data, password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("this is no RSA key")  # noqa: TRY004 (the file's content, not an argument's type)
    return key


def _text(file: CredentialPath) -> str:
    return _parsed(file, lambda data: data.decode())


def _parsed(file: CredentialPath, parse: Callable[[bytes], _T]) -> _T:
    try:
        return parse(credential_path(file).read_bytes())
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SourceError(say.SECRET_UNREADABLE(file=file, reason=reason)) from error
    except (ValueError, TypeError) as error:  # TypeError: a key that wants a passphrase
        raise SourceError(say.SECRET_UNUSABLE(file=file, reason=str(error))) from error
