"""What went wrong on the disk, kept until it is told: losses, damaged places, the last error."""

from functools import reduce
from pathlib import Path

import structlog

from collector.errors import OutboxError
from collector.outbox.files import is_full
from collector.outbox.index import SegmentIndex
from collector.outbox.ledger import Ledger
from collector.outbox.segment import Damage, Found
from collector.outbox.state import Cause, OutboxLoss, joined, merge_loss
from collector.texts import Sentence, delivery

_log = structlog.get_logger(__name__)


class Trouble:
    """The account of one outbox folder."""

    def __init__(self, directory: Path, ledger: Ledger) -> None:
        self.corrupt = 0
        self.last_error: Sentence | None = None
        self._directory = directory
        self._ledger = ledger
        self._losses: list[OutboxLoss] = []
        self._again: list[OutboxLoss] = []
        self._logged: set[tuple[int | None, str]] = set()

    def error(self, error: OSError) -> None:
        """Remember an error of the disk as the last one; the same error is logged once until `recovered`."""
        reason = error.strerror or str(error)
        if (error.errno, reason) not in self._logged:
            self._logged.add((error.errno, reason))
            _log.error("outbox.disk", errno=error.errno, reason=reason)
        folder = str(self._directory)
        if is_full(error):
            self.last_error = delivery.OUTBOX_DISK_FULL(path=folder)
        else:
            self.last_error = delivery.OUTBOX_DISK_ERROR(path=folder, reason=reason)

    def recovered(self) -> None:
        """The disk takes records again: the next error is a new one."""
        self._logged.clear()

    def damage(self, segment: SegmentIndex, places: list[Found | Damage]) -> None:
        """Count the damage in one segment and declare it as one loss; `places` are what a scan found."""
        losses: list[OutboxLoss] = []
        count = 0
        for i, place in enumerate(places):
            if isinstance(place, Found):
                continue
            count += 1
            if place.records == 0:
                continue
            known = place.seq is not None
            before = next((p for p in reversed(places[:i]) if isinstance(p, Found)), None)
            after = next((p for p in places[i:] if isinstance(p, Found)), None)
            losses.append(
                OutboxLoss(
                    Cause.CORRUPT,
                    segment.name.epoch,
                    records=place.records,
                    first_seq=place.seq if known else before.seq + 1 if before else None,
                    last_seq=place.seq if known else after.seq - 1 if after else None,
                    first_t_us=before.t_us if before else None,
                    last_t_us=after.t_us if after else None,
                    bytes=place.end - place.start,
                )
            )
        if losses:
            self.lost(reduce(joined, losses))
        if count:
            self.corrupt += count
            segment.damaged = True
            _log.warning("outbox.damage", segment=segment.file, places=count)

    def lost(self, loss: OutboxLoss) -> None:
        """Declare a loss, unless a record that waits does so already."""
        if self._ledger.add(loss):
            _add(self._losses, loss)

    def again(self, loss: OutboxLoss) -> None:
        """Declare a loss once more: the record that did so is lost itself."""
        _add(self._again, loss)

    def drain(self) -> tuple[list[OutboxLoss], list[OutboxLoss]]:
        """What was lost since the last call, and what is to be declared once more."""
        losses, again = self._losses, self._again
        self._losses, self._again = [], []
        return losses, again


def unusable(error: OSError | ValueError, directory: Path) -> OutboxError:
    """Why a folder cannot be opened, for whoever asked for it."""
    folder = str(directory)
    if isinstance(error, PermissionError):
        return OutboxError(delivery.OUTBOX_NO_PERMISSION(path=str(error.filename or folder), folder=folder))
    if isinstance(error, OSError):
        return OutboxError(delivery.OUTBOX_UNUSABLE(path=folder, reason=error.strerror or str(error)))
    # a path that no system takes, as one with a zero byte
    return OutboxError(delivery.OUTBOX_UNUSABLE(path=repr(folder), reason=str(error)))


def _add(losses: list[OutboxLoss], loss: OutboxLoss) -> None:
    """Add a loss, joined to others only where no record that is kept lies between."""
    if loss.cause is Cause.OVERFLOW:  # always the oldest
        merge_loss(losses, loss)
    else:
        losses.append(loss)
