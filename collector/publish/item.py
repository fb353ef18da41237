"""What is sent: a record of the outbox, or an announcement, which the broker keeps."""

from typing import NamedTuple

from collector.outbox import Key, Outgoing


class Item(NamedTuple):
    """One publish; an announcement has no key."""

    topic: str
    payload: bytes
    retain: bool
    late: bool = False
    key: Key | None = None

    @property
    def size_bytes(self) -> int:
        """The bytes of topic and payload."""
        return len(self.topic.encode()) + len(self.payload)


def record(outgoing: Outgoing) -> Item:
    """A record that the outbox gave.

    Never retained: what the broker keeps is announced, and an old description must not take its place.
    """
    message = outgoing.message
    key = (message.epoch, message.seq)
    return Item(message.topic, message.payload, retain=False, late=outgoing.late, key=key)


def announcement(topic: str, payload: bytes) -> Item:
    """What the broker shall keep on a topic; an empty payload has it forget what it keeps."""
    return Item(topic, payload, retain=True)
