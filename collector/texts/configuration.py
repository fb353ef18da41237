"""Sentences of the configuration."""

from collector.texts.sentence import Text  # noqa: F401
