"""How reports look on a terminal: the status page and the test page."""

import time
from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text as Line

from collector.cli.screen import Paragraph
from collector.cli.spans import span
from collector.health import (
    ActivityReport,
    BrokerReport,
    ControllerReport,
    FeedReport,
    GatewayReport,
    HostReport,
    OutboxReport,
    PartReport,
    PointSeen,
    PointTestReport,
    SourceReport,
    State,
    TestReport,
)
from collector.outbox import EpochWaiting, OutboxLoss, OutboxSettings
from collector.texts import Sentence, Text, activity
from collector.texts import cli as say
from collector.times import iso8601

_COLOURS = {
    State.OK: "green",
    State.STARTING: "cyan",
    State.FINISHED: "cyan",
    State.DEGRADED: "yellow",
    State.FAILED: "bold red",
}
_WIDE = 110
"""Characters that the whole table needs."""
_WIDE_POINTS = 130
_SAID = (say.POINT, say.VALUE, say.UNIT, say.QUALITY, say.READINGS, say.AGE, say.SHARED)
_ORIGIN = (say.LATENCY, say.PLACE, say.RAW)
_MARKS = {State.OK: "●", State.STARTING: "○", State.FINISHED: "○", State.DEGRADED: "▲", State.FAILED: "✖"}


def show_status(report: GatewayReport, width: int) -> RenderableType:
    """The page of `collector status`: parts, sources, and for each problem what to do."""
    verdict = say.HEALTHY() if report.healthy else say.DEGRADED()
    head = Line.assemble(
        (f"{report.company} / {report.gateway}", "bold"),
        "  ",
        (str(verdict), "bold green" if report.healthy else "bold red"),
    )
    waveforms = {name: s for name, s in report.sources.items() if isinstance(s, SourceReport)}
    controllers = {name: s for name, s in report.sources.items() if isinstance(s, ControllerReport)}
    tables: list[RenderableType] = []
    if waveforms:
        tables += ["", _waveforms(waveforms, report.now_us, width)]
    if controllers:
        tables += ["", _controllers(controllers, report.now_us, width)]
    if report.machines:
        tables += ["", _machines(report.machines, report.now_us)]
    running = say.RUNNING_FOR(version=report.version, duration=span(report.now_us - report.started_us))
    return Group(head, Line(str(running), "dim"), "", _parts(report), *tables, *_problems(report))


def show_outbox(
    settings: OutboxSettings,
    report: OutboxReport | None,
    epochs: list[EpochWaiting],
    losses: list[OutboxLoss],
) -> RenderableType:
    """The page of `collector outbox`; without a report the daemon is not running."""
    records = sum(waiting.records for waiting in epochs) if report is None else report.pending
    size = sum(waiting.bytes for waiting in epochs) if report is None else report.disk_bytes
    oldest = (
        min((waiting.oldest_us for waiting in epochs), default=None) if report is None else report.oldest_us
    )
    lines: list[RenderableType] = [] if report else [Paragraph(say.OUTBOX_STOPPED(), "dim")]
    if not records:
        lines.append(Paragraph(say.OUTBOX_EMPTY()))
    else:
        age = str(say.UNKNOWN()) if oldest is None else span(round(time.time() * 1e6) - oldest)
        waits = say.OUTBOX_WAITS(records=f"{records:,}", size=f"{size / 2**20:,.1f}", age=age)
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
    for loss in losses:
        lost = str(say.UNKNOWN()) if loss.records is None else f"{loss.records:,}"
        lines.append(Paragraph(say.OUTBOX_LOST(cause=loss.cause, records=lost, epoch=loss.epoch), "yellow"))
    if not records:  # files of what has been delivered may stand a little longer
        return Group(*lines)
    table = _table((say.EPOCH,), (say.RECORDS, say.MEBIBYTES, say.NUMBERS, say.OLDEST))
    for waiting in epochs:
        numbers = f"{waiting.first_seq:,}-{waiting.last_seq:,}"
        figures = (f"{waiting.records:,}", f"{waiting.bytes / 2**20:,.1f}", numbers)
        table.add_row(waiting.epoch, *figures, iso8601(waiting.oldest_us))
    return Group(*lines, "", table)


