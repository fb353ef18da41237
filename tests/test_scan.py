"""`collector scan` as a user types it: on pseudo-terminals whose speed matters, and over real connections."""

import asyncio
import contextlib
import os
import signal
import termios
import tomllib
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from modbus_peers import NetworkPeer, Query, SerialPeer, Step, its_address
from servers import PATIENCE_S, PROGRAM, Collector, Mosquitto, Process, free_port, serial_port, until
from streams import binary_frames, modbus_traffic, text_lines, vibration, witmotion
from uart import received

from collector.cli.scan import _host, _ids
from collector.config import load
from collector.points import Reading
from collector.scan.fragment import nominal_hz
from collector.scan.listening import Noise, Stream, listen
from collector.scan.ports import serial_ports, users_of
from collector.scan.recognition import candidates
from collector.scan.units import LIKELY_IDS, SERIAL_IDS, Trouble, find_units, serial_lines
from collector.sources.binary_frames import BinaryFormat
from collector.sources.modbus.line import Line, NetworkLine, SerialLine
from collector.sources.modbus.planner import Span
from collector.sources.modbus.polls import Poll
from collector.sources.modbus.settings import Table
from collector.sources.modbus.wire import Answer, NoAnswer, Refusal, Reply
from collector.texts import Sentence
from collector.texts import modbus as modbus_texts

SPEEDS = {
    getattr(termios, name): int(name[1:]) for name in dir(termios) if name[1:].isdigit() and name[0] == "B"
}
PATIENT = "--timeout", "5"
"""A busy machine takes its time."""
UNUSUAL = 250_000
"""The one speed that is tried and has no number of its own."""
GATEWAY = """\
[gateway]
company = "works"
name = "gw1"
[broker]
host = "127.0.0.1"
[outbox]
directory = "outbox"
[control]
socket = "control.sock"
"""
METER = [0x0000] * 0x50
for place, value in {0: 0x4366, 1: 0x0000, 0x46: 0x4248, 0x47: 0x0000}.items():
    METER[place] = value
"""An Eastron meter with one phase: 230 V at register 30001, 50 Hz at 30071."""


class Scan:
    """A running `collector scan`."""

    def __init__(self, process: Process) -> None:
        self.process = process

    async def ended(self) -> tuple[int, str]:
        code = await asyncio.wait_for(self.process.process.wait(), 120)
        await self.process.end()
        return code, "\n".join(self.process.lines)


async def scan(*options: str, folder: Path) -> tuple[int, str]:
    return await Scan(await Process.start(PROGRAM, "scan", *options, "--config", folder)).ended()


async def checked(folder: Path, output: str) -> dict[str, Any]:
    """What a scan printed, pasted into a machine file: it passes `collector check`."""
    fragment = output[output.index("[[") :]
    (folder / "machines").mkdir()
    (folder / "collector.toml").write_text(GATEWAY, encoding="utf-8")
    pasted = f'[machine]\nname = "m"\n\n{fragment}'
    (folder / "machines" / "m.toml").write_text(pasted, encoding="utf-8")
    process = await Process.start(PROGRAM, "check", folder)
    assert await asyncio.wait_for(process.process.wait(), PATIENCE_S) == 0, process.lines
    await process.end()
    return tomllib.loads(pasted)


@contextlib.asynccontextmanager
async def sensor(link: Path, stream: bytes, baud: int, bytes_per_s: float) -> AsyncIterator[None]:
    """A sensor that sends a stream at a speed again and again; at another speed it is heard as garbage."""
    async with serial_port(link) as ours:
        os.set_blocking(ours, False)
        sending = asyncio.create_task(_send(ours, stream, baud, bytes_per_s))
        try:
            yield
        finally:
            sending.cancel()
            await asyncio.wait([sending])


