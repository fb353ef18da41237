"""A value that is not TOML, such as `host = 192.168.0.10`: what was meant, by its form; pure."""

import re
from datetime import date

from collector.texts import Sentence, number
from collector.texts import toml as texts
from collector.toml.problems import LONGEST_FOUND
from collector.toml.text import quoted

_LINE = re.compile(r"""\s*([\w.-]+)\s*=\s*([^\s"'\[\]{}=,#][^"'\[\]{}=,#\x00-\x1f\x7f]*)(#.*)?""", re.ASCII)
"""One key and one value without a comma."""
_WITH_COMMAS = re.compile(r"\s*([\w.-]+)\s*=\s*([-+]?\d[\d.]*(?:, ?[-+]?\d[\d.]*)+)\s*(?:#.*)?", re.ASCII)
"""Numbers with commas: decimals, thousands, or several values, which only the reader knows."""

_DATES = (
    re.compile(r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})"),
    re.compile(r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})"),
)
_NUMBER = r"[-+]?\d+(?:\.\d+)?"
_WITH_BLANKS = re.compile(r"[-+]?\d+(?: \d+)+(?:\.\d+)?")
_WITH_UNIT = re.compile(rf"({_NUMBER}) *([^\W\d_]+[23\u00b2\u00b3]?(?:/[^\W\d_]+[23\u00b2\u00b3]?)?|%)")
_WITH_UNIT_AFTER_BLANK = re.compile(rf"({_NUMBER}) +(\S.*)")
_TRUTH = {"true", "false"}
_PREFIXES = {"": 1, "k": 1e3, "M": 1e6, "m": 1e-3, "u": 1e-6, "\u00b5": 1e-6, "\u03bc": 1e-6}


def commas_sentence(line: str) -> Sentence | None:
    """What may be meant by a line's number with commas; None where its value is none."""
    parts = _WITH_COMMAS.fullmatch(line)
    if parts is None or len(parts[2]) > LONGEST_FOUND:
        return None
    return texts.SYNTAX_COMMA(found=parts[2], key=parts[1])


def unquoted_sentence(line: str) -> Sentence | None:
    """What to type instead of a line's value; None where its form tells nothing."""
    parts = _LINE.fullmatch(line)
    if parts is None or len(parts[2].strip()) > LONGEST_FOUND:
        return None
    key, found = parts[1], parts[2].strip()
    if found.lower() in _TRUTH:
        return texts.SYNTAX_MEANT(found=found, line=f"{key} = {found.lower()}")
    day = next((match for form in _DATES if (match := form.fullmatch(found))), None)
    if day is not None:
        written = _date(**{part: int(digits) for part, digits in day.groupdict().items()})
        return texts.SYNTAX_MEANT(found=found, line=f"{key} = {written}") if written else None
    if _WITH_BLANKS.fullmatch(found):
        return texts.SYNTAX_BLANKS(found=found, line=f"{key} = {found.replace(' ', '')}")
    with_unit = _WITH_UNIT.fullmatch(found) or _WITH_UNIT_AFTER_BLANK.fullmatch(found)
    if with_unit is not None:
        return _number_with_unit(key, found, *with_unit.groups())
    return texts.SYNTAX_UNQUOTED(found=found, line=f"{key} = {quoted(found)}")


def _date(year: int, month: int, day: int) -> str | None:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


def _number_with_unit(key: str, found: str, digits: str, unit: str) -> Sentence:
    text = f"{key} = {quoted(found)}"
    _, underscore, own = key.rpartition("_")  # as in rate_hz and diameter_mm
    prefix = unit[: len(unit) - len(own)]
    if not underscore or not own or not unit.lower().endswith(own) or prefix not in _PREFIXES:
        return texts.SYNTAX_UNIT(found=found, key=key, text=text)
    line = f"{key} = {number(float(digits) * _PREFIXES[prefix])}" if prefix else f"{key} = {digits}"
    return texts.SYNTAX_OWN_UNIT(found=found, line=line)
