"""The command with which a gateway, an ingester or a researcher joins the group: enroll."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from collector.cli.files import DEFAULT_FOLDER, Folder
from collector.texts import enrolment as say


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
    from collector.cli import joining  # noqa: PLC0415 (loads cryptography, 9 MiB)

    if request is not None and file is None:
        joining.request(request, kind, into, config)
    elif file is not None and request is None:
        joining.join(file, into, config, yes=yes)
    else:
        raise typer.BadParameter(str(say.FILE_OR_REQUEST()))
