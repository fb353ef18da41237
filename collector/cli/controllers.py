"""Commands that find out about controllers: browse, trust, profiles."""

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from collector.cli.files import DEFAULT_FOLDER, Folder
from collector.cli.sentences import asked, print_sentence
from collector.config import ConfigError, load
from collector.errors import CollectorError, UsageError
from collector.profiles import load_profile, profile_names
from collector.sources.opcua import ConnectionSettings
from collector.texts import cli as say
from collector.texts import number

if TYPE_CHECKING:
    from collector.sources.opcua.fragment import Node

_MANY_POINTS = 20

Url = Annotated[str, typer.Argument(help="The server's address, such as opc.tcp://192.168.0.10:4840")]


def browse(
    url: Url,
    find: Annotated[
        str, typer.Option(help="Only nodes whose path has this in it; * and ? stand for any.")
    ] = "",
    start: Annotated[str, typer.Option(help="Begin below this node (id or path).")] = "",
    toml: Annotated[
        bool, typer.Option("--toml", help="Print only what can be pasted into a machine file.")
    ] = False,
    config: Folder = DEFAULT_FOLDER,
) -> None:
    """Show what an OPC UA server has, and print TOML for a machine file."""
    from collector.sources.opcua.browse import browse as look  # noqa: PLC0415 (loads asyncua)
    from collector.sources.opcua.fragment import toml_fragment  # noqa: PLC0415

    connection = _connection(url, config)
    try:
        nodes = asyncio.run(look(connection, find, start=start))
    except (ValueError, LookupError):
        raise CollectorError(say.BROWSE_NO_NODE(start=start)) from None
    if not nodes:
        raise CollectorError(say.BROWSE_NOTHING(find=find))
    if not toml:
        for node in nodes:
            typer.echo("  ".join(["  " * node.depth + _said(node), *_type(node), node.node]))
        typer.echo()
        if any(re.match("/Machines/[^/]+/Monitoring/", node.path) for node in nodes):
            print_sentence(say.BROWSE_STANDARD())
        points = sum(node.kind is not None for node in nodes)
        if points > _MANY_POINTS and not find:
            print_sentence(say.BROWSE_MANY(points=points))
        print_sentence(f"{say.BROWSE_PASTE()}\n")
    typer.echo(toml_fragment(nodes, connection), nl=False)


def trust(
    url: Url,
    yes: Annotated[bool, typer.Option("--yes", help="The fingerprint was compared already.")] = False,
    config: Folder = DEFAULT_FOLDER,
) -> None:
    """Trust the certificate that an OPC UA server shows now, after you have compared its fingerprint."""
    from collector.sources.opcua.certificates import pin  # noqa: PLC0415 (loads cryptography)
    from collector.sources.opcua.connection import server_certificate  # noqa: PLC0415 (loads asyncua)

    connection = _connection(url, config)
    der, fingerprint = asyncio.run(server_certificate(connection))
    print_sentence(say.TRUST_FINGERPRINT(url=url, fingerprint=fingerprint))
    if not yes and not typer.confirm(asked(say.TRUST_SAME())):
        raise CollectorError(say.TRUST_REFUSED())
    print_sentence(say.TRUSTED(file=str(pin(url, der, connection.certificate_folder))))
    if connection.security == "none":
        print_sentence(say.TRUST_PROTECT())


def profiles() -> None:
    """List the devices whose points are known: a line `profile = "…"` is all to write."""
    for name in profile_names():
        typer.echo(f"{name:20} {load_profile(name).get('title', '')}")


def _said(node: "Node") -> str:
    """A node's name, with its value and what is known of that."""
    value = node.value if node.kind is not None else ""
    state = node.states.get(int(value)) if value.lstrip("-").isdigit() else None
    range_ = "" if node.range is None else f"({number(node.range[0])} to {number(node.range[1])})"
    about = " ".join(word for word in (value, state and f"({state})", node.unit, range_) if word)
    return f"{node.name} = {about}" if value else node.name


def _type(node: "Node") -> list[str]:
    """Its type, or what is wrong with it; nothing for what only holds other nodes."""
    return [f"[{node.status or node.type}]"] if node.status or node.type else []


def _connection(url: str, folder: Path) -> ConnectionSettings:
    """How the configuration reaches this server, if it names it; else as anybody would."""
    try:
        machines = load(folder).machines
    except ConfigError:
        machines = ()
    for machine in machines:
        for controller in machine.controllers:
            if isinstance(controller.source, ConnectionSettings) and controller.source.url == url:
                return controller.source
    try:
        return ConnectionSettings(url=url)
    except ValueError:
        raise UsageError(say.NOT_AN_OPCUA_URL(url=url)) from None