async def _send(descriptor: int, stream: bytes, baud: int, bytes_per_s: float) -> None:
    """Send in time with the clock, however late a busy machine wakes us or whoever listens."""
    loop = asyncio.get_running_loop()
    begun_s, heard, sent, begun_at = loop.time(), 0, 0, 0
    while True:
        await asyncio.sleep(0.01)
        before, heard = heard, SPEEDS.get(termios.tcgetattr(descriptor)[5], UNUSUAL)
        if heard != before:  # what was under way then would come in a burst, as if it were sent faster
            begun_s, begun_at = loop.time(), sent
        due = begun_at + int((loop.time() - begun_s) * bytes_per_s)
        piece = bytes(stream[at % len(stream)] for at in range(sent, due))
        written = 0
        with contextlib.suppress(BlockingIOError):
            written = os.write(descriptor, received(piece, baud, heard))
        sent = (
            sent + written if heard == baud else due
        )  # what does not fit now waits, where it is listened to


class TestStreams:
    async def test_text_at_another_speed_than_the_first(self, tmp_path: Path) -> None:
        stream = text_lines(vibration(500, 3), ",")
        async with sensor(tmp_path / "port", stream, 57_600, 200 * len(stream) / 500):
            code, output = await scan(str(tmp_path / "port"), folder=tmp_path)
        assert code == 0, output
        (waveform,) = (await checked(tmp_path, output))["waveforms"]
        source = waveform["source"]
        assert (source["baud"], source["rate_hz"]) == (57_600, pytest.approx(200, rel=0.1))
        assert source["port"] == str(tmp_path / "port"), "the name as it was typed, not where it leads"
        assert source["format"] == {"kind": "text", "delimiter": ",", "scale": 1.0}
        assert [channel["name"] for channel in waveform["channels"]] == ["x", "y", "z"]
        assert "listening on" in output

    async def test_a_counter_that_starts_again_is_used_and_another_one_is_ready_to_be(
        self, tmp_path: Path
    ) -> None:
        lines = text_lines(vibration(1000, 2), ",", before=[range(1000)])
        async with sensor(tmp_path / "port", lines, 115_200, 400 * len(lines) / 1000):
            code, output = await scan(str(tmp_path / "port"), "--baud", "115200", folder=tmp_path)
        assert code == 0, output
        (waveform,) = (await checked(tmp_path, output))["waveforms"]
        found = waveform["source"]["format"]
        assert (found["columns"], found["counter_column"], found["counter_modulus"]) == ([2, 3], 1, 1000)

        (tmp_path / "again").mkdir()
        lines = text_lines(vibration(100_000, 2), ",", before=[range(70_000, 170_000)])
        async with sensor(tmp_path / "port", lines, 115_200, 400 * len(lines) / 100_000):
            code, output = await scan(str(tmp_path / "port"), "--baud", "115200", folder=tmp_path)
        assert code == 0, output
        (waveform,) = (await checked(tmp_path / "again", output))["waveforms"]
        assert "counter_column" not in waveform["source"]["format"]
        used = output.replace("# counter_", "counter_")
        assert "after 4294967296, take away the #" in output
        (tmp_path / "used").mkdir()
        (waveform,) = (await checked(tmp_path / "used", used))["waveforms"]
        found = waveform["source"]["format"]
        assert (found["counter_column"], found["counter_modulus"]) == (1, 4_294_967_296)

    async def test_frames_with_a_checksum(self, tmp_path: Path) -> None:
        keys = {"sync": "aa55", "counter": "u16", "checksum": "crc16-modbus"}
        stream = binary_frames(BinaryFormat.model_validate({"kind": "binary"} | keys), vibration(65_536, 3))
        async with sensor(tmp_path / "port", stream, 115_200, 12 * 500):
            code, output = await scan(str(tmp_path / "port"), "--toml", folder=tmp_path)
        assert code == 0, output
        (waveform,) = (await checked(tmp_path, output))["waveforms"]
        found = waveform["source"]["format"]
        assert {name: found[name] for name in keys} == keys
        assert waveform["source"]["rate_hz"] == pytest.approx(500, rel=0.1)

    async def test_frames_without_a_checksum_are_only_believed_when_nothing_else_is_found(
        self, tmp_path: Path
    ) -> None:
        stream = binary_frames(BinaryFormat(kind="binary", sync="aa55"), vibration(3000, 3, amplitude=20_000))
        told: list[Sentence] = []
        async with sensor(tmp_path / "port", stream, 57_600, 8 * 400):
            heard = await asyncio.to_thread(
                listen, str(tmp_path / "port"), (115_200, 57_600, 9600), told.append
            )
        assert isinstance(heard, Stream)
        assert (heard.baud, heard.guess.certain) == (57_600, False)
        assert [sentence.values["baud"] for sentence in told] == [115_200, 57_600, 9600, 57_600]

    async def test_witmotion_at_its_usual_speed(self, tmp_path: Path) -> None:
        async with sensor(tmp_path / "port", witmotion(vibration(100, 3)), 9600, 22 * 20):
            code, output = await scan(str(tmp_path / "port"), folder=tmp_path)
        assert code == 0, output
        assert "WitMotion" in output
        (waveform,) = (await checked(tmp_path, output))["waveforms"]
        assert (waveform["source"]["baud"], waveform["source"]["rate_hz"]) == (
            9600,
            pytest.approx(20, rel=0.1),
        )
        assert {channel["unit"] for channel in waveform["channels"]} == {"g"}

    async def test_what_cannot_be_understood_is_shown(self, tmp_path: Path) -> None:
        async with sensor(tmp_path / "port", b"\x01\x02\x04\x08\x10\x21\x43\x87" * 3 + b"\x0f", 9600, 500):
            code, output = await scan(str(tmp_path / "port"), "--baud", "9600", folder=tmp_path)
        assert code == 1
        assert "bytes a second come from" in output
        assert "manual" in output

    async def test_text_of_another_form_is_shown_at_its_speed(self, tmp_path: Path) -> None:
        stream = b"".join(b"ax=%d;ay=%d\r\n" % (n % 7, n % 5) for n in range(200))
        async with sensor(tmp_path / "port", stream, 9600, 500):
            heard = await asyncio.to_thread(listen, str(tmp_path / "port"), (115_200, 9600), lambda _: None)
        assert isinstance(heard, Noise)
        assert heard.baud == 9600
        assert b"ax=" in heard.last

    async def test_another_master_is_not_disturbed(self, tmp_path: Path) -> None:
        async with sensor(tmp_path / "port", modbus_traffic(50), 9600, 400):
            code, output = await scan(str(tmp_path / "port"), folder=tmp_path)
        assert code == 1
        assert "somebody else asks Modbus devices already (9600 baud)" in output


