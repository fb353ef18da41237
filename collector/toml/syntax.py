"""What is wrong with a line that is not TOML, for people who never heard of TOML; pure.

Which line it is, is known to toml_lines.py.
"""

import re

from collector.texts import Sentence, Text
from collector.texts import toml as texts
from collector.toml.problems import is_secret
from collector.toml.unquoted import commas_sentence, unquoted_sentence
from collector.toml.unseen_characters import unseen_sentence
from collector.toml.wide_characters import wide_sentence

# How tomllib's messages begin, and what we say where nothing better is known.
_SYNTAX: dict[str, Text] = {
    "Invalid value": texts.SYNTAX_VALUE,
    "Invalid date": texts.SYNTAX_VALUE,
    "Expected '=' after": texts.SYNTAX_EQUALS,
    "Expected newline": texts.SYNTAX_END,
    "Illegal character": texts.SYNTAX_STRING,
    "Unterminated string": texts.SYNTAX_STRING,
    "Unescaped": texts.SYNTAX_STRING,
    "Invalid hex value": texts.SYNTAX_STRING,
    "Unclosed": texts.SYNTAX_BRACKET,
    "Expected ']'": texts.SYNTAX_BRACKET,
    "Expected ']]'": texts.SYNTAX_BRACKET,
    "Cannot declare": texts.SYNTAX_TWICE,
    "Cannot overwrite": texts.SYNTAX_TWICE,
    "Cannot redefine": texts.SYNTAX_TWICE,
    "Cannot mutate": texts.SYNTAX_TWICE,
    "Duplicate": texts.SYNTAX_TWICE,
}

_IN_CURLY = ("Invalid initial character", "Unclosed inline table")
_COMMA_BEFORE_END = re.compile(r",\s*\}")
_STRING_OR_REMARK = re.compile(r"""("(?:[^"\\]|\\.)*"|'[^']*')|#.*""")
_TABLE = re.compile(r"\s*\[([^\[\]]+)\]")
_QUOTE = re.compile("""["']""")
_BENT_QUOTES = re.compile("[\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u00ab\u00bb\u300c\u300d]")
_WIDE_QUOTES = re.compile("[\uff02\uff07]")
_EQUALS = re.compile("[=\uff1d]")


def syntax_sentence(message: str, line: str) -> Sentence:
    """What is wrong with a line, by tomllib's message and by what stands there."""
    # Blanks as long as the strings, so that what stands behind them keeps its column.
    outside = _STRING_OR_REMARK.sub(lambda match: " " * len(match[1] or ""), line)
    bent = _quotes(_BENT_QUOTES, outside)
    if bent:
        return bent
    code = _QUOTE.split(outside)[0]  # a string that does not end goes on to the line's end
    if is_secret(code):
        code = code[: _end_of_key(code)]
    told = (
        wide_sentence(code)
        or unseen_sentence(code)
        or _quotes(_WIDE_QUOTES, outside)
        or _curly(message, outside)
    )
    if told:
        return told
    table = _TABLE.match(line)
    if table and message.startswith("Cannot declare"):
        return texts.SYNTAX_TABLE_TWICE(table=f"[{table[1].strip()}]")
    for beginning, text in _SYNTAX.items():
        if message.startswith(beginning):
            is_value = text in {texts.SYNTAX_VALUE, texts.SYNTAX_END} and not is_secret(line)
            return (is_value and (commas_sentence(line) or unquoted_sentence(line))) or text()
    return texts.SYNTAX(reason=message.partition(" (at ")[0])


def _quotes(kind: re.Pattern[str], text: str) -> Sentence | None:
    found = kind.findall(text)
    return texts.SYNTAX_QUOTES(found=" ".join(dict.fromkeys(found))) if found else None


def _curly(message: str, text: str) -> Sentence | None:
    if not message.startswith(_IN_CURLY):
        return None
    if text.count("{") > text.count("}"):
        return texts.SYNTAX_CURLY()
    return texts.SYNTAX_CURLY_COMMA() if _COMMA_BEFORE_END.search(text) else None


def _end_of_key(code: str) -> int:
    equals = _EQUALS.search(code)
    return equals.end() if equals else len(code)
