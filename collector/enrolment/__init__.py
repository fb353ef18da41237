"""How somebody joins the group: the file that the administrator seals, and the request for a certificate.

Both sides rely on this package alone. What an enrolment protects, and what not: docs/decisions/0035.
"""

from collector.enrolment.request import fingerprint, make_request, read_request
from collector.enrolment.sealed import Enrolment, Kind, member_of, new_secret, seal, unseal

__all__ = [
    "Enrolment",
    "Kind",
    "fingerprint",
    "make_request",
    "member_of",
    "new_secret",
    "read_request",
    "seal",
    "unseal",
]
