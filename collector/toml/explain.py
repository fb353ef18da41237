"""From pydantic's errors to sentences that say what to type.

An error's place is walked along the models, which tells where in the file it is (pydantic names the members
of unions too), which keys and values are possible there, and so which is nearest to what was typed. What one
key must have to do with another is in checks.py.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import time
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from collector.texts import Sentence, Text, number
from collector.texts import toml as texts
from collector.toml import model_tree
from collector.toml.document import Document
from collector.toml.model_tree import Place, choices, header, place_of, rows
from collector.toml.problems import MOST_PROBLEMS, Problem, is_secret, shown
from collector.toml.toml_lines import TomlPath
from collector.toml.wide_characters import half_width

_LIMITS: dict[str, tuple[Text, str]] = {
    "greater_than": (texts.NOT_ABOVE, "gt"),
    "greater_than_equal": (texts.NOT_AT_LEAST, "ge"),
    "less_than": (texts.NOT_BELOW, "lt"),
    "less_than_equal": (texts.NOT_AT_MOST, "le"),
}
_DASHES = re.compile("[\u2010-\u2015\u2212]")
"""What word processors and web pages make of a hyphen."""


def explain(document: Document, model: type[BaseModel], error: ValidationError) -> Iterator[Problem]:
    """The problems that pydantic found in a file, one for each key; of many the first, and how many more."""
    told: dict[TomlPath, Sentence] = {}
    untold: set[TomlPath] = set()
    for details, place in _of_nearest_members(document, model, error.errors(include_url=False)):
        if len(told) >= MOST_PROBLEMS:
            untold.add(place.path)
            continue
        path, sentence = _explained(document, model, details, place)
        told.setdefault(path, sentence)
    # A mistyped key is unknown, and the right one is missing: that is one mistake.
    unknown = [(path, said) for path, said in told.items() if said.code == texts.UNKNOWN_KEY.code]
    mistyped = {(*path[:-1], said.values["nearest"]) for path, said in unknown}
    for path, sentence in told.items():
        if path not in mistyped or document.value(path) is not None:
            yield document.problem(path, sentence)
    more = len(untold - told.keys())
    if more:
        yield document.problem((), texts.MORE(count=more))


def _of_nearest_members(
    document: Document, model: type[BaseModel], errors: Iterable[ErrorDetails]
) -> list[tuple[ErrorDetails, Place]]:
    """The errors with their places; where a value may have several types, those of the likeliest type."""
    located = [(details, place_of(model, details["loc"])) for details in errors]
    best: dict[TomlPath, int] = {}
    for _, place in located:
        if place.union is not None:
            rank = _distance(place.member, document.value(place.union))
            best[place.union] = min(rank, best.get(place.union, rank))
    return [
        (details, place)
        for details, place in located
        if not _of_inner_errors(details)
        and (place.union is None or _distance(place.member, document.value(place.union)) == best[place.union])
    ]


def _distance(member: str, found: Any) -> int:
    """How far a type, by pydantic's name for it, is from what was typed."""
    number = "float" in member or "int" in member
    match found:
        case list():
            return 0 if member.startswith("tuple") else 1
        case str():
            return (
                0 if member.startswith(("literal", "str")) else 1 if number and "tuple" not in member else 2
            )
        case _:
            return 0 if number and "tuple" not in member else 1


def _of_inner_errors(details: ErrorDetails) -> bool:
    # pydantic counts only the valid entries of a list, and so calls one with mistakes inside too short.
    return details["type"] == "too_short" and len(details["input"]) >= details["ctx"]["min_length"]