def show_test(name: str, report: TestReport) -> RenderableType:
    """The page of `collector test`."""
    rate = "?" if report.rate_hz is None else f"{report.rate_hz:.2f}"
    lines: list[RenderableType] = [
        Paragraph(
            say.TESTED(
                name=name,
                samples=f"{report.samples:,}",
                seconds=f"{report.seconds:.1f}",
                rate=rate,
                nominal=f"{report.nominal_hz:g}",
            )
        )
    ]
    if report.through_daemon:
        lines.append(Paragraph(say.THROUGH_DAEMON()))
    if report.bad_bytes or report.lost:
        lines.append(Paragraph(say.BAD_BYTES(bytes=report.bad_bytes, lost=report.lost), "yellow"))
    table = Table(box=None, pad_edge=False)
    for heading in (say.CHANNEL, say.UNIT):
        table.add_column(str(heading()))
    for heading in (say.MEAN, say.RMS, say.LEAST, say.GREATEST):
        table.add_column(str(heading()), justify="right")
    table.add_column(str(say.LAST_SAMPLES()))
    for row, channel in enumerate(report.channels):
        figures = (report.mean, report.rms, report.least, report.greatest)
        last = "  ".join(f"{sample[row]:.4g}" for sample in report.last)
        table.add_row(channel, report.units[row], *(f"{figure[row]:.4g}" for figure in figures), last)
    return Group(*lines, table)


def show_point_test(name: str, report: PointTestReport, width: int) -> RenderableType:
    """The page of `collector test` for a controller; on a narrow terminal, where points stand comes below."""
    head = say.POINTS_TESTED(name=name, arrivals=report.arrivals, seconds=f"{report.seconds:.1f}")
    lines: list[RenderableType] = [Paragraph(head)]
    if report.through_daemon:
        lines.append(Paragraph(say.THROUGH_DAEMON()))
    if width >= _WIDE_POINTS:
        table = _points_table(*_SAID, *_ORIGIN)
        for point in report.points:
            table.add_row(Line(point.name), *_said(point), *_origin(point))
        return Group(*lines, table)
    values, places = _points_table(*_SAID), _points_table(say.POINT, *_ORIGIN)
    for point in report.points:
        values.add_row(Line(point.name), *_said(point))
        places.add_row(Line(point.name), *_origin(point))
    return Group(*lines, values, "", places)


def _points_table(*headings: Text) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for heading in headings:
        table.add_column(str(heading()), overflow="fold")
    return table


def _said(point: PointSeen) -> Iterator[Line]:
    is_unchanged = not point.quality and point.age_s is not None
    quality = say.QUALITIES.get(point.quality, say.UNCHANGED if is_unchanged else say.NEVER)()
    is_well = point.quality == "good" or is_unchanged
    yield Line(point.value or "—")
    yield Line(point.unit)
    yield Line(f"{quality} {point.detail}".rstrip(), "" if is_well else "yellow")
    yield Line(f"{point.readings:,}")
    yield Line("—" if point.age_s is None else span(round(point.age_s * 1e6)))
    yield Line(str(say.SHARES[point.share]()))


def _origin(point: PointSeen) -> Iterator[Line]:
    yield Line("—" if point.latency_s is None else f"{1000 * point.latency_s:.0f} ms")
    yield Line(point.place)
    yield Line(point.raw)


def _parts(report: GatewayReport) -> Table:
    table = Table.grid(padding=(0, 2))
    rows: tuple[tuple[Sentence, PartReport, str], ...] = (
        (say.CONFIGURATION(), report.configuration, ""),
        (say.BROKER(), report.broker, _broker(report.broker)),
        (say.OUTBOX(), report.outbox, _outbox(report.outbox, report.now_us)),
        (say.GATEWAY(), report.host, _host(report.host)),
    )
    for name, part, facts in rows:
        table.add_row(str(name), _state(part), facts)
    return table


def _broker(broker: BrokerReport) -> str:
    return str(say.BROKER_FACTS(address=broker.address, confirmed=f"{broker.confirmed:,}"))


def _outbox(outbox: OutboxReport, now_us: int) -> str:
    if outbox.pending and outbox.oldest_us is not None:
        waiting = say.OUTBOX_WAITING(pending=f"{outbox.pending:,}", age=span(now_us - outbox.oldest_us))
    else:
        waiting = say.OUTBOX_EMPTY()
    awaiting = [say.OUTBOX_AWAITING(awaiting=f"{outbox.awaiting:,}")] if outbox.awaiting else []
    writable = outbox.state is not State.FAILED and outbox.hours_left is not None
    room = [say.OUTBOX_ROOM(hours=f"{outbox.hours_left:,.0f}")] if writable else []
    return ", ".join(map(str, [waiting, *awaiting, *room]))


def _host(host: HostReport) -> str:
    facts = [say.CLOCK_SET() if host.synchronised else say.CLOCK_NOT_SET()]
    if host.disk_free_bytes is not None:
        facts.append(say.DISK_FREE(free=f"{host.disk_free_bytes / 2**30:.1f}"))
    if host.temperature_c is not None:
        facts.append(say.TEMPERATURE(temperature=f"{host.temperature_c:.0f}"))
    return ", ".join(map(str, facts))


