"""The documentation keeps its word: links, commands, generated tables, and the example that is shown.

`python tests/test_docs.py` writes the generated tables anew.
"""

import asyncio
import re
import shlex
import shutil
import sys
import tomllib
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
import typer.main
from rich.text import Text as Line
from servers import Collector, Mosquitto, Process, until, write_configuration

from collector.cli import app
from collector.config import load, remarks
from collector.messages import (
    Alarm,
    Change,
    ClockSet,
    ContextNumber,
    ContextState,
    Cut,
    CutFeature,
    CutNumber,
    CutState,
    CutWaveform,
    Features,
    Gap,
    Meta,
    MetaContent,
    NumberSummary,
    Readings,
    Reason,
    Receipt,
    RecordsLost,
    Rejected,
    Restart,
    StateChange,
    StateSummary,
    Status,
    Utilisation,
)
from collector.messages.envelope import Envelope
from collector.messages.features import Peak, Spindle, VelocityBand
from collector.texts import CATALOGUE, Text

PROJECT = Path(__file__).resolve().parent.parent
PAGES = sorted([*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md")])
RECORDS = (
    Envelope,
    Features,
    Peak,
    Spindle,
    VelocityBand,
    ContextNumber,
    ContextState,
    Readings,
    NumberSummary,
    StateSummary,
    Change,
    Utilisation,
    Cut,
    CutWaveform,
    CutFeature,
    CutNumber,
    CutState,
    Gap,
    Restart,
    ClockSet,
    RecordsLost,
    Alarm,
    StateChange,
    Reason,
    Meta,
    MetaContent,
    Status,
    Receipt,
    Rejected,
)

_PARTS = {
    "source": "Sources",
    "state": "State of machines",
    "broker": "Broker",
    "outbox": "Outbox",
    "gateway": "Gateway",
    "config": "Configuration",
    "cli": "Command line",
    "enrolment": "Joining the group",
    "group": "Running the group",
    "store": "The group's store",
    "research": "Reading it back",
    "share": "What leaves",
}


def sentences() -> str:
    """A table of every sentence that is more than a word on a page, by part."""
    texts = [
        text
        for text in CATALOGUE.values()
        if text.advice or not text.code.startswith(("cli.", "share.", "state."))
    ]
    order = list(_PARTS)
    texts.sort(key=lambda text: (order.index(_part(text)), text.code))
    lines = []
    for part, group in groupby(texts, key=_part):
        lines += ["", f"### {_PARTS[part]}", "", "| code | sentence | what to do |", "|---|---|---|"]
        lines += [f"| `{t.code}` | {_cell(t.english)} | {_cell(t.advice)} |" for t in group]
    return "\n".join([*lines, "", ""])


def fields() -> str:
    """A table for each record, of the fields that it adds to the envelope."""
    common = Envelope.model_fields.keys()
    lines = []
    for record in RECORDS:
        schema = record.model_json_schema(mode="serialization")
        lines += ["", f"### {record.__name__}", "", _cell(schema["description"]), ""]
        adds = record is Envelope or not issubclass(record, Envelope)
        own = [name for name in schema["properties"] if adds or name not in common]
        lines += ["| field | type | meaning |", "|---|---|---|"]
        for name in own:
            field = schema["properties"][name]
            lines.append(f"| `{name}` | {_type(field, schema)} | {_cell(field.get('description', ''))} |")
    return "\n".join([*lines, "", ""])


GENERATED = {
    PROJECT / "docs" / "messages.md": ("sentences", sentences),
    PROJECT / "docs" / "wire-contract.md": ("fields", fields),
}


def generated(page: Path) -> str:
    """The page with its generated part made anew."""
    name, make = GENERATED[page]
    before, rest = page.read_text(encoding="utf-8").split(f"<!-- {name} -->\n")
    _, after = rest.split("<!-- end -->\n")
    return f"{before}<!-- {name} -->\n{make()}<!-- end -->\n{after}"


def _part(text: Text) -> str:
    return text.code.partition(".")[0]


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _type(field: dict[str, Any], schema: dict[str, Any]) -> str:
    """A field's JSON type in words; what another table describes is named."""
    match field:
        case {"const": constant}:
            return f"`{constant}`"
        case {"enum": values}:
            return ", ".join(f"`{value}`" for value in values)
        case {"anyOf": kinds} | {"oneOf": kinds}:
            return " or ".join(_type(kind, schema) for kind in kinds)
        case {"$ref": str(reference)}:
            name = reference.rpartition("/")[2]
            found = schema["$defs"][name]
            return _type(found, schema) if "enum" in found else name
        case {"type": "array", "items": items} if "type" in items or "$ref" in items:
            return f"list of {_type(items, schema)}"
        case {"type": "object", "additionalProperties": dict() as values}:
            return f"object (by name: {_type(values, schema)})"
        case _:
            return {"string": "text", "array": "list"}.get(str(field["type"]), str(field["type"]))


def _commands() -> Iterator[tuple[str, list[str]]]:
    """Every `collector …` command that a page names, in a code block or between backticks."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        blocks = re.findall(r"```(\w*)\n(.*?)```", text, re.DOTALL)
        lines = [line for kind, block in blocks if kind in {"", "sh"} for line in block.splitlines()]
        for code in [*lines, *re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))]:
            named = re.match(r"(?:sudo (?:-u [a-z-]+ )?)?collector ([a-z].*)", code.replace("\\|", "|"))
            if named:
                yield page.name, shlex.split(named[1])


def _all_commands(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Every command by what is typed after `collector`, those of groups with both words."""
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        if hasattr(command, "list_commands"):
            yield from _all_commands(command, f"{before}{name} ")
        if getattr(command, "invoke_without_command", True):
            yield f"{before}{name}", command


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not target.startswith(("https://", "http://")):
            assert (page.parent / target.partition("#")[0]).exists(), f"{page.name}: {target}"


def test_every_object_of_the_wire_contract_is_described() -> None:
    whole = (PROJECT / "docs" / "wire-contract.md").read_text(encoding="utf-8")
    page = whole.partition("<!-- fields -->")[2]
    types = re.findall(r"^\| `\w+` \| (.+?) \|", page, re.MULTILINE)
    named = {name for type_ in types for name in re.findall(r"(?<!`)\b[A-Z]\w+", type_)}
    described = re.findall(r"^### (\w+)$", page, re.MULTILINE)
    assert named
    assert named <= set(described)


def test_every_decision_is_in_the_index_once_and_in_order() -> None:
    folder = PROJECT / "docs" / "decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| \[\d+\]\((.+?)\)", index, re.MULTILINE)
    assert listed == [page.name for page in sorted(folder.glob("0*.md"))]


def test_the_layers_are_told_as_they_are_enforced() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    enforced = [layer for contract in contracts for layer in contract.get("layers", ())]
    page = (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8")
    told: list[list[str]] = []
    for beside, module in re.findall(r"^\| (· )?`(\w+)` \|", page.partition("## Layers")[2], re.MULTILINE):
        if beside:
            told[-1].append(module)
        else:
            told.append([module])
    assert told == [layer.split(" | ") for layer in enforced]


def test_no_word_of_a_help_text_vanishes_as_markup() -> None:
    for name, command in _all_commands(typer.main.get_command(app)):
        for told in (command, *command.params):
            words = getattr(told, "help", None) or ""
            assert Line.from_markup(words).plain == words, f"{name}: {words}"


def test_every_command_named_exists_with_its_options() -> None:
    commands = dict(_all_commands(typer.main.get_command(app)))
    seen = set()
    for page, words in _commands():
        both = " ".join(words[:2])
        name = words[0] if words[0] in commands and both not in commands else both
        if words == [words[0]] and any(command.startswith(f"{name} ") for command in commands):
            continue  # a group of commands as such
        assert name in commands, f"{page}: collector {' '.join(words)}"
        seen.add(name)
        options = {option for parameter in commands[name].params for option in parameter.opts}
        for word in words[len(name.split()) :]:
            option = word.strip("[]").partition("=")[0]
            assert not option.startswith("-") or option in options, f"{page}: collector {name} {word}"
    assert seen == set(commands), "some page names each"


@pytest.mark.parametrize("page", GENERATED, ids=lambda page: page.name)
def test_generated_tables_are_current(page: Path) -> None:
    current = page.read_text(encoding="utf-8")
    assert current == generated(page), f"make it anew: python {Path(__file__).relative_to(PROJECT)}"


def test_first_data_in_five_minutes_starts_from_a_good_configuration(tmp_path: Path) -> None:
    """What install.sh copies, changed as the README says, but with folders of this test."""
    edit = "sudo sed -i 's/broker.example.org/localhost/' /etc/collector/collector.toml"
    assert edit in (PROJECT / "README.md").read_text(encoding="utf-8")
    text = (PROJECT / "config" / "collector.toml").read_text(encoding="utf-8")
    text = text.replace("broker.example.org", "localhost").replace("/var/lib/collector", str(tmp_path))
    (tmp_path / "collector.toml").write_text(text, encoding="utf-8")
    (tmp_path / "machines").mkdir()
    shutil.copy(PROJECT / "config" / "machines" / "simulated-1.toml", tmp_path / "machines")
    config = load(tmp_path)
    assert config.broker.address == ("localhost", 1883)
    assert list(remarks(config)) == []


@pytest.mark.parametrize("everything", [False, True])
async def test_the_researchers_example_prints_what_a_collector_publishes(
    tmp_path: Path, broker: Mosquitto, everything: bool
) -> None:
    page = (PROJECT / "docs" / "researchers.md").read_text(encoding="utf-8")
    example = re.search(r"<!-- run by tests/test_docs.py -->\n```python\n(.*?)```", page, re.DOTALL)
    assert example
    program = tmp_path / "example.py"
    text = example[1].replace("1883", str(broker.port))
    if everything:  # the status too
        text, widened = re.subn(r"subscribe\(\[.*\]\)", 'subscribe(f"{ROOT}/#", 1)', text)
        assert widened == 1
    program.write_text(text, encoding="utf-8")
    waveform = """\
channels = [{ name = "x", unit = "g" }]
window = { samples = 512 }
source = { kind = "simulated", rate_hz = 6400 }
"""
    write_configuration(tmp_path, broker.port, waveform)
    subscriber = await Process.start(sys.executable, program, PYTHONWARNINGS="error")
    collector = Collector(tmp_path)
    await collector.start()
    try:
        await until(lambda: sum("mill-1 spindle x rms" in line for line in subscriber.lines) > 3)
        await collector.end()
        await collector.start()
        await until(lambda: any("mill-1 spindle gap restart None" in line for line in subscriber.lines))
    finally:
        await collector.end()
        await subscriber.end()
    assert not any("Traceback" in line for line in subscriber.lines)
    await asyncio.sleep(0)


if __name__ == "__main__":
    for made in GENERATED:
        made.write_text(generated(made), encoding="utf-8")
