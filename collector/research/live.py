"""`subscribe`: records as they come, decoded, each once."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import NoReturn, get_args

import structlog
from pydantic import ValidationError

from collector.errors import BrokerError, CollectorError
from collector.messages import Record, StreamTopic, decode, parse_topic
from collector.messages.topics import Kind
from collector.mqtt import BrokerSettings, Connection, reconnect_pauses
from collector.texts import research as say

_REMEMBERED = 100_000
_MOST_WAITING = 10_000
_FIRST_PAUSE_S = 0.5

log = structlog.get_logger(__name__)


Arrived = asyncio.Queue[tuple[str, bytes] | None]
"""Topics and payloads; None once nothing more will come."""


@dataclass(frozen=True, slots=True)
class Live:
    """A record and where it came from."""

    topic: StreamTopic
    record: Record


async def subscribe(
    broker: BrokerSettings,
    client_id: str,
    *,
    root: str = "shopfloor/v1",
    company: str = "+",
    gateway: str = "+",
    machine: str = "+",
    stream: str = "+",
    kind: str = "+",
) -> AsyncIterator[Live]:
    """Records of every company, gateway, machine, stream and kind, or of the ones that are named.

    The connection is made again when it is lost; what is published meanwhile is not received. What comes
    twice is given once, and what is no record is left out. Who is too slow loses the oldest of what waits.

    Raises:
        CollectorError: there is no such kind.
        BrokerError: the broker cannot be reached, or refuses us, at the first attempt.
    """
    if kind not in {"+", *get_args(Kind)}:
        raise CollectorError(say.NO_KIND(found=kind, known=", ".join(get_args(Kind))))
    arrived: Arrived = asyncio.Queue(_MOST_WAITING)
    topic_filter = f"{root}/{company}/{gateway}/{machine}/{stream}/{kind}"
    try:
        connection = await _connect(broker, client_id, topic_filter, arrived)
    except BrokerError as error:  # its advice is for a gateway
        raise BrokerError(say.NOT_SUBSCRIBED(reason=str(error))) from error
    keeping = asyncio.create_task(_keep_connected(connection, broker, client_id, topic_filter, arrived))
    keeping.add_done_callback(lambda _: _put(arrived, None))
    seen: OrderedDict[tuple[str, str, str, int], None] = OrderedDict()
    try:
        while True:
            message = await arrived.get()
            if message is None:
                keeping.result()
            live = _read(*message, root)
            if live is None:
                continue
            identity = live.topic.company, live.topic.gateway, live.record.epoch, live.record.seq
            if identity not in seen:
                seen[identity] = None
                if len(seen) > _REMEMBERED:
                    seen.popitem(last=False)
                yield live
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


async def _connect(broker: BrokerSettings, client_id: str, topic_filter: str, arrived: Arrived) -> Connection:
    connection = await Connection.open(
        broker, client_id, on_message=lambda topic, payload, _: _put(arrived, (topic, payload))
    )
    try:
        await connection.subscribe(topic_filter)
    except BaseException:
        await connection.close()
        raise
    return connection


def _put(arrived: Arrived, message: tuple[str, bytes] | None) -> None:
    if arrived.full():
        arrived.get_nowait()
    arrived.put_nowait(message)


async def _keep_connected(
    connection: Connection | None,
    broker: BrokerSettings,
    client_id: str,
    topic_filter: str,
    arrived: Arrived,
) -> NoReturn:
    """Stay with a connection until it is lost, and make another; any other error ends it."""
    pauses = reconnect_pauses(_FIRST_PAUSE_S, broker.reconnect_max_s)
    while True:
        try:
            if connection is None:
                connection = await _connect(broker, client_id, topic_filter, arrived)
                pauses = reconnect_pauses(_FIRST_PAUSE_S, broker.reconnect_max_s)
            await connection.lost
        except BrokerError as error:
            log.warning("broker.failed", code=error.sentence.code, reason=str(error))
        finally:
            if connection is not None:
                await connection.close()
        connection = None
        await asyncio.sleep(next(pauses))


def _read(topic: str, payload: bytes, root: str) -> Live | None:
    place = parse_topic(topic, root)
    try:
        return Live(place, decode(payload)) if place else None
    except ValidationError:
        return None
