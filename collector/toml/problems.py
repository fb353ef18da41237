"""What is wrong with a configuration: one `Problem` a mistake, and the error that carries them all."""

import difflib
import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from collector.errors import CollectorError
from collector.texts import Sentence, restore
from collector.texts.toml import CHOICE, CHOICE_LIST, REFUSED

LONGEST_FOUND = 60
"""So many letters of what was found are shown."""

_SECRET = re.compile(r"pass(word|wd|phrase)|token|secret|api_?key", re.IGNORECASE)

_USER_OF_ADDRESS = re.compile(r"//[^/@\s]*@")

MOST_PROBLEMS = 50
"""So many of one file are told; who has more needs no longer list, and finding lines takes time."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: where it stands, what was found there and is wrong with it, and what to type instead.

    `file` counts from the configuration folder; `line` counts from 1 and is None where the file as a whole is
    the problem; `path` is the key's, as `waveforms[0].source.baud`.
    """

    file: str
    line: int | None
    path: str
    sentence: Sentence

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        where = f"{place}: {self.path}:" if self.path else f"{place}:"
        return f"{where} {self.sentence}. {self.advice}"

    @property
    def found(self) -> str:
        """What was found, as it would be typed in TOML; empty for what is missing."""
        return str(self.sentence.values.get("found", ""))

    @property
    def advice(self) -> str:
        """What to type instead, rendered."""
        return self.sentence.advice

    def to_json(self) -> dict[str, Any]:
        """The problem for the control socket."""
        return {"file": self.file, "line": self.line, "path": self.path, "sentence": self.sentence.to_json()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Problem":
        """Make a problem of what `to_json` gave, in this process's language."""
        return cls(data["file"], data["line"], data["path"], restore(data["sentence"]))


class ConfigError(CollectorError):
    """A configuration that must not take effect; `problems` are in the order of the files and their lines."""

    exit_code = 2

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(REFUSED(count=len(problems)))
        self.problems = problems
        for problem in problems:
            self.add_note(str(problem))

    def to_json(self) -> dict[str, Any]:
        """The error with all its problems for the control socket."""
        return {**super().to_json(), "problems": [problem.to_json() for problem in self.problems]}


def choice(found: str, possible: Collection[str]) -> Sentence:
    """What to type instead of a name that is none of these."""
    choices = ", ".join(map(shown, possible))
    near = difflib.get_close_matches(found, possible, n=1)
    if near:
        return CHOICE(found=shown(found), nearest=shown(near[0]), choices=choices)
    return CHOICE_LIST(found=shown(found), choices=choices)


def is_secret(key: str) -> bool:
    """Whether a key of this name may hold a secret, which no message repeats."""
    return bool(_SECRET.search(key))


def shown(value: Any) -> str:
    """A value as it would be typed in TOML, shortened; a table as three dots, for it may hold a secret."""
    match value:
        case bool():
            text = str(value).lower()
        case str():
            text = json.dumps(value, ensure_ascii=False)
        case dict():
            text = "{…}"
        case list():
            text = f"[{', '.join(map(shown, value))}]"
        case date() | datetime() | time():
            text = value.isoformat()
        case _:
            text = str(value)
    text = _USER_OF_ADDRESS.sub("//…@", text)  # a password may stand with it
    return text if len(text) <= LONGEST_FOUND else f"{text[:LONGEST_FOUND]}…"