def meter(query: Query) -> Sequence[Step]:
    """An Eastron SDM120, as unit 5."""
    if query.unit != 5:
        return []
    if query.function != 4 or query.first + query.count > len(METER):
        return [query.exception(2)]
    return [query.frame(query.values(METER[query.first : query.first + query.count]))]


class TestModbus:
    async def test_a_known_meter_on_a_serial_line(self, tmp_path: Path) -> None:
        async with SerialPeer(tmp_path / "line", meter).running() as peer:
            code, output = await scan(str(tmp_path / "line"), "--units", "4-5", *PATIENT, folder=tmp_path)
        assert code == 0, output
        assert "reads like eastron-sdm120" in output
        assert "voltage 230 V" in output
        (controller,) = (await checked(tmp_path, output))["controllers"]
        line = {"kind": "modbus-rtu", "port": str(tmp_path / "line"), "baud": 9600, "parity": "none"}
        assert controller["source"] == line | {"unit_id": 5, "profile": "eastron-sdm120"}
        assert peer.functions <= {1, 2, 3, 4}, "it only reads"

    async def test_a_silent_port_is_asked_after_it_was_listened_to(self, tmp_path: Path) -> None:
        async with SerialPeer(tmp_path / "line", meter).running():
            process = await Process.start(PROGRAM, "scan", tmp_path / "line", "--config", tmp_path)
            await until(lambda: any("asking unit" in line for line in process.lines))
            assert "listening on" in process.lines[0]
            await until(lambda: sum("asking" in line for line in process.lines) == 1)
            process.process.send_signal(signal.SIGINT)
            code = await asyncio.wait_for(process.process.wait(), PATIENCE_S)
            await process.end()
        assert code == 130
        assert "Stopped" in "\n".join(process.lines)
        assert "Traceback" not in "\n".join(process.lines)

    async def test_an_unknown_device_on_a_network(self, tmp_path: Path) -> None:
        def script(query: Query) -> Sequence[Step]:
            if query.unit != 3:
                return [query.exception(11)]
            return its_address(query) if query.first >= 100 else [query.exception(2)]

        async with NetworkPeer(script=script).running() as peer:
            code, output = await scan(f"127.0.0.1:{peer.port}", folder=tmp_path)
        assert code == 0, output
        assert "unit 3" in output
        (controller,) = (await checked(tmp_path, output))["controllers"]
        assert controller["source"]["unit_id"] == 3
        points = {(point["table"], point["address"]) for point in controller["source"]["points"]}
        assert points == {("holding", 100), ("input", 100)}
        assert "It read 100." in output
        assert peer.functions <= {1, 2, 3, 4}

    async def test_a_device_that_answers_to_every_number(self, tmp_path: Path) -> None:
        async with NetworkPeer().running() as peer:
            code, output = await scan(f"127.0.0.1:{peer.port}", folder=tmp_path)
        assert code == 0, output
        assert "answers to every number" in output
        assert len((await checked(tmp_path, output))["controllers"]) == 1

    async def test_behind_a_converter(self, tmp_path: Path) -> None:
        async with NetworkPeer("rtu", meter).running() as peer:
            place = f"127.0.0.1:{peer.port}"
            code, output = await scan(place, "--converter", "--units", "5", *PATIENT, folder=tmp_path)
        assert code == 0, output
        (controller,) = (await checked(tmp_path, output))["controllers"]
        assert controller["source"]["kind"] == "modbus-rtu-over-tcp"

    async def test_nothing_is_said_clearly(self, tmp_path: Path) -> None:
        async with SerialPeer(tmp_path / "line", lambda _: []).running():
            options = ["--baud", "9600", "--units", "1-2"]
            code, output = await scan(str(tmp_path / "line"), *options, folder=tmp_path)
        assert code == 1
        assert "no Modbus unit answers" in output
        assert "exchange A and B" in output


