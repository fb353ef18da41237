"""What of a point leaves the gateway: nothing, a pseudonym, or the value as it is; pure.

It is applied to every reading as soon as it arrives, so that nothing behind it (records, context, status,
log, outbox) ever holds what must stay. Where the key comes from is in pseudonym_key.py.
"""

import base64
import hashlib
import hmac
import unicodedata
from collections.abc import Callable

from collector.points import Point, PointKind, Reading, Share

PSEUDONYM_LENGTH = 12
"""Characters of a pseudonym, of 5 bits each: any two of a million names share one with a chance of 4e-7."""

_USUAL: dict[PointKind, Share] = {
    PointKind.NUMBER: "plain",
    PointKind.STATE: "plain",
    PointKind.TEXT: "none",
}


def share_of(point: Point) -> Share:
    """How a point is shared: as configured; else texts stay, and numbers and states leave.

    A number cannot be replaced by a name: where a pseudonym is asked for one, it stays.
    """
    if point.share is None:
        return _USUAL[point.kind]
    return "none" if point.share == "pseudonym" and point.kind is PointKind.NUMBER else point.share


def pseudonym(key: bytes, text: str) -> str:
    """A short name for a text, the same for the same key and text, that tells nothing without the key.

    The first 60 bits of HMAC-SHA256 (RFC 2104) of the text in Unicode's normal form C, in base32 (RFC 4648).
    """
    digest = hmac.digest(
        key, unicodedata.normalize("NFC", text).encode("utf-8", "surrogatepass"), hashlib.sha256
    )
    return base64.b32encode(digest)[:PSEUDONYM_LENGTH].decode("ascii").lower()


def leaving(point: Point, reading: Reading, key: Callable[[], bytes]) -> Reading | None:
    """What may leave of a reading; None where nothing may.

    Raises:
        CollectorError: a pseudonym is needed, and `key` cannot give the key.
    """
    match share_of(point):
        case "plain":
            return reading
        case "pseudonym" if reading.value is None:
            return reading._replace(detail="")
        case "pseudonym":
            return reading._replace(value=pseudonym(key(), str(reading.value)), detail="")
        case _:
            return None
