"""A secure OPC UA server with a user: trusted by command, read by the daemon, joined, heard by a stranger."""

from pathlib import Path
from typing import Any

from mill import VIBRATION, contexts, last_of, source
from opcua_server import bench, make_certificate, serving
from servers import Collector, Mosquitto, Subscriber, free_port, until, write_configuration

PASSWORD = "CANARY pass ü"
SECURE = ["Basic256Sha256_SignAndEncrypt"]

CONTROLLER = """
[[controllers]]
name = "cnc"

[controllers.source]
kind = "opcua"
url = "{url}"
security = "sign-and-encrypt"
user = "gateway"
password_file = "{password}"
certificate_folder = "{folder}"
sampling_ms = 100
publishing_ms = 100
silent_after_s = 2
timeout_s = 2
points = [
  {{ name = "speed", node = "{speed}", unit = "/min" }},
  {{ name = "program", node = "{program}", kind = "text", share = "pseudonym" }},
]
"""


async def failing(collector: Collector, code: str) -> dict[str, Any] | None:
    """How the controller is, once it fails for this reason."""
    report = await source(collector, "mill-1/cnc")
    reason = report.get("reason") or {}
    return reason if reason.get("code") == f"source.opcua.{code}" else None


async def test_a_secure_controller_is_trusted_and_joined(tmp_path: Path, broker: Mosquitto) -> None:
    certificate, key = make_certificate(tmp_path, "server")
    other, other_key = make_certificate(tmp_path, "other")
    password = tmp_path / "password"
    password.write_text(PASSWORD + "\n", encoding="utf-8")
    about = {"policies": SECURE, "user": "gateway", "password": PASSWORD}
    collector = Collector(tmp_path)
    stranger = await Subscriber.start(broker.port)
    with serving(free_port(), certificate=str(certificate), key=str(key), **about) as server:
        nodes = {"speed": bench("speed"), "program": bench("program")}
        places = {"url": server.url, "password": password, "folder": tmp_path / "opcua"}
        machine = VIBRATION + CONTROLLER.format(**places, **nodes)
        write_configuration(tmp_path, broker.port, machine)
        await collector.start()
        try:
            # Nothing of it is believed before staff have compared the fingerprint.
            reason = await until(lambda: failing(collector, "not-trusted"))
            assert f"collector trust {server.url}" in reason["advice"]
            code, page = await collector.ask("trust", server.url, "--yes")
            assert code == 0, page
            await until(lambda: last_of(contexts(stranger, "cnc/speed"), "good"), 60)
            assert contexts(stranger, "cnc/speed")[-1]["last"] == 1500.0
            server.write(bench("speed"), 1620.0)
            await until(lambda: contexts(stranger, "cnc/speed")[-1]["last"] == 1620.0)

            # Another certificate: somebody else may stand in between. The vibration goes on without it.
            server.become(certificate=str(other), key=str(other_key), **about)
            server.write(bench("speed"), 1700.0)
            await until(lambda: last_of(contexts(stranger, "cnc/speed"), "stale"))
            await until(lambda: failing(collector, "certificate-changed"), 60)
            assert contexts(stranger, "cnc/speed")[-1]["last"] == 1620.0
            assert (await source(collector, "mill-1/spindle"))["state"] == "ok"
            _, status = await collector.ask("status", "--json")
            assert (await collector.ask("trust", server.url, "--yes"))[0] == 0
            await until(lambda: contexts(stranger, "cnc/speed")[-1]["last"] == 1700.0, 60)
        finally:
            assert await collector.end() == 0
    received = "\n".join(payload for _, payload in stranger.raw)
    programs = {window["last"] for window in contexts(stranger, "cnc/program")} - {None}
    await stranger.end()
    assert collector.process is not None
    assert len(programs) == 1
    for place in (received, status, page, *collector.process.lines):
        assert "CANARY" not in place
        assert "O1234" not in place, "the program's name"
