"""The command with which a gateway, an ingester or a researcher joins the group: enroll."""

import asyncio
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from collector.cli.ask import socket_of
from collector.cli.files import DEFAULT_FOLDER, Folder, complain
from collector.config import ConfigError, load
from collector.control import ask
from collector.errors import BrokerError, CollectorError, ControlError, EnrolmentError
from collector.texts import Sentence
from collector.texts import enrolment as say
from collector.texts import gateway as running

if TYPE_CHECKING:  # loads cryptography, which only this command needs
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
    into: Annotated[
        Path | None,
        typer.Option(help="The folder for certificate and key; a gateway's is `secrets`."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether it may take another name.")] = False,
    config: Folder = DEFAULT_FOLDER,
) -> None:
    """Join the group with the file that its administrator sent; with the next one, renew the certificate."""
    if request is not None and file is None:
        _request(request, into, config)
    elif file is not None and request is None:
        _join(file, into, config, yes=yes)
    else:
        raise typer.BadParameter(str(say.FILE_OR_REQUEST()))


def _request(member: str, into: Path | None, config: Path) -> None:
    from collector.joining.credentials import files_of, request_certificate  # noqa: PLC0415

    content, fingerprint = request_certificate(files_of(member, into, config), member)
    file = Path(f"{member.replace('/', '.')}.request").absolute()
    _using(file, lambda: file.write_bytes(content))
    _tell(say.REQUEST_MADE(file=str(file), fingerprint=fingerprint))


def _join(file: Path, into: Path | None, config: Path, *, yes: bool) -> None:
    from collector.enrolment import member_of, unseal  # noqa: PLC0415
    from collector.joining.credentials import files_of, install  # noqa: PLC0415
    from collector.joining.gateway import broker_tables  # noqa: PLC0415
    from collector.joining.tables import as_text  # noqa: PLC0415

    content = _using(file, file.read_bytes)
    secret = typer.prompt(str(say.ASK_SECRET(member=member_of(content))))
    enrolment = unseal(content, secret, datetime.now(UTC))
    files = files_of(enrolment.name, into, config)
    if enrolment.kind == "gateway":
        main_file = config if config.suffix == ".toml" else config / "collector.toml"
        _check_name(enrolment, main_file, yes=yes)
        install(enrolment, files)
        _tell(say.INSTALLED(folder=str(files.folder)))
        _configure(enrolment, files, main_file)
        _finish(enrolment, files, config)
    else:
        install(enrolment, files)
        _tell(say.INSTALLED(folder=str(files.folder)))
        _tell(say.PASTE_BROKER())
        typer.echo(as_text(broker_tables(enrolment, files)))
        _connect(enrolment, files)
    _tell(say.DELETE_FILE(file=str(file)))


def _check_name(enrolment: "Enrolment", file: Path, *, yes: bool) -> None:
    """Ask before a gateway that has a name takes another: perhaps the file is meant for another gateway."""
    try:
        names = tomllib.loads(file.read_text(encoding="utf-8-sig"))["gateway"]
        present = (str(names["company"]), str(names["name"]))
    except (OSError, ValueError, LookupError, TypeError):
        return  # there is none to lose
    if yes or present in {_EXAMPLE, (enrolment.company, enrolment.gateway)}:
        return
    question = say.ANOTHER_NAME(present="/".join(present), new=enrolment.name)
    if not typer.confirm(str(question)):
        raise EnrolmentError(say.NOTHING_CHANGED())


def _configure(enrolment: "Enrolment", files: "CredentialFiles", file: Path) -> None:
    from collector.joining.gateway import configure, wanted_tables  # noqa: PLC0415

    configured = configure(file, wanted_tables(enrolment, files), datetime.now(UTC))
    if configured.paste is not None:
        _tell(say.PASTE(file=str(file)))
        typer.echo(configured.paste)
    elif configured.backup is not None:
        _tell(say.CONFIGURED(file=str(file), backup=str(configured.backup)))
    else:
        _tell(say.CONFIGURED_ALREADY(file=str(file)))


def _finish(enrolment: "Enrolment", files: "CredentialFiles", config: Path) -> None:
    """Say whether all is well, and what is next."""
    try:
        load(config)
    except ConfigError as error:
        complain(error)
        raise typer.Exit(1) from None
    if _daemon_runs(config):
        _tell(say.RESTART())
    else:
        _connect(enrolment, files)
        _tell(say.START())


def _connect(enrolment: "Enrolment", files: "CredentialFiles") -> None:
    from collector.joining.gateway import try_connection  # noqa: PLC0415

    try:
        asyncio.run(try_connection(enrolment, files))
    except BrokerError as error:
        raise CollectorError(say.NO_CONNECTION(reason=str(error), advice=error.sentence.advice)) from None
    _tell(say.CONNECTED(host=enrolment.host, port=enrolment.port))


def _daemon_runs(config: Path) -> bool:
    """Whether the daemon runs, as far as can be told: under its name nobody else may connect meanwhile."""
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


def _tell(sentence: Sentence) -> None:
    typer.echo(str(sentence))
    if sentence.advice:
        typer.echo(f"→ {sentence.advice}")
