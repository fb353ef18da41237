"""When certificates end, and what to say about it in time; knows no clock."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from collector.texts import Sentence
from collector.texts import broker as say

WARN_BEFORE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Ends:
    """The ends of the certificates of a connection, where there are any."""

    own: datetime | None = None
    brokers: datetime | None = None

    def warning(self, now: datetime) -> Sentence | None:
        """What to say about the end that comes first, from 30 days before; else None."""
        texts = ((self.own, say.CERTIFICATE_ENDS), (self.brokers, say.BROKERS_CERTIFICATE_ENDS))
        near = [(end, text) for end, text in texts if end is not None and end - now <= WARN_BEFORE]
        if not near:
            return None
        end, text = min(near, key=lambda pair: pair[0])
        return text(days=max(0, (end - now).days), date=f"{end:%Y-%m-%d}")


def end_of(peer: dict[str, Any] | None) -> datetime | None:
    """The end of the certificate that the other side showed, as Python's ssl tells it."""
    if not peer or "notAfter" not in peer:
        return None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(peer["notAfter"]), UTC)
