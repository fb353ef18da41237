"""The topics that the broker refuses on one connection, and which item of each is tried again when."""

import asyncio
from collections.abc import Callable, Iterator, KeysView
from dataclasses import dataclass

import structlog

from collector.publish.item import Item
from collector.texts import Sentence

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why a topic is held back, and the item that is tried again when the timer ends."""

    reason: Sentence
    item: Item
    timer: asyncio.TimerHandle


class Refusals:
    """By topic; after `again_s` the first item that met the refusal is given to `try_again`."""

    def __init__(self, again_s: float, try_again: Callable[[Item], None]) -> None:
        self._again_s = again_s
        self._try_again = try_again
        self._by_topic: dict[str, _Refusal] = {}

    def __contains__(self, topic: str) -> bool:
        return topic in self._by_topic

    @property
    def topics(self) -> KeysView[str]:
        """Those that are refused now."""
        return self._by_topic.keys()

    @property
    def reasons(self) -> Iterator[Sentence]:
        """What the broker says of them."""
        return (refusal.reason for refusal in self._by_topic.values())

    def refused(self, item: Item, reason: Sentence) -> bool:
        """The broker refuses an item; False where another one of its topic is the one to be tried again."""
        held = self._by_topic.get(item.topic)
        if held is None:
            log.warning("broker.refused", topic=item.topic, code=reason.code, reason=str(reason))
        elif held.item.key != item.key:
            return False
        else:
            held.timer.cancel()
        timer = asyncio.get_running_loop().call_later(self._again_s, self._try_again, item)
        self._by_topic[item.topic] = _Refusal(reason, item, timer)
        return True

    def end(self, topic: str) -> Item | None:
        """Hold a topic back no longer; returns what was to be tried again, None where it was not held."""
        refusal = self._by_topic.pop(topic, None)
        if refusal is None:
            return None
        refusal.timer.cancel()
        return refusal.item

    def announced(self, topic: str) -> bool:
        """Whether it is an announcement that is to be tried again."""
        refusal = self._by_topic.get(topic)
        return refusal is not None and refusal.item.key is None

    def close(self) -> None:
        """Try nothing again."""
        for topic in list(self._by_topic):
            self.end(topic)
