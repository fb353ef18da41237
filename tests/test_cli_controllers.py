"""Finding out about controllers from the command line: browse, trust, profiles."""

import asyncio
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from opcua_server import OpcuaServer, make_certificate, serving
from servers import PROGRAM, Process, free_port

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


async def collector(*command: str, config: Path) -> tuple[int, str]:
    process = await Process.start(PROGRAM, *command, "--config", config)
    code = await asyncio.wait_for(process.process.wait(), 60)
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
    ("command", "said"),
    [
        (["browse", "opc.tcp://127.0.0.1:1"], "Nothing answers"),
        (["browse", "http://127.0.0.1:1"], "opc.tcp://"),
        (["trust", "opc.tcp://127.0.0.1:1", "--yes"], "Nothing answers"),
    ],
)
async def test_what_cannot_be_reached_is_said(command: list[str], said: str, tmp_path: Path) -> None:
    code, output = await collector(*command, config=tmp_path)
    assert code == 1
    assert said in output
    assert "Traceback" not in output


async def test_browse_without_a_hit(server: OpcuaServer, tmp_path: Path) -> None:
    code, output = await collector("browse", server.url, "--find", "no-such-thing", config=tmp_path)
    assert code == 1
    assert "no-such-thing" in output


async def test_trust_keeps_the_certificate_where_the_configuration_says(
    server: OpcuaServer, tmp_path: Path
) -> None:
    (tmp_path / "machines").mkdir()
    (tmp_path / "collector.toml").write_text(
        '[gateway]\ncompany = "works"\nname = "gw1"\n[broker]\nhost = "127.0.0.1"\n'
        '[outbox]\ndirectory = "outbox"\n[control]\nsocket = "control.sock"\n'
    )
    (tmp_path / "machines" / "m.toml").write_text(
        f"""\
[machine]
name = "m"

[[controllers]]
name = "cnc"

[controllers.source]
kind = "opcua"
url = "{server.url}"
security = "sign-and-encrypt"
certificate_folder = "certificates"
points = [{{ name = "speed", node = "/speed" }}]
"""
    )
    code, output = await collector("trust", server.url, config=tmp_path)  # nobody answers the question
    assert code == 1
    assert "SHA-256" in output
    assert not list(tmp_path.rglob("*.der"))
    code, output = await collector("trust", server.url, "--yes", config=tmp_path)
    assert code == 0, output
    assert [file.parent.parent.name for file in tmp_path.rglob("trusted/*.der")] == ["certificates"]


async def test_profiles_are_listed(tmp_path: Path) -> None:
    process = await Process.start(PROGRAM, "profiles")
    assert await asyncio.wait_for(process.process.wait(), 60) == 0
    await process.end()
    assert [line.split()[0] for line in process.lines] == list(profile_names())
