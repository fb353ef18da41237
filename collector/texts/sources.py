"""Sentences of the sources."""

from collector.texts.sentence import Text  # noqa: F401
