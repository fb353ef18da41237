"""Commands as they are typed, run in this process."""

import contextlib
import io

import typer
from typer.testing import CliRunner

from collector.cli.files import complain
from collector.errors import CollectorError


def typed(program: typer.Typer, *command: str, answer: str = "") -> tuple[int, str]:
    """Exit code and output of a command; errors are told as `main` tells them."""
    result = CliRunner().invoke(program, list(command), input=answer)
    if not isinstance(result.exception, CollectorError):
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.output
    with contextlib.redirect_stderr(io.StringIO()) as complaint:
        complain(result.exception)
    return result.exception.exit_code, result.output + complaint.getvalue()