class TestLines:
    """Which settings are tried: a pseudo-terminal has no parity, so the line is a function here."""

    @staticmethod
    def on(settings: tuple[int, str], units: set[int], asked: list[tuple[Line, int]]) -> Callable[..., Any]:
        nothing = NoAnswer(modbus_texts.NO_ANSWER(unit=1, place="line", seconds=1), "no reply")

        async def ask(line: Line, unit_id: int, table: Table, span: Span) -> Answer:
            asked.append((line, unit_id))
            assert isinstance(line, SerialLine)
            if (line.baud, line.parity) != settings or unit_id not in units:
                return nothing
            return Refusal(2) if table == "holding" else Reply([0] * span.count, 0, 0)

        return ask

    @staticmethod
    async def found(ask: Any, ids: Sequence[int], others: Sequence[int] = ()) -> list[tuple[int, Line]]:
        units = find_units(serial_lines("p"), ids, ask, lambda _: None, Trouble(), others)
        return [(unit.unit_id, unit.line) async for unit in units]

    @pytest.mark.parametrize("settings", [(9600, "none"), (19_200, "even"), (38_400, "odd"), (2400, "none")])
    async def test_one_answer_settles_the_line(self, settings: Any) -> None:
        asked: list[tuple[Line, int]] = []
        ask = self.on(settings, {2, 77}, asked)
        line = SerialLine("p", settings[0], settings[1], 1)
        assert await self.found(ask, LIKELY_IDS, SERIAL_IDS) == [(2, line), (77, line)]
        assert len(asked) < 21 * (len(LIKELY_IDS) + 2) + len(SERIAL_IDS) + 40, "each number is asked once"

    async def test_numbers_that_are_given_are_asked_at_every_setting(self) -> None:
        ask = self.on((2400, "odd"), {50}, [])
        assert await self.found(ask, range(1, 100)) == [(50, SerialLine("p", 2400, "odd", 1))]

    async def test_it_ends(self) -> None:
        asked: list[tuple[Line, int]] = []
        assert await self.found(self.on((1, "none"), set(), asked), LIKELY_IDS, SERIAL_IDS) == []
        assert len(asked) == 21 * len(LIKELY_IDS), "only the likely numbers are asked at every setting"

    def test_the_usual_settings_come_first(self) -> None:
        lines = serial_lines("p")
        assert len(set(lines)) == len(lines) == 21
        first = [(line.baud, line.parity) for line in lines[:3] if isinstance(line, SerialLine)]
        assert first == [(9600, "none"), (19_200, "even"), (9600, "even")]


