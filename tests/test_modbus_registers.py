"""What Modbus registers mean: known bits of devices, every type in every order, settings that do not fit."""

import math
import re
import struct
import tomllib
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.points import PointKind, PointQuality, Reading
from collector.profiles import profile_names
from collector.sources.modbus import ModbusPointSettings, ModbusTcpSettings, is_other_line, mistakes
from collector.sources.modbus.addresses import locate, manual_number
from collector.sources.modbus.polls import points_of, polls_of
from collector.sources.modbus.profile import completed
from collector.sources.modbus.registers import Cell, Decoder
from collector.sources.modbus.settings import ByteOrder, ModbusRtuSettings, WordOrder

PZEM_REPLY = bytes.fromhex("01041408D1006C000000F400000026000001F4006400005134")


def point(**keys: Any) -> ModbusPointSettings:
    return ModbusPointSettings.model_validate({"name": "p", "table": "holding", "address": 0} | keys)


def device(*points: dict[str, Any], **keys: Any) -> ModbusTcpSettings:
    base = {"kind": "modbus-tcp", "host": "meter", "addressing": "pdu", "points": points}
    return ModbusTcpSettings.model_validate(base | keys)


def words(data: bytes) -> list[int]:
    return list(struct.unpack(f">{len(data) // 2}H", data))


def decode(settings: ModbusPointSettings, registers: list[int], **orders: Any) -> Reading:
    (reading,) = Decoder([Cell(settings, 0, **orders)]).readings(registers, 7)
    assert reading.received_ns == 7
    return reading


def values(settings: ModbusTcpSettings, registers: dict[int, int]) -> dict[str, Any]:
    """What a device's points say where its tables hold these registers."""
    readings = [
        reading
        for poll in polls_of(completed(settings))
        for reading in poll.readings(
            [registers.get(poll.span.first + i, 0) for i in range(poll.span.count)], 1
        )
    ]
    return {reading.point: reading.value for reading in readings}


class TestKnownBits:
    def test_pzem_016(self) -> None:
        registers = dict(enumerate(words(PZEM_REPLY[3:-2])))
        assert len(registers) == 10
        found = values(device(profile="pzem-016", points=[]), registers)
        assert found == {
            "voltage": 225.7,
            "current": 0.108,
            "power": 24.4,
            "energy": 38.0,
            "frequency": 50.0,
            "power-factor": 1.0,
            "alarm": "off",
        }

    def test_pzem_016_alarm(self) -> None:
        assert values(device(profile="pzem-016", points=[]), {9: 0xFFFF})["alarm"] == "on"

    def test_sdm630(self) -> None:
        """Registers 30001 and 30002 of a meter that shows 230.2 V: 0x43663333, high word first."""
        settings = ModbusTcpSettings(kind="modbus-tcp", host="meter", profile="eastron-sdm630")
        registers = {0: 0x4366, 1: 0x3333, 0x34: 0x4479, 0x35: 0xC000, 0x46: 0x4248, 0x47: 0x0000}
        found = values(settings, registers | {0x48: 0x3F80})
        assert found["voltage-l1"] == pytest.approx(230.2, abs=1e-5)
        assert (found["power"], found["frequency"], found["energy-import"]) == (999.0, 50.0, 1.0)
        tables = {(poll.table, poll.span.first) for poll in polls_of(completed(settings))}
        assert tables == {("input", 0), ("input", 0x34), ("input", 0x46), ("input", 0x48)}

    def test_wtvb01(self) -> None:
        registers = {0x34: 0x0800, 0x35: 0xF800, 0x3A: 12, 0x40: 2531, 0x41: 95, 0x44: 498}
        settings = ModbusTcpSettings(kind="modbus-tcp", host="sensor", profile="wtvb01-485")
        found = values(settings, registers)
        assert (found["acceleration-x"], found["acceleration-y"]) == (1.0, -1.0)
        assert (found["velocity-x"], found["temperature"]) == (12.0, 25.31)
        assert (found["displacement-x"], found["frequency-x"]) == (95.0, 49.8)
        assert completed(settings).unit_id == 80

    def test_a_profile_can_be_changed(self) -> None:
        change = {"name": "velocity-x", "scale": 0.01}
        more = {"name": "version", "table": "holding", "address": 0x2E, "type": "u16"}
        settings = ModbusTcpSettings.model_validate(
            {
                "kind": "modbus-tcp",
                "host": "h",
                "profile": "wtvb01-485",
                "unit_id": 3,
                "points": [change, more],
            }
        )
        assert list(mistakes(settings)) == []
        found = values(settings, {0x3A: 12, 0x3B: 12, 0x2E: 7})
        assert (found["velocity-x"], found["velocity-y"], found["version"]) == (0.12, 12.0, 7.0)
        assert completed(settings).unit_id == 3


