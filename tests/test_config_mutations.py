"""Whatever is done to a configuration: it loads, or every problem has a line and says what to do."""

import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.config import ConfigError, GatewayFile, MachineFile, Problem, load
from collector.config.loading import files_of, load_texts
from collector.settings import Settings
from collector.texts import CATALOGUE
from collector.toml.document import validate
from collector.toml.model_tree import example, place_of, tables

EXAMPLES = Path(__file__).resolve().parent.parent / "config"
FILES = {file: (EXAMPLES / file).read_text("utf-8") for file in files_of(EXAMPLES)}
FOREIGN_VALUES = [
    "true", "1", "-1", "0", "1.5", "nan", "-inf", "1e308",
    '""', '"9600"', '"Übermaß"', '"a\\u0000b"', "[]", "[[]]",
    "[1, 2]", '["a", {}]', "{}", "{ kind = 1 }", '{ kind = "text" }', "2025-03-31",
    "08:00:00", "2025-03-31T08:00:00Z", "9223372036854775807", "123456789012345678901234567890", '"text"',
    '"credential:x"',
]  # fmt: skip


def problems_of(files: dict[str, bytes]) -> tuple[Problem, ...]:
    try:
        load_texts(files, EXAMPLES)
    except ConfigError as error:
        return error.problems or pytest.fail("refused without a reason")
    return ()


def judged(files: dict[str, str]) -> None:
    for problem in problems_of({file: text.encode() for file, text in files.items()}):
        assert problem.line is None or 1 <= problem.line <= files[problem.file].count("\n") + 1
        assert str(problem)
        assert problem.advice
        assert problem.sentence.code in CATALOGUE


def is_setting(line: str) -> bool:
    return " = " in line and not line.startswith("#")


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, str]:
    """Files of the examples with a few lines deleted, doubled, swapped, renamed, or given foreign values."""
    files: dict[str, str] = {}
    for _ in range(draw(st.integers(1, 4))):
        file = draw(st.sampled_from(sorted(FILES)))
        lines = files.get(file, FILES[file]).split("\n")
        at = draw(
            st.sampled_from([n for n, line in enumerate(lines) if line and not line.startswith("# ")] or [0])
        )
        line = lines[at].lstrip("#")
        key, _, value = line.partition(" = ")
        kind = draw(st.sampled_from(["delete", "double", "rename", "retype", "switch", "swap", "header"]))
        match kind:
            case "delete":
                lines[at] = ""
            case "double":
                lines.insert(at, line)
            case "rename" if is_setting(line):
                renamed = draw(st.sampled_from([key.upper(), key + "x", key[:-1] or "k", "password", "kind"]))
                lines[at] = f"{renamed} = {value}"
            case "retype" if is_setting(line):
                lines[at] = f"{key} = {draw(st.sampled_from(FOREIGN_VALUES))}"
            case "switch":
                lines[at] = line
            case "swap":
                other = draw(st.integers(0, len(lines) - 1))
                lines[at], lines[other] = lines[other], lines[at]
            case "header" if line.startswith("["):
                lines[at] = draw(
                    st.sampled_from([f"[{line}]", line.strip("[]").join("[]"), "[waveforms.source.format]"])
                )
        files[file] = "\n".join(lines)
    return files


@settings(max_examples=150, deadline=None)
@given(mutated())
def test_no_mutation_makes_anything_but_problems_with_lines(files: dict[str, str]) -> None:
    judged({**FILES, **files})


@settings(deadline=None)
@given(st.sampled_from(sorted(FILES)), st.binary(max_size=60), st.integers(min_value=0))
def test_bytes_of_any_kind(file: str, junk: bytes, place: int) -> None:
    content = FILES[file].encode()
    cut = place % (len(content) + 1)
    files: dict[str, bytes] = {name: text.encode() for name, text in FILES.items()}
    files[file] = content[:cut] + junk + content[cut:]
    for problem in problems_of(files):
        assert problem.line is None or 1 <= problem.line <= files[problem.file].count(b"\n") + 1


TOML_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from([True, 1, -1, 0.5, "", "text", "serial", "binary"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["kind", "name", "x"]), inner, max_size=3)
    ),
    max_leaves=5,
)


@settings(deadline=None)
@given(st.data())
def test_any_value_in_any_place(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(FILES)))
    tree = tomllib.loads(FILES[name])
    here: Any = tree
    while True:
        keys = list(here) if isinstance(here, dict) else list(range(len(here)))
        key = data.draw(st.sampled_from(keys))
        if isinstance(here[key], dict | list) and here[key] and data.draw(st.booleans()):
            here = here[key]
            continue
        here[key] = data.draw(TOML_VALUES)
        break
    judged({**FILES, name: "\n".join(f"{top} = {inline(value)}" for top, value in tree.items())})


def inline(value: Any) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f"{key} = {inline(inner)}" for key, inner in value.items()) + "}"
        case list():
            return f"[{', '.join(map(inline, value))}]"
        case bool():
            return str(value).lower()
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case _:
            return str(value)


@pytest.mark.parametrize("file", [GatewayFile, MachineFile])
def test_every_key_has_an_example_that_is_valid(file: type[Settings]) -> None:
    for table in tables(file):
        for key in table.model.model_fields:
            value = example(table.model, key)
            nothing_fits = value == "…"
            assert not nothing_fits or any(inner.path == (*table.path, key) for inner in tables(file)), (
                table,
                key,
            )


def test_places_follow_the_names_of_the_members_of_unions() -> None:
    place = place_of(
        MachineFile, ("waveforms", 1, "source", "serial", "format", "text", "scale", "tuple[float]", 2)
    )
    assert place.path == ("waveforms", 1, "source", "format", "scale", 2)
    assert place.union == ("waveforms", 1, "source", "format", "scale")
    unknown = place_of(MachineFile, ("waveforms", 1, "source", "serial", "serial"))
    assert unknown.path == ("waveforms", 1, "source", "serial")


def test_strict_values() -> None:
    assert validate(tuple[float, ...], [1, 2.5]) == (1.0, 2.5)
    assert validate(Path, "a") == Path("a")
    for wrong in (True, "1"):
        with pytest.raises(ValueError, match="valid number"):
            validate(float, wrong)


def test_the_mutated_files_are_the_shipped_ones(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES, tmp_path, dirs_exist_ok=True)
    main = tmp_path / "collector.toml"
    main.write_text(main.read_text("utf-8").replace("/var/lib/collector", str(tmp_path)), "utf-8")
    loaded = load_texts({file: (tmp_path / file).read_bytes() for file in FILES}, tmp_path)
    assert loaded == load(tmp_path)
