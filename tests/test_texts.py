"""Every sentence has a stable code of its own, can be filled, and is rendered in the reader's language."""

import gettext
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector import texts
from collector.texts import CATALOGUE, Text, restore, use_translations
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
