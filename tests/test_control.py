"""The control socket under wrong requests and too many clients, and the command line that asks on it."""

import asyncio
import json
import math
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from servers import PATIENCE_S, PROGRAM, Process, until
from structlog.testing import capture_logs

from collector.control import ask, serving
from collector.errors import ControlError, NotRunningError
from collector.health import GatewayReport, InputsReport, PointTestReport, TestReport
from collector.points import Point
from collector.texts import gateway as say

REFUSED = {"error": say.REQUEST_UNKNOWN().to_json()}


class Answers:
    """A daemon that has nothing to tell but what it was asked to watch."""

    def __init__(self) -> None:
        self.watched: list[float] = []

    def report(self) -> GatewayReport:
        raise ControlError(say.UNCHANGED())

    def points(self) -> dict[str, tuple[Point, ...]]:
        return {}

    async def reload(self) -> list[str]:
        return []

    async def store_outbox(self) -> None:
        pass

    async def purge_outbox(self) -> int:
        return 0

    async def test(self, source: str, seconds: float) -> TestReport | PointTestReport:
        self.watched.append(seconds)
        raise ControlError(say.NOTHING_ARRIVES(name=source, seconds=seconds))

    async def inputs(self, machine: str, seconds: float) -> InputsReport:
        return InputsReport(seconds=seconds, values={f"{machine}/x": [1.0]})


async def send_line(path: Path, line: bytes) -> Any:
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(line + b"\n")
    answer = await asyncio.wait_for(reader.readline(), PATIENCE_S)
    writer.close()
    await writer.wait_closed()
    return json.loads(answer)


async def ended(before: set["asyncio.Task[Any]"]) -> None:
    await until(lambda: asyncio.all_tasks() <= before)


@pytest.mark.parametrize("what", ["file", "folder"])
async def test_only_a_socket_is_cleared_away(tmp_path: Path, what: str) -> None:
    path = tmp_path / "collector.toml"
    if what == "file":
        path.write_text("precious")
    else:
        path.mkdir()
    with pytest.raises(ControlError) as error:
        async with serving(path, Answers()):
            pass
    assert error.value.sentence.code == "gateway.not-a-socket"
    assert path.is_dir() or path.read_text() == "precious"


