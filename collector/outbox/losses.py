"""Losses as the event loop knows them: which are to be declared, and which record declares which. Pure.

The disk thread keeps the same in a file, so that no power cut takes it: ledger.py.
"""

from collections.abc import Callable, Iterable

from collector.outbox.state import Cause, Key, OutboxLoss, merge_loss


class Losses:
    """A loss is to be declared until a record declares it, and again if that record is lost itself."""

    def __init__(self) -> None:
        self.dropped = 0
        """Records lost in this run, but for those that somebody gave up."""
        self._to_declare: list[OutboxLoss] = []
        self._declared: dict[Key, OutboxLoss] = {}
        """By the record that declares it, while that is not delivered."""

    def add(self, loss: OutboxLoss) -> None:
        """Records are lost."""
        merge_loss(self._to_declare, loss)
        if loss.cause is not Cause.PURGED:
            self.dropped += loss.records or 0

    def take(self) -> list[OutboxLoss]:
        """What is to be declared now."""
        losses, self._to_declare = self._to_declare, []
        return losses

    def declared(self, loss: OutboxLoss, by: Key) -> None:
        """A record declares a loss."""
        self._declared[by] = loss

    def declare_again(self, losses: Iterable[OutboxLoss]) -> None:
        """Losses were declared by records that are lost, or could not be kept."""
        for loss in losses:
            merge_loss(self._to_declare, loss)

    def gone(self, key: Key) -> None:
        """A record is lost; what it declares is to be declared again."""
        if (loss := self._declared.pop(key, None)) is not None:
            self.declare_again([loss])

    def forget_unless(self, here: Callable[[Key], bool]) -> None:
        """Leave to the disk thread what is declared by records that are not here."""
        self._declared = {key: loss for key, loss in self._declared.items() if here(key)}

    def heard(self, key: Key) -> bool:
        """A record is delivered; tells whether it declares a loss."""
        return self._declared.pop(key, None) is not None

    def heard_within(self, epoch: str, first_seq: int, last_seq: int) -> list[Key]:
        """The records of a range are delivered; returns those of them that declare a loss."""
        keys = [key for key in self._declared if key[0] == epoch and first_seq <= key[1] <= last_seq]
        for key in keys:
            del self._declared[key]
        return keys
