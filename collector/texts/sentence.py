"""What a user reads: a `Text` is a sentence with a stable code, a `Sentence` is one filled with values.

The daemon keeps and sends codes and values; whoever shows a sentence renders it, in the reader's language.
The place `{docs}` is filled then, too: the folder where the reader finds the pages.
The sentences themselves stand in the sibling modules, one for each part of the program.
"""

import gettext
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from collector.texts.documentation import documentation

Value = str | int | float

_DOCS = "docs"

_translations: gettext.NullTranslations = gettext.translation(
    "collector", localedir=Path(__file__).parent / "locale", fallback=True
)


def use_translations(translations: gettext.NullTranslations) -> None:
    """Render every sentence from now on with these translations (the default follows LANGUAGE and LANG)."""
    global _translations  # noqa: PLW0603 (the language is a property of the process)
    _translations = translations


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence of the catalogue, in English, with `{named}` places; `advice` says what to do about it."""

    code: str
    english: str
    advice: str = ""

    def __call__(self, **values: Value) -> "Sentence":
        """Fill the places.

        Raises:
            ValueError: a place has no value, or a value no place (a mistake of ours, found by any test).
        """
        if values.keys() != self.places:
            raise ValueError(f"{self.code} has the places {sorted(self.places)}, got {sorted(values)}")
        return Sentence(self, values)

    @property
    def places(self) -> set[str]:
        """The names of the places in sentence and advice."""
        parsed = string.Formatter().parse(self.english + self.advice)
        return {name for _, name, _, _ in parsed if name} - {_DOCS}


@dataclass(frozen=True, slots=True)
class Sentence:
    """A text with its values; `str()` renders it in the language of this process."""

    template: Text
    values: Mapping[str, Value] = field(default_factory=dict)

    def __str__(self) -> str:
        return self._render(self.template.english)

    @property
    def code(self) -> str:
        """The stable code, as in `source.serial.not-found`."""
        return self.template.code

    @property
    def advice(self) -> str:
        """What to do next, rendered; empty where there is nothing to do."""
        return self._render(self.template.advice) if self.template.advice else ""

    def to_json(self) -> dict[str, Any]:
        """Code, values and the rendered text, for the control socket and the status record."""
        return {"code": self.code, "values": dict(self.values), "text": str(self), "advice": self.advice}

    def _render(self, english: str) -> str:
        return _translations.pgettext(self.code, english).format(**self.values, **{_DOCS: documentation()})
