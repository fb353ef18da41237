"""The command that finds out what is connected: scan."""

import asyncio
import contextlib
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text as Line

from collector.cli.ask import is_running
from collector.cli.files import DEFAULT_FOLDER, Folder
from collector.cli.screen import print_page
from collector.cli.sentences import print_sentence
from collector.config import ConfigError, load
from collector.errors import CollectorError, SourceError, UsageError
from collector.scan import Progress
from collector.texts import Sentence, modbus
from collector.texts import scan as say

if TYPE_CHECKING:
    from collector.sources.modbus.line import Line as ModbusLine

_NETWORK_PORT = 502
_MOSTLY = 0.9


def scan(
    place: Annotated[
        str | None,
        typer.Argument(
            help="A serial port, or a host or HOST:PORT with Modbus TCP; without it, the ports are listed."
        ),
    ] = None,
    baud: Annotated[int | None, typer.Option(min=1, help="Only this speed of a serial port.")] = None,
    units: Annotated[
        str, typer.Option(help="Ask these Modbus numbers, such as 5 or 1-247, without listening first.")
    ] = "",
    timeout: Annotated[
        float | None,
        typer.Option(min=0.05, max=10, help="How many seconds a Modbus device may take to answer."),
    ] = None,
    converter: Annotated[
        bool,
        typer.Option("--converter", help="The host passes the bytes of an RS-485 line on as they are."),
    ] = False,
    toml: Annotated[
        bool, typer.Option("--toml", help="Print only what can be pasted into a machine file.")
    ] = False,
    config: Folder = DEFAULT_FOLDER,
) -> None:
    """List serial ports, or find out what is on one, or which Modbus devices answer, and print TOML for it.

    Nothing is ever written to a device: it listens, and asks Modbus devices for registers.
    """
    if place is None:
        _list_ports(config)
        return
    ids = _ids(units)
    port = _port(place)
    if port is None:
        _scan_network(*_host(place), ids, timeout, toml=toml, converter=converter)
        return
    if not Path(port).exists():
        raise CollectorError(say.NO_SUCH_PORT(port=port))
    holders = _configured(config).get(os.path.realpath(port))
    if holders and is_running(config):
        raise CollectorError(say.HELD_BY_COLLECTOR(port=port, sources=", ".join(holders), source=holders[0]))
    _scan_port(port, baud, ids, timeout, toml=toml)


def _list_ports(config: Path) -> None:
    from collector.scan.ports import serial_ports, users_of  # noqa: PLC0415 (loads pyserial)

    ports = serial_ports()
    if not ports:
        raise CollectorError(say.NO_PORTS())
    configured = _configured(config) if is_running(config) else {}
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    for heading in (say.PORT, say.WHAT, say.USED_BY):
        table.add_column(str(heading()), overflow="fold")
    for port in ports:
        sources = configured.get(os.path.realpath(port.device))
        users = [str(say.USED_BY_COLLECTOR(sources=", ".join(sources)))] if sources else users_of(port.device)
        name = port.name if port.lasting else f"{port.name} {say.NOT_LASTING()}"
        table.add_row(Line(name), Line(port.description), Line(", ".join(users) or str(say.FREE())))
    print_page(table)
    if os.geteuid():
        print_sentence(say.OTHERS_UNSEEN())
    print_sentence(say.LOOK_AT_ONE(port=ports[0].name))


def _scan_port(
    port: str, baud: int | None, ids: Sequence[int], timeout_s: float | None, *, toml: bool
) -> None:
    from collector.scan import listening, units  # noqa: PLC0415 (loads numpy, pyserial and pymodbus)
    from collector.scan.fragment import describe_format, stream_fragment  # noqa: PLC0415
    from collector.sources.serial import shown  # noqa: PLC0415

    if not ids:
        with _progress() as progress:
            heard = listening.listen(port, (baud,) if baud else listening.BAUDS, progress)
        if isinstance(heard, listening.Stream):
            rate = f"{heard.rate_hz:.1f}" if heard.rate_hz else str(say.RATE_TOO_LOW())
            found = say.STREAM(port=port, baud=heard.baud, format=describe_format(heard), rate=rate)
            _print(stream_fragment(heard), [found], toml=toml)
            return
        if isinstance(heard, listening.OtherMaster):
            raise CollectorError(say.OTHER_MASTER(port=port, baud=heard.baud))
        if isinstance(heard, listening.Noise):
            sample = shown(heard.last, "text" if heard.readable > _MOSTLY else "binary")
            bytes_per_s = round(heard.bytes_per_s)
            raise CollectorError(
                say.NOT_UNDERSTOOD(port=port, bytes_per_s=bytes_per_s, baud=heard.baud, sample=sample)
            )
    lines = units.serial_lines(port, (baud,) if baud else units.BAUDS)
    others = () if ids else units.SERIAL_IDS
    nothing = say.NOTHING_ON_PORT(port=port)
    _find_units(lines, ids or units.LIKELY_IDS, timeout_s, nothing, others, toml=toml)


