"""Serial ports, on real pseudo-terminals: opening, garbage, unplugging, silence, nonsense."""

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import aclosing, closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from runs import all_samples, is_subsequence
from uart import received

from collector.errors import SourceError
from collector.samples import Channel, Loss, LossCause, Run, Signal
from collector.sources.binary_frames import BinaryFormat
from collector.sources.checksums import checksum
from collector.sources.reader import Reading, read_chunks
from collector.sources.serial import SerialDevice, SerialSettings, SerialSource, serial_source, why_not_open

CHANNELS = tuple(Channel(name, "g") for name in "xyz")


class Cable:
    """A pseudo-terminal: we are the sensor at one end, `path` is the port at the other."""

    def __init__(self) -> None:
        self._sensor, self._port = os.openpty()
        self.path = os.ttyname(self._port)

    def send(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._sensor, data) :]

    def unplug(self) -> None:
        if self._sensor >= 0:
            os.close(self._sensor)
            os.close(self._port)
            self._sensor = -1


@pytest.fixture
def cable() -> Iterator[Cable]:
    cable = Cable()
    yield cable
    cable.unplug()


@pytest.fixture
def spare() -> Iterator[Cable]:
    cable = Cable()
    yield cable
    cable.unplug()


@dataclass
class Prompt:
    """A source whose sensor sends as soon as the port is open; what came before, opening throws away."""

    source: SerialSource
    cable: Cable
    data: bytes
    origin: str = "live"
    waits: bool = False
    silent_after_s: float | None = None

    @property
    def signal(self) -> Signal:
        return self.source.signal

    def open(self) -> SerialDevice:
        device = self.source.open()
        self.cable.send(self.data)
        return device


def settings(port: str | Path, **changes: object) -> SerialSettings:
    base = {"kind": "serial", "port": str(port), "baud": 115200, "rate_hz": 1000, "format": {"kind": "text"}}
    return SerialSettings.model_validate(base | changes)


def opened(port: str | Path, **changes: object) -> SerialDevice:
    return serial_source(settings(port, **changes), CHANNELS).open()


def read(device: SerialDevice, samples: int) -> list[Run]:
    """Read until so many samples came; the device itself gives up when nothing comes."""
    runs: list[Run] = []
    while sum(run.samples.shape[1] for run in runs) < samples:
        runs += device.read()
    return runs


def lines(first: int, end: int) -> bytes:
    return "".join(f"{i} {-i} 0.5\n" for i in range(first, end)).encode()


def rows(first: int, end: int) -> list[list[float]]:
    return [[i, -i, 0.5] for i in range(first, end)]


class TestReading:
    def test_what_arrives_in_pieces(self, cable: Cable) -> None:
        with closing(opened(cable.path)) as device:
            data, runs = b"0.5\n" + lines(0, 300), []
            for start in range(0, len(data), 501):
                cable.send(data[start : start + 501])
                runs += device.read()
            runs += read(device, 299 - sum(run.samples.shape[1] for run in runs))
            assert all_samples(runs).T.tolist() == rows(0, 299)
            assert device.bad_bytes() == 0

    def test_garbage_on_the_way(self, cable: Cable) -> None:
        with closing(opened(cable.path)) as device:
            cable.send(b"0.5\n" + lines(0, 20) + b"\xf0\x0f\n7" + lines(20, 40))
            runs = read(device, 36)
            assert [run.loss for run in runs if run.loss] == [Loss(LossCause.GARBAGE, 3, estimated=True)]
            assert is_subsequence(all_samples(runs).T.tolist(), rows(0, 40))
            assert device.bad_bytes() > 0

    def test_nothing_is_an_empty_read(self, cable: Cable) -> None:
        with closing(opened(cable.path)) as device:
            assert device.read() == []

    def test_a_fast_stream(self, cable: Cable) -> None:
        """Half a second of 25.6 kHz: the kernel keeps 4096 bytes, and none of the 192 000 is lost."""
        form = {"kind": "binary", "sync": "aa55", "counter": "u16", "checksum": "crc16-modbus"}
        n = 12_800
        layout = np.dtype([("sync", "u1", 2), ("counter", "<u2"), ("values", "<i2", 3), ("check", "<u2")])
        frames = np.zeros(n, layout)
        frames["sync"] = (0xAA, 0x55)
        frames["counter"] = np.arange(n)
        frames["values"] = np.random.default_rng(2).integers(-32768, 32768, (n, 3))
        check = checksum("crc16-modbus", layout.itemsize - 2)
        assert check is not None
        frames["check"] = check(frames.view(np.uint8).reshape(n, -1)[:, :-2])
        with closing(opened(cable.path, rate_hz=25_600, format=form)) as device:
            sensor = threading.Thread(target=cable.send, args=(frames.tobytes(),))
            sensor.start()
            runs = read(device, n)
            sensor.join()
        assert np.array_equal(all_samples(runs).T, frames["values"])
        assert [run.loss for run in runs if run.loss] == []

    def test_unusual_speeds_open(self, cable: Cable) -> None:
        opened(cable.path, baud=1_234_567).close()


