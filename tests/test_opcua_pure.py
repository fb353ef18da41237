"""OPC UA without a server: names of nodes, values, the handover, settings, profiles; and what must not be."""

import ast
import asyncio
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import asyncua
import pytest
from asyncua import ua
from asyncua.client.ua_client import UaClient
from asyncua.client.ua_session import UaSession
from asyncua.common.node import Node as AsyncuaNode
from asyncua.common.subscription import Subscription as AsyncuaSubscription
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import collector.sources.opcua
from collector.errors import SourceError
from collector.points import Arrival, Point, PointKind, PointQuality, Reading
from collector.profiles import load_profile, profile_names
from collector.sources.opcua import OpcuaSettings, mistakes, opcua_source
from collector.sources.opcua.address import NodeName, Step, parse_address, path_text
from collector.sources.opcua.fragment import Node, slug, toml_fragment
from collector.sources.opcua.handover import Handover, Losses
from collector.sources.opcua.settings import ConnectionSettings
from collector.sources.opcua.values import overflowed, reading_of
from collector.sources.opcua.wanted import read_profile
from collector.sources.source import PointSource
from collector.texts import opcua as say

PACKAGE = Path(collector.sources.opcua.__file__).parent
URL = "opc.tcp://127.0.0.1:4840"
NUMBER = Point("speed", PointKind.NUMBER, "/min")
STATE = Point("mode", PointKind.STATE, states={0: "manual", 1: "automatic"})
FLAG = Point("cutting", PointKind.STATE)
TEXT = Point("program", PointKind.TEXT)

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
steps = st.builds(
    Step,
    names.filter(lambda name: not re.match(r"nsu=|\d+:", name)),
    st.one_of(st.none(), st.sampled_from(["http://opcfoundation.org/UA/DI/", "urn:a&b"])),
)


# Names of nodes


@given(st.lists(steps, min_size=1, max_size=5).map(tuple))
def test_paths_are_read_as_they_are_written(path: tuple[Step, ...]) -> None:
    assert parse_address(path_text(path)) == path


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("i=2258", NodeName("i=2258")),
        ("ns=2;s=/Channel/Spindle/actSpeed[u1,1]", NodeName("s=/Channel/Spindle/actSpeed[u1,1]", None, 2)),
        ("ns=3;s=a;b=c", NodeName("s=a;b=c", None, 3)),
        ("nsu=http://example.org/UA/;i=12", NodeName("i=12", "http://example.org/UA/")),
        ("g=09087e75-8e5e-499b-954f-f2a9603db28a", NodeName("g=09087e75-8e5e-499b-954f-f2a9603db28a")),
    ],
)
def test_ids_are_read(text: str, name: NodeName) -> None:
    assert parse_address(text) == name


@pytest.mark.parametrize(
    "text", ["", "speed", "ns=2", "i=x", "i=-1", "ns=x;i=1", "/", "/a//b", "/a/", "nsu=;i=1", "g=1"]
)
def test_what_is_no_node_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        parse_address(text)


# Values


def data(value: Any, status: int = 0, type_: ua.VariantType | None = None) -> ua.DataValue:
    return ua.DataValue(ua.Variant(value, type_), ua.StatusCode(status))


@given(st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**63), 2**64 - 1)))
def test_good_numbers_are_good(value: float) -> None:
    type_ = ua.VariantType.Double if isinstance(value, float) else None
    reading = reading_of(NUMBER, data(value, type_=type_), 7)
    assert (reading.value, reading.quality, reading.detail) == (value, PointQuality.GOOD, "")


