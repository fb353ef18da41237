"""Sentences of the gateway."""

from collector.texts.sentence import Text  # noqa: F401
