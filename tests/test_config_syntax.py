"""A line that is not TOML: what was meant by it, and what to type, in words for people who know no TOML."""

# ruff: noqa: RUF001 (full-width characters are what it is about)

import tomllib
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.config import MachineFile
from collector.texts import Sentence
from collector.toml.document import Document, parse_document, validate
from collector.toml.explain import explain
from collector.toml.problems import Problem

FOLDER = Path(__file__).resolve().parent.parent / "config"


def told(line: str) -> Sentence:
    """What is said of a file with this second line."""
    problem = parse_document("a.toml", f"first = 1\n{line}\nlast = 2\n".encode())
    assert isinstance(problem, Problem), line
    assert problem.line == 2
    return problem.sentence


@pytest.mark.parametrize(
    ("line", "found", "plain"),
    [
        ("rate_hz = ６４００", "６４００", "6400"),
        ("rate_hz = ６４００．５ # 公称（値）", "６４００．５", "6400.5"),
        ("rate_hz ＝ 6400", "＝", "="),
        ("rate_hz＝６４００", "rate_hz＝６４００", "rate_hz=6400"),
        ("rate_hz　＝　６４００", "＝ ６４００", "= 6400"),
        ("［machine］", "［machine］", "[machine]"),
        ("［［waveforms］］", "［［waveforms］］", "[[waveforms]]"),
        ("columns = [1，2、3]", "[1，2、3]", "[1,2,3]"),
        ("＃ コメント（１）", "＃", "#"),
        ("rate_hz = 6400 ＃ １秒", "＃", "#"),
        ("name = ＂mill-1＂", "＂mill-1＂", '"mill-1"'),
        ('name ＝ "旋盤（１）"', "＝", "="),
        ('ｎａｍｅ = "mill-1"  # it\'s', "ｎａｍｅ", "name"),
    ],
)
def test_full_width_characters_are_named_with_what_to_type(line: str, found: str, plain: str) -> None:
    sentence = told(line)
    assert sentence.code == "config.syntax.wide"
    assert (sentence.values["found"], sentence.values["plain"]) == (found, plain)
    assert "input method" in sentence.advice


@pytest.mark.parametrize(
    ("line", "column", "before"),
    [
        ("rate_hz　= 6400", 8, "rate_hz"),
        ("rate_hz =　6400", 10, "="),
        ("rate_hz = 6400　", 15, "6400"),
        ('name = "a　b"　# remark', 13, "="),
    ],
)
def test_a_full_width_blank_is_found_where_it_stands(line: str, column: int, before: str) -> None:
    sentence = told(line)
    assert sentence.code == "config.syntax.wide-blank"
    assert sentence.values == {"column": column, "before": before}
    assert line[column - 1] == "　"


def test_a_line_that_begins_with_a_full_width_blank() -> None:
    assert told("　rate_hz = 6400").code == "config.syntax.wide-blank.first"
    assert told("　").code == "config.syntax.wide-blank.first"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('serial = "０００１', "config.syntax.string"),
        ('serial = "０００１＂', "config.syntax.quotes"),
        ("name = “旋盤（１）”", "config.syntax.quotes"),
        ('maker = "日本（株）" x', "config.syntax.end"),
        ("rate_hz 6400 # ６４００", "config.syntax.equals"),
    ],
)
def test_full_width_characters_in_texts_and_remarks_are_no_mistake(line: str, code: str) -> None:
    assert told(line).code == code


@pytest.mark.parametrize(
    "line", ["password ＝ ｈｕｎｔｅｒ２", "password = ｈｕｎｔｅｒ２", "api_key = 'x' ｈｕｎｔｅｒ２"]
)
def test_what_may_be_a_secret_is_not_repeated(line: str) -> None:
    sentence = told(line)
    said = unicodedata.normalize("NFKC", f"{sentence} {sentence.advice} {sentence.values}")
    assert "hunter2" not in said


@given(st.text(alphabet="ab1６ａ＝＃［］＂　=\"'# .[]", max_size=20))
def test_any_line_that_is_not_toml_has_advice(line: str) -> None:
    problem = parse_document("a.toml", line.encode())
    if isinstance(problem, Problem):
        assert str(problem.sentence)
        assert problem.advice


@given(st.sampled_from(["rate_hz = 6400.5", "[machine.state]", "a = [1, 2]", "a = true # b"]), st.data())
def test_what_is_advised_is_toml_again(line: str, data: st.DataObject) -> None:
    wide = [chr(ord(sign) + 0xFEE0) if data.draw(st.booleans()) and sign != " " else sign for sign in line]
    problem = parse_document("a.toml", "".join(wide).encode())
    if isinstance(problem, Problem):
        assert problem.sentence.code == "config.syntax.wide"
        mended = "".join(wide).replace("＃", "#")
        for found, plain in zip(
            str(problem.found).split(), str(problem.sentence.values["plain"]).split(), strict=True
        ):
            mended = mended.replace(found, plain)
        assert tomllib.loads(mended) == tomllib.loads(line)


@pytest.mark.parametrize("written", ["６４００", " ６４００．５", "－１"])
def test_a_full_width_number_in_quotes_leads_in_no_circle(written: str) -> None:
    content = (FOLDER / "machines" / "mill-1.toml").read_text("utf-8")
    content = content.replace("rate_hz = 1000", f'rate_hz = "{written}"', 1)
    document = parse_document("machines/mill-1.toml", content.encode())
    assert isinstance(document, Document)
    with pytest.raises(ValueError, match="rate_hz") as error:
        validate(MachineFile, document.data)
    (problem,) = explain(document, MachineFile, error.value)  # type: ignore[arg-type]
    assert problem.sentence.code == "config.number-in-quotes.wide"
    assert problem.sentence.values["number"] == unicodedata.normalize("NFKC", written).strip()
