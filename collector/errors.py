"""The world's errors, as the parts of the program tell each other about them.

Library and operating-system errors are translated into one of these at the file that calls the library.
Every one carries a sentence for the operator. What is not one of these is a bug of ours.
"""

from typing import Any

from collector.texts import Sentence


class CollectorError(Exception):
    """Something that the program expects to go wrong in the world; `sentence` says what, and what to do."""

    exit_code = 1

    def __init__(self, sentence: Sentence) -> None:
        super().__init__(str(sentence))
        self.sentence = sentence
        if sentence.advice:  # for who calls from Python, and sees a traceback
            self.add_note(sentence.advice)

    def to_json(self) -> dict[str, Any]:
        """The error for the control socket."""
        return self.sentence.to_json()


class UsageError(CollectorError):
    """What was asked for is no question, or does not fit what there is."""

    exit_code = 2


class SourceError(CollectorError):
    """A source cannot be opened or read; shown in health and tried again later."""


class OutboxError(CollectorError):
    """The outbox's directory cannot be used."""


class BrokerError(CollectorError):
    """The broker cannot be reached, or refuses us."""


class ControlError(CollectorError):
    """The running daemon cannot be asked, or refuses the request; `answer` is its whole refusal."""

    def __init__(self, sentence: Sentence, answer: dict[str, Any] | None = None) -> None:
        super().__init__(sentence)
        self.answer = answer or {}


class NotRunningError(ControlError):
    """What is asked does not run."""

    exit_code = 3


class GroupError(CollectorError):
    """What the group's administrator wants cannot be done; nothing has changed."""


class EnrolmentError(CollectorError):
    """An enrolment or a request cannot be used."""
