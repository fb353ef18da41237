"""What `collector enroll` asks and says, and in which order things happen."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import typer

from collector.cli.ask import is_running
from collector.cli.files import tell
from collector.cli.sentences import asked
from collector.clock import today
from collector.config import load
from collector.enrolment import Enrolment, Kind, member_of, unseal
from collector.errors import BrokerError, CollectorError, EnrolmentError
from collector.joining.configuration import broker_keys, configuration_file, configure
from collector.joining.credentials import CredentialFiles, files_of, install, request_certificate
from collector.joining.tables import as_text, value_at
from collector.joining.trial import try_connection
from collector.texts import enrolment as say

_EXAMPLE = ("example-works", "gateway-1")
"""The names in the file that install.sh copies."""

Answer = TypeVar("Answer")


def request(name: str, kind: Kind, into: Path | None, config: Path) -> None:
    """Make a key that stays here, and the request to be sent."""
    if ("/" in name) is not (kind == "gateway"):
        raise EnrolmentError(say.REQUEST_NAME(name=name))
    content, fingerprint = request_certificate(files_of(kind, name, into, config), name)
    file = Path(f"{name.replace('/', '.')}.request").absolute()
    _using(file, lambda: file.write_bytes(content))
    tell(say.REQUEST_MADE(file=str(file), fingerprint=fingerprint))


def join(file: Path, into: Path | None, config: Path, *, yes: bool) -> None:
    """Install what an enrolment holds, configure, try it, and say what is next."""
    content = _using(file, file.read_bytes)
    secret = typer.prompt(asked(say.ASK_SECRET(member=member_of(content))))
    enrolment = unseal(content, secret, today())
    files = files_of(enrolment.kind, enrolment.name, into, config)
    if enrolment.kind == "gateway" and not yes:
        _ask_for_another_name(enrolment, config)
    renewed = files.other_than(enrolment)
    install(enrolment, files)
    tell(say.INSTALLED(folder=str(files.folder)))
    _configure(enrolment, files, config)
    if enrolment.kind == "gateway":
        load(config)
    # Who is connected would be thrown out by a trial under the same name.
    if is_running(config) if enrolment.kind == "gateway" else renewed:
        tell(say.RESTART[enrolment.kind]())
    else:
        _connect(enrolment, files)
        tell(say.START[enrolment.kind]())
    tell(say.DELETE_FILE(file=str(file)))


def _ask_for_another_name(enrolment: Enrolment, config: Path) -> None:
    """A gateway that has a name already is perhaps not the one that the file is meant for."""
    try:
        text = configuration_file(enrolment, config).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return  # there is no name to lose
    company, name = (value_at(text, ("gateway", key)) for key in ("company", "name"))
    if company is None or (company, name) in {_EXAMPLE, (enrolment.company, enrolment.gateway)}:
        return
    if not typer.confirm(asked(say.ANOTHER_NAME(present=f"{company}/{name}", new=enrolment.name))):
        raise EnrolmentError(say.NOTHING_CHANGED())


def _configure(enrolment: Enrolment, files: CredentialFiles, config: Path) -> None:
    """Tell the gateway's or the store's configuration; a researcher's programs are told by people."""
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


def _connect(enrolment: Enrolment, files: CredentialFiles) -> None:
    try:
        asyncio.run(try_connection(enrolment, files))
    except BrokerError as error:
        raise CollectorError(say.NO_CONNECTION(reason=str(error), advice=error.sentence.advice)) from None
    tell(say.CONNECTED(host=enrolment.host, port=enrolment.port))


def _using(file: Path, use: Callable[[], Answer]) -> Answer:
    try:
        return use()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise EnrolmentError(say.FILE_UNUSABLE(file=str(file), reason=reason)) from error
