"""A request for a certificate: the key is made where it will be used and never leaves; this is what is sent.

There is nothing secret in a request. Whose it is, is told by its fingerprint, which comes by another way.
"""

import base64
import hashlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from collector.errors import EnrolmentError
from collector.texts import enrolment as say

_LEAST_BITS = 256
_FINGERPRINT_BYTES, _GROUP_LETTERS = 10, 4


def make_request(member: str, key: ec.EllipticCurvePrivateKey) -> bytes:
    """A request (PKCS #10, PEM) for the public half of a key."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, member[:64])])
    request = x509.CertificateSigningRequestBuilder(subject).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM)


def read_request(content: bytes) -> ec.EllipticCurvePublicKey:
    """The key of a request, whose sender has shown to own it. The name in it counts for nothing.

    Raises:
        EnrolmentError: it is none.
    """
    try:
        request = x509.load_pem_x509_csr(content)
        key = request.public_key()
    except ValueError:
        raise EnrolmentError(say.NO_REQUEST()) from None
    if (
        not request.is_signature_valid
        or not isinstance(key, ec.EllipticCurvePublicKey)
        or key.curve.key_size < _LEAST_BITS
    ):
        raise EnrolmentError(say.NO_REQUEST())
    return key


def fingerprint(key: ec.EllipticCurvePublicKey) -> str:
    """80 bits of SHA-256 of a public key, to be read out."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    digest = hashlib.sha256(key.public_bytes(serialization.Encoding.DER, form)).digest()
    letters = base64.b32encode(digest[:_FINGERPRINT_BYTES]).decode()
    return "-".join(letters[i : i + _GROUP_LETTERS] for i in range(0, len(letters), _GROUP_LETTERS))
