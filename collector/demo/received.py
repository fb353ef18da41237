"""What has come over MQTT so far: all that the demo's page knows."""

import asyncio
from collections import deque
from itertools import groupby

from collector.messages import Alarm, Features, Meta, StateChange, decode
from collector.points import Share

_KEPT = 300


class Received:
    """The windows of one stream, what its meta says of sharing, and the last event of all."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.records = 0
        self.windows: deque[Features] = deque(maxlen=_KEPT)
        self.event = ""
        """The last one of all."""
        self.shares: dict[str, Share] = {}
        """How each point of the context is shared."""
        self.news = asyncio.Event()

    def take(self, topic: str, payload: bytes) -> None:
        """A message of the subscription."""
        if topic.endswith("/status"):
            return
        self.records += 1
        record = decode(payload)
        if isinstance(record, Features):
            self.windows.append(record)
        elif isinstance(record, Meta):
            if f"{topic.removesuffix('/meta')}/features" == self.topic:
                points = record.content.context.get("points", ())
                self.shares = {point["name"]: point["share"] for point in points}
        elif record.kind == "event":
            over = isinstance(record, Alarm) and not record.active
            what = record.state if isinstance(record, StateChange) else record.event
            self.event = f"{record.t[11:19]} {topic.split('/')[-2]}: {what}{' over' if over else ''}"
        self.news.set()

    def by_second(self) -> list[Features]:
        """The last window of each second, the oldest first."""
        return [list(windows)[-1] for _, windows in groupby(self.windows, lambda window: window.t[:19])]
