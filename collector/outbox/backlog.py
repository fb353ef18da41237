"""When the disk is to be asked for more of the backlog. Pure.

There is one question at a time: for the oldest records of other topics than the withheld ones. An answer
without any record holds until others are withheld, or more is left to the disk; also while it is on its way.
"""


class Backlog:
    """The question under way, and what the last answer is worth."""

    def __init__(self) -> None:
        self._asking = False
        self._asked: frozenset[str] | None = None
        """The topics that the last question leaves out; None where its answer would be worth nothing."""
        self._nothing_but: frozenset[str] | None = None
        """The disk has records of these topics alone to read; None where that is not known."""

    def wanted(self, withheld: frozenset[str]) -> bool:
        """More is wanted, of other topics than these: whether the disk is to be asked for it."""
        if self._asking and withheld != self._asked:
            self._asked = None
        return not self._asking and withheld != self._nothing_but

    def asked(self, withheld: frozenset[str]) -> None:
        """The disk is asked for other topics than these."""
        self._asking, self._asked = True, withheld

    def answered(self, *, empty: bool) -> None:
        """The disk has answered."""
        self._asking = False
        self._nothing_but = self._asked if empty else None

    def grown(self) -> None:
        """More is left to the disk, of which no answer tells, not even one on its way."""
        self._nothing_but = self._asked = None

    @property
    def open(self) -> bool:
        """Whether the disk may have more to read, and is not being asked for it."""
        return not self._asking and self._nothing_but is None
