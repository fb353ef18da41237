"""An outbox's folder looked at from outside: nothing in it is changed, whether a daemon uses it or not.

What the daemon keeps in memory alone is not seen.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from collector.messages import Message
from collector.outbox.files import RealFiles
from collector.outbox.folder import Folder
from collector.outbox.index import SegmentIndex
from collector.outbox.ledger import Ledger
from collector.outbox.state import OutboxLoss
from collector.outbox.trouble import Trouble, unusable


@dataclass(frozen=True, slots=True)
class EpochWaiting:
    """What waits on disk of one run of the daemon."""

    epoch: str
    records: int
    bytes: int
    first_seq: int
    last_seq: int
    oldest_us: int
    oldest_sync: bool
    """Whether that is of a clock that was synchronised."""


class Reading:
    """A look at a folder, as it was at one moment."""

    def __init__(self, directory: Path) -> None:
        """Look.

        Raises:
            OutboxError: the folder cannot be read.
        """
        files = RealFiles()
        ledger = Ledger(files, directory)
        self._folder = Folder(files, directory, Trouble(directory, ledger), ledger)
        try:
            self._folder.survey(read_only=True)
            ledger.load()
        except FileNotFoundError:
            pass  # nothing was ever kept
        except OSError as error:
            raise unusable(error, directory) from error
        self.losses: list[OutboxLoss] = ledger.losses
        """What was given up, and nobody has heard of."""
        for segment in self._folder.segments:
            self._folder.scan(segment)

    @property
    def epochs(self) -> list[EpochWaiting]:
        """What waits, by epoch, the oldest first."""
        found: dict[str, EpochWaiting] = {}
        for segment in self._folder.segments:
            numbers = list(segment.pending_numbers(()))
            if not numbers:
                continue
            before = found.get(segment.name.epoch)
            oldest_us, oldest_sync = (
                (before.oldest_us, before.oldest_sync) if before else self._time(segment, numbers[0])
            )
            spans = (segment.span(number) for number in numbers)
            found[segment.name.epoch] = EpochWaiting(
                segment.name.epoch,
                records=len(numbers) + (before.records if before else 0),
                bytes=sum(end - start for start, end in spans) + (before.bytes if before else 0),
                first_seq=before.first_seq if before else segment.seq(numbers[0]),
                last_seq=segment.seq(numbers[-1]),
                oldest_us=oldest_us,
                oldest_sync=oldest_sync,
            )
        return sorted(found.values(), key=lambda waiting: waiting.epoch)

    def messages(self) -> Iterator[Message]:
        """Every record that waits, the oldest first; those that were delivered meanwhile are left out."""
        for segment in self._folder.segments:
            for number in segment.pending_numbers(()):
                if (message := self._folder.message(segment, number)) is not None:
                    yield message

    def _time(self, segment: SegmentIndex, number: int) -> tuple[int, bool]:
        """The time of a record, and whether the clock was synchronised then."""
        message = self._folder.message(segment, number)
        return (segment.first_t_us or 0, False) if message is None else (message.t_us, message.sync)
