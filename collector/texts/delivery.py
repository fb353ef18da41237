"""Sentences of the delivery."""

from collector.texts.sentence import Text  # noqa: F401