@given(
    st.sampled_from([NUMBER, STATE, FLAG, TEXT]),
    st.one_of(st.none(), st.booleans(), st.floats(), st.text(), st.binary(), st.lists(st.floats())),
    st.integers(0, 0xFFFFFFFF),
)
def test_a_value_is_there_exactly_if_it_is_not_bad(point: Point, value: Any, status: int) -> None:
    if isinstance(value, int) and point is NUMBER and not isinstance(value, bool):
        return
    type_ = ua.VariantType.Double if isinstance(value, list) and not value else None
    reading = reading_of(point, data(value, status, type_), 7)
    assert (reading.value is None) == (reading.quality is PointQuality.BAD)
    assert (reading.detail == "") == (reading.quality is PointQuality.GOOD)
    if status >> 30 >= 2:
        assert reading.quality is PointQuality.BAD
    elif status >> 30 == 1:
        assert reading.quality is not PointQuality.GOOD


@pytest.mark.parametrize(
    ("point", "value", "detail"),
    [
        (NUMBER, float("nan"), "not finite"),
        (NUMBER, float("inf"), "not finite"),
        (NUMBER, None, "no value"),
        (NUMBER, True, "a flag, not a number"),
        (NUMBER, "12", "a text, not a number"),
        (NUMBER, [1.0], "an array, not a number"),
        (STATE, "O1234", "a text, not a state"),
        (STATE, ua.NodeId(77, 3), "an unknown state"),
        (STATE, ua.NodeId(), "no value"),
        (TEXT, 5, "a number, not a text"),
        (TEXT, ua.LocalizedText(None), "no value"),
    ],
)
def test_good_status_does_not_make_a_wrong_value_good(point: Point, value: Any, detail: str) -> None:
    reading = reading_of(point, data(value), 7, {ua.NodeId(5005, 3): 0})
    assert (reading.value, reading.quality, reading.detail) == (None, PointQuality.BAD, detail)


@pytest.mark.parametrize(
    ("point", "value", "named"),
    [
        (STATE, 1, "automatic"),
        (STATE, 9, 9),
        (STATE, True, "automatic"),
        (STATE, ua.LocalizedText("Manual", "en"), "manual"),
        (STATE, ua.NodeId(5005, 3), "manual"),
        (FLAG, True, True),
        (TEXT, "O1234", "O1234"),
        (TEXT, ua.LocalizedText("Über", "de"), "Über"),
    ],
)
def test_states_are_named_and_texts_are_texts(point: Point, value: Any, named: Any) -> None:
    reading = reading_of(point, data(value), 7, {ua.NodeId(5005, 3): 0})
    assert (reading.value, reading.quality) == (named, PointQuality.GOOD)


def test_uncertain_keeps_its_value_and_says_why() -> None:
    reading = reading_of(NUMBER, data(12.0, ua.StatusCodes.UncertainLastUsableValue), 7)
    assert (reading.value, reading.quality) == (12.0, PointQuality.UNCERTAIN)
    assert reading.detail == "UncertainLastUsableValue"
    unknown = reading_of(NUMBER, data(None, 0x8FFF0000), 7)
    assert (unknown.value, unknown.detail) == (None, "Bad 0x8fff0000")


def test_the_overflow_bit_is_seen_whatever_the_severity() -> None:
    assert overflowed(data(1.0, 0x00000480))
    assert overflowed(data(None, ua.StatusCodes.BadSensorFailure | 0x480))
    assert not overflowed(data(1.0))
    assert not overflowed(data(1.0, 0x00000080))  # without the mark that these bits belong to a value
    assert reading_of(NUMBER, data(1.0, 0x480), 7).quality is PointQuality.GOOD


# The handover


