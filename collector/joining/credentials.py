"""The files that prove who one is, in one folder: the broker's authority, the certificate, its key.

A key that was made here is kept aside until its certificate comes; the one in use is not touched before.
"""

from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from collector.enrolment import Enrolment, Kind, fingerprint, make_request
from collector.errors import EnrolmentError
from collector.texts import enrolment as say
from collector.whole_file import write_whole

_REQUESTED_KEY = "requested.key"


@dataclass(frozen=True, slots=True)
class CredentialFiles:
    """Where the files of a member lie."""

    folder: Path
    stem: str
    """Of the names of certificate and key."""

    @property
    def authority(self) -> Path:
        """Who vouches for the broker."""
        return self.folder / "ca.pem"

    @property
    def certificate(self) -> Path:
        """The member's own."""
        return self.folder / f"{self.stem}.pem"

    @property
    def key(self) -> Path:
        """The key of the certificate."""
        return self.folder / f"{self.stem}.key"

    def other_than(self, enrolment: Enrolment) -> bool:
        """Whether another certificate than the enrolled one is in use."""
        try:
            return self.certificate.read_text(encoding="ascii") != enrolment.certificate
        except (OSError, ValueError):
            return False

    @property
    def requested_key(self) -> Path:
        """A key that waits for its certificate."""
        return self.folder / _REQUESTED_KEY


def files_of(kind: Kind, name: str, into: Path | None, config: Path) -> CredentialFiles:
    """Where a member's files lie: beside its configuration, or a researcher's in a folder of its name."""
    if kind == "researcher":
        return CredentialFiles((into or Path(name)).absolute(), name)
    folder = config.parent if config.suffix == ".toml" else config
    secrets = "secrets" if kind == "gateway" else "store-secrets"
    return CredentialFiles((into or folder / secrets).absolute(), kind)


def request_certificate(files: CredentialFiles, member: str) -> tuple[bytes, str]:
    """A request for a key that is made here and stays, and its fingerprint; asked again, the same key.

    Raises:
        EnrolmentError: the key cannot be kept.
    """
    try:
        content = files.requested_key.read_bytes()
    except FileNotFoundError:
        key = ec.generate_private_key(ec.SECP256R1())
        plain = serialization.NoEncryption()
        content = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        _make_folder(files.folder)
        _write(files.requested_key, content)
    except OSError as error:
        raise _unusable(files.requested_key, error) from error
    else:
        key = _key(content, files.requested_key)
    return make_request(member, key), fingerprint(key.public_key())


def install(enrolment: Enrolment, files: CredentialFiles) -> None:
    """Put what was enrolled in its place, readable by its owner alone.

    Raises:
        EnrolmentError: the certificate's key is not here, or the files cannot be written.
    """
    key = enrolment.key.encode() if enrolment.key is not None else _key_made_here(enrolment, files)
    _make_folder(files.folder)
    _write(files.key, key)
    _write(files.certificate, enrolment.certificate.encode())
    _write(files.authority, enrolment.authority.encode())
    files.requested_key.unlink(missing_ok=True)


def _key_made_here(enrolment: Enrolment, files: CredentialFiles) -> bytes:
    """The key that a certificate was requested for, or of a renewed one the key in use."""
    wanted = x509.load_pem_x509_certificate(enrolment.certificate.encode()).public_key()
    for file in (files.requested_key, files.key):
        try:
            content = file.read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise _unusable(file, error) from error
        if _key(content, file).public_key() == wanted:
            return content
    raise EnrolmentError(say.KEY_ELSEWHERE(folder=str(files.folder)))


def _key(content: bytes, file: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(content, password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise EnrolmentError(say.KEY_UNUSABLE(file=str(file)))
    return key


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(folder, error) from error


def _write(file: Path, content: bytes) -> None:
    try:
        write_whole(file, content)
    except OSError as error:
        raise _unusable(file, error) from error


def _unusable(file: Path, error: OSError) -> EnrolmentError:
    return EnrolmentError(say.FILE_UNUSABLE(file=str(file), reason=error.strerror or type(error).__name__))