class TestPlugging:
    def test_unplugged_while_read(self, cable: Cable) -> None:
        with closing(opened(cable.path)) as device:
            cable.send(b"0.5\n" + lines(0, 5))
            read(device, 4)
            cable.unplug()
            with pytest.raises(SourceError) as caught:
                read(device, 1)
            assert caught.value.sentence.code == "source.serial.vanished"

    def test_plugged_into_another_port(self, tmp_path: Path, cable: Cable, spare: Cable) -> None:
        by_id = tmp_path / "usb-sensor"
        by_id.symlink_to(cable.path)
        source = serial_source(settings(by_id), CHANNELS)
        device = source.open()
        cable.unplug()
        with pytest.raises(SourceError):
            read(device, 1)
        device.close()
        by_id.unlink()
        with pytest.raises(SourceError) as caught:
            source.open()
        assert caught.value.sentence.code in {"source.serial.not-found", "source.serial.no-ports"}
        by_id.symlink_to(spare.path)
        with closing(source.open()) as again:
            spare.send(b"5\n" + lines(7, 10))
            assert all_samples(read(again, 2)).T.tolist() == rows(7, 9)

    async def test_the_consumer_learns_of_it(self, cable: Cable) -> None:
        source = Prompt(serial_source(settings(cable.path), CHANNELS), cable, b"5\n" + lines(0, 10))
        reading, got = Reading(), []
        async with aclosing(read_chunks(source, 5.0, reading)) as arriving:
            got += await anext(arriving)
            cable.unplug()
            with pytest.raises(SourceError) as caught:
                await anext(arriving)
        assert all_samples([chunk.run for chunk in got]).T.tolist() == rows(0, 9)
        assert caught.value.sentence.code == "source.serial.vanished"
        assert not reading.is_open


class TestOpening:
    def test_a_port_is_ours_alone(self, cable: Cable) -> None:
        with closing(opened(cable.path)):
            with pytest.raises(SourceError) as caught:
                opened(cable.path)
            assert caught.value.sentence.code == "source.serial.busy"
            assert "fuser" in caught.value.sentence.advice
        opened(cable.path).close()

    def test_a_file_is_no_port(self, tmp_path: Path) -> None:
        file = tmp_path / "file"
        file.touch()
        with pytest.raises(SourceError) as caught:
            opened(file)
        assert caught.value.sentence.code == "source.serial.not-a-port"

    @pytest.mark.parametrize(
        ("error", "code", "advice"),
        [
            (OSError(errno.ENOENT, ""), "source.serial.no-ports", "cable"),
            (OSError(errno.EACCES, ""), "source.serial.not-permitted", "dialout"),
            (OSError(errno.EBUSY, ""), "source.serial.busy", "Close"),
            (OSError(errno.EAGAIN, ""), "source.serial.busy", "Close"),
            (OSError(errno.EIO, "broken"), "source.serial.not-opened", "Unplug"),
            (ValueError("baud"), "source.serial.baud-refused", "115200"),
        ],
    )
    def test_why_not(self, tmp_path: Path, error: Exception, code: str, advice: str) -> None:
        sentence = why_not_open("/dev/null", 300, error, by_id=tmp_path)
        assert sentence.code == code
        assert advice in sentence.advice

    def test_other_ports_are_named(self, tmp_path: Path) -> None:
        (tmp_path / "usb-other").touch()
        sentence = why_not_open("/dev/ttyUSB0", 300, FileNotFoundError(errno.ENOENT, ""), by_id=tmp_path)
        assert sentence.code == "source.serial.not-found"
        assert str(tmp_path / "usb-other") in sentence.advice


class Seconds:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> int:
        return int(self.now * 1e9)


