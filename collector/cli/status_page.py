"""How the gateway is, on a terminal: its parts, its sources and machines, and for each problem what to do."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text as Line

from collector.cli.screen import Paragraph
from collector.cli.spans import span, waiting_for
from collector.health import (
    ActivityReport,
    BrokerReport,
    ConfigurationReport,
    ControllerReport,
    FeedReport,
    GatewayReport,
    HostReport,
    OutboxReport,
    PartReport,
    SourceReport,
    State,
)
from collector.texts import Sentence, Text, activity
from collector.texts import cli as say

_COLOURS = {
    State.OK: "green",
    State.STARTING: "cyan",
    State.FINISHED: "cyan",
    State.DEGRADED: "yellow",
    State.FAILED: "bold red",
}
_MARKS = {State.OK: "●", State.STARTING: "○", State.FINISHED: "○", State.DEGRADED: "▲", State.FAILED: "✖"}
_WIDE = 110
"""Characters that the whole table of sources needs."""


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


def _parts(report: GatewayReport) -> Table:
    table = Table.grid(padding=(0, 2))
    rows: tuple[tuple[Sentence, PartReport, str], ...] = (
        (say.CONFIGURATION(), report.configuration, _configuration(report.configuration, report.now_us)),
        (say.BROKER(), report.broker, _broker(report.broker, report.now_us)),
        (say.OUTBOX(), report.outbox, _outbox(report.outbox, report.now_us)),
        (say.GATEWAY(), report.host, _host(report.host)),
    )
    for name, part, facts in rows:
        table.add_row(str(name), _state(part), facts)
    return table


def _configuration(configuration: ConfigurationReport, now_us: int) -> str:
    if configuration.changed_us is None:
        return ""
    return str(say.NOT_RELOADED(duration=span(now_us - configuration.changed_us)))


def _broker(broker: BrokerReport, now_us: int) -> str:
    if broker.state is State.FAILED:
        since = span(now_us - broker.since_us)
        return str(
            say.BROKER_AWAY_FACTS(address=broker.address, duration=since, confirmed=f"{broker.confirmed:,}")
        )
    return str(say.BROKER_FACTS(address=broker.address, confirmed=f"{broker.confirmed:,}"))


def _outbox(outbox: OutboxReport, now_us: int) -> str:
    if outbox.pending and outbox.oldest_us is not None:
        oldest = waiting_for(outbox.oldest_us, now_us, sync=outbox.oldest_sync)
        waiting = say.OUTBOX_WAITING(pending=f"{outbox.pending:,}", oldest=str(oldest))
    else:
        waiting = say.OUTBOX_EMPTY()
    awaiting = [say.OUTBOX_AWAITING(awaiting=f"{outbox.awaiting:,}")] if outbox.awaiting else []
    return ", ".join(map(str, [waiting, *awaiting, *_room(outbox)]))


def _room(outbox: OutboxReport) -> list[Sentence]:
    if outbox.state is State.FAILED or outbox.hours_left is None:
        return []
    if outbox.hours_left < 1:
        return [say.OUTBOX_HARDLY_ROOM()]
    return [say.OUTBOX_ROOM(hours=f"{outbox.hours_left:,.0f}")]


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


def _state(part: PartReport) -> Line:
    return Line(f"{_MARKS[part.state]} {say.STATES[part.state]()}", _COLOURS[part.state])


def _last_data(source: FeedReport) -> str:
    if source.last_data_age_s is None:
        return str(say.NEVER())
    return _ago(round(source.last_data_age_s * 1e6))


def _silent_for(source: FeedReport, report: GatewayReport) -> Sentence:
    if source.last_data_age_s is None and source.configured_us > report.started_us:
        return say.NOTHING_SINCE_RELOAD(duration=span(report.now_us - source.configured_us))
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