def answering(words: Sequence[int], poll: Poll) -> Sequence[Reading]:
    """What a device whose registers begin with these words answers."""
    known = [*words, *[0] * 200]
    return poll.readings(known[poll.span.first : poll.span.end], 0)


def test_a_pzem_is_known_by_what_it_reads() -> None:
    """The reply of a real one, from its makers' examples: 225.7 V, 50.0 Hz, power factor 1."""
    words = [0x08D1, 0x006C, 0x0000, 0x00F4, 0x0000, 0x0026, 0x0000, 0x01F4, 0x0064, 0x0000]
    evidence = {
        candidate.profile: candidate.evidence(
            [one for poll in candidate.polls for one in answering(words, poll)]
        )
        for candidate in candidates(1)
    }
    assert {profile for profile, told in evidence.items() if told} == {"pzem-016"}
    assert "225.7 V" in str(evidence["pzem-016"])


@pytest.mark.parametrize("words", [[0] * 200, [0xFFFF] * 200, list(range(200))])
def test_registers_that_mean_something_else_are_like_nothing(words: list[int]) -> None:
    for candidate in candidates(80):
        readings = [one for poll in candidate.polls for one in answering(words, poll)]
        assert candidate.evidence(readings) is None
        assert candidate.bounds.keys() == candidate.units.keys(), "the bounds are of points that there are"


def test_devices_with_a_number_from_the_factory_are_only_taken_for_such() -> None:
    assert "wtvb01-485" in {candidate.profile for candidate in candidates(80)}
    assert "wtvb01-485" not in {candidate.profile for candidate in candidates(1)}


class TestHeldPorts:
    async def test_a_port_that_the_collector_holds(self, tmp_path: Path, broker: Mosquitto) -> None:
        stream = text_lines(vibration(500, 1))
        async with sensor(tmp_path / "port", stream, 115_200, 2000):
            (tmp_path / "machines").mkdir()
            (tmp_path / "collector.toml").write_text(
                GATEWAY.replace('1"\n[outbox', f'1"\nport = {broker.port}\n[outbox')
            )
            (tmp_path / "machines" / "m.toml").write_text(
                f'[machine]\nname = "m"\n[[waveforms]]\nname = "spindle"\nwindow = {{ samples = 64 }}\n'
                'channels = [{ name = "x", unit = "g" }]\n'
                f'source = {{ kind = "serial", port = "{tmp_path / "port"}", baud = 115200, rate_hz = 100, '
                'format = { kind = "text" } }\n'
            )
            collector = Collector(tmp_path)
            await collector.start()
            try:
                await until(collector.report)
                code, output = await collector.ask("scan", str(tmp_path / "port"))
                assert code == 1
                assert "holds" in output
                assert "collector test m/spindle" in output
            finally:
                await collector.end()
        assert load(tmp_path).machines

    async def test_a_port_that_another_program_holds(self, tmp_path: Path) -> None:
        async with sensor(tmp_path / "port", b"1\n", 115_200, 10):
            reader = await asyncio.create_subprocess_exec(
                "cat", tmp_path / "port", stdout=asyncio.subprocess.DEVNULL
            )
            try:
                users = await until(lambda: users_of(str(tmp_path / "port")))
                assert users == [f"cat ({reader.pid})"]
            finally:
                reader.kill()
                await reader.wait()


