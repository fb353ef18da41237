"""Certificates: the gateway's own, made once and kept, and the servers' that staff have said to trust.

Nothing is trusted by being met. It loads the library cryptography, so it is imported only where needed.
"""

import re
import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from collector.clock import Clock
from collector.errors import SourceError
from collector.texts import Sentence
from collector.texts import opcua as say
from collector.whole_file import write_whole

OWN_FILE = "collector.der"
KEY_FILE = "collector.key"
WARN_BEFORE = timedelta(days=30)
_VALID_FOR = timedelta(days=5 * 365)
_NO_EARLIER = datetime(2025, 1, 1, tzinfo=UTC)
"""A clock that shows less was never set: a certificate made now would have expired long ago."""


@dataclass(frozen=True, slots=True)
class OwnCertificate:
    """The gateway's own certificate; `application_uri` is the name that it is made out to."""

    der: bytes
    key_pem: bytes
    application_uri: str
    expires: datetime


def own_certificate(folder: Path, clock: Clock) -> OwnCertificate:
    """Read the gateway's own certificate, or make it if there is none; may take a second.

    Raises:
        SourceError: it cannot be used or made, or the clock is not set.
    """
    certificate_file, key_file = folder / OWN_FILE, folder / KEY_FILE
    if not certificate_file.exists() and not key_file.exists():
        if _now(clock) < _NO_EARLIER:
            raise SourceError(say.CLOCK_NOT_SET())
        _make(folder, _now(clock))
    try:
        der, key_pem = certificate_file.read_bytes(), key_file.read_bytes()
        certificate = x509.load_der_x509_certificate(der)
        key = serialization.load_pem_private_key(key_pem, password=None)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uri = names.get_values_for_type(x509.UniformResourceIdentifier)[0]
        if key.public_key() != certificate.public_key():
            raise SourceError(
                say.OWN_UNREADABLE(folder=str(folder), reason="the two files do not belong together")
            )
    except (OSError, ValueError, TypeError, LookupError, x509.ExtensionNotFound) as error:
        raise SourceError(say.OWN_UNREADABLE(folder=str(folder), reason=_reason(error))) from error
    return OwnCertificate(der, key_pem, uri, certificate.not_valid_after_utc)


def expiry(folder: Path, clock: Clock) -> Sentence | None:
    """What to say about the end of the gateway's own certificate, from 30 days before; else None."""
    try:
        expires = x509.load_der_x509_certificate((folder / OWN_FILE).read_bytes()).not_valid_after_utc
    except (OSError, ValueError):
        return None  # there is none yet; or it is unusable, which connecting tells
    left = expires - _now(clock)
    if left > WARN_BEFORE:
        return None
    if left < timedelta(0):
        return say.OWN_EXPIRED(date=f"{expires:%Y-%m-%d}", folder=str(folder))
    return say.OWN_EXPIRES(days=left.days, date=f"{expires:%Y-%m-%d}", folder=str(folder))


def fingerprint(der: bytes) -> str:
    """SHA-256 of a certificate, as controllers and browsers show it."""
    return x509.load_der_x509_certificate(der).fingerprint(hashes.SHA256()).hex(":").upper()


def pin(url: str, der: bytes, folder: Path) -> Path:
    """Trust this certificate of a server from now on, and no other; gives the file that says so.

    Raises:
        SourceError: the folder cannot be written, or this is no certificate.
    """
    try:
        x509.load_der_x509_certificate(der)
    except ValueError as error:
        raise SourceError(say.CERTIFICATE_UNREADABLE(url=url, reason=_reason(error))) from error
    file = _pin_file(url, folder)
    _write(file, der, 0o644)
    return file


def pinned(url: str, folder: Path) -> bytes | None:
    """The certificate that is trusted for a server, if there is one.

    Raises:
        SourceError: its file cannot be read.
    """
    try:
        return _pin_file(url, folder).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SourceError(say.SECRET_UNREADABLE(file=str(error.filename), reason=_reason(error))) from error


def refusal(url: str, served: bytes, trusted: bytes | None, clock: Clock) -> Sentence | None:
    """Why a server's certificate must not be used; None if it may be.

    A clock that is not set is behind, so that it cannot tell that a certificate is not valid yet.
    """
    try:
        certificate = x509.load_der_x509_certificate(served)
    except ValueError as error:
        return say.CERTIFICATE_UNREADABLE(url=url, reason=_reason(error))
    if trusted is None:
        return say.NOT_TRUSTED(url=url, fingerprint=fingerprint(served))
    if served != trusted:
        return say.CHANGED(url=url, fingerprint=fingerprint(served))
    if certificate.not_valid_after_utc < _now(clock):
        return say.EXPIRED(url=url, date=f"{certificate.not_valid_after_utc:%Y-%m-%d}")
    if clock.synchronised() and _now(clock) < certificate.not_valid_before_utc:
        return say.NOT_YET_VALID(url=url, date=f"{certificate.not_valid_before_utc:%Y-%m-%d}")
    return None


def _make(folder: Path, now: datetime) -> None:
    """A self-signed certificate as OPC 10000-6, 6.2.2 wants it for applications."""
    host = re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname()) or "gateway"
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"collector {host}"[:64])])
    uri = x509.UniformResourceIdentifier(f"urn:{host}:collector")
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=True,
        data_encipherment=True,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _VALID_FOR)
        .add_extension(x509.SubjectAlternativeName([uri, x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write(folder / KEY_FILE, pem, 0o600)
    _write(folder / OWN_FILE, certificate.public_bytes(serialization.Encoding.DER), 0o644)


def _write(file: Path, data: bytes, mode: int) -> None:
    try:
        write_whole(file, data, mode)
    except OSError as error:
        raise SourceError(say.OWN_UNWRITABLE(folder=str(file.parent), reason=_reason(error))) from error


def _pin_file(url: str, folder: Path) -> Path:
    """One file for host and port: what else stands in a URL makes it no other server."""
    address = urlsplit(url)
    host = re.sub(r"[^a-z0-9.-]", "_", (address.hostname or "").lower())
    return folder / "trusted" / f"{host}-{address.port or 4840}.der"


def _now(clock: Clock) -> datetime:
    return datetime.fromtimestamp(clock.utc_ns() / 1e9, UTC)


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