@given(
    st.lists(
        st.tuples(st.lists(st.sampled_from("abc"), max_size=3), st.sets(st.sampled_from("abcd"))), max_size=40
    ),
    st.integers(2, 6),
)
def test_a_slow_taker_still_gets_the_newest_of_everything(
    said: list[tuple[list[str], set[str]]], limit: int
) -> None:
    arrivals = [
        Arrival(
            at,
            tuple(Reading(name, float(at * 10 + i), PointQuality.GOOD, at) for i, name in enumerate(points)),
            frozenset(vouched - set(points)),
        )
        for at, (points, vouched) in enumerate(said)
    ]
    losses = Losses()
    handover = Handover(losses, limit)
    for arrival in arrivals:
        handover.put(arrival)
    handover.fail(SourceError(say.NO_POINTS()))

    async def take_all() -> list[Arrival]:
        taken = []
        try:
            while True:
                taken.append(await handover.take())
        except SourceError:
            return taken

    taken = asyncio.run(take_all())
    assert len(taken) == min(len(arrivals), limit)
    assert [arrival.received_ns for arrival in taken] == sorted(arrival.received_ns for arrival in taken)

    def newest(some: list[Arrival]) -> dict[str, Any]:
        return {reading.point: reading for arrival in some for reading in arrival.readings}

    assert newest(taken) == newest(arrivals)
    count = sum(len(arrival.readings) for arrival in arrivals)
    assert losses.here == count - sum(len(arrival.readings) for arrival in taken)


# Settings and profiles


def settings(**changes: Any) -> OpcuaSettings:
    return OpcuaSettings.model_validate({"kind": "opcua", "url": URL} | changes)


def test_what_does_not_fit_together_is_told_all_at_once() -> None:
    wrong = settings(
        password_file="p",
        user_key_file="k",
        profile="opc-40501-1",
        points=[
            {"name": "a", "node": "nonsense"},
            {"name": "a", "node": "i=1"},
            {"name": "spindle-2-override", "share": "none"},
            {"name": "spindle-x-override"},
            {"name": "b", "node": "i=1", "kind": "text", "states": {0: "x"}},
            {"name": "c", "node": "i=1", "kind": "state", "deadband": 1.0},
        ],
    )
    told = [(path, sentence.code.rpartition(".")[2]) for path, sentence in mistakes(wrong)]
    assert told == [
        (("password_file",), "needs-key"),
        (("user_key_file",), "needs-key"),
        (("points", 0, "node"), "not-a-node"),
        (("points", 1, "name"), "name-twice"),
        (("points", 3, "node"), "node-missing"),
        (("points", 4, "kind"), "states-are-states"),
        (("points", 5, "deadband"), "deadband-of-number"),
    ]
    assert [path for path, _ in mistakes(settings())] == [("points",)]
    ((path, sentence),) = mistakes(settings(profile="sinumerik"))
    assert path == ("profile",)
    assert "sinumerik-840dsl" in sentence.advice
    two = settings(user="a", user_certificate_file="c", user_key_file="k", profile="opc-40501-1")
    assert [path for path, _ in mistakes(two)] == [("user",)]


