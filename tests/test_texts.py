"""Every sentence has a stable code of its own, can be filled, and is rendered in the reader's language."""

import gettext
import importlib
import pkgutil
import re
from collections.abc import Iterator
from decimal import ROUND_CEILING, ROUND_FLOOR
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector import texts
from collector.texts import CATALOGUE, Text, number, restore, use_translations
from collector.texts.documentation import documentation

MODULES = [
    importlib.import_module(f"{texts.__name__}.{module.name}")
    for module in pkgutil.iter_modules(texts.__path__)
    if module.name != "sentence"
]


@pytest.fixture
def shouting() -> Iterator[None]:
    """A language for tests: English in capitals."""

    class Shouting(gettext.NullTranslations):
        def pgettext(self, context: str, message: str) -> str:
            assert context in CATALOGUE
            return re.sub(r"[a-z]+(?![^{]*})", lambda word: word.group().upper(), message)

    use_translations(Shouting())
    yield
    use_translations(gettext.NullTranslations())


def test_codes_are_unique_and_dotted() -> None:
    found = [text for module in MODULES for text in vars(module).values() if isinstance(text, Text)]
    codes = [text.code for text in found]
    assert sorted(set(codes)) == sorted(codes)
    assert all(re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", code) for code in codes)
    assert len(CATALOGUE) == len(codes)


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_every_sentence_renders_travels_and_translates(code: str, shouting: None) -> None:
    text = CATALOGUE[code]
    sentence = text(**dict.fromkeys(text.places, 7))
    assert "{" not in str(sentence) + sentence.advice
    assert str(sentence) == restore(sentence.to_json()).__str__()
    assert restore(sentence.to_json()).advice == sentence.advice
    said = str(sentence).replace(documentation(), "")
    assert said == said.upper()


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_a_page_that_a_sentence_names_is_there_to_be_read(code: str) -> None:
    text = CATALOGUE[code]
    sentence = text(**dict.fromkeys(text.places, 7))
    for page in re.findall(r"[^ (]+\.md\b", f"{sentence} {sentence.advice}"):
        assert Path(page).is_absolute()
        assert Path(page).is_file()


def test_pages_lie_beside_the_installed_program_or_in_the_source(tmp_path: Path) -> None:
    installed, source = tmp_path / "opt", tmp_path / "clone"
    assert documentation(installed, source) == "docs"
    (source / "docs").mkdir(parents=True)
    assert documentation(installed, source) == str(source / "docs")
    (installed / "doc" / "docs").mkdir(parents=True)
    assert documentation(installed, source) == str(installed / "doc" / "docs")


def test_what_is_said_of_a_key_fits_between_its_place_and_its_advice() -> None:
    said = [text for code, text in CATALOGUE.items() if code.startswith("config.")]
    assert len(said) > 100
    for text in said:
        assert not text.english.endswith("."), text.code
        assert not text.english[0].isupper(), text.code
        assert text.advice.startswith(("{docs}", text.advice[0].upper())), text.code


def test_missing_and_surplus_values_are_refused() -> None:
    text = Text("a.b", "The {thing} is {colour}.")
    with pytest.raises(ValueError, match="colour"):
        text(thing="sky")
    with pytest.raises(ValueError, match="size"):
        text(thing="sky", colour="blue", size=3)


def test_a_newer_daemons_sentence_keeps_its_text() -> None:
    sentence = restore(
        {"code": "from.the-future", "values": {"x": 1}, "text": "{odd} 1", "advice": "wait {}"}
    )
    assert str(sentence) == "{odd} 1"
    assert sentence.advice == "wait {}"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (1048576, "1048576"),
        (4e6, "4000000"),
        (0.000001, "0.000001"),
        (-0.5, "-0.5"),
        (0.0, "0"),
        (1234567.25, "1234567.25"),
        (0.1 + 0.2, "0.3"),
        (1e300, "1e+300"),
        (float("nan"), "nan"),
    ],
)
def test_numbers_are_written_as_people_type_them(value: float, written: str) -> None:
    assert number(value) == written


def test_few_digits_never_cut_what_stands_before_the_point() -> None:
    assert number(12345.6, 3) == "12346"
    assert number(163.84, 4, ROUND_FLOOR) == "163.8"
    assert number(0.0025001, 3, ROUND_CEILING) == "0.00251"


@given(st.floats(allow_nan=False))
def test_a_number_that_is_written_is_the_number(value: float) -> None:
    assert float(number(value, 17)) == value
