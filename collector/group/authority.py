"""The group's certificate authorities: making them, what they sign, and what they take back.

Nothing here knows who belongs to the group, or where files lie.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = timedelta(days=20 * 365)
"""Of an authority; its end is the end of every certificate that it signed."""
_BACKDATED = timedelta(days=1)
"""Certificates hold from the day before on: clocks of a group differ."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority of its own, with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def certificate_pem(self) -> bytes:
        """Its own certificate, which tells others whom to trust."""
        return to_pem(self.certificate)

    @property
    def key_pem(self) -> bytes:
        """Its key. Whoever has it can be anybody."""
        return key_to_pem(self.key)


def new_authority(name: str, now: datetime) -> Authority:
    """A new authority that signs end certificates only."""
    key = new_key()
    subject = _name(name)
    builder = _builder(subject, subject, key.public_key(), now, now + LIFETIME)
    certificate = (
        builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key)


def read_authority(certificate_pem: bytes, key_pem: bytes) -> Authority:
    """An authority from its two files.

    Raises:
        ValueError: they are none.
    """
    key = serialization.load_pem_private_key(key_pem, password=None)
    certificate = x509.load_pem_x509_certificate(certificate_pem)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise ValueError("the key belongs to another certificate")
    return Authority(certificate, key)


def issue_client(
    authority: Authority, user: str, key: ec.EllipticCurvePublicKey, now: datetime, until: datetime
) -> x509.Certificate:
    """A certificate with which a member connects under the name `user`."""
    builder = _issued(authority, user, key, now, until)
    purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    return builder.add_extension(purpose, critical=False).sign(authority.key, hashes.SHA256())


def issue_server(
    authority: Authority, hosts: Sequence[str], key: ec.EllipticCurvePublicKey, now: datetime, until: datetime
) -> x509.Certificate:
    """A certificate for a server that is reached under these names and addresses."""
    builder = _issued(authority, hosts[0][:64], key, now, until)
    purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
    return (
        builder.add_extension(purpose, critical=False)
        .add_extension(names, critical=False)
        .sign(authority.key, hashes.SHA256())
    )


def revocation_list(authority: Authority, revoked: Iterable[tuple[int, datetime]], made: datetime) -> bytes:
    """The list of certificates taken back, by serial number, as PEM.

    It never runs out while the authority holds: a list that does would lock the whole group out. A running
    mosquitto keeps the old list beside the new, and OpenSSL takes the one whose `made` is later.
    """
    end = authority.certificate.not_valid_after_utc
    builder = x509.CertificateRevocationListBuilder(authority.certificate.subject, made, end)
    for serial, when in revoked:
        entry = x509.RevokedCertificateBuilder(serial, when).build()
        builder = builder.add_revoked_certificate(entry)
    key_identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    number = x509.CRLNumber(int(made.timestamp()))
    signed = (
        builder.add_extension(key_identifier, critical=False)
        .add_extension(number, critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    return signed.public_bytes(serialization.Encoding.PEM)


def new_key() -> ec.EllipticCurvePrivateKey:
    """A new private key (NIST P-256)."""
    return ec.generate_private_key(ec.SECP256R1())


def key_to_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A private key as its file holds it, without a passphrase."""
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)


def to_pem(certificate: x509.Certificate) -> bytes:
    """A certificate as its file holds it."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def is_host(text: str) -> bool:
    """Whether a certificate can be made out to this name or address."""
    try:
        _general_name(text)
    except ValueError:
        return False
    return True


def _issued(
    authority: Authority, name: str, key: ec.EllipticCurvePublicKey, now: datetime, until: datetime
) -> x509.CertificateBuilder:
    issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    until = min(until, authority.certificate.not_valid_after_utc)
    return (
        _builder(_name(name), authority.certificate.subject, key, now, until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(issuer_key, critical=False)
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, until: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder(issuer, subject, key, x509.random_serial_number())
        .not_valid_before(min(now, until) - _BACKDATED)
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(host: str) -> x509.GeneralName:
    """A name or an address; ValueError if it is neither."""
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        labels = host.split(".")
        if not all(label and label.strip("-") == label and _is_label(label) for label in labels):
            raise ValueError(f"no host: {host}") from None
        return x509.DNSName(host)


def _is_label(label: str) -> bool:
    return label.isascii() and label.replace("-", "").isalnum()
