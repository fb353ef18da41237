"""Commands that only read files: check, schema, version. Also the socket, and how errors are told."""

import json
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from collector import __version__
from collector.cli.sentences import print_sentence
from collector.config import ConfigError, json_schema, load, remarks
from collector.errors import CollectorError
from collector.messages import asyncapi
from collector.texts import Sentence
from collector.texts import cli as say

DEFAULT_FOLDER = Path("/etc/collector")

Folder = Annotated[
    Path,
    typer.Option(
        "--config",
        "-c",
        envvar="COLLECTOR_CONFIG",
        help="The configuration folder, or the collector.toml in it.",
    ),
]


def complain(error: CollectorError) -> None:
    """Tell what went wrong and what to do, on standard error; a configuration's problems one a line."""
    if isinstance(error, ConfigError):
        for problem in error.problems:
            print_sentence(problem, err=True)
    print_sentence(error.sentence, err=True)
    if error.sentence.advice:
        print_sentence(say.WHAT_TO_DO(advice=error.sentence.advice), err=True)


def tell(sentence: Sentence) -> None:
    """Say what was done, and what is next."""
    print_sentence(sentence)
    if sentence.advice:
        print_sentence(f"→ {sentence.advice}")


def check(
    path: Annotated[
        Path | None, typer.Argument(help="The configuration folder, or the collector.toml in it.")
    ] = None,
    config: Folder = DEFAULT_FOLDER,
) -> None:
    """Tell every mistake in the configuration: file, line, what was found, what to type instead.

    Exit code 0: good; 1: it can be used, but something in it is probably not meant; 2: wrong.
    """
    loaded = load(path or config)
    sources = sum(len(machine.streams) for machine in loaded.machines)
    told = tuple(remarks(loaded))
    for remark in told:
        print_sentence(remark)
    verdict = say.CONFIGURATION_REMARKS if told else say.CONFIGURATION_GOOD
    print_sentence(verdict(machines=len(loaded.machines), sources=sources))
    raise typer.Exit(1 if told else 0)


def schema(
    which: Annotated[
        Literal["gateway", "machine", "learned", "wire"],
        typer.Argument(
            help="gateway: collector.toml; machine: a file in machines/; learned: a file in learned/; "
            "wire: the MQTT records."
        ),
    ],
) -> None:
    """Print the JSON Schema of one kind of configuration file, for editors; or AsyncAPI of the records."""
    document = asyncapi() if which == "wire" else json_schema(which)
    json.dump(document, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def version() -> None:
    """Print the version."""
    typer.echo(__version__)
