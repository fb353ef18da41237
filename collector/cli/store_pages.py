"""How the store's reports look on a terminal."""

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text as Line

from collector.cli.screen import Paragraph
from collector.cli.spans import span
from collector.health import Said, State
from collector.store.fleet import GatewayHealth
from collector.store.status import Letter, StoreHealth
from collector.texts import Text
from collector.texts import cli as words
from collector.texts import store as say


def show_store(health: StoreHealth) -> RenderableType:
    """The page of `collector store status`."""
    table = _table(words.STATE, say.INGESTER, words.BROKER, say.HEARD, say.STORED, say.WAITING, say.LAG)
    running = health.running
    for report in health.ingesters:
        alive = report in running
        state = report.state if alive else State.FAILED
        table.add_row(
            Line(str(words.STATES[state]()), "green" if state.healthy else "bold red"),
            report.name,
            report.broker,
            _ago(health.now_us, report.reported_us),
            f"{report.stored:,}",
            f"{report.waiting:,}",
            "—" if report.lag_s is None else span(round(report.lag_s * 1e6)),
        )
    verdict = words.DEGRADED() if health.complaints else words.HEALTHY()
    head = Line(str(verdict), "bold red" if health.complaints else "bold green")
    return Group(head, "", table, *_complaints(health.complaints))


def show_fleet(gateways: list[GatewayHealth], now_us: int) -> RenderableType:
    """The page of `collector store fleet`."""
    if not gateways:
        return str(say.FLEET_EMPTY())
    table = _table(words.STATE, words.GATEWAY, say.HEARD, say.LAST_RECORD, say.WAITING, say.VERSION)
    for gateway in gateways:
        good = not gateway.complaints
        table.add_row(
            Line(str(words.STATE_OK() if good else words.STATE_DEGRADED()), "green" if good else "yellow"),
            f"{gateway.company}/{gateway.gateway}",
            _ago(now_us, gateway.heard_us),
            _ago(now_us, gateway.record_us),
            "—" if gateway.pending is None else f"{gateway.pending:,}",
            gateway.version or "—",
        )
    problems: list[RenderableType] = []
    for gateway in gateways:
        if gateway.complaints:
            problems += ["", Line(f"{gateway.company}/{gateway.gateway}", "yellow")]
            problems += _said(gateway.complaints)
    return Group(table, *problems)


def show_letters(letters: Iterable[Letter], now_us: int) -> RenderableType:
    """The page of `collector store dead-letters`."""
    table = _table(say.DEAD_LETTERS, say.LAST, say.TIMES, say.REASON, say.TOPIC, say.DETAIL)
    for letter in letters:
        table.add_row(
            letter.digest[:12],
            _ago(now_us, letter.last_us),
            f"{letter.times:,}",
            letter.reason,
            Line(letter.topic),
            Line(letter.detail),
        )
    return table if table.row_count else str(say.NO_DEAD_LETTERS())


def _table(*headings: Text) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    for heading in headings:
        table.add_column(str(heading()), no_wrap=heading is not say.DETAIL, overflow="fold")
    return table


def _ago(now_us: int, then_us: int | None) -> str:
    return str(words.NEVER()) if then_us is None else str(words.AGO(duration=span(now_us - then_us)))


def _complaints(complaints: list[Said]) -> list[RenderableType]:
    return ["", *_said(complaints)] if complaints else []


def _said(complaints: list[Said]) -> list[RenderableType]:
    lines: list[RenderableType] = []
    for said in complaints:
        sentence = said.sentence()
        lines.append(Paragraph(sentence, indent=2))
        if sentence.advice:
            lines.append(Paragraph(f"→ {sentence.advice}", "bold", indent=2))
    return lines