class TestSilence:
    def opened(self, cable: Cable, seconds: Seconds, **changes: object) -> SerialDevice:
        source = SerialSource(
            settings(cable.path, silent_after_s=3.0, **changes), Signal(CHANNELS, 1000.0), seconds
        )
        return source.open()

    def test_no_bytes_at_all(self, cable: Cable) -> None:
        seconds = Seconds()
        with closing(self.opened(cable, seconds)) as device:
            seconds.now = 2.9
            assert device.read() == []
            seconds.now = 3.1
            with pytest.raises(SourceError) as caught:
                device.read()
        assert caught.value.sentence.code == "source.serial.no-bytes"
        assert "power" in caught.value.sentence.advice

    @pytest.mark.parametrize("every", [2, 3, 5, 12])
    def test_the_wrong_speed(self, cable: Cable, every: int) -> None:
        seconds = Seconds()
        with closing(self.opened(cable, seconds)) as device:
            nonsense = received(lines(0, 200), 115200 * every, 115200)
            cable.send(nonsense)
            assert [device.read(), device.read()] == [[], []]  # all of it, then nothing more
            seconds.now = 10.0
            with pytest.raises(SourceError) as caught:
                device.read()
        sentence = caught.value.sentence
        assert sentence.code == "source.serial.not-understood"
        assert str(sentence).startswith(f"{round(len(nonsense) / 10)} bytes a second")
        assert "115200" in sentence.advice

    def test_what_came_is_shown(self, cable: Cable) -> None:
        seconds = Seconds()
        with closing(self.opened(cable, seconds)) as device:
            seconds.now = 4.0
            cable.send(b"\xffx\n1,2,3,4\n")
            with pytest.raises(SourceError, match=r"The last ones: \\xffx\\n1,2,3,4\\n"):
                device.read()
        form = {"kind": "binary", "sync": "aa55"}
        seconds.now = 0.0
        with closing(self.opened(cable, seconds, format=form)) as device:
            seconds.now = 4.0
            cable.send(b"\x01\x02\xff")
            with pytest.raises(SourceError, match="The last ones: 01 02 ff"):
                device.read()

    @pytest.mark.parametrize(
        ("sent", "delimiter", "code", "advice"),
        [
            ("0.1;0.2;0.3\r\n", ",", "other-delimiter", 'delimiter = ";"'),
            ("0.1, -0.2, 0.3\n", "", "other-delimiter", 'delimiter = ","'),
            ("0.1  0.2\t0.3\n", ",", "no-delimiter", "Take delimiter out"),
            ("x=0.1,y=0.2,z=0.3\n", ",", "lines-differ", "speed is right"),
            ("1,2,3,4\n", ",", "lines-differ", "line_columns"),
            ("0,1;0,2;0,3\n", ",", "lines-differ", "columns"),
            ("\x00\x80;\n", ",", "not-understood", "115200"),
        ],
    )
    def test_lines_that_can_be_read_come_at_the_right_speed(
        self, cable: Cable, sent: str, delimiter: str, code: str, advice: str
    ) -> None:
        seconds = Seconds()
        form = {"kind": "text", "delimiter": delimiter}
        with closing(self.opened(cable, seconds, format=form)) as device:
            seconds.now = 4.0
            cable.send(sent.encode("latin-1") * 5)
            with pytest.raises(SourceError) as caught:
                device.read()
        assert caught.value.sentence.code == f"source.serial.{code}"
        assert advice in caught.value.sentence.advice

    def test_a_sample_ends_it(self, cable: Cable) -> None:
        seconds = Seconds()
        with closing(self.opened(cable, seconds)) as device:
            seconds.now = 2.9
            cable.send(b"1\n" + lines(0, 3))
            read(device, 2)
            seconds.now = 5.8
            assert device.read() == []


def test_the_signal_carries_the_integers_limits() -> None:
    binary = BinaryFormat(kind="binary", sync="aa55", scale=0.001)
    signal = serial_source(settings("/dev/null", format=binary.model_dump()), CHANNELS).signal
    assert signal.channels[0].clip_high == pytest.approx(32.767)
    assert not signal.rate_exact
    witmotion = serial_source(settings("/dev/null", format={"kind": "witmotion"}), CHANNELS)
    assert witmotion.signal.channels[2].clip_low == -16.0
    assert (witmotion.origin, witmotion.waits) == ("live", False)