def _scan_network(
    host: str, port: int, ids: Sequence[int], timeout_s: float | None, *, toml: bool, converter: bool
) -> None:
    from collector.scan import units  # noqa: PLC0415 (loads pymodbus)
    from collector.sources.modbus.line import NetworkLine  # noqa: PLC0415

    ids = ids or (units.SERIAL_IDS if converter else units.NETWORK_IDS)
    line = NetworkLine(host, port, rtu=converter)
    nothing = say.NOTHING_ON_NETWORK(place=line.place, first=ids[0], last=ids[-1])
    try:
        _find_units([line], ids, timeout_s, nothing, toml=toml)
    except SourceError as error:  # its advice is about what is configured
        if error.sentence.code == modbus.UNKNOWN_HOST.code:
            raise CollectorError(say.UNKNOWN_HOST(host=host)) from None
        if error.sentence.code in {modbus.UNREACHABLE.code, modbus.CONNECT_TIMEOUT.code}:
            raise CollectorError(say.NO_CONNECTION(place=line.place)) from None
        raise


def _find_units(
    lines: Sequence["ModbusLine"],
    ids: Sequence[int],
    timeout_s: float | None,
    nothing: Sentence,
    others: Iterable[int] = (),
    *,
    toml: bool,
) -> None:
    from collector.scan import units  # noqa: PLC0415 (loads pymodbus)
    from collector.scan.fragment import describe_unit, units_fragment  # noqa: PLC0415

    found: list[units.Found] = []
    trouble = units.Trouble()

    async def find(progress: Progress) -> None:
        async with units.asking(timeout_s) as ask:
            async for unit in units.find_units(lines, ids, ask, progress, trouble, others):
                found.append(unit)  # noqa: PERF401 (so that it is kept when stopped)

    stopped = False
    with _progress() as progress:
        try:
            asyncio.run(find(progress))
        except KeyboardInterrupt:
            stopped = True
    if stopped:
        print_sentence(say.STOPPED() if found else say.STOPPED_WITHOUT(), err=True)
    elif not found:
        raise CollectorError(say.GARBLED(place=lines[0].place) if trouble.garbled else nothing)
    if found:
        _print(units_fragment(found), [line for unit in found for line in describe_unit(unit)], toml=toml)
    if stopped:
        raise typer.Exit(130)


def _print(fragment: str, found: Iterable[Sentence], *, toml: bool) -> None:
    if not toml:
        for sentence in found:
            print_sentence(sentence)
        print_sentence(f"\n{say.PASTE(folder=str(DEFAULT_FOLDER / 'machines'))}\n")
    typer.echo(fragment, nl=False)


@contextlib.contextmanager
def _progress() -> Iterator[Progress]:
    """Show what is being done: on a terminal in one line that changes, else a line for each stage."""
    console = Console(stderr=True)
    if console.is_terminal:
        with console.status("") as status:
            yield lambda sentence: status.update(Line(str(sentence)))
        return
    told: list[object] = []

    def tell(sentence: Sentence) -> None:
        stage = {name: value for name, value in sentence.values.items() if name != "unit"}
        if stage not in told:
            told.append(stage)
            print_sentence(sentence, err=True)

    yield tell


def _configured(folder: Path) -> Mapping[str, list[str]]:
    """The sources of the configuration by the port that they name, links followed."""
    try:
        machines = load(folder).machines
    except ConfigError:
        return {}
    named = defaultdict(list)
    for machine in machines:
        for stream in machine.streams:
            port = getattr(stream.source, "port", None)
            if isinstance(port, str):  # of network devices it is a number
                named[os.path.realpath(port)].append(f"{machine.name}/{stream.name}")
    return named


def _port(place: str) -> str | None:
    """The serial port that is meant, if one is: a path, or a name in /dev, be it there or not."""
    if place.startswith((".", "/")):
        return place
    device = Path("/dev") / place
    return str(device) if place.startswith("tty") or device.exists() else None


def _host(place: str) -> tuple[str, int]:
    host, separator, port = place.rpartition(":") if place.count(":") == 1 else (place, "", "")
    if place.startswith("["):
        host, _, port = place[1:].partition("]")
        separator, port = port[:1], port[1:]
    if separator and not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
        raise UsageError(say.NOT_A_PLACE(found=place))
    if not host or any(sign.isspace() or sign == "/" for sign in host):
        raise UsageError(say.NOT_A_PLACE(found=place))
    return host, int(port) if separator else _NETWORK_PORT


def _ids(units: str) -> Sequence[int]:
    """The numbers from the first to the last; empty where none are given."""
    if not units:
        return ()
    first, _, last = units.partition("-")
    numbers = [int(number) for number in (first, last or first) if number.isascii() and number.isdigit()]
    if len(numbers) != 2 or not 0 <= numbers[0] <= numbers[1] <= 255:
        raise UsageError(say.NOT_A_RANGE(found=units))
    return range(numbers[0], numbers[1] + 1)
