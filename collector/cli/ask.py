"""Commands that ask the running collector: status, test, reload."""

import asyncio
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter
from rich.console import Console, RenderableType
from rich.live import Live

from collector.cli.files import DEFAULT_FOLDER, Folder
from collector.cli.names import meant
from collector.cli.screen import print_page, screen
from collector.cli.sentences import print_sentence
from collector.cli.source_pages import show_point_test, show_test
from collector.cli.status_page import show_status
from collector.config import Config, ConfigError, ControllerSettings, Problem, load
from collector.control import ControlSettings, ask
from collector.errors import CollectorError, ControlError, NotRunningError
from collector.health import GatewayReport, PointTestReport, TestReport
from collector.texts import cli as say
from collector.texts import gateway

_TEST_REPORT: TypeAdapter[TestReport | PointTestReport] = TypeAdapter(TestReport | PointTestReport)


def status(
    config: Folder = DEFAULT_FOLDER,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Keep showing it, until Ctrl-C.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Tell whether it is collecting, and if not, why and what to do.

    Exit code 0: healthy; 1: something needs attention; 3: not running.
    """
    socket = socket_of(config)
    console = screen()
    report = report_of(socket)
    if json_:
        typer.echo(report.model_dump_json(indent=2))
    elif watch:
        _watch(console, socket, report)
    else:
        print_page(show_status(report, console.width))
    raise typer.Exit(0 if report.healthy else 1)


def test(
    source: Annotated[
        str | None,
        typer.Argument(
            help="machine/stream, as `collector status` lists it, or a machine with one source; without it, "
            "the only one."
        ),
    ] = None,
    config: Folder = DEFAULT_FOLDER,
    seconds: Annotated[float, typer.Option(min=0.5, max=60, help="How long to watch.")] = 5.0,
) -> None:
    """Show what a source delivers, or say exactly why it delivers nothing."""
    try:
        name = meant(source, report_of(socket_of(config)).sources)
        request = {"do": "test", "source": name, "seconds": seconds}
        report = _TEST_REPORT.validate_python(ask_daemon(socket_of(config), request, seconds + 5))
    except NotRunningError:
        name, report = _test_here(config, source, seconds)
    if isinstance(report, TestReport):
        print_page(show_test(name, report))
    else:
        print_page(show_point_test(name, report, screen().width))


def reload(config: Folder = DEFAULT_FOLDER) -> None:
    """Take the changed configuration; a wrong one is refused and the old one stays in use."""
    try:
        changes = ask_daemon(socket_of(config), {"do": "reload"}, 30.0)
    except ControlError as error:
        problems = error.answer.get("problems")
        if not problems:
            raise
        raise ConfigError(tuple(Problem.from_json(problem) for problem in problems)) from None
    print_sentence(say.RELOADED())
    for change in changes:
        print_sentence(change, indent=2)


def is_running(config: Path) -> bool:
    """Whether a collector runs with this configuration, even if this user may not ask it."""
    try:
        ask_daemon(socket_of(config), {"do": "report"})
    except NotRunningError:
        return False
    except ControlError:
        pass
    return True


def _watch(console: Console, socket: Path, report: GatewayReport) -> None:
    async def keep_showing(show_page: Callable[[RenderableType], None]) -> None:
        while True:
            await asyncio.sleep(1.0)
            newest = GatewayReport.model_validate(await ask(socket, {"do": "report"}))
            show_page(show_status(newest, console.width))

    first = show_status(report, console.width)
    try:
        if console.is_terminal:
            with Live(first, console=console, auto_refresh=True) as live:
                asyncio.run(keep_showing(live.update))
        else:  # into a file or a pipe one page follows another
            print_page(first)
            asyncio.run(keep_showing(print_page))
    except KeyboardInterrupt:
        pass


def socket_of(folder: Path) -> Path:
    """The control socket of a configuration; also while the rest of the configuration is wrong."""
    file = folder if folder.suffix == ".toml" else folder / "collector.toml"
    try:
        given = tomllib.loads(file.read_text(encoding="utf-8-sig")).get("control", {}).get("socket")
        return file.parent / ControlSettings(**({"socket": Path(given)} if given else {})).socket
    except (OSError, ValueError, AttributeError, TypeError):
        return ControlSettings().socket


def report_of(socket: Path) -> GatewayReport:
    """How the running daemon is.

    Raises:
        ControlError: it is not running (NotRunningError), or refuses.
    """
    return GatewayReport.model_validate(ask_daemon(socket, {"do": "report"}))


def ask_daemon(socket: Path, request: dict[str, Any], timeout_s: float = 5.0) -> Any:
    """Ask the running daemon.

    Raises:
        ControlError: it is not running (NotRunningError), or refuses.
    """
    return asyncio.run(ask(socket, request, timeout_s))


def _test_here(folder: Path, source: str | None, seconds: float) -> tuple[str, TestReport | PointTestReport]:
    """Open the source that is meant in this process, since no daemon holds it."""
    from collector.sources import describe_controller_source, describe_source  # noqa: PLC0415
    from collector.streams.observe import observe, observe_points  # noqa: PLC0415 (numpy and pyserial: asking needs none)

    config: Config = load(folder)
    known = {f"{machine.name}/{s.name}": s for machine in config.machines for s in machine.streams}
    name = meant(source, known)
    settings = known[name]
    report: TestReport | PointTestReport | None
    if isinstance(settings, ControllerSettings):
        report = asyncio.run(observe_points(describe_controller_source(settings.source), seconds))
    else:
        described = describe_source(settings.source, settings.signal_channels())
        report = asyncio.run(observe(described, seconds, max(seconds, 1.0)))
    if report is None:
        raise CollectorError(gateway.NOTHING_CAME(name=name, seconds=seconds))
    return name, report
