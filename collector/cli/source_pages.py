"""What a source delivers, on a terminal: the pages of `collector test`."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text as Line

from collector.cli.screen import Paragraph
from collector.cli.spans import span
from collector.health import PointSeen, PointTestReport, TestReport
from collector.texts import Text, number
from collector.texts import cli as say

_WIDE = 130
"""Characters that a whole line of a point needs."""
_SAID = (say.POINT, say.VALUE, say.UNIT, say.QUALITY, say.READINGS, say.AGE, say.SHARED)
_ORIGIN = (say.LATENCY, say.PLACE, say.RAW)


def show_test(name: str, report: TestReport) -> RenderableType:
    """The page for a sampled signal."""
    rate = "?" if report.rate_hz is None else f"{report.rate_hz:.2f}"
    lines: list[RenderableType] = [
        Paragraph(
            say.TESTED(
                name=name,
                samples=f"{report.samples:,}",
                seconds=f"{report.seconds:.1f}",
                rate=rate,
                nominal=number(report.nominal_hz),
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
        last = "  ".join(number(sample[row], 4) for sample in report.last)
        table.add_row(channel, report.units[row], *(number(figure[row], 4) for figure in figures), last)
    return Group(*lines, table)


def show_point_test(name: str, report: PointTestReport, width: int) -> RenderableType:
    """The page for a controller; on a narrow terminal, where each point stands comes in a second table."""
    head = say.POINTS_TESTED(name=name, arrivals=report.arrivals, seconds=f"{report.seconds:.1f}")
    lines: list[RenderableType] = [Paragraph(head)]
    if report.through_daemon:
        lines.append(Paragraph(say.THROUGH_DAEMON()))
    if width >= _WIDE:
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
