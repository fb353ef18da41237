"""The wire contract: records, topics, encode and decode.

This is all that a store or a researcher imports of the daemon.
"""

from collector.messages.asyncapi import asyncapi
from collector.messages.message import Message
from collector.messages.numbering import Moment, Numbering, meta_hash, moment
from collector.messages.receipts import Receipt, Rejected, SeqRange, seq_ranges
from collector.messages.records import (
    Alarm,
    Change,
    ClockSet,
    ContextNumber,
    ContextState,
    Event,
    Features,
    Gap,
    Meta,
    MetaContent,
    NumberSummary,
    Readings,
    Record,
    RecordsLost,
    Restart,
    StateSummary,
    Status,
    decode,
)
from collector.messages.topics import GATEWAY_MACHINE, RECEIPT, StreamTopic, Topics, parse_topic

__all__ = [
    "GATEWAY_MACHINE",
    "RECEIPT",
    "Alarm",
    "Change",
    "ClockSet",
    "ContextNumber",
    "ContextState",
    "Event",
    "Features",
    "Gap",
    "Message",
    "Meta",
    "MetaContent",
    "Moment",
    "NumberSummary",
    "Numbering",
    "Readings",
    "Receipt",
    "Record",
    "RecordsLost",
    "Rejected",
    "Restart",
    "SeqRange",
    "StateSummary",
    "Status",
    "StreamTopic",
    "Topics",
    "asyncapi",
    "decode",
    "meta_hash",
    "moment",
    "parse_topic",
    "seq_ranges",
]
