"""Names of programs, tools and jobs go nowhere but where they are shared to, whatever goes wrong.

Canaries are on a real OPC UA server and a real Modbus server, wherever a text can be. They are looked for in
all that a broker got, the outbox's files, the log at debug level, and what `status` says.
"""

import contextlib
import json
import sys
from pathlib import Path
from typing import Any

from mill import VIBRATION, Plc, letters, plc_toml
from opcua_server import OpcuaServer, bench, serving
from servers import Collector, Mosquitto, Process, Subscriber, free_port, until, write_configuration

from collector.pseudonym_key import FILE_NAME
from collector.sharing import pseudonym

PLAIN = {"order": "ORDER-7F3", "part": "PART-0815"}
"""What is shared plainly."""
PSEUDONYMS = {"tool-name": "CANARY-TOOL-D12", "program": "CANARY-PRG-31"}
"""What is shared under a pseudonym."""
BAD, UNCERTAIN = 0x80000000, 0x40000000

OPCUA = """
[[controllers]]
name = "{name}"
publish_every_s = 1

[controllers.source]
kind = "opcua"
url = "{url}"
mode = "{mode}"
sampling_ms = 100
publishing_ms = 100
silent_after_s = 2
timeout_s = 1
points = [
  {{ name = "job", node = "{program}", kind = "text" }},
  {{ name = "tool-name", node = "{many}-0", kind = "text", share = "pseudonym" }},
  {{ name = "order", node = "{many}-1", kind = "text", share = "plain" }},
  {{ name = "speed", node = "{speed}", unit = "/min" }},
  {{ name = "load", node = "{load}", unit = "%" }},
  {{ name = "mode", node = "{mode_node}", states = {{ 0 = "manual", 1 = "automatic" }} }},
  {{ name = "flag", node = "{many}-2", kind = "state" }},
  {{ name = "hidden-state", node = "{many}-3", kind = "state", share = "none" }},
  {{ name = "nowhere", node = "{many}-999", kind = "text", share = "plain" }},
]
"""

TEXTS = """\
  { name = "job", table = "holding", address = 0, type = "text", registers = 8 },
  { name = "program", table = "holding", address = 8, type = "text", registers = 8, share = "pseudonym" },
  { name = "part", table = "holding", address = 16, type = "text", registers = 8, share = "plain" },
  { name = "beyond", table = "holding", address = 900, type = "text", registers = 8, share = "plain" },
"""
"""Points of the PLC: a text of each kind, and one where nothing is."""
REGISTERS = [
    word for text in ("CANARY-JOB-4711", PSEUDONYMS["program"], PLAIN["part"]) for word in letters(text)
]

AT_DEBUG_LEVEL = (
    "import logging; logging.basicConfig(level=logging.DEBUG); from collector.cli import main; main()"
)


def configure(folder: Path, broker_port: int, url: str, port: int) -> None:
    """The same nodes twice, subscribed to and polled; and the Modbus device."""
    nodes = {name: bench(name) for name in ("program", "speed", "load", "many")}
    opcua = (
        OPCUA.format(name=name, mode=mode, url=url, mode_node=bench("mode"), **nodes)
        for name, mode in (("cnc", "subscription"), ("polled", "polling"))
    )
    write_configuration(folder, broker_port, "".join((VIBRATION, *opcua, plc_toml(port, TEXTS))))


def place_texts(server: OpcuaServer) -> None:
    """Put a text everywhere, as good values."""
    server.write(bench("program"), "CANARY-JOB-471", "String")
    server.write(bench("many-0"), PSEUDONYMS["tool-name"], "String")
    server.write(bench("many-1"), PLAIN["order"], "String")
    server.write(bench("many-3"), "CANARY-HIDDEN", "String")