def info(device: Path, **facts: Any) -> Any:
    nothing = dict.fromkeys(["vid", "pid", "serial_number", "interface", "manufacturer", "product"])
    return SimpleNamespace(**nothing | {"device": str(device), "description": "n/a"} | facts)


def test_ports_have_their_lasting_names(tmp_path: Path) -> None:
    devices = [tmp_path / name for name in ("ttyS0", "ttyUSB0", "ttyUSB1", "ttyUSB2", "ttyACM0")]
    for device in devices:
        device.touch()
    for name in ("by-id", "by-path"):
        (tmp_path / "serial" / name).mkdir(parents=True)
    own, twin = tmp_path / "serial" / "by-id" / "usb-A_1", tmp_path / "serial" / "by-id" / "usb-Twin"
    own.symlink_to(devices[1])
    twin.symlink_to(devices[3])
    for number, device in enumerate(devices[1:4]):
        (tmp_path / "serial" / "by-path" / f"plug-{number}").symlink_to(device)
    found = [
        info(devices[0]),
        info(devices[1], vid=1, pid=1, serial_number="1", manufacturer="Maker", product="Sensor"),
        info(devices[2], vid=2, pid=2),
        info(devices[3], vid=2, pid=2),
        info(devices[4], vid=3, pid=3, serial_number="3"),
    ]
    ports = {Path(port.device).name: port for port in serial_ports(found, tmp_path / "serial")}
    assert ports["ttyUSB0"].name == str(own)
    assert ports["ttyUSB0"].description == "Maker Sensor"
    assert Path(ports["ttyUSB1"].name).name == "plug-1", "twins share a name, so the plug tells them apart"
    assert Path(ports["ttyUSB2"].name).name == "plug-2"
    assert not ports["ttyACM0"].lasting
    assert ports["ttyS0"].name == str(devices[0])


@pytest.mark.parametrize(
    ("measured", "nominal"),
    [(996.2, 1000), (1013.0, 1000), (3196, 3200), (25_590, 25_600), (437.3, 437), (0.98, 1)],
)
def test_the_rate_that_was_meant(measured: float, nominal: float) -> None:
    assert nominal_hz(measured) == nominal


def test_places_and_numbers_as_people_type_them() -> None:
    assert _host("192.168.0.20") == ("192.168.0.20", 502)
    assert _host("meter.local:1502") == ("meter.local", 1502)
    assert _host("[::1]:1502") == ("::1", 1502)
    assert _host("fe80::1") == ("fe80::1", 502)
    assert list(_ids("3-5")) == [3, 4, 5]
    assert list(_ids("80")) == [80]
    assert NetworkLine("::1", 502, rtu=False).place


async def test_advice_is_about_what_was_typed_and_not_about_a_configuration(tmp_path: Path) -> None:
    for place, said in (
        (f"127.0.0.1:{free_port()}", "Nothing answers at 127.0.0.1:"),
        ("no-such-device-" + 8 * "anywhere-", "no serial port in /dev"),  # too long to be asked for
        ("ttyNOWHERE", "There is no port /dev/ttyNOWHERE."),
        (str(tmp_path / "port"), f"There is no port {tmp_path}/port."),
    ):
        code, output = await scan(place, folder=tmp_path)
        assert code == 1
        assert said in output
        assert "source" not in output


@pytest.mark.parametrize("wrong", [["1.2.3.4:x"], ["1.2.3.4:99999"], ["two words"], ["h", "--units", "9-3"]])
async def test_wrong_use_is_told(wrong: list[str], tmp_path: Path) -> None:
    code, output = await scan(*wrong, folder=tmp_path)
    assert code == 2
    assert "What to do: Type" in output