def _explained(  # noqa: PLR0911 (one return a mistake)
    document: Document, model: type[BaseModel], details: ErrorDetails, place: Place
) -> tuple[TomlPath, Sentence]:
    found = document.value(place.path)
    context = details.get("ctx", {})
    known = model_tree.instead(place) if isinstance(found, str) else None
    match details["type"]:
        case "int_parsing" if details["loc"][-1] == "[key]":
            return place.path[:-1], texts.NUMBER_FIRST(found=shown(place.path[-2]))
        case "literal_error" | "string_pattern_mismatch" if known:
            return place.path, known.sentence(found)
        case "extra_forbidden":
            return place.path, _unknown_key(model, place, found)
        case "missing":
            return place.path, _missing(place)
        case "union_tag_not_found" | "union_tag_invalid" as kind:
            key = str(context["discriminator"]).strip("'")
            tags = model_tree.tags(place.kind, key)
            path = (*place.path, key)
            if kind == "union_tag_invalid":
                return path, _choice(document.value(path), tags)
            mistyped = difflib.get_close_matches(key, found, n=1)
            if mistyped:
                return (*place.path, mistyped[0]), texts.UNKNOWN_KEY(found=shown(mistyped[0]), nearest=key)
            return path, texts.MISSING_KIND(key=key, example=tags[0], choices=_listed(tags))
        case "model_type" | "model_attributes_type" | "dict_type":
            return place.path, _not_a_table(place, found)
        case "tuple_type" | "too_short" if rows(place.kind):
            text = texts.LIST_OF_TABLES if isinstance(found, dict) else texts.NOT_A_TABLE
            values = {} if isinstance(found, dict) else {"found": shown(found)}
            return place.path, text(table=header(place.path, listed=True), **values)
        case "literal_error":
            possible = choices(place.kind)
            if place.union is not None:
                return place.path, texts.CHOICE_OR_NUMBER(found=shown(found), choices=_listed(possible))
            return place.path, _choice(found, possible)
        case _:
            return place.path, _value(details, place, found)


def _value(details: ErrorDetails, place: Place, found: Any) -> Sentence:  # noqa: PLR0911, PLR0912 (one a mistake)
    kind, context = details["type"], details.get("ctx", {})
    if kind in _LIMITS:
        text, limit = _LIMITS[kind]
        return text(found=shown(found), limit=number(context[limit]))
    match kind:
        case "int_type" | "float_type" if _is_number(found):
            digits = half_width(found).strip()
            text = texts.NUMBER_IN_QUOTES if digits == found.strip() else texts.WIDE_NUMBER_IN_QUOTES
            return text(found=shown(found), number=digits)
        case "int_type":
            whole = isinstance(found, float) and found.is_integer()
            return texts.NOT_WHOLE(
                found=shown(found), example=str(int(found)) if whole else _example(place, 1)
            )
        case "float_type":
            return texts.NOT_A_NUMBER(found=shown(found), example=_example(place, 1.0))
        case "finite_number":
            return texts.NOT_FINITE(found=shown(found), example=_example(place, 1.0))
        case "bool_type":
            return texts.NOT_TRUE_OR_FALSE(found=shown(found))
        case _ if kind == "path_type" or (kind.startswith("string_") and not isinstance(found, str)):
            plain = not isinstance(found, list | dict)
            written = f"{found:%H:%M}" if isinstance(found, time) else shown(found)
            return texts.NOT_TEXT(
                found=shown(found), example=f'"{written}"' if plain else _example(place, "text")
            )
        case "string_too_short":
            return texts.EMPTY_TEXT(example=_example(place, "text"))
        case "string_too_long":
            return texts.TOO_LONG(length=len(found), most=context["max_length"])
        case "string_pattern_mismatch":
            return _pattern(str(context["pattern"]), place, found)
        case "tuple_type":
            return texts.NOT_A_LIST(found=shown(found), example=shown(found))
        case "too_short":
            return texts.EMPTY_LIST(least=context["min_length"])
        case "too_long":
            return texts.TOO_MANY(count=len(found), most=context["max_length"])
    if kind.startswith("datetime"):
        return texts.NOT_A_TIME(found=shown(found))
    if kind.startswith("date"):
        return texts.NOT_A_DATE(found=shown(found))
    return texts.NOT_VALID(found=shown(found), reason=details["msg"].removeprefix("Value error, "))


