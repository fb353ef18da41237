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


def test_of_a_long_line_only_the_beginning_is_repeated() -> None:
    assert len(str(told(f"a = {'６４ ' * 1000}"))) < 200


def test_a_line_that_begins_with_a_full_width_blank() -> None:
    assert told("　rate_hz = 6400").code == "config.syntax.wide-blank.first"
    assert told("　").code == "config.syntax.wide-blank.first"


@pytest.mark.parametrize(
    ("line", "column", "sign"),
    [
        ("rate_hz\u00a0= 6400", 8, "U+00A0"),
        ("\u00a0\u00a0rate_hz = 6400", 1, "U+00A0"),
        ("rate_hz = \u200b6400", 11, "U+200B"),
        ("rate_hz = 6\u202f400", 12, "U+202F"),
        ("\ufeffrate_hz = 6400", 1, "U+FEFF"),
        ("[machine.state]\u2060", 16, "U+2060"),
        ('name = "a\u00a0b"\u00a0', 13, "U+00A0"),
    ],
)
def test_a_sign_that_nobody_sees_is_found_where_it_stands(line: str, column: int, sign: str) -> None:
    sentence = told(line)
    assert sentence.code == "config.syntax.unseen"
    assert sentence.values == {"column": column, "sign": sign}


def test_of_what_may_be_a_secret_an_unseen_sign_tells_nothing() -> None:
    assert told("password = \u200bhunter2").code == "config.syntax.value"


@pytest.mark.parametrize(
    ("line", "found", "typed"),
    [
        ("scale = 1,0", "1,0", "scale = [1,0]"),
        ("baud = 115,200 # fast", "115,200", "baud = [115,200]"),
        ("columns = 1, 2, 3", "1, 2, 3", "columns = [1, 2, 3]"),
        ("rate_hz = 1.000,5", "1.000,5", "rate_hz = [1.000,5]"),
    ],
)
def test_of_a_number_with_a_comma_all_that_may_be_meant_is_told(line: str, found: str, typed: str) -> None:
    sentence = told(line)
    assert (sentence.code, sentence.values["found"]) == ("config.syntax.comma", found)
    assert sentence.advice.endswith(f": {typed}")
    assert not isinstance(parse_document("a.toml", typed.encode()), Problem)


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


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("states = { 0 = 'off',\n  1 = 'on' }", "curly"),
        ("states = {\n  0 = 'off', 1 = 'on' }", "curly"),
        ("states = { 0 = 'off'\n, 1 = 'on' }", "curly"),
        ("states = { 0 = 'off', 1 = 'on', }", "curly-comma"),
        ("states = { 0 = '{', 1 = 'on' , } # {", "curly-comma"),
        ("bands = [{ low_hz = 1, high_hz = 2,}]", "curly-comma"),
    ],
)
def test_a_table_in_curly_brackets_stands_on_one_line(line: str, code: str) -> None:
    sentence = told(line)
    assert sentence.code == f"config.syntax.{code}"
    assert sentence.advice


@pytest.mark.parametrize(
    ("line", "code", "found", "typed"),
    [
        ("host = 192.168.0.10", "unquoted", "192.168.0.10", 'host = "192.168.0.10"'),
        ("host = broker.example.org # ours", "unquoted", "broker.example.org", 'host = "broker.example.org"'),
        ("name = my-mill", "unquoted", "my-mill", 'name = "my-mill"'),
        ("maker = 東京 工機", "unquoted", "東京 工機", 'maker = "東京 工機"'),
        ("port = /dev/ttyUSB0", "unquoted", "/dev/ttyUSB0", 'port = "/dev/ttyUSB0"'),
        (r"file = C:\a\b.csv", "unquoted", r"C:\a\b.csv", r'file = "C:\\a\\b.csv"'),
        ("start = 8:00", "unquoted", "8:00", 'start = "8:00"'),
        ("name = 2nd-mill", "unquoted", "2nd-mill", 'name = "2nd-mill"'),
        ("calibration_date = 2025/3/31", "meant", "2025/3/31", "calibration_date = 2025-03-31"),
        ("calibration_date = 2025-3-31", "meant", "2025-3-31", "calibration_date = 2025-03-31"),
        ("calibration_date = 31.3.2025", "meant", "31.3.2025", "calibration_date = 2025-03-31"),
        ("repeat = TRUE", "meant", "TRUE", "repeat = true"),
        ("baud = 115 200", "blanks", "115 200", "baud = 115200"),
        ("rate_hz = 485 Hz", "own-unit", "485 Hz", "rate_hz = 485"),
        ("rate_hz = 485Hz # nominal", "own-unit", "485Hz", "rate_hz = 485"),
        ("rate_hz = 6.4 kHz", "own-unit", "6.4 kHz", "rate_hz = 6400"),
        ("every_s = 500 ms", "own-unit", "500 ms", "every_s = 0.5"),
        ("diameter_mm = 12 mm", "own-unit", "12 mm", "diameter_mm = 12"),
    ],
)
def test_what_was_meant_by_a_value_is_told_ready_to_type(
    line: str, code: str, found: str, typed: str
) -> None:
    sentence = told(line)
    assert (sentence.code, sentence.values["found"]) == (f"config.syntax.{code}", found)
    assert sentence.advice.endswith(f": {typed}")
    assert not isinstance(parse_document("a.toml", typed.encode()), Problem)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("range = 16 g", 'range = "16 g"'),
        ("sensitivity = 100 mV/g", 'sensitivity = "100 mV/g"'),
        ("seconds = 500 ms", 'seconds = "500 ms"'),
        ("diameter_mm = 1 inch", 'diameter_mm = "1 inch"'),
        ("overlap = 50%", 'overlap = "50%"'),
        ("every_s = 2 hours", 'every_s = "2 hours"'),
        ("seconds_ = 5 s", 'seconds_ = "5 s"'),
        ("baud = 9600 bits per second", 'baud = "9600 bits per second"'),
    ],
)
def test_a_number_is_told_without_its_unit_only_where_that_changes_nothing(line: str, text: str) -> None:
    sentence = told(line)
    assert sentence.code == "config.syntax.unit"
    assert sentence.values["text"] == text


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("a = 1 b = 2", "config.syntax.end"),
        ('name = "mill" one', "config.syntax.end"),
        ("a =", "config.syntax.value"),
        ("calibration_date = 2025-02-30", "config.syntax.value"),
        ("calibration_date = 2025/02/30", "config.syntax.end"),
        ("password = hunter2", "config.syntax.value"),
        (f"a = {'long ' * 100}", "config.syntax.value"),
        ("a = 1 \x07", "config.syntax.end"),
    ],
)
def test_where_a_form_tells_nothing_nothing_is_guessed(line: str, code: str) -> None:
    assert told(line).code == code


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
