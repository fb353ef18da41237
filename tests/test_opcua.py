"""OPC UA against a real server: values and their quality, signs of life, and every way a server fails."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any

import pytest
from asyncua import ua
from opcua_listening import Heard, listening, refusal, source_of
from opcua_server import BENCH, BENCH_NODES, OpcuaServer, bench, serving
from servers import free_port, until

from collector.clock import SystemClock
from collector.errors import SourceError
from collector.history import new_history
from collector.points import Arrival, PointQuality
from collector.sources.opcua import OpcuaSource
from collector.sources.opcua.collecting import _Life, _reported
from collector.sources.opcua.connection import connected
from collector.sources.opcua.handover import Handover, Losses
from collector.sources.opcua.nodes import locate
from collector.sources.opcua.subscription import Subscription
from collector.sources.opcua.wanted import Profile

S = 1_000_000_000
GOOD, UNCERTAIN, BAD = PointQuality.GOOD, PointQuality.UNCERTAIN, PointQuality.BAD
SPEED = {"name": "speed", "node": bench("speed"), "unit": "/min"}
LOAD = {"name": "load", "node": "/Bench/load"}
MODE = {"name": "mode", "node": f"/nsu={BENCH};Bench/mode", "states": {0: "manual", 1: "automatic"}}
CUTTING = {"name": "cutting", "node": bench("cutting"), "kind": "state"}
PROGRAM = {"name": "program", "node": bench("program"), "kind": "text"}


@pytest.fixture(scope="module")
def server() -> Iterator[OpcuaServer]:
    with serving(free_port(), shift=3, many=50) as server:
        yield server


@pytest.fixture(autouse=True)
def as_it_was(request: pytest.FixtureRequest) -> None:
    """Each test finds the bench as the first one did."""
    if "server" in request.fixturenames:
        server: OpcuaServer = request.getfixturevalue("server")
        for name, (value, _) in BENCH_NODES.items():
            server.write(bench(name), value)


@pytest.fixture
def port() -> int:
    return free_port()


def said(heard: Heard, detail: str) -> bool:
    return heard.latest["speed"].detail == detail


def vouches(heard: Heard, point: str) -> list[Arrival]:
    return [arrival for arrival in heard.arrivals if point in arrival.vouched]


@contextlib.asynccontextmanager
async def connection_life(source: OpcuaSource) -> AsyncIterator[tuple[_Life, Handover, Losses]]:
    """What happens on one connection, before it is started and with nobody watching yet."""
    losses, clock = Losses(), SystemClock()
    handover = Handover(losses)
    async with connected(source.settings, clock) as connection:
        life = _Life(connection, source.settings, Profile(), handover, losses, source._paced, clock)
        yield life, handover, losses


async def begin(life: _Life) -> None:
    await life.start(await locate(life._connection, life._settings, Profile()))


@pytest.mark.parametrize("mode", ["subscription", "polling"])
async def test_values_come_named_and_typed_whichever_way_the_node_is_named(
    server: OpcuaServer, mode: str
) -> None:
    async with listening(source_of(server.url, SPEED, LOAD, MODE, CUTTING, PROGRAM, mode=mode)) as heard:
        await heard.until(lambda: len(heard.latest) == 5)
        values = {name: reading.value for name, reading in heard.latest.items()}
        assert values == {
            "speed": 1500.0,
            "load": 40.0,
            "mode": "automatic",
            "cutting": True,
            "program": "O1234",
        }
        assert {reading.quality for reading in heard.latest.values()} == {GOOD}
        server.write(bench("speed"), 1600.0)
        await heard.until(lambda: heard.value("speed") == 1600.0)
        assert heard.latest["speed"].source_us is not None
        server.write(bench("speed"), 1500.0, source_time=False)
        await heard.until(lambda: heard.value("speed") == 1500.0)
        assert heard.latest["speed"].source_us is None


@pytest.mark.parametrize("mode", ["subscription", "polling"])
async def test_status_decides_and_not_the_value(server: OpcuaServer, mode: str) -> None:
    async with listening(source_of(server.url, SPEED, MODE, LOAD, mode=mode)) as heard:
        await heard.until(lambda: len(heard.latest) == 3)
        server.write(bench("speed"), 12.5, status=ua.StatusCodes.UncertainSensorNotAccurate)
        await heard.until(lambda: heard.quality("speed") is UNCERTAIN)
        assert (heard.value("speed"), heard.latest["speed"].detail) == (12.5, "UncertainSensorNotAccurate")
        server.write(bench("speed"), 13.0, status=ua.StatusCodes.BadSensorFailure)
        await heard.until(lambda: heard.quality("speed") is BAD)
        assert (heard.value("speed"), heard.latest["speed"].detail) == (None, "BadSensorFailure")
        for value, type_, detail in [
            ("nan", "Double", "not finite"),
            (None, "Double", "no value"),
            ("fast", "String", "a text, not a number"),
        ]:
            server.write(bench("speed"), value, type_)
            await heard.until(partial(said, heard, detail))
            assert (heard.value("speed"), heard.quality("speed")) == (None, BAD)
        assert heard.quality("mode") is GOOD
        server.write(bench("speed"), 1500.0)
        await heard.until(lambda: heard.quality("speed") is GOOD)


async def test_an_unchanged_value_is_vouched_for_and_a_bad_one_is_not(server: OpcuaServer) -> None:
    source = source_of(server.url, SPEED, LOAD, sampling_ms=1000)
    async with listening(source) as heard:
        await heard.until(lambda: len(vouches(heard, "load")) >= 2)
        assert heard.latest["load"].received_ns < vouches(heard, "load")[-1].received_ns
        server.write(bench("load"), 1.0, status=ua.StatusCodes.BadNotConnected)
        await heard.until(lambda: heard.quality("load") is BAD)
        at = len(heard.arrivals)
        await heard.until(lambda: any("speed" in arrival.vouched for arrival in heard.arrivals[at:]))
        assert not any("load" in arrival.vouched for arrival in heard.arrivals[at:])
        server.write(bench("load"), 40.0)
        await heard.until(lambda: heard.quality("load") is GOOD)
    for arrival in heard.arrivals:
        assert not arrival.vouched & {reading.point for reading in arrival.readings}
    assert max(arrival.received_ns for arrival in heard.arrivals) == heard.arrivals[-1].received_ns


async def test_a_value_is_stale_by_what_the_server_has_agreed_to(port: int) -> None:
    """Asked for a sign of life each second, it gives one every 3.5 s: too seldom for what was asked."""
    with serving(port, publishes_ms=350.0) as server:
        source = source_of(server.url, SPEED, LOAD, sampling_ms=100, publishing_ms=100)
        asked = new_history(source.points[0], source.silent_after_s, None)
        assert asked.limit_ns == 3 * S
        async with listening(source) as heard:
            await heard.until(lambda: len(vouches(heard, "speed")) >= 3)
        revised = new_history(source.points[0], source.silent_after_s, None)
        assert (revised.period_ns, revised.limit_ns) == (3.5 * S, 10.5 * S)
        for history, quality in ((asked, PointQuality.STALE), (revised, GOOD)):
            for arrival in heard.arrivals:
                for reading in arrival.readings:
                    if reading.point == "speed":
                        history.add(reading)
            signs_ns = [arrival.received_ns for arrival in vouches(heard, "speed")]
            for sign_ns in signs_ns:
                history.vouch(sign_ns)
            assert history.at(signs_ns[-1] - 1).quality is quality
        async with listening(source) as heard:  # connected again, it is known from the beginning
            assert source.points[0].every_s == 3.5
            await heard.until(lambda: heard.quality("speed") is GOOD)
            assert source.points[0].every_s == 3.5


async def test_every_change_comes_and_the_servers_overflow_is_counted(server: OpcuaServer) -> None:
    async with listening(source_of(server.url, SPEED, queue_size=1000)) as heard:
        await heard.until(lambda: heard.value("speed") == 1500.0)
        server.burst(bench("speed"), [float(n) for n in range(300)])
        await heard.until(lambda: heard.value("speed") == 299.0)
        said = [reading.value for arrival in heard.arrivals for reading in arrival.readings]
        assert said == [1500.0, *(float(n) for n in range(300))]
        assert heard.source.losses == Losses()
        server.write(bench("speed"), 1500.0, status=0x480)
        await heard.until(lambda: heard.value("speed") == 1500.0)
        assert heard.quality("speed") is GOOD
        assert heard.source.losses == Losses(at_server=1)


async def test_a_deadband_keeps_small_changes_away(server: OpcuaServer) -> None:
    async with listening(source_of(server.url, SPEED | {"deadband": 10.0})) as heard:
        await heard.until(lambda: heard.value("speed") == 1500.0)
        server.write(bench("speed"), 1501.0)
        server.write(bench("speed"), 1700.0)
        await heard.until(lambda: heard.value("speed") == 1700.0)
        server.write(bench("speed"), 1500.0)
        await heard.until(lambda: heard.value("speed") == 1500.0)
    said = [reading.value for arrival in heard.arrivals for reading in arrival.readings]
    assert 1501.0 not in said


async def test_one_node_by_two_names_is_read_once(server: OpcuaServer) -> None:
    async with listening(
        source_of(server.url, LOAD, LOAD | {"name": "same", "node": bench("load")})
    ) as heard:
        await heard.until(lambda: len(heard.latest) == 2)
        server.write(bench("load"), 41.0)
        await heard.until(lambda: heard.value("same") == 41.0)
        changed = [arrival for arrival in heard.arrivals if arrival.readings]
        assert [len(arrival.readings) for arrival in changed] == [2, 2]
        server.write(bench("load"), 40.0)
        await heard.until(lambda: heard.value("same") == 40.0)


async def test_missing_messages_are_counted_and_everything_is_read_anew(server: OpcuaServer) -> None:
    source = source_of(server.url, SPEED, LOAD)
    async with connection_life(source) as (life, handover, losses):
        await begin(life)
        assert len((await handover.take()).readings) == 2
        subscription = life._sampling
        assert isinstance(subscription, Subscription)
        nothing = ua.NotificationMessage(SequenceNumber=5, NotificationData=[])
        subscription._published(ua.PublishResult(1, NotificationMessage=nothing))
        assert losses.messages == 3
        assert (await handover.take()).vouched == frozenset()
        watching = asyncio.create_task(life._watch())
        while len((arrival := await handover.take()).readings) != 2:
            assert not arrival.vouched
        assert {reading.quality for reading in arrival.readings} == {GOOD}
        watching.cancel()
        await asyncio.wait([watching])


async def test_after_missing_messages_nothing_is_vouched_for_until_reading_anew_was_answered(
    server: OpcuaServer,
) -> None:
    source = source_of(server.url, SPEED, LOAD, timeout_s=2)
    async with connection_life(source) as (life, handover, _):
        subscription = life._sampling
        assert isinstance(subscription, Subscription)
        subscription.incomplete = True
        await begin(life)
        assert len((await handover.take()).readings) == 2
        server.signal(signal.SIGSTOP)
        try:
            with pytest.raises(SourceError, match="did not answer"):
                await life._read_anew(subscription)
        finally:
            server.signal(signal.SIGCONT)
        failed_ns = SystemClock().monotonic_ns()
        while (arrival := await handover.take()).received_ns < failed_ns:
            assert not arrival.vouched
        assert not arrival.vouched
        await life._read_anew(subscription)
        while len((arrival := await handover.take()).readings) != 2:
            assert not arrival.vouched
        while not (arrival := await handover.take()).vouched:
            pass


@pytest.mark.parametrize("mode", ["subscription", "polling"])
async def test_a_vanished_node_is_bad_alone_and_comes_back(server: OpcuaServer, mode: str) -> None:
    spare = {"name": "spare", "node": "/Bench/spare"}
    never = {"name": "never", "node": bench("never")}
    async with listening(source_of(server.url, SPEED, spare, never, mode=mode, silent_after_s=2)) as heard:
        await heard.until(lambda: len(heard.latest) == 3)
        assert (heard.quality("spare"), heard.quality("never")) == (GOOD, BAD)
        assert heard.latest["never"].detail == "BadNodeIdUnknown"
        server.delete(bench("spare"))
        await heard.until(lambda: heard.quality("spare") is BAD, 5)
        assert heard.value("spare") is None
        at = len(heard.arrivals)
        server.write(bench("speed"), 1501.0)
        await heard.until(lambda: heard.value("speed") == 1501.0)
        assert not any("spare" in arrival.vouched for arrival in heard.arrivals[at:])
        server.create("spare", 8.0)
        await heard.until(lambda: heard.value("spare") == 8.0, 8)
        server.write(bench("spare"), 9.0)
        await heard.until(lambda: heard.value("spare") == 9.0)
        server.write(bench("speed"), 1500.0)


async def test_two_nodes_of_one_name_are_not_guessed(server: OpcuaServer) -> None:
    lost = {"name": "lost", "node": "/nsu=urn:nowhere;Bench/load"}
    deep = {"name": "deep", "node": "/Bench/load/more"}
    async with listening(source_of(server.url, LOAD, lost, deep)) as heard:
        await heard.until(lambda: len(heard.latest) == 3)
        assert heard.latest["lost"].detail == "no namespace urn:nowhere"
        assert heard.latest["deep"].detail == "no more"
        assert heard.quality("load") is GOOD


@pytest.mark.parametrize("mode", ["subscription", "polling"])
async def test_a_server_that_hangs_is_noticed_and_answers_anew_afterwards(
    server: OpcuaServer, mode: str
) -> None:
    source = source_of(server.url, SPEED, mode=mode, silent_after_s=2)
    loop = asyncio.get_running_loop()
    async with listening(source) as heard:
        await heard.until(lambda: heard.value("speed") is not None)
        server.signal(signal.SIGSTOP)
        try:
            since = loop.time()
            error = await heard.failure()
            assert error.sentence.code == "source.opcua.silent"
            assert loop.time() - since < 2 + 1  # the limit, and a goodbye that nobody hears
        finally:
            server.signal(signal.SIGCONT)
    async with listening(source) as again:
        await again.until(lambda: again.value("speed") == 1500.0)


async def test_an_answer_that_does_not_come_is_no_sign_of_life(server: OpcuaServer) -> None:
    source = source_of(server.url, SPEED, mode="polling", silent_after_s=4, timeout_s=2)
    async with connection_life(source) as (life, handover, _):
        await begin(life)
        watching = asyncio.create_task(_reported(life._watch(), handover))
        assert await handover.take()  # the clock is seen to go; the next look is not under way yet
        server.signal(signal.SIGSTOP)
        try:
            with pytest.raises(SourceError, match="clock") as raised:
                await handover.take()
        finally:
            server.signal(signal.SIGCONT)
        assert raised.value.sentence.code == "source.opcua.silent"
        await watching


async def test_a_server_that_hangs_from_the_start_is_told(server: OpcuaServer) -> None:
    server.signal(signal.SIGSTOP)
    try:
        error = await refusal(source_of(server.url, SPEED, timeout_s=0.5))
    finally:
        server.signal(signal.SIGCONT)
    assert error.sentence.code == "source.opcua.no-answer"


async def test_a_killed_server_is_found_again_with_its_nodes_at_other_places(port: int) -> None:
    source = source_of(f"opc.tcp://127.0.0.1:{port}", SPEED, LOAD, MODE)
    with serving(port, shift=1) as server:
        async with listening(source) as heard:
            await heard.until(lambda: len(heard.latest) == 3)
            server.end()
            error = await heard.failure()
            assert error.sentence.code in {"source.opcua.not-reached", "source.opcua.subscription-ended"}
        assert (await refusal(source)).sentence.code == "source.opcua.refused"
        server.description["shift"] = 7
        server.start()
        async with listening(source) as again:
            await again.until(lambda: len(again.latest) == 3)
            assert {reading.quality for reading in again.latest.values()} == {GOOD}


async def test_what_is_no_opc_ua_server_is_told(port: int) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await reader.read(100)
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", port):
        error = await refusal(source_of(f"opc.tcp://127.0.0.1:{port}", SPEED, timeout_s=1))
    assert error.sentence.code.startswith("source.opcua.")
    assert error.sentence.advice


async def test_names_that_nobody_has_are_told() -> None:
    try:
        socket.getaddrinfo("nowhere.invalid", 4840)
    except socket.gaierror:
        error = await refusal(source_of("opc.tcp://nowhere.invalid:4840", SPEED, timeout_s=10))
        assert error.sentence.code == "source.opcua.name-unknown"


@pytest.mark.usefixtures("busy_workers")
async def test_a_name_is_found_though_no_worker_thread_is_free(server: OpcuaServer) -> None:
    settings = source_of(server.url.replace("127.0.0.1", "localhost"), SPEED).settings
    async with connected(settings, SystemClock()) as connection:
        assert BENCH in await connection.namespaces()
        assert connection._client.server_url.hostname == "localhost"  # as the server is told


async def test_an_unexpected_error_ends_the_source_and_leaves_nothing_behind(server: OpcuaServer) -> None:
    source = source_of(server.url, SPEED)

    def found(*_: Any) -> None:
        raise TypeError("nobody expected this")

    source._found = found  # type: ignore[assignment, method-assign]
    async with listening(source) as heard:
        await until(lambda: heard.error is not None)
        assert isinstance(heard.error, TypeError)


async def test_many_items_are_asked_for_in_portions(server: OpcuaServer) -> None:
    points = [{"name": f"many-{n}", "node": bench(f"many-{n}")} for n in range(250)]
    async with listening(source_of(server.url, *points)) as heard:
        await heard.until(lambda: len(heard.latest) == 250)
        good = {name for name, reading in heard.latest.items() if reading.quality is GOOD}
        assert good == {f"many-{n}" for n in range(50)}