_RANGES: dict[str, tuple[str, st.SearchStrategy[Any]]] = {
    "i16": ("h", st.integers(-(2**15), 2**15 - 1)),
    "u16": ("H", st.integers(0, 2**16 - 1)),
    "i32": ("i", st.integers(-(2**31), 2**31 - 1)),
    "u32": ("I", st.integers(0, 2**32 - 1)),
    "i64": ("q", st.integers(-(2**53), 2**53)),
    "u64": ("Q", st.integers(0, 2**53)),
    "f16": ("e", st.floats(width=16, allow_nan=False, allow_infinity=False)),
    "f32": ("f", st.floats(width=32, allow_nan=False, allow_infinity=False)),
    "f64": ("d", st.floats(allow_nan=False, allow_infinity=False)),
}


byte_orders: st.SearchStrategy[ByteOrder] = st.sampled_from(["big", "little"])
word_orders: st.SearchStrategy[WordOrder] = st.sampled_from(["high-first", "low-first"])
layouts = st.lists(
    st.tuples(st.sampled_from(sorted(_RANGES)), st.integers(0, 16), byte_orders, word_orders),
    min_size=1,
    max_size=8,
)
"""Where values stand in 20 registers, and how; they may overlap."""


class TestOrders:
    @pytest.mark.parametrize(
        ("orders", "registers"),
        [
            ({}, [0x1234, 0x5678]),
            ({"word_order": "low-first"}, [0x5678, 0x1234]),
            ({"byte_order": "little"}, [0x3412, 0x7856]),
            ({"byte_order": "little", "word_order": "low-first"}, [0x7856, 0x3412]),
        ],
    )
    def test_the_four_orders(self, orders: dict[str, str], registers: list[int]) -> None:
        assert decode(point(type="u32"), registers, **orders).value == 0x12345678

    @given(st.data(), st.sampled_from(sorted(_RANGES)), st.booleans(), st.booleans())
    def test_every_type_in_every_order(
        self, data: st.DataObject, kind: str, swap: bool, reverse: bool
    ) -> None:
        code, numbers = _RANGES[kind]
        number = data.draw(numbers)
        registers = words(struct.pack(">" + code, number))
        if reverse:
            registers.reverse()
        if swap:
            registers = [(word & 0xFF) << 8 | word >> 8 for word in registers]
        cell = Cell(
            point(type=kind), 0, "little" if swap else "big", "low-first" if reverse else "high-first"
        )
        (reading,) = Decoder([cell]).readings(registers, 1)
        assert reading == Reading("p", float(number), PointQuality.GOOD, 1)
        assert type(reading.value) is float

    @given(st.data())
    def test_many_values_at_once_are_as_each_by_itself(self, data: st.DataObject) -> None:
        registers = data.draw(st.lists(st.integers(0, 0xFFFF), min_size=20, max_size=20))
        cells = [
            Cell(point(name=f"p{index}", type=kind), offset, byte_order, word_order)
            for index, (kind, offset, byte_order, word_order) in enumerate(data.draw(layouts))
        ]
        together = {reading.point: reading for reading in Decoder(cells).readings(registers, 1)}
        singly = {cell.point.name: Decoder([cell]).readings(registers, 1)[0] for cell in cells}
        assert together == singly


