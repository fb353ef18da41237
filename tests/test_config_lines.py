"""The line on which each key of a TOML file stands."""

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.toml.toml_lines import TomlLines, TomlPath, line_of_syntax_error, written

# A value as it is written, one string a line, and the paths below its key.
Value = tuple[list[str], list[TomlPath]]

SCALARS: st.SearchStrategy[Value] = st.sampled_from(
    [
        (["1"], []),
        (["-2.5e3  # a remark = [1"], []),
        (["true"], []),
        (['"text with = and # and [brackets]"'], []),
        (["2025-03-31T08:00:00+09:00"], []),
        (["'C:\\path'"], []),
    ]
)
LISTS: st.SearchStrategy[Value] = st.sampled_from(
    [
        (["[]"], []),
        (["[1, 2]"], [(0,), (1,)]),
        (["[", "  1,", "", "  # between", "  2,", "]"], [(0,), (1,)]),
        (["[[1],", "[", "2]]"], [(0,), (0, 0), (1,), (1, 0)]),
        (
            ["{ inner = 1, deeper.still = [3] }"],
            [("inner",), ("deeper",), ("deeper", "still"), ("deeper", "still", 0)],
        ),
        (["[", "  { low = 1 },", "  { low = 2 },", "]"], [(0,), (0, "low"), (1,), (1, "low")]),
    ]
)
LONG_TEXTS: st.SearchStrategy[Value] = st.sampled_from(
    [
        (['"""', "a = 1", "[b]", 'text"""'], []),
        (["'''one", "", "# two'''"], []),
        (['"""a\\', '   b"""'], []),
        (['"only \u2028 and \x85 ends no line"'], []),
    ]
)
VALUES = SCALARS | LISTS | LONG_TEXTS
BETWEEN = st.lists(st.sampled_from(["", "   ", "# a remark", '# key = """']), max_size=3)


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, dict[TomlPath, int]]:
    """A TOML text, and the line of every path in it."""
    lines: list[str] = []
    expected: dict[TomlPath, int] = {(): 1}

    def write(here: TomlPath, text: str, rest: list[str], below: list[TomlPath]) -> None:
        lines.extend(draw(BETWEEN))
        lines.append(text)
        for path in [here[:end] for end in range(len(here) + 1)] + [(*here, *inner) for inner in below]:
            expected.setdefault(path, len(lines))
        lines.extend(rest)

    def write_keys(table: TomlPath) -> None:
        for number in range(draw(st.integers(0, 3))):
            key: TomlPath = draw(st.sampled_from([(f"k{number}",), (f"dotted{number}", "key")]))
            (first, *rest), below = draw(VALUES)
            write((*table, *key), f"{'.'.join(map(str, key))} = {first}", rest, below)

    write_keys(())
    for number in range(draw(st.integers(0, 3))):
        name = f"t{number}"
        if draw(st.booleans()):
            write((name,), f"[{name}]", [], [])
            write_keys((name,))
            continue
        for entry in range(draw(st.integers(1, 3))):
            write((name, entry), f"[[{name}]]", [], [])
            write_keys((name, entry))
            if draw(st.booleans()):
                write((name, entry, "sub", "table"), f"[ {name}.sub.table ]", [], [])
                write_keys((name, entry, "sub", "table"))
    end = draw(st.sampled_from(["", "\n", "\n\n# the end"]))
    return "\n".join(lines) + end, expected


@given(documents())
def test_every_path_has_its_line(document: tuple[str, dict[TomlPath, int]]) -> None:
    text, expected = document
    tomllib.loads(text)
    lines = TomlLines(text)
    assert {path: lines.line_of(path) for path in expected} == expected


def test_a_missing_key_points_at_the_header_of_its_table() -> None:
    lines = TomlLines("[a]\nb = 1\n\n[[c]]\n[c.d]\ne = 1\n")
    assert lines.line_of(("c", 0, "d", "missing")) == 5
    assert lines.line_of(("c", 0, "missing", "deeper")) == 4
    assert lines.line_of(("missing",)) == 1


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = 1\nb = fast\nc = 3\n", 2),
        ("a = 1\nb = 2\na = 3", 3),  # tomllib says "at end of document"
        ("a = 1\n\nb = [1,\n2,\n", 3),
        ('a = 1\nb = """never\nends\n', 2),
        ("a", 1),
        ("[a\nb = 1\n", 1),
    ],
)
def test_a_syntax_error_has_a_line(text: str, line: int) -> None:
    with pytest.raises(tomllib.TOMLDecodeError) as error:
        tomllib.loads(text)
    assert line_of_syntax_error(text, str(error.value)) == line


@given(st.text(alphabet="ab=[]{}\"'\n#,.1 ", max_size=40))
def test_any_syntax_error_has_a_line_of_the_file(text: str) -> None:
    message = ""
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
    assert 1 <= line_of_syntax_error(text, message) <= text.count("\n") + 1


@pytest.mark.parametrize(
    ("path", "text"),
    [((), ""), (("a",), "a"), (("waveforms", 0, "source", "baud"), "waveforms[0].source.baud")],
)
def test_a_path_is_written_as_people_do(path: Any, text: str) -> None:
    assert written(path) == text