@pytest.mark.parametrize("url", ["192.168.0.10", "http://a", "opc.tcp://", "opc.tcp://user:secret@host:4840"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        settings(url=url)


def test_every_profile_for_opc_ua_can_be_read_and_its_names_used() -> None:
    assert {"opc-40501-1", "sinumerik-840dsl"} <= set(profile_names("opcua"))
    for name in profile_names("opcua"):
        assert load_profile(name)["title"]
        assert load_profile(name)["source"]
        profile = read_profile(name)
        named = [wanted.point.name for wanted in profile.points]
        named += [f"{group.name}-1-{w.point.name}" for group in profile.groups for w in group.points]
        assert len(named) == len(set(named))
        assert list(mistakes(settings(profile=name, points=[{"name": name} for name in named]))) == []


def test_a_profiles_point_keeps_its_kind_when_only_its_sharing_is_changed() -> None:
    changed = [
        {"name": name, "share": "plain"} for name in ("program-name", "spindle-3-name", "channel-1-mode")
    ]
    source = opcua_source(settings(profile="opc-40501-1", points=changed))
    kinds = {point.name: (point.kind, point.share) for point in source.points}
    assert kinds == {
        "program-name": (PointKind.TEXT, "plain"),
        "spindle-3-name": (PointKind.TEXT, "plain"),
        "channel-1-mode": (PointKind.STATE, "plain"),
    }


def test_fixed_points_are_known_before_any_connection() -> None:
    source: PointSource = opcua_source(
        settings(profile="sinumerik-840dsl", points=[{"name": "program-name", "share": "pseudonym"}])
    )
    points = {point.name: point for point in source.points}
    assert points["program-name"] == Point("program-name", PointKind.TEXT, share="pseudonym", every_s=1.0)
    assert points["program-state"].states[3] == "running"
    assert points["spindle-1-speed"].unit == "/min"


@pytest.mark.parametrize(
    ("text", "name"),
    [("FeedOverride", "feed-override"), ("NCProgram 1", "nc-program-1"), ("Über&Ü", "ber"), ("", "node")],
)
def test_slugs(text: str, name: str) -> None:
    assert slug(text) == name


# What must not be there


def test_nothing_in_the_package_can_write_or_call() -> None:
    changing = re.compile(
        r"write|call|set_value|set_attribute|set_writable|add_|delete_node|delete_reference|history"
    )
    classes = (asyncua.Client, UaClient, UaSession, AsyncuaNode, AsyncuaSubscription)
    forbidden = {name for class_ in classes for name in dir(class_) if changing.search(name)}
    assert {"write", "call", "write_value", "call_method", "write_attributes", "add_nodes"} <= forbidden
    used_of_session = set()
    for file in PACKAGE.glob("*.py"):
        source = file.read_text(encoding="utf-8")
        if "asyncua" not in source.replace("loads asyncua", ""):
            continue
        for node in ast.walk(ast.parse(source)):
            if not isinstance(node, ast.Attribute):
                continue
            assert node.attr not in forbidden, f"{file.name}:{node.lineno} uses {node.attr}"
            assert not re.match(r"Write|Call|AddNodes|DeleteNodes|HistoryUpdate", node.attr), file.name
            if isinstance(node.value, ast.Attribute) and node.value.attr == "session":
                used_of_session.add(node.attr)
    assert used_of_session == {
        "_publish_task",
        "browse",
        "browse_next",
        "create_monitored_items",
        "create_subscription",
        "delete_monitored_items",
        "read",
    }


def test_asyncua_is_not_loaded_before_it_is_needed() -> None:
    code = (
        "import sys; from collector.sources.opcua import *; "
        f"s = opcua_source(OpcuaSettings(kind='opcua', url='{URL}', profile='opc-40501-1')); "
        "s.points; s.remarks; "
        "print({'asyncua', 'cryptography'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_number_for_which_the_server_tells_no_unit_leaves_a_line_to_fill_in() -> None:
    speed = Node("/Mill/Speed", "i=1", "Speed", 1, kind=PointKind.NUMBER)
    load = Node("/Mill/Load", "i=2", "Load", 1, kind=PointKind.NUMBER, unit="%")
    text = toml_fragment([speed, load], ConnectionSettings(url="opc.tcp://127.0.0.1:4840"))
    assert text.count('# unit = "/min"') == 1
    (controller,) = tomllib.loads(text.replace("# unit", "unit"))["controllers"]
    assert [point["unit"] for point in controller["source"]["points"]] == ["/min", "%"]


def test_what_is_browsed_as_a_machine_file_says_brings_none_of_that_files_points() -> None:
    described = OpcuaSettings.model_validate(
        {
            "kind": "opcua",
            "url": "opc.tcp://127.0.0.1:4840",
            "timeout_s": 9,
            "profile": "opc-40501-1",
            "points": [{"name": "old", "node": "i=3"}],
        }
    )
    text = toml_fragment([Node("/Mill/Speed", "i=1", "Speed", 1, kind=PointKind.NUMBER)], described)
    (controller,) = tomllib.loads(text)["controllers"]
    assert controller["source"] == {
        "kind": "opcua",
        "url": "opc.tcp://127.0.0.1:4840",
        "timeout_s": 9,
        "points": [{"name": "speed", "node": "i=1"}],
    }
