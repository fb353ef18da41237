"""The durable queue between the pipeline and the broker: in memory first, on disk what stays unconfirmed."""

from collector.outbox.files import Files
from collector.outbox.log import purge_folder
from collector.outbox.queue import Outbox
from collector.outbox.reading import EpochWaiting, Reading
from collector.outbox.settings import OutboxSettings
from collector.outbox.state import (
    Cause,
    Key,
    Mark,
    NewestRecord,
    OutboxLoss,
    OutboxState,
    Outgoing,
    StreamMark,
    sum_up,
)

__all__ = [
    "Cause",
    "EpochWaiting",
    "Files",
    "Key",
    "Mark",
    "NewestRecord",
    "Outbox",
    "OutboxLoss",
    "OutboxSettings",
    "OutboxState",
    "Outgoing",
    "Reading",
    "StreamMark",
    "purge_folder",
    "sum_up",
]
