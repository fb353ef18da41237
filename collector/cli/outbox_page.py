"""What waits to be delivered, on a terminal: how much, for whom, and in which epochs."""

import time

from rich.console import Group, RenderableType
from rich.table import Table

from collector.cli.screen import Paragraph
from collector.cli.spans import waiting_for
from collector.health import OutboxReport
from collector.local_time import local_minute
from collector.outbox import EpochWaiting, OutboxLoss, OutboxSettings, sum_up
from collector.texts import cli as say
from collector.times import moment


def show_outbox(
    settings: OutboxSettings,
    report: OutboxReport | None,
    epochs: list[EpochWaiting],
    losses: list[OutboxLoss],
) -> RenderableType:
    """The page of `collector outbox`; without a report the daemon is not running."""
    records = sum(waiting.records for waiting in epochs) if report is None else report.pending
    size = sum(waiting.bytes for waiting in epochs) if report is None else report.disk_bytes
    lines: list[RenderableType] = [] if report else [Paragraph(say.OUTBOX_STOPPED(), "dim")]
    if not records:
        lines.append(Paragraph(say.OUTBOX_EMPTY()))
    else:
        first = report or epochs[0]
        oldest = waiting_for(first.oldest_us, round(time.time() * 1e6), sync=first.oldest_sync)
        waits = say.OUTBOX_WAITS(records=f"{records:,}", size=f"{size / 2**20:,.1f}", oldest=str(oldest))
        lines.append(Paragraph(waits))
    if report is not None and settings.delivery == "store":
        broker, store = report.pending - report.awaiting, report.awaiting
        lines.append(Paragraph(say.OUTBOX_FOR(broker=f"{broker:,}", store=f"{store:,}")))
    if report is not None and report.rejected:
        reasons = ", ".join(
            f"{reason}: {count:,}" for reason, count in sorted(report.rejected_reasons.items())
        )
        lines.append(
            Paragraph(say.OUTBOX_REJECTED(records=f"{report.rejected:,}", reasons=reasons), "yellow")
        )
    for loss in _summed(losses):
        lost = str(say.UNKNOWN()) if loss.records is None else f"{loss.records:,}"
        lines.append(Paragraph(say.OUTBOX_LOST(cause=loss.cause, records=lost, epoch=loss.epoch), "yellow"))
    if not records:  # files of what has been delivered may stand a little longer
        return Group(*lines)
    on_disk = sum(waiting.records for waiting in epochs)
    if on_disk > records:
        lines.append(Paragraph(say.OUTBOX_SETTLED(records=f"{on_disk - records:,}")))
    return Group(*lines, "", _epochs(epochs, in_memory=records - on_disk))


def _summed(losses: list[OutboxLoss]) -> list[OutboxLoss]:
    """One of each epoch and cause: a full disk gives up a few records at a time, for hours."""
    summed: list[OutboxLoss] = []
    for loss in losses:
        sum_up(summed, loss)
    return summed


def _epochs(epochs: list[EpochWaiting], in_memory: int) -> Table:
    """A line for each epoch of which the disk has records, and one for those that it does not have yet."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column(str(say.EPOCH()), no_wrap=True)
    for heading in (say.RECORDS, say.MEBIBYTES, say.NUMBERS):
        table.add_column(str(heading()), justify="right", no_wrap=True)
    table.add_column(str(say.OLDEST()), justify="right")
    for waiting in epochs:
        numbers = f"{waiting.first_seq:,}-{waiting.last_seq:,}"
        figures = (f"{waiting.records:,}", f"{waiting.bytes / 2**20:,.1f}", numbers)
        oldest = local_minute(moment(waiting.oldest_us)) if waiting.oldest_sync else str(say.UNKNOWN())
        table.add_row(waiting.epoch, *figures, oldest)
    if in_memory > 0:
        table.add_row(str(say.OUTBOX_IN_MEMORY()), f"{in_memory:,}")
    return table
