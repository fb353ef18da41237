"""Guessing what a stream is: every format, cut anywhere, at the right and at the wrong speed."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from streams import Cut, binary_frames, modbus_traffic, text_lines, vibration, witmotion
from uart import received

from collector.scan.stream import decode, explains, guess_stream, is_modbus_traffic, unit_of, with_time
from collector.sources.binary_frames import BinaryFormat
from collector.sources.text_lines import TextFormat
from collector.sources.witmotion import WitMotionFormat

cuts = st.builds(Cut, st.integers(0, 80), st.integers(0, 80))
checked = st.sampled_from(["crc16-modbus", "crc16-ccitt", "sum8", "xor8"])
syncs = st.sampled_from(["aa55", "55aa", "a5", "fefefefe", "24", "7e81"])
bauds = st.sampled_from([4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600])
slow = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def made(**keys: Any) -> BinaryFormat:
    return BinaryFormat.model_validate({"kind": "binary"} | keys)


@pytest.fixture(scope="module")
def stream(recordings: Path) -> bytes:
    """What a real accelerometer sent."""
    return gzip.decompress((recordings / "mill_accel_stream.txt.gz").read_bytes())


class TestText:
    @given(st.integers(1, 9), st.sampled_from([" ", ",", "; ", "\t", " | "]), cuts, st.integers(0, 99))
    @slow
    def test_columns_and_delimiter(self, channels: int, delimiter: str, cut: Cut, seed: int) -> None:
        guess = guess_stream(cut.of(text_lines(vibration(60, channels, seed), delimiter)))
        assert guess is not None
        assert isinstance(guess.format, TextFormat)
        if channels > 1:
            assert guess.format.delimiter == delimiter.strip()
        assert (guess.channels, guess.certain) == (channels, True)
        assert (guess.counter_column, guess.time_column) == (None, None)

    def test_a_counter_whose_end_was_not_seen_is_told_and_not_used(self) -> None:
        data = text_lines(vibration(60, 3), ",", before=[range(17, 77)])
        guess = guess_stream(data)
        assert guess is not None
        assert (guess.counter_column, guess.counter_modulus) == (1, 256)
        assert guess.format == TextFormat(kind="text", delimiter=",", columns=(2, 3, 4))

    @pytest.mark.parametrize(("first", "next_usual"), [(300, 65_536), (70_000, 4_294_967_296)])
    def test_a_counter_may_start_again_after_the_next_usual_number(self, first: int, next_usual: int) -> None:
        guess = guess_stream(text_lines(vibration(60, 3), ",", before=[range(first, first + 60)]))
        assert guess is not None
        assert (guess.counter_column, guess.counter_modulus) == (1, next_usual)

    @pytest.mark.parametrize("modulus", [128, 256, 1000, 1024, 10_000, 65_536])
    def test_a_counter_that_starts_again_is_used(self, modulus: int) -> None:
        data = text_lines(
            vibration(90, 2), ",", before=[[n % modulus for n in range(modulus - 40, modulus + 50)]]
        )
        guess = guess_stream(data)
        assert guess is not None
        assert isinstance(guess.format, TextFormat)
        assert (guess.format.counter_column, guess.format.counter_modulus) == (1, modulus)
        assert guess.counter_column is None, "nothing is left to tell"

    @pytest.mark.parametrize(("rate_hz", "unit_s"), [(400.0, 1e-6), (200.0, 1e-3), (2000.0, 1e-3)])
    def test_the_devices_time_gets_its_unit_from_the_rate(self, rate_hz: float, unit_s: float) -> None:
        times = [round((3 + n / rate_hz) / unit_s) for n in range(100)]
        guess = guess_stream(text_lines(vibration(100, 3), before=[times]))
        assert guess is not None
        assert guess.time_column == 1
        assert isinstance(guess.format, TextFormat)
        assert guess.format.time_column is None, "the rate is not known yet"
        timed = with_time(guess, rate_hz * 1.01).format
        assert isinstance(timed, TextFormat)
        assert (timed.time_column, timed.time_unit_s) == (1, unit_s)
        assert with_time(guess, rate_hz * 3).format == guess.format

    def test_words_are_left_out(self) -> None:
        guess = guess_stream(text_lines(vibration(30, 2), ",", before=[["$ACC"] * 30]))
        assert guess is not None
        assert guess.format == TextFormat(kind="text", delimiter=",", columns=(2, 3))

    def test_gravity_tells_the_unit(self) -> None:
        values = vibration(50, 3, amplitude=20) + np.array([0, 0, 1000])
        for scale, unit in ((0.001, "g"), (0.00980665, "m/s2"), (0.1, "count")):
            data = text_lines(values, scale=scale)
            guess = guess_stream(data)
            assert guess is not None
            assert unit_of(guess, decode(guess, data).samples) == unit

    @pytest.mark.parametrize(
        "text",
        [
            b"",
            b"hello\n" * 20,
            b"ok\r\n\r\n" * 20,
            b"1 2\n1 2 3\n" * 20,
            b"1.5\n2.5\n",
            b"ax=1;ay=2\nax=3;ay=1\n" * 60,
        ],
    )
    def test_what_are_no_samples(self, text: bytes) -> None:
        assert guess_stream(text) is None


class TestFrames:
    @given(
        syncs,
        st.sampled_from(["none", "u8", "u16", "u32"]),
        st.sampled_from(["i16", "i24", "i32", "f32"]),
        st.sampled_from(["little", "big"]),
        checked,
        st.integers(1, 6),
        cuts,
        st.integers(0, 2**31),
    )
    @slow
    def test_a_checksum_proves_length_and_beginning(
        self,
        sync: str,
        counter: str,
        values: str,
        order: str,
        check: str,
        channels: int,
        cut: Cut,
        first: int,
    ) -> None:
        format_ = made(sync=sync, counter=counter, values=values, byte_order=order, checksum=check)
        size = int(values[1:]) // 8
        data = cut.of(
            binary_frames(format_, vibration(300, channels, amplitude=2 ** (8 * min(size, 3) - 4)), first)
        )
        guess = guess_stream(data)
        assert guess is not None
        found = guess.format
        assert isinstance(found, BinaryFormat)
        assert found.checksum == check
        assert guess.certain
        assert found.sync.startswith(sync[:2])
        assert explains(guess, data)

    @pytest.mark.parametrize("values", ["i16", "i24", "i32", "f32"])
    @pytest.mark.parametrize("order", ["little", "big"])
    @pytest.mark.parametrize("counter", ["none", "u16", "u32"])
    def test_the_usual_ones_are_found_whole(self, values: str, order: str, counter: str) -> None:
        size = 2 if values == "f32" else int(values[1:]) // 8
        format_ = made(sync="aa55", counter=counter, values=values, byte_order=order, checksum="crc16-modbus")
        data = binary_frames(format_, vibration(400, 3, amplitude=2 ** (8 * size - 4)), first=65_300)
        guess = guess_stream(data)
        assert guess is not None
        assert guess.format == format_
        assert (guess.channels, guess.values_guessed) == (3, True)

    @given(cuts, st.sampled_from(["aa55", "fefe", "0102"]), st.integers(1, 5))
    @slow
    def test_without_a_checksum_the_sync_word_is_all(self, cut: Cut, sync: str, channels: int) -> None:
        data = cut.of(binary_frames(made(sync=sync), vibration(200, channels, amplitude=20_000)))
        guess = guess_stream(data)
        assert guess is not None
        assert isinstance(guess.format, BinaryFormat)
        assert (guess.format.sync, guess.format.checksum) == (sync, "none")
        assert not guess.certain

    def test_garbage_in_between(self) -> None:
        format_ = made(sync="aa55", counter="u16", checksum="crc16-modbus")
        data = binary_frames(format_, vibration(900, 3))
        guess = guess_stream(data[:700] + b"\x00\xff\x13" + data[700:])
        assert guess is not None
        assert guess.format == format_

    @given(st.binary(max_size=3000))
    @slow
    def test_any_bytes_are_no_stream_or_one_that_explains_them(self, data: bytes) -> None:
        guess = guess_stream(data)
        assert guess is None or explains(guess, data)

    @given(st.integers(0, 1000))
    @slow
    def test_noise_is_no_stream(self, seed: int) -> None:
        assert guess_stream(np.random.default_rng(seed).bytes(4000)) is None

    @pytest.mark.parametrize("octet", [0x00, 0x55, 0xFF])
    def test_a_stuck_line_is_no_stream(self, octet: int) -> None:
        assert guess_stream(bytes([octet]) * 4000) is None


@given(cuts, st.booleans())
@slow
def test_witmotion(cut: Cut, gyro: bool) -> None:
    guess = guess_stream(cut.of(witmotion(vibration(60, 3), gyro=gyro)))
    assert guess is not None
    assert (guess.format, guess.channels, guess.certain) == (WitMotionFormat(kind="witmotion"), 3, True)


@given(st.integers(0, 100_000), st.integers(2_000, 6_000))
@slow
def test_the_stream_of_a_real_accelerometer(stream: bytes, begin: int, length: int) -> None:
    guess = guess_stream(stream[begin : begin + length])
    assert guess is not None
    assert (guess.channels, guess.certain) == (3, True)
    assert isinstance(guess.format, TextFormat)
    assert guess.format.delimiter == ""


@given(cuts)
@slow
def test_another_masters_traffic_is_known_and_is_no_stream(cut: Cut) -> None:
    data = cut.of(modbus_traffic(40))
    assert is_modbus_traffic(data)
    assert guess_stream(data) is None


@given(bauds, bauds, st.sampled_from(["text", "witmotion", "crc16-modbus", "none"]), st.integers(0, 99))
@slow
def test_at_the_wrong_speed_nothing_certain_is_found(sent: int, heard: int, kind: str, seed: int) -> None:
    values = vibration(150, 3, seed)
    match kind:
        case "text":
            data = text_lines(values)
        case "witmotion":
            data = witmotion(values)
        case _:
            data = binary_frames(made(sync="aa55", counter="u16", checksum=kind), values)
    guess = guess_stream(received(data, sent, heard))
    if sent == heard:
        assert guess is not None
    else:
        assert guess is None or not guess.certain