def _unknown_key(model: type[BaseModel], place: Place, found: Any) -> Sentence:
    key = str(place.path[-1])
    if _holds_secret(key, found):
        return texts.SECRET(found=shown(key))
    keys = tuple(place.table.model_fields)
    typed = key.lower().replace("-", "_")
    shortened = [known for known in keys if known.startswith(f"{typed}_")]  # without its unit, or the like
    near = difflib.get_close_matches(typed, keys, n=1, cutoff=0.8) or shortened
    if not near:
        headers = [
            header(entry.path, listed=entry.listed)
            for entry in model_tree.tables(model)
            if entry.path[-1] == key
        ]
        if _is_table(found) and headers:
            return texts.UNKNOWN_KEY(found=shown(key), nearest=headers[0])
        here = tuple(part for part in place.path[:-1] if isinstance(part, str))
        homes = [
            str(entry)
            for entry in model_tree.tables(model)
            if key in entry.model.model_fields
            and (entry.tag or entry.path != here)  # of another kind's table
        ]
        if homes:
            return texts.UNKNOWN_KEY_ELSEWHERE(found=shown(key), tables=", ".join(dict.fromkeys(homes)))
        near = difflib.get_close_matches(typed, keys, n=1)
    if near:
        return texts.UNKNOWN_KEY(found=shown(key), nearest=near[0])
    return texts.UNKNOWN_KEY_LIST(found=shown(key), keys=", ".join(keys))


def _holds_secret(key: str, found: Any) -> bool:
    inside = found.items() if isinstance(found, dict) else ()
    return is_secret(key) or any(_holds_secret(inner, value) for inner, value in inside)


def _is_table(found: Any) -> bool:
    return isinstance(found, dict) or (
        isinstance(found, list) and any(isinstance(item, dict) for item in found)
    )


def _missing(place: Place) -> Sentence:
    key = str(place.path[-1])
    if rows(place.kind) or model_tree.is_table(place.kind) or model_tree.is_kind_of_table(place.kind):
        return texts.MISSING_TABLE(key=key, table=header(place.path, listed=bool(rows(place.kind))))
    return texts.MISSING_KEY(key=key, example=shown(model_tree.example(place.table, key)))


def _not_a_table(place: Place, found: Any) -> Sentence:
    listed = bool(place.path) and isinstance(place.path[-1], int)
    table = header(place.path, listed=listed)
    if isinstance(found, list):
        return texts.ONE_TABLE(table=table)
    return texts.NOT_A_TABLE(found=shown(found), table=table)


def _choice(found: Any, possible: tuple[str | int, ...]) -> Sentence:
    by_text = {str(choice): choice for choice in possible}
    near = difflib.get_close_matches(half_width(str(found)).lower(), by_text, n=1)
    if near:
        nearest = shown(by_text[near[0]])
        return texts.CHOICE(found=shown(found), nearest=nearest, choices=_listed(possible))
    return texts.CHOICE_LIST(found=shown(found), choices=_listed(possible))


def _pattern(pattern: str, place: Place, found: str) -> Sentence:
    match pattern:
        case "^[a-z0-9-]+$":
            slug = _slug(found)  # of a Japanese name, a digit is left perhaps
            usable = slug if re.search("[a-z]", slug) else _plain_example(place, "mill-1")
            return texts.NAME(found=shown(found), suggestion=usable)
        case "^[a-z0-9-]+(/[a-z0-9-]+)*$":
            suggestion = "/".join(filter(None, map(_slug, found.split("/"))))
            return texts.ROOT(found=shown(found), suggestion=suggestion or "shopfloor/v1")
        case _ if "0-9a-fA-F" in pattern:
            return texts.HEXADECIMAL(found=shown(found), example=_example(place, "aa55"))
        case _:
            return texts.NOT_OF_THIS_FORM(found=shown(found), example=_example(place, "plc/spindle-speed"))


def _slug(text: str) -> str:
    """The nearest valid name, of small letters, digits and single hyphens; empty where nothing is left."""
    plain = (
        unicodedata.normalize("NFKD", _DASHES.sub("-", text.casefold()))
        .encode("ascii", "ignore")
        .decode()
        .lower()
    )
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:64]


def _example(place: Place, otherwise: Any) -> str:
    return shown(_plain_example(place, otherwise))


def _plain_example(place: Place, otherwise: Any) -> Any:
    key = place.path[-1]
    return model_tree.example(place.table, key) if isinstance(key, str) else otherwise


def _is_number(found: Any) -> bool:
    return isinstance(found, str) and bool(
        re.fullmatch(r"\s*[-+]?\d+(\.\d+)?([eE][-+]?\d+)?\s*", half_width(found), re.ASCII)
    )


def _listed(possible: tuple[str | int, ...]) -> str:
    return ", ".join(map(shown, possible))
