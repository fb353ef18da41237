"""The command with which a gateway, an ingester or a researcher joins the group: enroll."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

from collector.cli.ask import socket_of
from collector.cli.files import DEFAULT_FOLDER, Folder, complain, tell
from collector.clock import today
from collector.config import ConfigError, load
from collector.control import ask
from collector.errors import BrokerError, CollectorError, ControlError, EnrolmentError
from collector.texts import enrolment as say
from collector.texts import gateway as running

if TYPE_CHECKING:  # loads cryptography, which the other commands do without
    from collector.enrolment import Enrolment
    from collector.joining.credentials import CredentialFiles

_EXAMPLE = ("example-works", "gateway-1")
"""The names in the file that install.sh copies."""

Answer = TypeVar("Answer")


def enroll(
    file: Annotated[Path | None, typer.Argument(help="The enrolment that the administrator sent.")] = None,
    request: Annotated[
        str | None,
        typer.Option(help="First make a key here, for COMPANY/GATEWAY or another name: it never leaves."),
    ] = None,
    kind: Annotated[
        Literal["gateway", "ingester", "researcher"], typer.Option("--as", help="What a request is for.")
    ] = "gateway",
    into: Annotated[
        Path | None, typer.Option(help="The folder for certificate and key, if not the usual one.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Take another name without asking.")] = False,
    config: Folder = DEFAULT_FOLDER,
) -> None:
    """Join the group with the file that its administrator sent; with the next one, renew the certificate."""
    if request is not None and file is None:
        _request(request, kind, into, config)
    elif file is not None and request is None:
        _join(file, into, config, yes=yes)
    else:
        raise typer.BadParameter(str(say.FILE_OR_REQUEST()))


def _request(
    name: str, kind: Literal["gateway", "ingester", "researcher"], into: Path | None, config: Path
) -> None:
    from collector.joining.credentials import files_of, request_certificate  # noqa: PLC0415

    content, fingerprint = request_certificate(files_of(kind, name, into, config), name)
    file = Path(f"{name.replace('/', '.')}.request").absolute()
    _using(file, lambda: file.write_bytes(content))
    tell(say.REQUEST_MADE(file=str(file), fingerprint=fingerprint))


def _join(file: Path, into: Path | None, config: Path, *, yes: bool) -> None:
    from collector.enrolment import member_of, unseal  # noqa: PLC0415
    from collector.joining.credentials import files_of, install  # noqa: PLC0415

    content = _using(file, file.read_bytes)
    secret = typer.prompt(str(say.ASK_SECRET(member=member_of(content))))
    enrolment = unseal(content, secret, today())
    files = files_of(enrolment.kind, enrolment.name, into, config)
    if enrolment.kind == "gateway" and not yes:
        _ask_for_another_name(enrolment, config)
    renewed = files.other_than(enrolment)
    install(enrolment, files)
    tell(say.INSTALLED(folder=str(files.folder)))
    _configure(enrolment, files, config)
    if enrolment.kind == "gateway":
        _check(config)
    # Who is connected would be thrown out by a trial under the same name.
    if _daemon_runs(config) if enrolment.kind == "gateway" else renewed:
        tell(say.RESTART[enrolment.kind]())
    else:
        _connect(enrolment, files)
        tell(say.START[enrolment.kind]())
    tell(say.DELETE_FILE(file=str(file)))


def _ask_for_another_name(enrolment: "Enrolment", config: Path) -> None:
    """A gateway that has a name already is perhaps not the one that the file is meant for."""
    from collector.joining.configuration import configuration_file  # noqa: PLC0415
    from collector.joining.tables import value_at  # noqa: PLC0415

    try:
        text = configuration_file(enrolment, config).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return  # there is no name to lose
    company, name = (value_at(text, ("gateway", key)) for key in ("company", "name"))
    if company is None or (company, name) in {_EXAMPLE, (enrolment.company, enrolment.gateway)}:
        return
    if not typer.confirm(str(say.ANOTHER_NAME(present=f"{company}/{name}", new=enrolment.name))):
        raise EnrolmentError(say.NOTHING_CHANGED())


def _configure(enrolment: "Enrolment", files: "CredentialFiles", config: Path) -> None:
    """Tell the gateway's or the store's configuration; a researcher's programs are told by people."""
    from collector.joining.configuration import (  # noqa: PLC0415
        broker_keys,
        configuration_file,
        configure,
    )
    from collector.joining.tables import as_text  # noqa: PLC0415

    if enrolment.kind == "researcher":
        tell(say.FOR_PROGRAMS(companies=", ".join(enrolment.companies), root=enrolment.root))
        typer.echo(as_text(broker_keys(enrolment, files)))
        return
    file = configuration_file(enrolment, config)
    configured = configure(enrolment, files, file, today())
    if configured.paste is not None:
        tell(say.PASTE(file=str(file)))
        typer.echo(configured.paste)
    elif configured.backup is not None:
        tell(say.CONFIGURED(file=str(file), backup=str(configured.backup)))
    elif configured.changed:
        tell(say.CONFIGURATION_MADE(file=str(file)))
    else:
        tell(say.CONFIGURED_ALREADY(file=str(file)))


def _check(config: Path) -> None:
    try:
        load(config)
    except ConfigError as error:
        complain(error)
        raise typer.Exit(2) from None


def _connect(enrolment: "Enrolment", files: "CredentialFiles") -> None:
    from collector.joining.trial import try_connection  # noqa: PLC0415

    try:
        asyncio.run(try_connection(enrolment, files))
    except BrokerError as error:
        raise CollectorError(say.NO_CONNECTION(reason=str(error), advice=error.sentence.advice)) from None
    tell(say.CONNECTED(host=enrolment.host, port=enrolment.port))


def _daemon_runs(config: Path) -> bool:
    """Whether the daemon runs, as far as can be told; then nobody else may connect under its name."""
    try:
        asyncio.run(ask(socket_of(config), {"do": "report"}))
    except ControlError as error:
        return error.sentence.code != running.NOT_RUNNING.code
    return True


def _using(file: Path, use: Callable[[], Answer]) -> Answer:
    try:
        return use()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise EnrolmentError(say.FILE_UNUSABLE(file=str(file), reason=reason)) from error
