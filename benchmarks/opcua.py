"""CPU time of an OPC UA server's values to the broker against a bare asyncua subscriber; whether one is lost.

200 items that change 30 times a second, each time by one. Two things take turns, some seconds each:

    bare       asyncua alone: a subscription to the same items, whose handler counts
    collector  the controller with all that the daemon does for it: subscription, readings, histories, a
               summary of each second, its record, outbox and publisher, until the PUBACK of the last one

A mosquitto_sub receives the summaries: as the values count up, their number, smallest and largest show
whether one is missing, within a summary or between two. Server, broker and subscriber are other processes;
what is measured is the process of the two.
"""

import asyncio
import json
import logging
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from typing import Any

from asyncua import Client, Node

from benchmarks.collecting import Stopwatch, Work, collecting
from benchmarks.opcua_server import ITEMS, NAMESPACE, RATE_HZ, node
from benchmarks.rig import server
from benchmarks.tables import Column, Table
from benchmarks.watched import watch_daemon

_ROUNDS, _WARM_UP = 7, 1
_ROUND_S = 4
_PUBLISHING_MS, _QUEUE = 100, 100
_READINGS = "shopfloor/v1/works/gateway-1/mill-1/cnc/readings"

_CONTROLLER = """\
[[controllers]]
name = "cnc"
publish_every_s = 1

[controllers.source]
kind = "opcua"
url = "{url}"
sampling_ms = 10
publishing_ms = {publishing_ms}
queue_size = {queue}
points = [
{points}
]
"""
_POINT = '  {{ name = "p{number}", node = "{node}" }},'


def tables(seconds: float) -> Iterable[Table]:
    with server("benchmarks.opcua_server") as port:
        url = f"opc.tcp://127.0.0.1:{port}"
        yield asyncio.run(_subscribed(url))
        _, footprint = watch_daemon(_controller(url), [_READINGS], seconds)
    yield Table(
        f"The daemon with an OPC UA server of {ITEMS} values at {RATE_HZ} Hz",
        "a real `collector run` with this controller alone, and a summary each second",
        (Column(""), Column("daemon", 2)),
        footprint.rows(seconds),
    )


async def _subscribed(url: str) -> Table:
    logging.getLogger("asyncua").setLevel(logging.CRITICAL)
    bare, collected = [], []
    async with Client(url) as client, collecting(_controller(url)) as collector:
        nodes = await _nodes(client)
        with _subscriber(collector.broker_port) as records:
            for _ in range(_WARM_UP + _ROUNDS):
                bare.append(await _count(client, nodes))
                collected.append(await collector.collect(_ROUND_S))
            summaries = records()
        lost = collector.controller.source.lost
    checked, missing = _missing(summaries)
    rows = []
    for what, works in (("bare asyncua", bare), ("collector", collected)):
        rates = [work.values / work.wall_s for work in works[_WARM_UP:]]
        rows.append((what, median(rates), median(work.us_a_value for work in works[_WARM_UP:])))
    return Table(
        f"{ITEMS} values of an OPC UA server that change at {RATE_HZ} Hz, statistics to the broker",
        "microseconds of CPU for a value; the aim is a ratio of at most 1.5, and no value lost: of "
        f"{checked} at the broker {missing} are missing, and the source knows of {lost}",
        (Column(""), Column("values/s"), Column("us", 2), Column("ratio", 2)),
        [(*row, row[2] / rows[0][2]) for row in rows],
    )


class _Counter:
    """The handler of a bare subscription."""

    def __init__(self) -> None:
        self.values = 0

    def datachange_notification(self, _node: Node, _value: Any, _data: Any) -> None:
        """A value came."""
        self.values += 1


async def _nodes(client: Client) -> list[Node]:
    index = await client.get_namespace_index(NAMESPACE)
    return [
        client.get_node(node(number).replace(f"nsu={NAMESPACE}", f"ns={index}")) for number in range(ITEMS)
    ]


async def _count(client: Client, nodes: Sequence[Node]) -> Work:
    counter = _Counter()
    subscription = await client.create_subscription(_PUBLISHING_MS, counter)
    await subscription.subscribe_data_change(nodes, queuesize=_QUEUE, sampling_interval=10)
    await asyncio.sleep(0.5)
    before, watch = counter.values, Stopwatch()
    await asyncio.sleep(_ROUND_S)
    work = watch.work(counter.values - before)
    await subscription.delete()
    return work


@contextmanager
def _subscriber(port: int) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """A mosquitto_sub for the summaries, which are given when asked for."""
    command = ("mosquitto_sub", "-p", str(port), "-q", "1", "-t", _READINGS)
    with tempfile.TemporaryFile() as file, subprocess.Popen(command, stdout=file) as process:

        def records() -> list[dict[str, Any]]:
            file.seek(0)
            return [json.loads(line) for line in file]

        try:
            yield records
        finally:
            process.terminate()


def _missing(summaries: Iterable[dict[str, Any]]) -> tuple[int, int]:
    """How many values the summaries are of, and how many are missing from the first to the last of a round.

    A summary without any value stands between two rounds.
    """
    checked = missing = 0
    last: dict[str, float | None] = {}
    for record in summaries:
        for name, summary in record["points"].items():
            before, last[name] = last.get(name), summary["max"]
            if not summary["count"]:
                continue
            first = summary["min"] if before is None else before + 1
            checked += summary["count"]
            missing += round(summary["max"] - first + 1) - summary["count"]
    return checked, missing


def _controller(url: str) -> str:
    points = "\n".join(_POINT.format(number=number, node=node(number)) for number in range(ITEMS))
    return _CONTROLLER.format(url=url, publishing_ms=_PUBLISHING_MS, queue=_QUEUE, points=points)
