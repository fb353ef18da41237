"""Machine tools as their standard describes them: node sets on a real server, the profile, and browsing."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opcua_listening import listening, refusal, source_of
from opcua_server import BENCH, BENCH_NODES, OpcuaServer, bench, serving
from servers import free_port

from collector.points import Point, PointKind, PointQuality
from collector.sources.opcua import ConnectionSettings, OpcuaSettings, mistakes
from collector.sources.opcua.browse import browse
from collector.sources.opcua.fragment import toml_fragment

MACHINE = "nsu=http://yourorganisation.org/MachineTool-Example/"
PROFILE = {"profile": "opc-40501-1", "machine": "SampleMachineTool"}


@pytest.fixture(scope="module")
def server(shared: Path) -> Iterator[OpcuaServer]:
    with serving(free_port(), node_sets=str(shared / "nodesets"), shift=4) as server:
        yield server


async def test_the_profile_finds_everything_without_any_node_id(server: OpcuaServer) -> None:
    source = source_of(server.url, **PROFILE)
    assert not source.points
    async with listening(source) as heard:
        await heard.until(lambda: "spindle-1-override" in heard.latest)
        said = {name: reading.value for name, reading in heard.latest.items()}
    assert said == {
        "operation-mode": "automatic",
        "feed-override": 100.0,
        "is-warm-up": False,
        "power-on-duration": 12345,
        "program-name": "Sample.nc",
        "program-number-in-list": 0,
        "program-state": "running",
        "spindle-1-is-rotating": True,
        "spindle-1-override": 95.0,
        "spindle-1-is-used-as-axis": False,
        "spindle-1-name": "Spindle1",
        "channel-1-mode": "automatic",
        "channel-1-state": "active",
        "channel-1-feed-override": 85.0,
        "channel-1-name": "Channel1",
    }
    assert {reading.quality for reading in heard.latest.values()} == {PointQuality.GOOD}
    points: dict[str, Point] = {point.name: point for point in tuple(source.points)}
    assert points.keys() == said.keys()
    texts = {name for name, point in points.items() if point.kind is PointKind.TEXT}
    assert texts == {"program-name", "spindle-1-name", "channel-1-name"}
    assert points["feed-override"].unit == "%"
    assert source.ranges == {
        "feed-override": (0.0, 120.0),
        "spindle-1-override": (0.0, 125.0),
        "channel-1-feed-override": (0.0, 100.0),
    }


async def test_states_follow_the_machine_and_keep_their_names(server: OpcuaServer) -> None:
    async with listening(source_of(server.url, **PROFILE)) as heard:
        await heard.until(lambda: "spindle-1-override" in heard.latest)
        server.write(f"{MACHINE};i=6009", 3, "UInt32")
        server.write(f"{MACHINE};i=6062", 2, "Int32")
        server.write(f"{MACHINE};i=6004", 42, "Int32")
        await heard.until(lambda: heard.value("program-state") == "interrupted")
        await heard.until(lambda: heard.value("channel-1-state") == "reset")
        await heard.until(lambda: heard.value("operation-mode") == 42)
        server.write(f"{MACHINE};i=6009", 1, "UInt32")
        server.write(f"{MACHINE};i=6062", 0, "Int32")
        server.write(f"{MACHINE};i=6004", 1, "Int32")
        await heard.until(lambda: heard.value("program-state") == "running")


async def test_states_without_numbers_are_told_by_their_nodes(server: OpcuaServer) -> None:
    source = source_of(server.url, profile="opc-40501-1", machine="SampleMachineTool_v101")
    machinery = "nsu=http://opcfoundation.org/UA/Machinery/"
    async with listening(source) as heard:
        await heard.until(lambda: "item-state" in heard.latest)
        assert heard.quality("item-state") is PointQuality.BAD  # the node set gives it no value
        server.write(f"{MACHINE};i=6033", f"{machinery};i=5006", "NodeId")
        server.write(f"{MACHINE};i=6080", f"{machinery};i=5026", "NodeId")
        await heard.until(lambda: heard.value("item-state") == "executing")
        await heard.until(lambda: heard.value("machinery-mode") == "processing")
        server.write(f"{MACHINE};i=6033", f"{machinery};i=9", "NodeId")
        await heard.until(lambda: heard.quality("item-state") is PointQuality.BAD)
        assert not any(name.startswith(("spindle", "channel")) for name in heard.latest)


async def test_the_configuration_may_change_what_the_profile_says(server: OpcuaServer) -> None:
    changes: list[dict[str, Any]] = [
        {"name": "program-name", "share": "plain"},
        {"name": "spindle-1-override", "deadband": 5.0, "unit": "1"},
        {"name": "operation-mode", "states": {1: "auto"}},
        {"name": "feed-override", "node": "/Bench/load"},
        {"name": "spindle-2-override"},
        {"name": "spindle-1-speed", "node": bench("speed"), "unit": "/min"},
    ]
    async with listening(source_of(server.url, *changes, **PROFILE)) as heard:
        await heard.until(lambda: "spindle-1-speed" in heard.latest and "spindle-2-override" in heard.latest)
        points = {point.name: point for point in heard.source.points}
        assert (points["program-name"].share, points["program-name"].kind) == ("plain", PointKind.TEXT)
        assert points["spindle-1-override"].unit == "1"
        assert heard.value("operation-mode") == "auto"
        assert heard.value("feed-override") == 40.0
        assert heard.value("spindle-1-speed") == 1500.0
        assert heard.quality("spindle-2-override") is PointQuality.BAD


@pytest.mark.parametrize(
    ("changes", "code", "advice"),
    [
        ({"profile": "opc-40501-1"}, "several-machines", 'machine = "SampleMachineTool"'),
        ({"profile": "opc-40501-1", "machine": "Mill"}, "other-machine", "SampleMachineTool_v101"),
    ],
)
async def test_which_machine_is_meant_has_to_be_said(
    server: OpcuaServer, changes: dict[str, Any], code: str, advice: str
) -> None:
    error = await refusal(source_of(server.url, **changes))
    assert error.sentence.code == f"source.opcua.{code}"
    assert advice in error.sentence.advice


async def test_a_server_without_machines_is_told() -> None:
    with serving(free_port()) as server:
        error = await refusal(source_of(server.url, **PROFILE))
    assert error.sentence.code == "source.opcua.no-machine"
    assert f"collector browse {server.url}" in error.sentence.advice


async def test_browsing_shows_each_node_once_with_type_value_and_unit(server: OpcuaServer) -> None:
    nodes = await browse(ConnectionSettings(url=server.url))
    assert len({node.node for node in nodes}) == len(nodes) > 100
    by_path = {node.path: node for node in nodes}
    override = by_path["/Machines/SampleMachineTool/Monitoring/Spindel1/Override"]
    assert (override.type, override.value, override.unit, override.range) == (
        "Double",
        "95.0",
        "%",
        (0.0, 125.0),
    )
    assert override.node == f"{MACHINE};i=6070"
    assert override.kind is PointKind.NUMBER
    mode = by_path["/Machines/SampleMachineTool/Monitoring/MachineTool/OperationMode"]
    assert (mode.kind, mode.states[1], mode.value) == (PointKind.STATE, "automatic", "1")
    assert by_path["/Machines/SampleMachineTool/Monitoring"].kind is None
    assert not any(path.startswith("/Server/") for path in by_path)


async def test_browsing_can_be_narrowed(server: OpcuaServer) -> None:
    connection = ConnectionSettings(url=server.url)
    found = await browse(connection, "spindel1*over")
    (override,) = found
    assert (override.name, override.unit, override.range) == ("Override", "%", (0.0, 125.0)), (
        "told with the value"
    )
    below = await browse(connection, start=f"/nsu={BENCH};Bench")
    assert {node.path for node in below} == {f"/nsu={BENCH};Bench/{name}" for name in BENCH_NODES}
    assert len(await browse(connection, limit=7)) == 7
    (clock,) = await browse(connection, "/CurrentTime", start="i=2256")
    assert clock.type == "DateTime"


async def test_what_browsing_prints_can_be_pasted_and_reads_the_same_values(server: OpcuaServer) -> None:
    nodes = await browse(ConnectionSettings(url=server.url), "SampleMachineTool/")
    text = toml_fragment(nodes, ConnectionSettings(url=server.url), "lathe")
    (controller,) = tomllib.loads(text)["controllers"]
    assert controller["name"] == "lathe"
    settings = OpcuaSettings.model_validate(controller["source"])
    assert list(mistakes(settings)) == []
    names = [point.name for point in settings.points]
    assert len(set(names)) == len(names) > 30
    assert {"operation-mode", "override", "channel1-feed-override"} <= set(names)
    usable = [node for node in nodes if node.kind is not None and not node.status and node.value]
    points = [point.model_dump(exclude_none=True) for point in settings.points]
    async with listening(source_of(server.url, *points)) as heard:
        await heard.until(lambda: len(heard.latest) == len(points))
        good = {name for name, reading in heard.latest.items() if reading.quality is PointQuality.GOOD}
        assert len(good) >= len(usable)
        assert heard.value("operation-mode") == "automatic"
        assert heard.value("override") == 95.0
