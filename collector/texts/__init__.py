"""Every sentence a user reads, through gettext, each with a stable code (English now, Japanese to come).

A sentence is a constant `Text(code, english, advice)` in the module of the part that says it. Operators'
sentences are short enough to be translated. Log lines are not here: they are event names with fields.
"""

from types import ModuleType
from typing import Any

from collector.texts import (
    activity,
    broker,
    cli,
    configuration,
    delivery,
    enrolment,
    gateway,
    group,
    learning,
    modbus,
    opcua,
    points,
    research,
    scan,
    sharing,
    sources,
    store,
    toml,
)
from collector.texts.numbers import number
from collector.texts.sentence import Sentence, Text, use_translations

__all__ = ["CATALOGUE", "Sentence", "Text", "number", "restore", "use_translations"]

_MODULES: tuple[ModuleType, ...] = (
    activity,
    broker,
    cli,
    configuration,
    delivery,
    enrolment,
    gateway,
    group,
    learning,
    modbus,
    opcua,
    points,
    research,
    scan,
    sharing,
    sources,
    store,
    toml,
)

CATALOGUE: dict[str, Text] = {
    text.code: text for module in _MODULES for text in vars(module).values() if isinstance(text, Text)
}
"""Every text by its code."""


def restore(data: dict[str, Any]) -> Sentence:
    """Make a sentence of what `Sentence.to_json` gave, so that it renders in this process's language.

    A code that this version does not know (a newer daemon's) keeps the text as it was sent.
    """
    text = CATALOGUE.get(data["code"])
    if text is None or text.places != set(data["values"]):
        escaped = (str(data[key]).replace("{", "{{").replace("}", "}}") for key in ("text", "advice"))
        return Sentence(Text(data["code"], *escaped))
    return Sentence(text, data["values"])
