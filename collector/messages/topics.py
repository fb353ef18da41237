"""Where each kind of record goes: `<root>/<company>/<gateway>/<machine>/<stream>/<kind>`."""

from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["meta", "features", "readings", "event"]

GATEWAY_MACHINE = "gateway"
GATEWAY_STREAM = "daemon"
"""Events of the gateway itself stand where a machine called `gateway` would have its stream `daemon`."""

STATE_STREAM = "state"
"""The stream of what a machine is doing; no waveform or controller may be called so."""

RECEIPT = "receipt"
"""Stands where a company's name would: no company may be called so, or it could write receipts."""


@dataclass(frozen=True, slots=True)
class StreamTopic:
    """What a stream's topic says; company and gateway are what the broker's access list checked."""

    company: str
    gateway: str
    machine: str
    stream: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one gateway."""

    root: str
    company: str
    gateway: str

    def of(self, machine: str, stream: str, kind: Kind) -> str:
        """The topic of one kind of record of a stream."""
        return f"{self.root}/{self.company}/{self.gateway}/{machine}/{stream}/{kind}"

    @property
    def status(self) -> str:
        """The topic of the gateway's retained status and last will."""
        return f"{self.root}/{self.company}/{self.gateway}/status"

    @property
    def receipt(self) -> str:
        """The topic on which the store tells this gateway what it has."""
        return f"{self.root}/{RECEIPT}/{self.company}/{self.gateway}"

    @property
    def gateway_event(self) -> str:
        """The topic of events that concern the whole gateway."""
        return self.of(GATEWAY_MACHINE, GATEWAY_STREAM, "event")


def parse_topic(topic: str, root: str) -> StreamTopic | None:
    """Read a stream's topic under a root; None for any other topic."""
    prefix = f"{root}/"
    levels = topic.removeprefix(prefix).split("/")
    if not topic.startswith(prefix) or len(levels) != 5 or levels[4] not in get_args(Kind):
        return None
    company, gateway, machine, stream, kind = levels
    return StreamTopic(company, gateway, machine, stream, kind)  # type: ignore[arg-type]
