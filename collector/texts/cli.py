"""Sentences of the cli."""

from collector.texts.sentence import Text  # noqa: F401
