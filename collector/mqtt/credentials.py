"""The files that prove who we are, and who the broker is: password, certificates, key."""

import ssl
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from collector.errors import BrokerError
from collector.mqtt.settings import BrokerSettings, TlsSettings
from collector.settings import CredentialPath, credential_path
from collector.texts import broker as say


@dataclass(frozen=True, slots=True)
class Credentials:
    """What was read; `tls` is None for a connection without TLS."""

    password: str | None
    tls: ssl.SSLContext | None
    until: datetime | None
    """The end of our own certificate, if we have one."""


def read_credentials(settings: BrokerSettings) -> Credentials:
    """Read them afresh, so that a renewed certificate is used from the next connection on.

    Raises:
        BrokerError: a file cannot be read or used.
    """
    return Credentials(
        read_password(settings.password_file) if settings.password_file is not None else None,
        _tls_context(settings.tls) if settings.tls is not None else None,
        _end(settings.tls.cert_file) if settings.tls is not None and settings.tls.cert_file else None,
    )


def read_password(path: CredentialPath) -> str:
    """The password in a file.

    Raises:
        BrokerError: the file cannot be read.
    """
    try:
        return _readable(path).read_text(encoding="utf-8").strip("\r\n")
    except UnicodeDecodeError as error:
        raise BrokerError(say.PASSWORD_NOT_TEXT(file=path)) from error


def _tls_context(settings: TlsSettings) -> ssl.SSLContext:
    """A context that checks the broker's certificate and name, TLS 1.2 or later."""
    authorities = _readable(settings.ca_file) if settings.ca_file is not None else None
    try:
        context = ssl.create_default_context(cafile=authorities)
    except ssl.SSLError as error:
        raise BrokerError(say.CA_FILE(file=str(settings.ca_file))) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.cert_file is not None:
        certificate = _readable(settings.cert_file)
        key = _readable(settings.key_file) if settings.key_file is not None else None
        try:
            # With a password given, a key that needs one is an error, and not a question on the terminal.
            context.load_cert_chain(certificate, key, password="")
        except ssl.SSLError as error:
            file, of = settings.cert_file, settings.key_file or settings.cert_file
            raise BrokerError(say.CERT_FILES(file=file, key_file=of)) from error
    return context


def _end(path: CredentialPath) -> datetime | None:
    """When a certificate that can be used ends."""
    from cryptography import x509  # noqa: PLC0415 (8 MiB, which only those with a certificate need)

    try:
        return x509.load_pem_x509_certificate(_readable(path).read_bytes()).not_valid_after_utc
    except ValueError:
        return None  # OpenSSL reads more than this library


def _readable(path: CredentialPath) -> Path:
    """The file of a path, which can be opened."""
    file = credential_path(path)
    try:
        with file.open("rb"):
            return file
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise BrokerError(say.SECRET_UNREADABLE(file=path, reason=reason)) from error
