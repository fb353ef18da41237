"""Envelopes: every record gets its number, its predecessor on the topic, and its time, then its bytes."""

import hashlib
import json
from typing import Any, NamedTuple

from pydantic_core import to_json

from collector.clock import UtcClock
from collector.messages.descriptions import MetaContent
from collector.messages.envelope import CONTRACT_VERSION
from collector.messages.features import Features
from collector.messages.message import Message
from collector.messages.readings import Readings
from collector.messages.records import Record
from collector.times import iso8601

_MADE_OFTEN: dict[type[Record], dict[str, Any]] = {
    Features: {"kind": "features", "context": {}},
    Readings: {"kind": "readings", "reading": "summary"},
}
"""Records that are encoded without a check, and their fields that are always the same.

Each is made in one place, again and again, and checking costs as much as all the rest of encoding. Numbers
that are not finite become null all the same.
"""


class Moment(NamedTuple):
    """A moment for an envelope."""

    mono_us: int
    t_us: int
    sync: bool


class Numbering:
    """The numbers of one epoch; one for the whole gateway."""

    def __init__(self, epoch: str, boot: str) -> None:
        self._epoch = epoch
        self._boot = boot
        self._seq = 0
        self._last_on: dict[str, int] = {}

    @property
    def last_seq(self) -> int:
        """The last number given; 0 before the first."""
        return self._seq

    def message(
        self,
        kind: type[Record],
        topic: str,
        at: Moment,
        *,
        meta: str | None = None,
        retain: bool = False,
        boot: str | None = None,
        **fields: Any,
    ) -> Message:
        """Make the next record and encode it; `boot` is that of the moment, where it is not this one.

        Raises:
            pydantic.ValidationError: `fields` are not what the contract says; a bug of ours.
        """
        seq = self._seq + 1
        made_often = _MADE_OFTEN.get(kind)
        record = {
            **(made_often or {}),
            "v": CONTRACT_VERSION,
            "epoch": self._epoch,
            "seq": seq,
            "prev": self._last_on.get(topic),
            "meta": meta,
            "t_us": at.t_us,
            "t": iso8601(at.t_us),
            "sync": at.sync,
            "boot": boot or self._boot,
            "mono_us": at.mono_us,
            **fields,
        }
        payload = _checked(kind, record) if made_often is None else to_json(record, inf_nan_mode="null")
        self._seq = self._last_on[topic] = seq
        return Message(self._epoch, seq, topic, payload, at.t_us, at.sync, retain)


def _checked(kind: type[Record], record: dict[str, Any]) -> bytes:
    """A record's bytes, after it was compared with its model."""
    return kind(**record).model_dump_json().encode()


def moment(clock: UtcClock, monotonic_ns: int) -> Moment:
    """A moment on the monotonic clock, with UTC as it is known now."""
    return Moment(monotonic_ns // 1000, clock.utc_us(monotonic_ns), clock.synchronised)


def meta_hash(content: MetaContent) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of the content as canonical JSON (sorted keys)."""
    canonical = json.dumps(content.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]