async def test_a_dead_daemons_socket_is_cleared_away_and_a_living_ones_is_not(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    before = asyncio.all_tasks()
    server = await asyncio.start_unix_server(lambda *_: None, path)
    server.close()
    assert path.is_socket()
    async with serving(path, Answers()):
        assert await ask(path, {"do": "reload"}) == []
        with pytest.raises(ControlError) as error:
            async with serving(path, Answers()):
                pass
        assert error.value.sentence.code == "gateway.already-running"
        await ended(before)


class Mistaken(Answers):
    """A daemon with a bug."""

    async def reload(self) -> list[str]:
        return [str(1 / 0)]


async def test_a_bug_is_an_answer_and_the_next_question_is_answered(tmp_path: Path) -> None:
    path, before = tmp_path / "control.sock", asyncio.all_tasks()
    async with serving(path, Mistaken()):
        with capture_logs() as logged, pytest.raises(ControlError) as error:
            await ask(path, {"do": "reload"})
        assert not isinstance(error.value, NotRunningError)
        assert error.value.sentence.code == "gateway.request-failed"
        assert [(line["event"], line["request"], line["exc_info"]) for line in logged] == [
            ("control.failed", "reload", True)
        ]
        assert await ask(path, {"do": "points"}) == {}
        await ended(before)


@pytest.mark.parametrize("seconds", ["NaN", "Infinity", "-Infinity", "0", "-1", "60.1", "1e999", "9" * 5000])
async def test_a_test_lasts_a_definite_time(tmp_path: Path, seconds: str) -> None:
    answers, path, before = Answers(), tmp_path / "control.sock", asyncio.all_tasks()
    async with serving(path, answers):
        line = f'{{"do": "test", "source": "a/b", "seconds": {seconds}}}'
        assert await send_line(path, line.encode()) == REFUSED
        assert (await send_line(path, line.replace(seconds, "60").encode()))["error"] != REFUSED["error"]
        await ended(before)
    assert answers.watched == [60]
    assert all(map(math.isfinite, answers.watched))


@pytest.mark.parametrize("seconds", ["NaN", "0", "60.1"])
async def test_inputs_are_watched_for_a_definite_time(tmp_path: Path, seconds: str) -> None:
    path, before = tmp_path / "control.sock", asyncio.all_tasks()
    async with serving(path, Answers()):
        line = f'{{"do": "inputs", "machine": "mill-1", "seconds": {seconds}}}'
        assert await send_line(path, line.encode()) == REFUSED
        watched = await ask(path, {"do": "inputs", "machine": "mill-1", "seconds": 60})
        assert watched == {"seconds": 60.0, "values": {"mill-1/x": [1.0]}}
        await ended(before)


@pytest.mark.parametrize("line", [b"[" * 100_000, b"{", b"\xff", b"null"])
async def test_what_is_no_request_is_answered(tmp_path: Path, line: bytes) -> None:
    path, before = tmp_path / "control.sock", asyncio.all_tasks()
    async with serving(path, Answers()):
        assert await send_line(path, line) == REFUSED
        await ended(before)


async def test_a_daemon_that_does_not_answer_is_not_called_stopped(tmp_path: Path) -> None:
    ended = asyncio.Event()

    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await ended.wait()
        writer.close()

    path = tmp_path / "control.sock"
    async with await asyncio.start_unix_server(silent, path):
        with pytest.raises(ControlError) as caught:
            await ask(path, {"do": "report"}, timeout_s=0.2)
        ended.set()
    assert caught.value.sentence.code == "gateway.no-answer"
    with pytest.raises(NotRunningError):
        await ask(path, {"do": "report"}, timeout_s=0.2)


async def test_at_most_32_clients_and_a_place_is_free_again(tmp_path: Path) -> None:
    path, before = tmp_path / "control.sock", asyncio.all_tasks()
    async with serving(path, Answers()):
        idle = [await asyncio.open_unix_connection(path) for _ in range(32)]
        reader, writer = await asyncio.open_unix_connection(path)
        assert await asyncio.wait_for(reader.read(), 5) == b""
        with pytest.raises(ControlError) as caught:
            await ask(path, {"do": "report"})
        assert caught.value.sentence.code == "gateway.busy"
        assert not isinstance(caught.value, NotRunningError), "`outbox purge` would work on its files"
        for _, one in [*idle, (reader, writer)]:
            one.close()
            await one.wait_closed()
        await ended(before)
        assert await ask(path, {"do": "reload"}) == []
        await ended(before)


async def test_an_idle_client_is_dropped(tmp_path: Path) -> None:
    path, before = tmp_path / "control.sock", asyncio.all_tasks()
    async with serving(path, Answers(), idle_s=0.05):
        reader, writer = await asyncio.open_unix_connection(path)
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
        await writer.wait_closed()
        await ended(before)


async def run_python(code: str, **environment: str) -> tuple[int, str]:
    process = await Process.start(sys.executable, "-c", code, **environment)
    ended_with = await asyncio.wait_for(process.process.wait(), PATIENCE_S)
    await process.end()
    return ended_with, "\n".join(process.lines)


_INTERRUPTED_IMPORT = """
import signal, sys
class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == "typer":
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Slow())
import collector.cli
"""


async def test_an_interrupt_during_the_imports_ends_it_without_a_traceback() -> None:
    code, output = await run_python(_INTERRUPTED_IMPORT)
    assert (code, output) == (-signal.SIGINT, "")


_INTERRUPTED_COMMAND = """
import signal, sys
from collector import cli
def interrupted():
    signal.raise_signal(signal.SIGINT)
cli.app = interrupted
cli.main()
"""


async def test_an_interrupt_of_a_command_ends_it_with_130() -> None:
    assert await run_python(_INTERRUPTED_COMMAND) == (130, "")


async def test_a_terminal_without_the_signs_gets_question_marks(tmp_path: Path) -> None:
    code = "import sys; from collector import cli; cli.app = lambda: print('\\u25cf good'); cli.main()"
    assert await run_python(code, PYTHONIOENCODING="ascii") == (0, "? good")


async def test_the_socket_is_found_in_a_file_from_windows(tmp_path: Path) -> None:
    path, before = tmp_path / "other.sock", asyncio.all_tasks()
    (tmp_path / "collector.toml").write_bytes(b'\xef\xbb\xbf[control]\r\nsocket = "other.sock"\r\n')
    async with serving(path, Answers()):
        process = await Process.start(PROGRAM, "reload", "--config", tmp_path)
        code = await asyncio.wait_for(process.process.wait(), PATIENCE_S)
        await process.end()
        await ended(before)
    assert code == 0, process.lines


PART = {"state": "ok", "since_us": 0}
REPORT = GatewayReport.model_validate(
    {
        "company": "c", "gateway": "watched-gateway", "version": "1", "epoch": "e", "pid": 1, "started_us": 0,
        "now_us": 1, "configuration": PART, "sources": {},
        "broker": {**PART, "address": "b", "confirmed": 0, "next_retry_s": None},
        "outbox": {**PART, "pending": 0, "memory_bytes": 0, "disk_bytes": 0, "oldest_us": None,
                   "hours_left": None, "dropped": 0, "corrupt": 0, "awaiting": 0, "rejected": 0},
        "host": {**PART, "synchronised": True, "disk_free_bytes": None, "temperature_c": None,
                 "under_voltage": None},
    }
)  # fmt: skip


class Healthy(Answers):
    """A daemon that reports."""

    def report(self) -> GatewayReport:
        return REPORT


async def test_watching_into_a_pipe_prints_page_after_page(tmp_path: Path) -> None:
    before = asyncio.all_tasks()
    (tmp_path / "collector.toml").write_text('[control]\nsocket = "c.sock"\n')
    async with serving(tmp_path / "c.sock", Healthy()):
        process = await Process.start(PROGRAM, "status", "--watch", "--config", tmp_path)
        await until(lambda: "\n".join(process.lines).count("watched-gateway") >= 2)
        assert await process.end(signal.SIGINT) == 0
        await ended(before)
