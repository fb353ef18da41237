"""The local API: one JSON object a line on a unix socket, for the CLI on the same gateway.

The server is handed what can answer (a Protocol); it does not know the daemon.
"""

import asyncio
import contextlib
import json
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Protocol

import structlog
from pydantic import TypeAdapter

from collector.errors import CollectorError, ControlError, NotRunningError
from collector.health import GatewayReport, InputsReport, PointTestReport, TestReport
from collector.points import Point
from collector.settings import Settings
from collector.texts import gateway as say
from collector.texts import number, restore

_LINE_LIMIT = 1 << 20
_NEVER_TESTED_LONGER_S = 60.0
_MOST_CLIENTS = 32
_IDLE_S = 60.0

_POINTS: TypeAdapter[dict[str, tuple[Point, ...]]] = TypeAdapter(dict[str, tuple[Point, ...]])

log = structlog.get_logger(__name__)


class ControlSettings(Settings):
    """Where the CLI finds the running daemon."""

    socket: Path = Path("/run/collector/control.sock")
    """The unix socket's path."""


class Answering(Protocol):
    """What a running daemon can be asked."""

    def report(self) -> GatewayReport:
        """How everything is."""

    def points(self) -> dict[str, tuple[Point, ...]]:
        """The points of every controller, as far as they are known."""

    async def reload(self) -> list[str]:
        """Take the configuration on disk; returns what changed, a sentence each.

        Raises:
            CollectorError: it is wrong; nothing has changed.
        """

    async def store_outbox(self) -> None:
        """Put what waits in memory on disk."""

    async def purge_outbox(self) -> int:
        """Give up what waits; returns how many records.

        Raises:
            CollectorError: it cannot be done now.
        """

    async def test(self, source: str, seconds: float) -> TestReport | PointTestReport:
        """Watch a source for some seconds.

        Raises:
            CollectorError: there is no such source, or it delivers nothing.
        """

    async def inputs(self, machine: str, seconds: float) -> InputsReport:
        """Watch the inputs of a machine's state for some seconds.

        Raises:
            CollectorError: there is no such machine, or its state is not told.
        """


@contextlib.asynccontextmanager
async def serving(path: Path, answering: Answering, idle_s: float = _IDLE_S) -> AsyncIterator[None]:
    """Answer on the socket while the context lasts.

    A client that asks nothing for `idle_s` is dropped, and one that comes while 32 are there already.

    Raises:
        ControlError: the socket cannot be made, another daemon answers on it, or something else is there.
    """
    clients: set[asyncio.StreamWriter] = set()

    async def admit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(clients) >= _MOST_CLIENTS:  # idle ones must not use up the daemon's descriptors
            writer.close()
            return
        clients.add(writer)
        try:
            await _answer(reader, writer, answering, idle_s)
        finally:
            clients.discard(writer)

    try:
        await _clear_away(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        server = await asyncio.start_unix_server(admit, path, limit=_LINE_LIMIT)
        path.chmod(0o660)
    except OSError as error:
        raise ControlError(say.SOCKET_UNUSABLE(path=str(path), reason=str(error))) from error
    try:
        yield
    finally:
        server.close()
        path.unlink(missing_ok=True)


async def ask(path: Path, request: dict[str, Any], timeout_s: float = 5.0) -> Any:
    """Ask the daemon on a socket.

    Raises:
        NotRunningError: nobody listens there.
        ControlError: the daemon refuses, with its own sentence or by hanging up, or does not answer, or this
            user may not ask.
    """
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_unix_connection(path, limit=_LINE_LIMIT)
            answer = await _answer_to(request, reader, writer)
    except PermissionError:
        raise ControlError(say.SOCKET_FORBIDDEN(path=str(path))) from None
    except TimeoutError:
        raise ControlError(say.NO_ANSWER(seconds=number(timeout_s), path=str(path))) from None
    except OSError:
        raise NotRunningError(say.NOT_RUNNING(path=str(path))) from None
    if "error" in answer:
        raise ControlError(restore(answer["error"]), answer["error"])
    return answer["answer"]


async def _answer_to(
    request: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> dict[str, Any]:
    """What comes back. Who was let in and hears nothing knows that a daemon is there, and has no time."""
    try:
        try:
            writer.write(json.dumps(request).encode() + b"\n")
            line = await reader.readline()
        finally:
            writer.close()
            await writer.wait_closed()
        answer: dict[str, Any] = json.loads(line)
    except (OSError, ValueError):
        raise ControlError(say.BUSY()) from None
    return answer


async def _clear_away(path: Path) -> None:
    """Remove the socket a dead daemon left behind; a living one's, or anything else, is an error."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise ControlError(say.NOT_A_SOCKET(path=str(path)))
    try:
        _, writer = await asyncio.open_unix_connection(path)
    except ConnectionRefusedError:
        path.unlink(missing_ok=True)
        return
    writer.close()
    raise ControlError(say.ALREADY_RUNNING(path=str(path)))


async def _answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answering: Answering, idle_s: float
) -> None:
    try:
        while line := await asyncio.wait_for(reader.readline(), idle_s):
            writer.write(json.dumps(await _reply(line, answering)).encode() + b"\n")
            await asyncio.wait_for(writer.drain(), idle_s)
    except (OSError, ValueError) as error:  # the other side went away or to sleep, or sent an endless line
        log.info("control.dropped", reason=str(error))
    finally:
        writer.close()


async def _reply(line: bytes, answering: Answering) -> dict[str, Any]:  # noqa: PLR0911 (one a request)
    try:
        request = json.loads(line)
    except (ValueError, RecursionError):  # also a number of thousands of digits, or brackets without end
        return {"error": say.REQUEST_UNKNOWN().to_json()}
    try:
        match request:
            case {"do": "report"}:
                return {"answer": answering.report().model_dump(mode="json")}
            case {"do": "points"}:
                return {"answer": _POINTS.dump_python(answering.points(), mode="json")}
            case {"do": "reload"}:
                return {"answer": await answering.reload()}
            case {"do": "store-outbox"}:
                await answering.store_outbox()
                return {"answer": None}
            case {"do": "purge-outbox"}:
                return {"answer": await answering.purge_outbox()}
            case {"do": "test", "source": str(source), "seconds": int() | float() as seconds} if (
                0 < seconds <= _NEVER_TESTED_LONGER_S  # neither does NaN pass, which a timer must never get
            ):
                watched = await answering.test(source, seconds)
                return {"answer": watched.model_dump(mode="json")}
            case {"do": "inputs", "machine": str(machine), "seconds": int() | float() as seconds} if (
                0 < seconds <= _NEVER_TESTED_LONGER_S
            ):
                inputs = await answering.inputs(machine, seconds)
                return {"answer": inputs.model_dump(mode="json")}
            case _:
                return {"error": say.REQUEST_UNKNOWN().to_json()}
    except CollectorError as error:
        return {"error": error.to_json()}
    except Exception:  # a bug of ours; an end without an answer would look as if the daemon did not run
        log.exception("control.failed", request=request["do"])
        return {"error": say.REQUEST_FAILED().to_json()}