def _waveforms(sources: dict[str, SourceReport], now_us: int, width: int) -> Table:
    """A line for each waveform; on a narrow terminal without what can be spared."""
    wide = width >= _WIDE
    headings = (say.STATE, say.SOURCE, say.LAST_DATA, say.RATE if wide else say.MEASURED, say.LOST)
    table = _sources((*headings, *((say.WINDOWS, say.SINCE) if wide else ())), wide)
    for name, source in sources.items():
        facts = [_last_data(source), _rate(source) if wide else _measured(source), _lost(source)]
        if wide:
            facts += [f"{source.windows:,}", _ago(now_us - source.since_us)]
        table.add_row(_state(source), name, *facts)
    return table


def _controllers(sources: dict[str, ControllerReport], now_us: int, width: int) -> Table:
    """A line for each controller, in the manner of waveforms."""
    wide = width >= _WIDE
    headings = (say.STATE, say.CONTROLLER, say.LAST_DATA, say.GOOD_POINTS, say.LOST)
    table = _sources((*headings, *((say.READINGS, say.WITHHELD, say.SINCE) if wide else ())), wide)
    for name, source in sources.items():
        good = f"{source.good:,} / {source.points - source.withheld:,}"
        facts = [_last_data(source), good, f"{source.lost:,}"]
        if wide:
            facts += [f"{source.readings:,}", f"{source.withheld:,}", _ago(now_us - source.since_us)]
        table.add_row(_state(source), name, *facts)
    return table


def _sources(headings: tuple[Text, ...], wide: bool) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3 if wide else 2, 0, 0), header_style="dim")
    for heading in headings:
        table.add_column(str(heading()), no_wrap=heading not in {say.SOURCE, say.CONTROLLER}, overflow="fold")
    return table


def _machines(machines: dict[str, ActivityReport], now_us: int) -> Table:
    """What each machine is doing, since when, and the answer that decided it."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    for heading in (say.MACHINE, say.DOING, say.SINCE):
        table.add_column(str(heading()), no_wrap=True)
    table.add_column(str(say.BECAUSE()))
    for name, machine in machines.items():
        doing = str(activity.ACTIVITIES[machine.activity]())
        why = str(machine.why[-1].sentence()) if machine.why else str(activity.WHY_NOT_YET())
        table.add_row(name, doing, _ago(now_us - machine.activity_since_us), why)
    return table


def _table(left: tuple[Text, ...], right: tuple[Text, ...]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    for heading in left:
        table.add_column(str(heading()), no_wrap=True)
    for heading in right:
        table.add_column(str(heading()), justify="right", no_wrap=True)
    return table


def _state(part: PartReport) -> Line:
    return Line(f"{_MARKS[part.state]} {say.STATES[part.state]()}", _COLOURS[part.state])


def _last_data(source: FeedReport) -> str:
    if source.last_data_age_s is None:
        return str(say.NEVER())
    return _ago(round(source.last_data_age_s * 1e6))


def _silent_for(source: FeedReport, report: GatewayReport) -> Sentence:
    if source.last_data_age_s is None:
        return say.NOTHING_YET(duration=span(report.now_us - report.started_us))
    return say.NOTHING_SINCE(duration=span(round(source.last_data_age_s * 1e6)))


def _ago(microseconds: int) -> str:
    return str(say.AGO(duration=span(microseconds)))


def _rate(source: SourceReport) -> str:
    measured = "—" if source.measured_hz is None else f"{source.measured_hz:,.1f}"
    return f"{measured} / {source.nominal_hz:,.6g} Hz"


def _measured(source: SourceReport) -> str:
    return "—" if source.measured_hz is None else f"{source.measured_hz:,.1f} Hz"


def _lost(source: SourceReport) -> str:
    return str(say.ABOUT(number=f"{source.lost:,}")) if source.lost_estimated else f"{source.lost:,}"


def _problems(report: GatewayReport) -> list[RenderableType]:
    """For every part that has something to say: the sentence, what to do, and when it is tried again."""
    shown: list[RenderableType] = []
    for name, part in report.parts.items():
        if part.reason is None:
            continue
        sentence = part.reason.sentence()
        lines = [Paragraph(sentence, indent=2)]
        if sentence.advice:
            lines.append(Paragraph(f"→ {sentence.advice}", "bold", indent=2))
        if isinstance(part, FeedReport) and part.state is State.FAILED:
            lines.append(Paragraph(_silent_for(part, report), "dim", indent=2))
        retry_s = getattr(part, "next_retry_s", None)
        if retry_s is not None:
            retry = say.NEXT_TRY(duration=span(round(retry_s * 1e6)))
            lines.append(Paragraph(retry, "dim", indent=2))
        shown += ["", Line(name, _COLOURS[part.state]), *lines]
    for name, source in report.sources.items():
        if source.last_error is not None and source.reason is None and source.last_error_us is not None:
            ago = span(report.now_us - source.last_error_us)
            error = say.LAST_ERROR(duration=ago, error=str(source.last_error.sentence()))
            shown += ["", Paragraph(f"{name}: {error}", "dim")]
    return shown