class TestValues:
    @pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
    def test_what_is_no_number_is_bad(self, number: float) -> None:
        reading = decode(point(type="f32"), words(struct.pack(">f", number)))
        assert (reading.value, reading.quality, reading.detail) == (None, PointQuality.BAD, "not a number")

    @given(
        st.lists(st.floats() | st.sampled_from([math.nan, 1.7e308, -20.0, 20.0]), min_size=2, max_size=6),
        st.booleans(),
    )
    def test_of_values_that_are_alike_each_is_judged_by_itself(
        self, numbers: list[float], limited: bool
    ) -> None:
        limits = {"valid_low": -20, "valid_high": 20} if limited else {}
        cells = [Cell(point(name=f"p{at}", type="f64", **limits), 4 * at) for at in range(len(numbers))]
        readings = Decoder(cells).readings(words(struct.pack(f">{len(numbers)}d", *numbers)), 1)
        most = 20 if limited else 1.8e308
        assert [reading.value for reading in readings] == [
            number if -most <= number <= most and math.isfinite(number) else None for number in numbers
        ]

    @given(
        st.integers(0, 0xFFFF), st.sampled_from([(0.1, 10), (0.01, 100), (0.001, 1000), (0.05, 20), (0.5, 2)])
    )
    def test_a_decimal_scale_gives_the_nearest_number(self, raw: int, scale: tuple[float, int]) -> None:
        assert decode(point(type="u16", scale=scale[0]), [raw]).value == raw / scale[1]

    def test_scale_and_offset(self) -> None:
        assert decode(point(type="i16", scale=-2.5, offset=40), [10]).value == 15.0
        assert decode(point(type="i16", scale=0.3), [10]).value == pytest.approx(3.0)

    @pytest.mark.parametrize(("raw", "value"), [(99, None), (100, 10.0), (200, 20.0), (201, None)])
    def test_outside_the_valid_range_it_is_bad(self, raw: int, value: float | None) -> None:
        reading = decode(point(type="u16", scale=0.1, valid_low=10, valid_high=20), [raw])
        assert reading.value == value
        assert reading.quality is (PointQuality.BAD if value is None else PointQuality.GOOD)
        assert reading.detail == ("" if value else f"{raw / 10:g} is outside 10 to 20")

    def test_one_limit(self) -> None:
        assert decode(point(type="i16", valid_high=5), [6]).detail == "6 is outside any to 5"

    def test_a_bit_of_a_register(self) -> None:
        for bit in range(16):
            assert decode(point(type="u16", bit=bit), [0x8001]).value is (bit in {0, 15})
        assert decode(point(type="u32", bit=31), [0x8000, 0]).value is True
        assert decode(point(type="u32", bit=31), [0, 0x8000], word_order="low-first").value is True

    def test_a_field_of_bits(self) -> None:
        assert decode(point(type="u16", bits=[4, 7]), [0x1234]).value == 3.0
        assert decode(point(type="u32", bits=[12, 19], scale=0.1), [0x0005, 0x4321]).value == 8.4

    def test_states(self) -> None:
        states = {0: "off", 1: "on", -1: "fault"}
        for raw, name in ((0, "off"), (1, "on"), (0xFFFF, "fault"), (7, "7")):
            assert decode(point(type="i16", states=states), [raw]).value == name
        assert decode(point(type="u16", bit=3, states={0: "open", 1: "closed"}), [8]).value == "closed"
        assert decode(point(type="u16", bits=[1, 2], states={3: "both"}), [6]).value == "both"

    def test_a_flag_in_a_register(self) -> None:
        assert decode(point(type="bool"), [0]).value is False
        assert decode(point(type="bool"), [0xFF00]).value is True

    def test_coils(self) -> None:
        flags = [
            Cell(point(name="a", table="coil"), 2),
            Cell(point(name="b", table="coil", states={0: "open", 1: "shut"}), 0),
        ]
        readings = Decoder(flags, of_bits=True).readings([True, False, False], 1)
        assert [(reading.point, reading.value) for reading in readings] == [("a", False), ("b", "shut")]

    @pytest.mark.parametrize(
        ("data", "encoding", "text"),
        [
            (b"O1234\0\0\0", "ascii", "O1234"),
            (b" PART 7 ", "ascii", "PART 7"),
            ("切削".encode("shift-jis"), "shift-jis", "切削"),
            ("Fräsen\0\0".encode("latin-1"), "latin-1", "Fräsen"),
            (b"\0\0\0\0", "ascii", ""),
            (b"\xff\xff\xff\xff", "ascii", None),
            (b"a\x07b\0", "ascii", None),
        ],
    )
    def test_text(self, data: bytes, encoding: str, text: str | None) -> None:
        settings = point(type="text", registers=len(data) // 2, encoding=encoding)
        for order in ("high-first", "low-first"):
            assert decode(settings, words(data), word_order=order).value == text
        swapped = [(word & 0xFF) << 8 | word >> 8 for word in words(data)]
        assert decode(settings, swapped, byte_order="little").value == text

    def test_kinds(self) -> None:
        kinds = {
            PointKind.NUMBER: [point(type="f32"), point(type="u16", bits=[0, 3])],
            PointKind.STATE: [
                point(type="u16", states={0: "off"}),
                point(type="u32", bit=1),
                point(type="bool"),
            ],
            PointKind.TEXT: [point(type="text", registers=2)],
        }
        for kind, points in kinds.items():
            assert {settings.point_kind() for settings in points} == {kind}
        coil = {"name": "run", "table": "coil", "address": 3, "share": "plain", "every_s": 5}
        (described,) = points_of(device(coil))
        assert (described.kind, described.share, described.every_s) == (PointKind.STATE, "plain", 5)


registers_of_points = st.lists(
    st.tuples(
        st.sampled_from(["holding", "input"]),
        st.integers(0, 60),
        st.sampled_from(["u16", "f32", "i64"]),
        st.sampled_from([0.1, 1.0]),
    ),
    min_size=1,
    max_size=12,
)


class TestRequests:
    @given(
        registers_of_points, st.sets(st.integers(0, 70), max_size=6), st.integers(4, 20), st.integers(0, 9)
    )
    def test_a_devices_requests_read_all_of_it_once_and_nothing_forbidden(
        self, drawn: list[tuple[str, int, str, float]], forbidden: set[int], most: int, hole: int
    ) -> None:
        """Also after each request was refused and is split up; periods and tables are kept apart."""
        places = [
            {(table, place) for place in range(first, first + {"u16": 1, "f32": 2, "i64": 4}[type_])}
            for table, first, type_, _ in drawn
        ]
        forbidden -= {place for wanted in places for _, place in wanted}
        points = [
            {"name": f"p{n}", "table": table, "address": first, "type": type_, "every_s": every_s}
            for n, (table, first, type_, every_s) in enumerate(drawn)
        ]
        barred = [
            {"table": table, "first": at, "last": at} for at in forbidden for table in ("holding", "input")
        ]
        made = device(*points, forbidden=barred, max_registers=most, largest_hole=hole)
        assert not list(mistakes(made))
        polls = polls_of(made)
        for every_s in {every_s for *_, every_s in drawn}:
            mine = [poll for poll in polls if poll.pace.period_ns == round(every_s * 1e9)]
            read = [
                (poll.table, place)
                for poll in mine
                for piece in poll.pieces
                for place in range(piece.first, piece.end)
            ]
            of_period = [wanted for wanted, point in zip(places, drawn, strict=True) if point[3] == every_s]
            assert set().union(*of_period) <= set(read)
            if not any(one & other for one, other in combinations(of_period, 2)):
                assert len(read) == len(set(read))
        split = [single for poll in polls for single in poll.split()]
        for asked in (*polls, *split):
            for piece in asked.pieces:
                assert piece.count <= most
                assert not forbidden & set(range(piece.first, piece.end))
        names = sorted(f"p{n}" for n in range(len(drawn)))
        for requests in (polls, split):
            assert sorted(reading.point for poll in requests for reading in poll.bad("", 0)) == names


class TestAddresses:
    @pytest.mark.parametrize(
        ("number", "place"),
        [
            (30001, ("input", 0)),
            ("30073", ("input", 0x48)),
            (40001, ("holding", 0)),
            (49999, ("holding", 9998)),
            (400001, ("holding", 0)),
            (465536, ("holding", 65535)),
            (10001, ("discrete-input", 0)),
            (1, ("coil", 0)),
            ("00017", ("coil", 16)),
            ("010001", ("coil", 10000)),
        ],
    )
    def test_numbers_of_manuals(self, number: int | str, place: tuple[str, int]) -> None:
        assert locate(None, number, "manual") == place

    @pytest.mark.parametrize("number", [0, 30000, 40000, 20001, 50001, 465537, "4001", "4000a", "٤٠٠٠١", "0"])
    def test_what_is_no_number(self, number: int | str) -> None:
        with pytest.raises(ValueError, match=str(number)):
            locate(None, number, "manual")

    @given(st.sampled_from(["coil", "discrete-input", "holding", "input"]), st.integers(0, 65535))
    def test_there_and_back(self, table: Any, place: int) -> None:
        assert locate(None, manual_number(table, place), "manual") == (table, place)
        assert locate(table, place, "pdu") == (table, place)


def test_the_page_for_users_names_every_profile_and_shows_what_loads() -> None:
    page = (Path(__file__).parent.parent / "docs" / "connecting-modbus.md").read_text("utf-8")
    table = page.partition("## 3.")[2].partition("## 4.")[0]
    assert set(re.findall(r'^\| `"(.+?)"` \|', table, re.MULTILINE)) == set(profile_names("modbus"))
    fragments = [tomllib.loads(text) for text in re.findall(r"```toml\n(.*?)```", page, re.DOTALL)]
    (device_shown,) = (
        entry["controllers"][0] for entry in fragments if isinstance(entry["controllers"], list)
    )
    settings = ModbusRtuSettings.model_validate(device_shown["source"])
    assert list(mistakes(settings)) == []
    for fragment in (entry["controllers"] for entry in fragments if isinstance(entry["controllers"], dict)):
        (shown,) = fragment["source"]["points"]
        assert ModbusPointSettings.model_validate(shown).name == shown["name"]


def found(settings: ModbusTcpSettings) -> list[tuple[str, str]]:
    return [
        (".".join(map(str, path)), sentence.code.removeprefix("config.modbus."))
        for path, sentence in mistakes(settings)
    ]


class TestMistakes:
    @pytest.mark.parametrize(
        ("keys", "expected"),
        [
            ({}, None),
            ({"address": None}, ("address", "needs-key")),
            ({"table": None}, ("table", "needs-key")),
            ({"type": None}, ("type", "needs-key")),
            ({"address": 70000}, ("address", "not-a-place")),
            ({"address": "40001"}, ("address", "not-a-place")),
            ({"address": 65535, "type": "f32"}, ("address", "beyond-end")),
            ({"type": "text"}, ("registers", "needs-key")),
            ({"registers": 4}, ("registers", "only-for")),
            ({"bit": 16}, ("bit", "bit-beyond")),
            ({"bits": [3, 2]}, ("bits", "bits-order")),
            ({"bit": 1, "bits": [0, 2]}, ("bits", "only-for")),
            ({"type": "i16", "bit": 1}, ("bit", "only-for")),
            ({"scale": 0}, ("scale", "scale-zero")),
            ({"valid_low": 5, "valid_high": 5}, ("valid_high", "valid-order")),
            ({"states": {0: "off"}, "scale": 0.1}, ("scale", "only-for")),
            ({"type": "f32", "states": {0: "off"}}, ("states", "only-for")),
            ({"table": "coil"}, ("type", "bit-type")),
            ({"address": 100}, ("address", "is-forbidden")),
        ],
    )
    def test_of_a_point(self, keys: dict[str, Any], expected: tuple[str, str] | None) -> None:
        given_keys = {"name": "p", "table": "holding", "address": 3, "type": "u16"} | keys
        settings = device(
            {key: value for key, value in given_keys.items() if value is not None},
            forbidden=[{"table": "holding", "first": 100, "last": 120}],
        )
        problems = found(settings)
        assert problems == ([(f"points.0.{expected[0]}", expected[1])] if expected else [])

    def test_manual_numbers(self) -> None:
        settings = device(
            {"name": "a", "address": 50001, "type": "u16"},
            {"name": "b", "address": 40001, "table": "input", "type": "u16"},
            {"name": "c", "address": 40001, "type": "u16"},
            {"name": "c", "address": 40002, "type": "u16"},
            addressing="manual",
            forbidden=[{"first": 40010, "last": 30020}],
        )
        assert sorted(found(settings)) == [
            ("forbidden.0.last", "forbidden-order"),
            ("points.0.address", "not-a-number-of-manuals"),
            ("points.1.table", "other-table"),
            ("points.3.name", "name-twice"),
        ]

    def test_of_a_device(self) -> None:
        value = {"name": "p", "table": "holding", "address": 0, "type": "u16"}
        assert found(device()) == [("points", "no-points")]
        assert found(device(value, addressing=None)) == [("addressing", "addressing-missing")]
        assert found(device(value, every_s=60, silent_after_s=60)) == [("silent_after_s", "silent-short")]
        ((_, sentence),) = mistakes(device(profile="eastron-sdm360"))
        assert sentence.values["nearest"] == "eastron-sdm630"

    def test_lines_that_differ(self) -> None:
        def rtu(port: str, baud: int) -> ModbusRtuSettings:
            return ModbusRtuSettings(kind="modbus-rtu", port=port, baud=baud)

        assert is_other_line(rtu("/dev/a", 9600), rtu("/dev/a", 19200))
        assert not is_other_line(rtu("/dev/a", 9600), rtu("/dev/a", 9600))
        assert not is_other_line(rtu("/dev/a", 9600), rtu("/dev/b", 19200))
        assert not is_other_line(rtu("/dev/a", 9600), device())
