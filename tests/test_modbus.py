"""Modbus devices: a real server, and scripted ones for every fault; what is wrong is bad, never aliased."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from modbus_peers import CLOSE, NetworkPeer, Peer, Query, SerialPeer, Step, its_address
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
from servers import PATIENCE_S, free_port

import collector.sources.modbus
from collector.errors import SourceError
from collector.points import Arrival, PointQuality, Reading
from collector.sources.modbus.settings import (
    AnyModbusSettings,
    ModbusRtuOverTcpSettings,
    ModbusRtuSettings,
    ModbusTcpSettings,
)
from collector.sources.modbus.source import Buses, ModbusSource, modbus_source

A = {"name": "a", "table": "holding", "address": 100, "type": "u16"}
B = {"name": "b", "table": "holding", "address": 500, "type": "u16"}
EXPECTED = {"a": 100.0, "b": 500.0}
DISCARD_S = 0.25
WAITED_S = 0.5
"""The limit where it is waited out; also then the right replies must come in time on a busy machine."""
LATE_S = WAITED_S + 0.1
QUICK = {
    "addressing": "pdu",
    "every_s": 0.02,
    "timeout_s": 5,
    "discard_s": DISCARD_S,
    "silent_after_s": 30,
}


def settings_for(peer: Peer, *points: dict[str, Any], **keys: Any) -> AnyModbusSettings:
    common = QUICK | {"points": points or (A, B)} | keys
    match peer:
        case SerialPeer():
            line = {"kind": "modbus-rtu", "port": str(peer.port), "baud": 115200}
            return ModbusRtuSettings.model_validate(line | common)
        case NetworkPeer(framing="rtu"):
            line = {"kind": "modbus-rtu-over-tcp", "host": "127.0.0.1", "port": peer.port}
            return ModbusRtuOverTcpSettings.model_validate(line | common)
        case NetworkPeer():
            line = {"kind": "modbus-tcp", "host": "127.0.0.1", "port": peer.port}
            return ModbusTcpSettings.model_validate(line | common)
        case _:
            raise TypeError(peer)


def source_for(peer: Peer, *points: dict[str, Any], buses: Buses | None = None, **keys: Any) -> ModbusSource:
    return modbus_source(settings_for(peer, *points, **keys), {} if buses is None else buses)


@pytest.fixture(params=["tcp", "rtu-over-tcp", "rtu"])
async def peer(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Peer]:
    """A device that can be asked in each of the three ways."""
    match request.param:
        case "rtu":
            made: SerialPeer | NetworkPeer = SerialPeer(tmp_path / "line")
        case "rtu-over-tcp":
            made = NetworkPeer("rtu")
        case _:
            made = NetworkPeer("tcp")
    async with made.running():
        yield made


@pytest.fixture
async def serial_peer(tmp_path: Path) -> AsyncIterator[SerialPeer]:
    async with SerialPeer(tmp_path / "line").running() as peer:
        yield peer


@pytest.fixture
async def tcp_peer() -> AsyncIterator[NetworkPeer]:
    async with NetworkPeer().running() as peer:
        yield peer


async def arriving(source: ModbusSource, enough: Callable[[list[Arrival]], bool]) -> list[Arrival]:
    """What arrives until it is enough."""
    arrivals: list[Arrival] = []
    async with asyncio.timeout(PATIENCE_S), aclosing(source.arrivals()) as coming:
        async for arrival in coming:
            arrivals.append(arrival)
            if enough(arrivals):
                break
    return arrivals


def readings(arrivals: Sequence[Arrival]) -> list[Reading]:
    return [reading for arrival in arrivals for reading in arrival.readings]


def latest(arrivals: Sequence[Arrival]) -> dict[str, Any]:
    return {reading.point: reading.value for reading in readings(arrivals)}


async def only_bad(coming: AsyncIterator[Arrival]) -> None:
    async for arrival in coming:
        assert all(reading.value is None for reading in arrival.readings)


async def failure(source: ModbusSource) -> SourceError:
    with pytest.raises(SourceError) as caught:
        await arriving(source, lambda _: False)
    return caught.value


def on_query(number: int, fault: Callable[[Query], Sequence[Step]]) -> Callable[[Query], Sequence[Step]]:
    """A device that is good except for one query, counted from 0."""
    asked = -1

    def script(query: Query) -> Sequence[Step]:
        nonlocal asked
        asked += 1
        return fault(query) if asked == number else its_address(query)

    return script


def right(query: Query) -> bytes:
    (frame,) = its_address(query)
    assert isinstance(frame, bytes)
    return frame


def broken_crc(query: Query) -> bytes:
    return right(query)[:-1] + bytes([right(query)[-1] ^ 1])


FAULTS: dict[str, tuple[Callable[[Query], Sequence[Step]], set[str]]] = {
    "silence": (lambda _: [], {"no reply"}),
    "late": (lambda query: [LATE_S, right(query)], {"no reply"}),
    "late and twice": (lambda query: [LATE_S, right(query), 0.05, right(query)], {"no reply"}),
    "short": (lambda query: [query.frame(query.values([]))], {"short reply", "reply not understood"}),
    "long": (lambda query: [query.frame(query.values([100, 101]))], {"long reply"}),
    "foreign unit": (lambda query: [query.frame(query.values([7]), unit=9)], {"reply not understood"}),
    "wrong function": (lambda query: [query.frame(query.values([7]), function=4)], {"reply not understood"}),
    "unknown function": (lambda query: [query.frame(b"\2\0\7", function=0x64)], {"reply not understood"}),
    "odd length": (lambda query: [query.frame(b"\3\0\7\0")], {"reply not understood"}),
    "garbage": (lambda _: [b"\x55\xaa\x00\xff" * 5], {"reply not understood"}),
    "longer than any frame": (lambda query: [query.frame(bytes(300))], {"reply not understood"}),
    "half a reply": (lambda query: [right(query)[:-3]], {"reply not understood"}),
    "exception": (lambda query: [query.exception(4)], {"exception 4: device failure"}),
    "odd exception": (lambda query: [query.exception(77)], {"exception 77: unknown"}),
}
NETWORK_FAULTS: dict[str, tuple[Callable[[Query], Sequence[Step]], set[str]]] = {
    "closed in the middle": (lambda query: [right(query)[:-2], 0.02, CLOSE], {"connection lost"}),
    "closed before": (lambda _: [CLOSE], {"connection lost"}),
}
TCP_FAULTS: dict[str, tuple[Callable[[Query], Sequence[Step]], set[str]]] = {
    "transaction before": (
        lambda query: [query.frame(query.values([7]), transaction=query.transaction - 1)],
        {"reply not understood"},
    ),
    "transaction 0": (
        lambda query: [query.frame(query.values([7]), transaction=0)],
        {"reply not understood"},
    ),
    "other protocol": (lambda query: [query.frame(query.values([7]), protocol=1)], {"reply not understood"}),
    "behind a gateway": (lambda query: [query.exception(11)], {"no reply behind the gateway"}),
}


async def survives(peer: Peer, script: Callable[[Query], Sequence[Step]], details: set[str]) -> None:
    """One reading is bad, everything is right before and after."""
    peer.script = on_query(2, script)
    arrivals = await arriving(
        source_for(peer, timeout_s=WAITED_S), lambda sofar: len(sofar) > 4 and latest(sofar[-2:]) == EXPECTED
    )
    bad = [reading for reading in readings(arrivals) if reading.value is None]
    assert [reading.quality for reading in bad] == [PointQuality.BAD]
    assert {reading.detail for reading in bad} <= details
    assert latest(arrivals[:2]) == EXPECTED
    assert all(reading.value in {None, EXPECTED[reading.point]} for reading in readings(arrivals))
    assert peer.functions == {3}


class TestFaults:
    @pytest.mark.parametrize("fault", FAULTS)
    async def test_one_bad_answer(self, peer: Peer, fault: str) -> None:
        await survives(peer, *FAULTS[fault])

    async def test_a_wrong_checksum(self, serial_peer: SerialPeer) -> None:
        await survives(serial_peer, lambda query: [broken_crc(query)], {"reply not understood"})

    @pytest.mark.parametrize("framing", ["tcp", "rtu"])
    @pytest.mark.parametrize("fault", NETWORK_FAULTS)
    async def test_on_a_network(self, framing: Any, fault: str) -> None:
        async with NetworkPeer(framing).running() as peer:
            await survives(peer, *NETWORK_FAULTS[fault])
            assert peer.connections == 2

    @pytest.mark.parametrize("fault", TCP_FAULTS)
    async def test_on_tcp(self, tcp_peer: NetworkPeer, fault: str) -> None:
        await survives(tcp_peer, *TCP_FAULTS[fault])
        assert tcp_peer.connections == (1 if fault == "behind a gateway" else 2)

    async def test_a_reply_to_the_query_before(self, tcp_peer: NetworkPeer) -> None:
        """It comes together with the right one, or in its place; neither is taken."""
        asked: list[Query] = []

        def one_behind(query: Query) -> Sequence[Step]:
            asked.append(query)
            before = [right(asked[-2])] if len(asked) == 4 else []
            return [*before, right(query)]

        tcp_peer.script = one_behind
        arrivals = await arriving(source_for(tcp_peer), lambda sofar: len(sofar) == 8)
        assert all(reading.value in {None, EXPECTED[reading.point]} for reading in readings(arrivals))
        assert sum(reading.value is None for reading in readings(arrivals)) == 1

    async def test_what_comes_unasked_is_not_an_answer(self, tcp_peer: NetworkPeer) -> None:
        tcp_peer.script = lambda query: [right(query), 0.005, right(query)]
        arrivals = await arriving(source_for(tcp_peer, A, every_s=0.4), lambda sofar: len(sofar) == 4)
        assert all(reading.value == EXPECTED[reading.point] for reading in readings(arrivals))
        assert tcp_peer.connections > 1

    async def test_a_reply_byte_by_byte(self, peer: Peer) -> None:
        def trickling(query: Query) -> list[Step]:
            return [step for octet in right(query) for step in (bytes([octet]), 0.002)]

        peer.script = trickling
        arrivals = await arriving(source_for(peer, timeout_s=1), lambda sofar: len(sofar) == 4)
        assert latest(arrivals) == EXPECTED

    @pytest.mark.parametrize("noise", [b"\0", b"\x01", b"\xff\x03\x01", b"\0\0\0"])
    async def test_noise_around_a_reply(self, serial_peer: SerialPeer, noise: bytes) -> None:
        serial_peer.script = lambda query: [noise + right(query) + b"\0"]
        arrivals = await arriving(source_for(serial_peer), lambda sofar: len(sofar) == 4)
        assert latest(arrivals) == EXPECTED


class TestLateOnASerialLine:
    async def test_the_line_is_left_alone_until_late_replies_are_over(self, serial_peer: SerialPeer) -> None:
        serial_peer.script = on_query(2, lambda query: [LATE_S, right(query)])
        await arriving(source_for(serial_peer, timeout_s=WAITED_S), lambda sofar: len(sofar) == 6)
        asked = serial_peer.queries
        assert asked[3].at_s - asked[2].at_s >= WAITED_S + DISCARD_S

    async def test_also_if_the_one_who_asked_is_gone(self, serial_peer: SerialPeer) -> None:
        buses: Buses = {}
        late, other = (
            source_for(serial_peer, point, buses=buses, unit_id=1, timeout_s=WAITED_S)
            for point in (A | {"name": "late"}, B)
        )
        waiting = asyncio.Event()

        def script(query: Query) -> Sequence[Step]:
            if query.first != 100:
                return its_address(query)
            waiting.set()
            return [0.1, right(query)]

        serial_peer.script = script
        asking = asyncio.create_task(arriving(late, lambda _: True))
        await waiting.wait()
        asking.cancel()
        arrivals = await arriving(other, lambda sofar: len(sofar) == 3)
        assert {reading.value for reading in readings(arrivals)} == {500.0}
        await asyncio.gather(asking, return_exceptions=True)
        assert asking.cancelled()


class TestSharing:
    async def test_one_dead_unit_backs_off_alone(self, serial_peer: SerialPeer) -> None:
        """Unit 2 answers at first; then it is asked ever more seldom while the others keep being read."""
        dying = 4

        def script(query: Query) -> Sequence[Step]:
            nonlocal dying
            if query.unit == 2:
                dying -= 1
            return its_address(query) if query.unit != 2 or dying > 0 else []

        serial_peer.script = script
        buses: Buses = {}
        quick = {"every_s": 0.05, "timeout_s": 0.15, "discard_s": 0.1, "silent_after_s": 2.5}
        one, three = (source_for(serial_peer, A, buses=buses, unit_id=unit, **quick) for unit in (1, 3))
        two = source_for(serial_peer, A, B, buses=buses, unit_id=2, **quick)
        others = [asyncio.create_task(arriving(source, lambda _: False)) for source in (one, three)]
        lost: list[Arrival] = []

        def note(sofar: list[Arrival]) -> bool:
            lost.append(sofar[-1])
            return False

        with pytest.raises(SourceError) as caught:
            await arriving(two, note)
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        assert caught.value.sentence.code == "source.modbus.no-answer.serial"
        queries = serial_peer.queries
        died_s = [query.at_s for query in queries if query.unit == 2][3]
        asked_s = [query.at_s for query in queries if query.unit == 2 and query.at_s >= died_s]
        gaps_s = [after - before for before, after in pairwise(asked_s)]
        assert len(asked_s) <= 6
        assert gaps_s[1] > 0.25
        assert gaps_s[2] > 0.5
        for unit in (1, 3):  # while it rests, the others are read again and again
            others_s = [query.at_s for query in queries if query.unit == unit]
            assert sum(asked_s[2] < at_s < asked_s[3] for at_s in others_s) >= 3
        bad = readings(lost)[-2:]
        assert {reading.point for reading in bad} == {"a", "b"}
        assert all(reading.value is None for reading in bad)

    async def test_one_request_at_a_time_with_a_pause(self, serial_peer: SerialPeer) -> None:
        answered_s: list[float] = []

        def script(query: Query) -> Sequence[Step]:
            answered_s.append(query.at_s + 0.01)
            return [0.01, right(query)]

        serial_peer.script = script
        buses: Buses = {}
        sources = [source_for(serial_peer, A, unit_id=unit, buses=buses, pause_s=0.02) for unit in (1, 2, 3)]
        await asyncio.gather(*(arriving(source, lambda sofar: len(sofar) == 4) for source in sources))
        asked_s = [query.at_s for query in serial_peer.queries]
        for answered, asked in zip(answered_s, asked_s[1:], strict=False):
            assert asked >= answered + 0.019
        assert len(buses) == 1

    async def test_units_behind_one_host_share_a_connection(self, tcp_peer: NetworkPeer) -> None:
        buses: Buses = {}
        sources = [source_for(tcp_peer, A, unit_id=unit, buses=buses) for unit in (1, 2, 3)]

        def enough(sofar: list[Arrival]) -> bool:
            return len(sofar) >= 3 and {query.unit for query in tcp_peer.queries} == {1, 2, 3}

        await asyncio.gather(*(arriving(source, enough) for source in sources))
        assert tcp_peer.connections == 1

    async def test_the_line_is_closed_when_the_last_has_left(self, serial_peer: SerialPeer) -> None:
        """A second bus, as after a reload with other settings, could not open the port otherwise."""
        for _ in range(2):
            assert await arriving(source_for(serial_peer, buses={}), lambda sofar: len(sofar) == 2)


class TestPlanning:
    async def test_neighbours_are_one_request_and_periods_are_kept_apart(self, tcp_peer: NetworkPeer) -> None:
        fast = [{"name": f"f{i}", "table": "input", "address": 2 * i, "type": "u32"} for i in range(50)]
        slow = {"name": "slow", "table": "input", "address": 200, "type": "u16", "every_s": 0.2}
        source = source_for(tcp_peer, *fast, slow)
        await arriving(source, lambda _: sum(query.first == 200 for query in tcp_peer.queries) == 3)
        spans = [(query.function, query.first, query.count) for query in tcp_peer.queries]
        assert set(spans) == {(4, 0, 100), (4, 200, 1)}
        assert spans.count((4, 0, 100)) > 10

    async def test_a_refused_request_is_read_value_by_value(self, peer: Peer) -> None:
        """Register 103 does not exist; it is asked for together with its neighbours only once."""

        def script(query: Query) -> Sequence[Step]:
            has_hole = query.first <= 103 < query.first + query.count
            return [query.exception(2)] if has_hole else its_address(query)

        peer.script = script
        points = [
            {"name": name, "table": "holding", "address": address, "type": "u16"}
            for name, address in (("a", 100), ("b", 101), ("missing", 103), ("c", 104))
        ]
        source = source_for(peer, *points)
        arrivals = await arriving(source, lambda sofar: len(sofar) >= 12)
        assert latest(arrivals) == {"a": 100.0, "b": 101.0, "missing": None, "c": 104.0}
        bad = [reading for reading in readings(arrivals) if reading.value is None]
        assert {(reading.point, reading.detail) for reading in bad} == {
            ("missing", "exception 2: illegal data address")
        }
        await arriving(source, lambda sofar: len(sofar) >= 4)
        assert [query.count for query in peer.queries].count(5) == 1
        codes = {remark.code for remark in source.remarks}
        assert codes == {"source.modbus.read-singly", "source.modbus.illegal-address"}

    async def test_a_text_longer_than_the_limit(self, peer: Peer) -> None:
        text = "The quick brown fox jumps over the lazy dog."
        registers = [ord(text[i]) << 8 | ord(text[i + 1]) for i in range(0, len(text), 2)]

        def script(query: Query) -> Sequence[Step]:
            return [query.frame(query.values(registers[query.first : query.first + query.count]))]

        peer.script = script
        point = {"name": "t", "table": "holding", "address": 0, "type": "text", "registers": len(registers)}
        arrivals = await arriving(source_for(peer, point, max_registers=10), lambda _: True)
        assert latest(arrivals) == {"t": text}
        assert [query.count for query in peer.queries] == [10, 10, 2]

    async def test_turns_that_cannot_be_had_are_counted(self, tcp_peer: NetworkPeer) -> None:
        tcp_peer.script = lambda query: [0.05, right(query)]
        source = source_for(tcp_peer, A, every_s=0.01)
        arrivals = await arriving(source, lambda sofar: len(sofar) == 3)
        assert source.skipped_turns >= 8
        assert {reading.value for reading in readings(arrivals)} == {100.0}

    async def test_a_reading_is_as_old_as_its_reply(self, tcp_peer: NetworkPeer) -> None:
        (first, *_) = await arriving(source_for(tcp_peer), lambda sofar: len(sofar) == 2)
        loop_ns = asyncio.get_running_loop().time() * 1e9
        assert tcp_peer.queries[0].at_s * 1e9 - 1e6 < first.received_ns < loop_ns
        assert {reading.received_ns for reading in first.readings} == {first.received_ns}


class TestUnreachable:
    async def test_nobody_listens(self) -> None:
        error = await failure(source_for(NetworkPeer()))
        assert error.sentence.code == "source.modbus.unreachable"
        assert str(error.sentence).endswith(": Connection refused.")

    async def test_no_such_host(self) -> None:
        settings = {"kind": "modbus-tcp", "host": "no-such-host.invalid", "points": [A]}
        source = modbus_source(ModbusTcpSettings.model_validate(QUICK | settings), {})
        assert (await failure(source)).sentence.code == "source.modbus.unknown-host"

    @pytest.mark.usefixtures("busy_workers")
    async def test_a_name_is_found_though_no_worker_thread_is_free(self, tcp_peer: NetworkPeer) -> None:
        settings = settings_for(tcp_peer).model_copy(update={"host": "localhost"})
        arrivals = await arriving(modbus_source(settings, {}), lambda sofar: len(sofar) == 2)
        assert {reading.point: reading.value for reading in readings(arrivals)} == EXPECTED

    async def test_no_such_port(self, tmp_path: Path) -> None:
        error = await failure(source_for(SerialPeer(tmp_path / "nothing")))
        assert error.sentence.code in {"source.serial.not-found", "source.serial.no-ports"}

    async def test_the_port_is_in_use(self, serial_peer: SerialPeer) -> None:
        holder, second = (source_for(serial_peer) for _ in range(2))
        async with aclosing(holder.arrivals()) as holding:
            await anext(holding)
            assert (await failure(second)).sentence.code == "source.serial.busy"

    async def test_a_device_that_never_answers(self, peer: Peer) -> None:
        peer.script = lambda _: []
        error = await failure(source_for(peer, timeout_s=WAITED_S))
        assert error.sentence.code.startswith("source.modbus.no-answer")
        assert len(peer.queries) == 1

    async def test_a_line_of_nonsense(self, peer: Peer) -> None:
        peer.script = lambda _: [b"\x99\x81\xfe\x00\x17\x55\x3c\x00\x9a\x01"]
        error = await failure(source_for(peer, timeout_s=WAITED_S))
        assert error.sentence.code in {"source.modbus.garbled", "source.modbus.strange"}
        assert error.sentence.values["count"] == 10

    async def test_a_text_out_of_step_is_not_told(self, peer: Peer) -> None:
        """Whatever comes instead of an answer may be a part of one: of a text that stays on the gateway."""
        canary = b"CANARY-WELLE-471"
        peer.script = lambda _: [canary]
        sentence = (await failure(source_for(peer, timeout_s=WAITED_S))).sentence
        told = str(sentence.to_json()).replace(str(sentence.values["place"]), "").lower()
        pairs = [canary[at : at + 2] for at in range(len(canary) - 1)]
        assert not any(written in told for pair in pairs for written in (pair.hex(), pair.hex(" ")))
        assert "canary" not in told

    async def test_everything_refused(self, tcp_peer: NetworkPeer) -> None:
        tcp_peer.script = lambda query: [query.exception(1)]
        error = await failure(source_for(tcp_peer, A, silent_after_s=0.1))
        assert error.sentence.code == "source.modbus.illegal-function"

    @pytest.mark.parametrize("steps", range(8))
    async def test_given_up_while_it_is_opened(self, peer: Peer, steps: int) -> None:
        opening = asyncio.create_task(arriving(source_for(peer), lambda _: True))
        for _ in range(steps):
            await asyncio.sleep(0)
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)
        assert latest(await arriving(source_for(peer), lambda sofar: len(sofar) == 2)) == EXPECTED

    async def test_restarted(self) -> None:
        peer = NetworkPeer()
        source = source_for(peer)
        for _ in range(2):
            async with peer.running():
                assert latest(await arriving(source, lambda sofar: len(sofar) == 2)) == EXPECTED

    async def test_restarted_between_two_turns(self) -> None:
        peer = NetworkPeer()
        async with aclosing(source_for(peer, A, every_s=0.3).arrivals()) as coming:
            async with peer.running():
                assert (await anext(coming)).readings[0].value == 100.0
            async with peer.running():
                assert (await anext(coming)).readings[0].value == 100.0
        assert peer.connections == 2

    async def test_unplugged_and_plugged_in_again(self, tmp_path: Path) -> None:
        peer = SerialPeer(tmp_path / "line")
        source = source_for(peer, timeout_s=WAITED_S)
        async with aclosing(source.arrivals()) as coming:
            async with peer.running():
                assert (await anext(coming)).readings[0].value == 100.0
            with pytest.raises(SourceError):
                await only_bad(coming)
        async with peer.running():
            assert latest(await arriving(source, lambda sofar: len(sofar) == 2)) == EXPECTED


@asynccontextmanager
async def pymodbus_server(port: int) -> AsyncIterator[None]:
    """A server that others have written, with known bits in all four tables."""
    coils = [bit == "1" for bit in "1011000011110000"]
    blocks = (
        [SimData(0, values=coils, datatype=DataType.BITS)],
        [SimData(0, values=list(reversed(coils)), datatype=DataType.BITS)],
        [SimData(0, values=[0x4366, 0x3333, 0x0005], datatype=DataType.REGISTERS)],
        [SimData(0, values=[0x08D1, 0x006C, 0x0000], datatype=DataType.REGISTERS)],
    )
    server = ModbusTcpServer(SimDevice(1, simdata=blocks), address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    try:
        yield
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]


class TestRealServer:
    async def test_known_bits_of_all_four_tables(self) -> None:
        port = free_port()
        points = [
            *({"name": f"c{i}", "table": "coil", "address": i} for i in range(16)),
            *({"name": f"d{i}", "table": "discrete-input", "address": i} for i in range(16)),
            {"name": "volts", "table": "holding", "address": 0, "type": "f32"},
            {"name": "bit0", "table": "holding", "address": 2, "type": "u16", "bit": 0},
            {"name": "bit1", "table": "holding", "address": 2, "type": "u16", "bit": 1},
            {"name": "tenths", "table": "input", "address": 0, "type": "u16", "scale": 0.1},
            {
                "name": "amps", "table": "input", "address": 1, "type": "u32", "scale": 0.001,
                "word_order": "low-first",
            },
        ]  # fmt: skip
        settings = {"kind": "modbus-tcp", "host": "127.0.0.1", "port": port, "points": points}
        source = modbus_source(ModbusTcpSettings.model_validate(QUICK | settings), {})
        async with pymodbus_server(port):
            found = latest(await arriving(source, lambda sofar: len(sofar) == 4))
        expected = [bit == "1" for bit in "1011000011110000"]
        assert [found[f"c{i}"] for i in range(16)] == expected
        assert [found[f"d{i}"] for i in range(16)] == expected[::-1]
        assert found["volts"] == pytest.approx(230.2, abs=1e-5)
        assert (found["bit0"], found["bit1"], found["tenths"], found["amps"]) == (True, False, 225.7, 0.108)

    async def test_a_missing_register(self) -> None:
        port = free_port()
        points = [A | {"address": 0}, B | {"address": 1}, B | {"name": "none", "address": 9}]
        settings = {"kind": "modbus-tcp", "host": "127.0.0.1", "port": port, "points": points}
        source = modbus_source(ModbusTcpSettings.model_validate(QUICK | settings), {})
        async with pymodbus_server(port):
            found = latest(await arriving(source, lambda sofar: len(sofar) == 3))
        assert found == {"a": float(0x4366), "b": float(0x3333), "none": None}


def test_nothing_in_the_code_writes() -> None:
    """Neither a function of the library that writes, nor the number of one."""
    folder = Path(collector.sources.modbus.__file__).parent
    code = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    assert not re.search(r"write_|\.write\w*\(|Write[A-Z]|\.execute", code)
