"""The wire contract: records, topics, encode and decode.

This is all that a store or a researcher imports of the daemon.
"""

from collector.messages.asyncapi import asyncapi
from collector.messages.descriptions import Meta, MetaContent, Status
from collector.messages.events import Alarm, ClockSet, Event, Gap, Reason, RecordsLost, Restart, StateChange
from collector.messages.features import ContextNumber, ContextState, Features
from collector.messages.message import Message
from collector.messages.numbering import Moment, Numbering, meta_hash, moment
from collector.messages.readings import (
    Change,
    Cut,
    CutFeature,
    CutNumber,
    CutState,
    CutWaveform,
    NumberSummary,
    Readings,
    StateSummary,
    Utilisation,
)
from collector.messages.receipts import Receipt, Rejected, SeqRange, seq_ranges
from collector.messages.records import Record, decode
from collector.messages.topics import GATEWAY_MACHINE, RECEIPT, STATE_STREAM, StreamTopic, Topics, parse_topic

__all__ = [
    "GATEWAY_MACHINE",
    "RECEIPT",
    "STATE_STREAM",
    "Alarm",
    "Change",
    "ClockSet",
    "ContextNumber",
    "ContextState",
    "Cut",
    "CutFeature",
    "CutNumber",
    "CutState",
    "CutWaveform",
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
    "Reason",
    "Receipt",
    "Record",
    "RecordsLost",
    "Rejected",
    "Restart",
    "SeqRange",
    "StateChange",
    "StateSummary",
    "Status",
    "StreamTopic",
    "Topics",
    "Utilisation",
    "asyncapi",
    "decode",
    "meta_hash",
    "moment",
    "parse_topic",
    "seq_ranges",
]
