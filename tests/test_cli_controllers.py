"""Finding out about controllers from the command line: browse, trust, profiles."""

import asyncio
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from modbus_peers import NetworkPeer
from opcua_server import BENCH, OpcuaServer, make_certificate, serving
from servers import PATIENCE_S, PROGRAM, Process, free_port

from collector.config import MachineFile
from collector.profiles import profile_names


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpcuaServer]:
    """A server with a certificate that also lets in everybody unprotected."""
    folder = tmp_path_factory.mktemp("server")
    certificate, key = make_certificate(folder, "server")
    with serving(free_port()) as running:
        running.become(
            certificate=str(certificate),
            key=str(key),
            policies=["NoSecurity", "Basic256Sha256_SignAndEncrypt"],
        )
        yield running


def configure(folder: Path, source: str) -> None:
    """A gateway with the machine `m` and its controller `cnc`, whose source is given as TOML."""
    (folder / "machines").mkdir()
    (folder / "collector.toml").write_text(
        '[gateway]\ncompany = "works"\nname = "gw1"\n[broker]\nhost = "127.0.0.1"\n'
        '[outbox]\ndirectory = "outbox"\n[control]\nsocket = "control.sock"\n'
    )
    machine = f'[machine]\nname = "m"\n\n[[controllers]]\nname = "cnc"\n\n[controllers.source]\n{source}\n'
    (folder / "machines" / "m.toml").write_text(machine)


async def collector(*command: str, config: Path) -> tuple[int, str]:
    process = await Process.start(PROGRAM, *command, "--config", config)
    code = await asyncio.wait_for(process.process.wait(), PATIENCE_S)
    await process.end()
    return code, "\n".join(process.lines)


async def test_browse_prints_a_machine_file_that_is_valid(server: OpcuaServer, tmp_path: Path) -> None:
    code, output = await collector("browse", server.url, "--find", "speed", "--toml", config=tmp_path)
    assert code == 0, output
    pasted = tomllib.loads(f'machine = {{ name = "m" }}\n{output}')
    points = MachineFile.model_validate(pasted).controllers[0].source.points
    assert [point.name for point in points] == ["speed"]
    code, output = await collector("browse", server.url, "--find", "speed", config=tmp_path)
    assert code == 0
    assert "[[controllers]]" in output
    assert output.index("speed") < output.index("[[controllers]]")


@pytest.mark.parametrize(
    ("command", "said", "ends_with"),
    [
        (["browse", "opc.tcp://127.0.0.1:1"], "Nothing answers", 1),
        (["browse", "http://127.0.0.1:1"], "opc.tcp://", 2),
        (["trust", "opc.tcp://127.0.0.1:1", "--yes"], "Nothing answers", 1),
    ],
)
async def test_what_cannot_be_reached_is_said(
    command: list[str], said: str, ends_with: int, tmp_path: Path
) -> None:
    code, output = await collector(*command, config=tmp_path)
    assert code == ends_with
    assert said in output
    assert "Traceback" not in output


async def test_browse_without_a_hit(server: OpcuaServer, tmp_path: Path) -> None:
    code, output = await collector("browse", server.url, "--find", "no-such-thing", config=tmp_path)
    assert code == 1
    assert "no-such-thing" in output


async def test_trust_keeps_the_certificate_where_the_configuration_says(
    server: OpcuaServer, tmp_path: Path
) -> None:
    configure(
        tmp_path,
        f"""\
kind = "opcua"
url = "{server.url}"
security = "sign-and-encrypt"
certificate_folder = "certificates"
points = [{{ name = "speed", node = "/speed" }}]
""",
    )
    code, output = await collector("trust", server.url, config=tmp_path)  # nobody answers the question
    assert code == 1
    assert "SHA-256" in output
    assert not list(tmp_path.rglob("*.der"))
    code, output = await collector("trust", server.url, "--yes", config=tmp_path)
    assert code == 0, output
    assert [file.parent.parent.name for file in tmp_path.rglob("trusted/*.der")] == ["certificates"]


@pytest.mark.parametrize("mode", ["subscription", "polling"])
async def test_a_controllers_points_stand_beside_their_nodes(
    server: OpcuaServer, tmp_path: Path, mode: str
) -> None:
    source = f'kind = "opcua"\nurl = "{server.url}"\nmode = "{mode}"'
    configure(tmp_path, f'{source}\npoints = [{{ name = "speed", node = "nsu={BENCH};s=speed" }}]')
    code, output = await collector("test", "m/cnc", "--seconds", "2", config=tmp_path)
    assert code == 0, output
    (speed,) = (line for line in output.splitlines() if line.startswith("speed "))
    assert "good" in speed
    assert ";s=speed" in speed
    assert (" ms" in speed) == (mode == "polling"), "only who asks waits for an answer"


async def test_a_meters_points_stand_beside_their_registers(tmp_path: Path) -> None:
    async with NetworkPeer(
        script=lambda query: [query.frame(query.values([0x4366, 0x199A]))]
    ).running() as peer:
        source = f'kind = "modbus-tcp"\nhost = "127.0.0.1"\nport = {peer.port}\naddressing = "manual"'
        point = '{ name = "voltage", address = 30001, type = "f32", unit = "V" }'
        configure(tmp_path, f"{source}\npoints = [{point}]")
        code, output = await collector("test", "m/cnc", "--seconds", "1", config=tmp_path)
    assert code == 0, output
    (voltage,) = (line for line in output.splitlines() if line.startswith("voltage "))
    assert "230.1" in voltage
    assert "30001 to 30002 (function 04)" in voltage
    assert "4366 199a" in voltage
    assert " ms" in voltage


async def test_profiles_are_listed(tmp_path: Path) -> None:
    process = await Process.start(PROGRAM, "profiles")
    assert await asyncio.wait_for(process.process.wait(), PATIENCE_S) == 0
    await process.end()
    assert [line.split()[0] for line in process.lines] == list(profile_names())
