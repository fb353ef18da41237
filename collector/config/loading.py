"""From a configuration folder to a `Config`, or to every problem in it at once."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from collector.activity import LearnedFile
from collector.config.checks import check_gateway, check_machine, check_machines
from collector.config.existence import check_gateway_files, check_machine_files, device
from collector.config.model import (
    LEARNED_FOLDER,
    MACHINES_FOLDER,
    MAIN_FILE,
    Config,
    GatewayFile,
    MachineFile,
    assemble,
)
from collector.config.passed_over import is_missing, is_toml_file, no_machines, no_main_file, passed_over
from collector.outbox import OutboxSettings
from collector.texts import Sentence
from collector.texts.configuration import IS_FOLDER, NO_SUCH_FILE, SECOND_MACHINE, UNREADABLE, UNREADABLE_FOR
from collector.texts.toml import MORE
from collector.toml.accounts import Account, may_read, own_account, service_account
from collector.toml.document import Document, parse_document, validate
from collector.toml.explain import explain
from collector.toml.named_files import anchored
from collector.toml.problems import MOST_PROBLEMS, ConfigError, Problem

DEFAULT_FOLDER = Path("/etc/collector")
_SERVICE_USER = "collector"
"""Who runs what that folder says (systemd/collector.service); with another folder, it is who looks at it."""

File = TypeVar("File", GatewayFile, MachineFile, LearnedFile)


def load(path: Path = DEFAULT_FOLDER, *, to_run: bool = False) -> Config:
    """The configuration in a folder, which may also be named by one of its files.

    `to_run` says that this process will do what stands there, and not the service.

    Raises:
        ConfigError: it is wrong; every problem of every file, or the first syntax error of a file.
    """
    folder = _folder(path.absolute())
    parsed, problems = _read(folder)
    problems += passed_over(folder)
    is_services = folder == DEFAULT_FOLDER and not to_run
    writer = service_account(_SERVICE_USER) if is_services else own_account()
    for document in parsed:
        if not may_read(writer, folder / document.file):
            unreadable = UNREADABLE_FOR(user=writer.name, file=str(folder / document.file))
            problems.append(Problem(document.file, None, "", unreadable))
    return _judge(parsed, problems, folder, writer)


def load_outbox(path: Path = DEFAULT_FOLDER) -> OutboxSettings:
    """What a configuration says of the outbox; other mistakes in it shall keep nobody from what waits there.

    Raises:
        ConfigError: of the outbox nothing can be told; every problem of the configuration.
    """
    try:
        return load(path).outbox
    except ConfigError:
        folder = _folder(path.absolute())
        file = _parsed(folder, MAIN_FILE)
        if isinstance(file, Problem):
            raise
        is_absent = file.value(("outbox",)) is None
        settings = OutboxSettings() if is_absent else file.valid(("outbox",), OutboxSettings)
        if settings is None:
            raise
        return settings.model_copy(update={"directory": anchored(settings.directory, folder)})


def _folder(path: Path) -> Path:
    """The configuration's folder, of which also a file or the folder of the machines may be named.

    Raises:
        ConfigError: a file is named that is not there; that the others are good is not what was asked.
    """
    if path.suffix == ".toml":
        if path.name != MAIN_FILE and is_missing(path):
            raise ConfigError((Problem(path.name, None, "", NO_SUCH_FILE(folder=str(path.parent))),))
        is_inside = path.parent.name in {MACHINES_FOLDER, LEARNED_FOLDER}
        return path.parent.parent if is_inside else path.parent
    is_inside = path.name == MACHINES_FOLDER and is_missing(path / MAIN_FILE)
    return path.parent if is_inside else path


def load_texts(files: Mapping[str, bytes], folder: Path) -> Config:
    """A configuration from its files' contents; relative paths count from `folder`.

    Whether the files that it names exist is not looked at: what is missing shows in the health of its part.

    Raises:
        ConfigError: it is wrong.
    """
    parsed = [_parse(file, content) for file, content in sorted(files.items())]
    documents = [document for document in parsed if isinstance(document, Document)]
    problems = [problem for problem in parsed if isinstance(problem, Problem)]
    return _judge(documents, problems, folder, None)


def files_of(folder: Path) -> list[str]:
    """The names, from the folder on, of the files that make up its configuration, whether readable or not.

    Raises:
        OSError: the folder of the machines, or that of what was learned, cannot be listed.
    """
    learned = LEARNED_FOLDER if (folder / LEARNED_FOLDER).exists() else None
    return [MAIN_FILE, *_files_in(folder, MACHINES_FOLDER), *(_files_in(folder, learned) if learned else ())]


def _files_in(folder: Path, name: str) -> list[str]:
    return sorted(f"{name}/{entry.name}" for entry in (folder / name).iterdir() if is_toml_file(entry))


def _read(folder: Path) -> tuple[list[Document], list[Problem]]:
    machines = folder / MACHINES_FOLDER
    problems: list[Problem] = []
    try:
        files = files_of(folder)
    except (FileNotFoundError, NotADirectoryError):
        files = [MAIN_FILE]
    except OSError as error:
        files = [MAIN_FILE]
        listed_folder = Path(error.filename or machines)
        unreadable = UNREADABLE(reason=error.strerror or str(error), file=str(listed_folder))
        problems.append(Problem(listed_folder.name, None, "", unreadable))
    documents = []
    for file in files:
        parsed = _parsed(folder, file)
        if isinstance(parsed, Document):
            documents.append(parsed)
        else:
            problems.append(parsed)
    listed = any(file.startswith(f"{MACHINES_FOLDER}/") for file in files)
    if not listed and not any(problem.file in {MACHINES_FOLDER, LEARNED_FOLDER} for problem in problems):
        problems.append(Problem(MACHINES_FOLDER, None, "", no_machines(folder)))
    return documents, problems


def _parsed(folder: Path, file: str) -> Document | Problem:
    try:
        return _parse(file, (folder / file).read_bytes())
    except OSError as error:
        return Problem(file, None, "", _why_unread(file, folder, error))


def _parse(file: str, content: bytes) -> Document | Problem:
    parsed = parse_document(file, content)
    if (
        isinstance(parsed, Problem)
        and file.startswith(f"{MACHINES_FOLDER}/")
        and parsed.sentence.values.get("table") == "[machine]"
    ):
        sentence = SECOND_MACHINE(line=parsed.line or 1, folder=MACHINES_FOLDER)
        return replace(parsed, sentence=sentence)
    return parsed


def _why_unread(file: str, folder: Path, error: OSError) -> Sentence:
    match error:
        case FileNotFoundError() if file == MAIN_FILE:
            return no_main_file(folder)
        case IsADirectoryError():
            return IS_FOLDER()
        case _:
            return UNREADABLE(reason=error.strerror or str(error), file=str(folder / file))


def _judge(
    documents: list[Document], problems: list[Problem], folder: Path, writer: Account | None
) -> Config:
    """Without a writer, nobody looks whether what is named exists."""
    gateways: list[GatewayFile] = []
    machines: list[MachineFile] = []
    learned: dict[str, LearnedFile] = {}
    for document in documents:
        if document.file == MAIN_FILE:
            problems += _validated(document, GatewayFile, gateways)
            problems += check_gateway(document)
            problems += check_gateway_files(document, folder, writer) if writer else ()
        elif document.file.startswith(f"{LEARNED_FOLDER}/"):
            found: list[LearnedFile] = []
            problems += _validated(document, LearnedFile, found)
            learned |= {Path(document.file).stem: file for file in found}
        else:
            problems += _validated(document, MachineFile, machines)
            problems += check_machine(document)
            problems += check_machine_files(document, folder) if writer else ()
    machine_documents = [d for d in documents if d.file.startswith(f"{MACHINES_FOLDER}/")]
    problems += check_machines(machine_documents, device if writer else str)
    if problems or not gateways:
        raise ConfigError(tuple(_shortened(sorted(problems, key=_order))))
    texts = {document.file: document.text for document in documents}
    return assemble(gateways[0], tuple(machines), learned, folder, texts)


def _validated(document: Document, model: type[File], good: list[File]) -> Iterator[Problem]:
    try:
        good.append(validate(model, document.data))
    except ValidationError as error:
        yield from explain(document, model, error)


def _shortened(problems: Iterable[Problem]) -> Iterator[Problem]:
    """The first problems of each file, and how many more it has."""
    for file, of_file in groupby(problems, lambda problem: problem.file):
        found = list(of_file)
        listed = [problem for problem in found if problem.sentence.code != MORE.code]
        counted = [int(p.sentence.values["count"]) for p in found if p.sentence.code == MORE.code]
        yield from listed[:MOST_PROBLEMS]
        more = len(listed[MOST_PROBLEMS:]) + sum(counted)
        if more:
            yield Problem(file, None, "", MORE(count=more))


def _order(problem: Problem) -> tuple[bool, str, int]:
    return problem.file != MAIN_FILE, problem.file, problem.line or 0