class Everything:
    """All that the gateway showed and kept, as far as it was looked at."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self.outbox = b""
        self.status = ""

    async def look(self) -> None:
        """Ask for the status, and read what the outbox has on the disk."""
        for options in ((), ("--json",)):
            self.status += (await self._collector.ask("status", *options))[1]
        self.read_outbox()

    def read_outbox(self) -> bytes:
        """Keep the content of every file of the outbox; gives all that was in them until now."""
        for file in (self._collector.folder / "outbox").rglob("*"):
            with contextlib.suppress(FileNotFoundError):  # delivered meanwhile
                content = file.read_bytes() if file.is_file() else b""
                self.outbox += content if content not in self.outbox else b""
        return self.outbox


def summary(subscriber: Subscriber, controller: str) -> dict[str, Any]:
    """What the last summary of a controller says of its points."""
    end = f"/{controller}/readings"
    found = [json.loads(payload) for topic, payload in subscriber.raw if topic.endswith(end)]
    summaries = [record["points"] for record in found if record["reading"] == "summary"]
    return dict(summaries[-1]) if summaries else {}


async def told(subscriber: Subscriber, controller: str, qualities: set[str], *names: str) -> None:
    """Wait until these points are of such quality."""

    def are() -> bool:
        points = summary(subscriber, controller)
        return all(name in points and points[name]["quality"] in qualities for name in names)

    await until(are)


async def all_good(subscriber: Subscriber) -> None:
    """Wait until all controllers say what they can."""
    for controller in ("cnc", "polled"):
        await told(subscriber, controller, {"good"}, "tool-name", "order", "speed", "load", "mode")
    await told(subscriber, "plc", {"good"}, "program", "part")


async def test_names_are_nowhere_but_where_they_are_shared_to(tmp_path: Path, broker: Mosquitto) -> None:
    collector, port = Collector(tmp_path), free_port()
    seen = Everything(collector)
    stranger = await Subscriber.start(broker.port, "#")
    with serving(free_port(), many=4) as server:
        configure(tmp_path, broker.port, server.url, port)
        place_texts(server)
        folders = ("--config", tmp_path, "--state", tmp_path / "state")
        collector.process = await Process.start(sys.executable, "-c", AT_DEBUG_LEVEL, "run", *folders)
        try:
            async with Plc(port, REGISTERS).serving():
                await all_good(stranger)
                code, shown = await collector.ask("test", "mill-1/plc", "--seconds", "1")
                assert code == 0
                assert "CANARY-JOB" in shown, "staff at the gateway see all of it"
                await seen.look()
                # Values of the wrong type, and such as the controller itself calls bad or uncertain.
                server.write(bench("load"), "CANARY-FOR-A-NUMBER", "String")
                server.write(bench("mode"), "CANARY-FOR-A-STATE", "String")
                server.write(bench("many-2"), ["CANARY-IN-AN-ARRAY", "CANARY-2"], "String")
                server.write(bench("many-0"), "CANARY-BAD", "String", BAD)
                for controller in ("cnc", "polled"):
                    await told(stranger, controller, {"bad"}, "load", "mode", "flag", "tool-name", "nowhere")
                await seen.look()
                server.write(bench("mode"), "CANARY-LOCALIZED", "LocalizedText")
                server.write(bench("many-0"), "CANARY-DOUBTFUL", "String", UNCERTAIN)
                for controller in ("cnc", "polled"):
                    await told(stranger, controller, {"uncertain"}, "tool-name")
                server.delete(bench("program"))
                await seen.look()
            server.end()
            await told(stranger, "plc", {"bad", "stale"}, "program", "part")
            await told(stranger, "cnc", {"bad", "stale"}, "tool-name", "order")
            await seen.look()
            # Both come back while there is no broker: what they say goes to the disk.
            await broker.kill()
            server.start()
            place_texts(server)
            key = bytes.fromhex((tmp_path / "state" / FILE_NAME).read_text())
            shared = {*PLAIN.values(), *(pseudonym(key, text) for text in PSEUDONYMS.values())}
            async with Plc(port, REGISTERS).serving():
                await until(lambda: all(text.encode() in seen.read_outbox() for text in shared))
                await seen.look()
                with collector.halted():
                    await broker.start()
                    again = await Subscriber.start(broker.port, "#")
                await all_good(again)
                await seen.look()
        finally:
            assert await collector.end() == 0
    seen.read_outbox()
    received = "\n".join(f"{topic} {payload}" for topic, payload in (*stranger.raw, *again.raw))
    log = "\n".join(collector.process.lines)
    await stranger.end()
    await again.end()

    assert all(text in received for text in shared)
    assert "DEBUG" in log
    assert "mill-1/plc" in seen.status
    for place in (received, log, seen.status, seen.outbox.decode(errors="replace")):
        assert "CANARY" not in place
