"""The live page of the demo: beside what was felt in a window of samples, what the machine was doing then."""

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text as Line

from collector.demo.configuration import LOAD, POINTS, POWER, SPEED, STATE, TOOL
from collector.demo.received import Received
from collector.local_time import local_second, local_zone
from collector.messages import ContextNumber, Features
from collector.messages.features import ChannelValues, ContextValue
from collector.points import Share
from collector.texts import cli as say
from collector.times import moment

_SHOWN = ("rms", "peak", "crest", "kurtosis")
_QUALITY = {"good": "", "uncertain": "yellow", "stale": "yellow", "bad": "bold red"}
_WIDE = 100
"""Characters of a terminal that has room for everything."""
_LEFT, _LEFT_WIDE = 49, 60
"""Characters for what stands beside the spectrum."""
_BESIDES = 20
"""Lines that the page and what stands above it take, but for the seconds before."""
_LONGEST_BAR, _TRAIL_BAR = 60, 8


async def show_received(console: Console, received: Received) -> None:
    """Show it until cancelled: a live page on a terminal, a line for each window elsewhere."""
    if not console.is_terminal:
        await _print_lines(console, received)
        return
    with Live(str(say.DEMO_WAITING()), console=console, auto_refresh=False) as live:
        while True:
            await received.news.wait()
            received.news.clear()
            if received.windows:
                live.update(page(received, console.width, console.height), refresh=True)


async def _print_lines(console: Console, received: Received) -> None:
    while True:
        await received.news.wait()
        received.news.clear()
        while received.windows:
            console.print(line(received.windows.popleft()), highlight=False, soft_wrap=True, markup=False)


def line(window: Features) -> str:
    """A window as one plain line: its time, what was felt, what the machine was doing."""
    channels = "  ".join(f"{name} rms {_figure(values, 'rms')} g" for name, values in window.channels.items())
    strongest = _peaks(next(iter(window.channels.values())))
    context = "  ".join(
        f"{path.partition('/')[2]} {_value(point)}{_doubt(point)}" for path, point in window.context.items()
    )
    rate = f"{window.rate_hz:.1f} Hz ({window.rate_state})"
    return f"{window.t[11:23]}  {channels}  {strongest}  |  {context or '—'}  |  {rate}"


def page(received: Received, width: int, height: int) -> RenderableType:
    """The whole page for a terminal of this size."""
    window = received.windows[-1]
    wide = width >= _WIDE
    left_width = _LEFT_WIDE if wide else _LEFT
    left = Group(_context(window.context, received.shares, wide), _channels(window))
    channel, values = next(iter(window.channels.items()))
    heading = str(say.DEMO_SPECTRUM(channel=channel, unit="g"))
    right = Group(Line(heading, "bold"), *_bars(values, min(width - left_width - 20, _LONGEST_BAR)))
    beside = Table.grid(padding=(0, 2, 0, 0))
    beside.add_column(width=left_width, no_wrap=True)
    beside.add_column()
    beside.add_row(left, right)
    trail = _trail(received.by_second()[-max(4, height - _BESIDES) :], wide)
    return Group(_title(received, window, wide), beside, "", trail)


def _title(received: Received, window: Features, wide: bool) -> Line:
    stream = "/".join(received.topic.split("/")[-3:-1])
    lost = f"  {say.LOST()} {window.lost}" if wide or window.lost else ""
    rate_state = f" ({window.rate_state})" if wide else ""
    facts = f"{window.t[11:21]}Z  {window.rate_hz:.1f} Hz{rate_state}{lost}"
    flags = " ".join((*window.quality, received.event))
    title = Line.assemble((stream, "bold cyan"), "  ", facts, "  ", (flags, "yellow"))
    title.no_wrap, title.overflow = True, "ellipsis"
    return title


def _context(context: dict[str, ContextValue], shares: dict[str, Share], wide: bool) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    # Of a steady width, whatever is known at the moment.
    table.add_column(str(say.DEMO_CONTEXT()), no_wrap=True, min_width=17 if wide else 13)
    table.add_column("", no_wrap=True, min_width=12)
    table.add_column(str(say.DEMO_IN_WINDOW()), no_wrap=True, min_width=14, style="dim")
    table.add_column(str(say.AGE()), justify="right", no_wrap=True, min_width=5, style="dim")
    for path in POINTS:
        name, point = path if wide else path.partition("/")[2], context.get(path)
        if point is None:
            table.add_row(name, "—")
            continue
        age = "—" if point.vouched_s is None else f"{max(point.vouched_s, 0):.1f} s"
        note = _note(point, shares.get(path))
        table.add_row(name, Line(_value(point), _QUALITY[point.quality] or "bold green"), note, age)
    return table


def _note(point: ContextValue, share: Share | None) -> RenderableType:
    """Why not to trust it; or what it was before within the window; or that it is not its true name."""
    if point.quality != "good":
        return Line(str(say.QUALITIES[point.quality]()), _QUALITY[point.quality])
    if isinstance(point, ContextNumber):
        return _range(point)
    return Line(str(say.SHARES[share]()), "magenta") if share == "pseudonym" else ""


def _range(point: ContextNumber) -> str:
    """From where to where it went within the window, if it did."""
    if not point.changes or point.min is None or point.max is None:
        return ""
    return f"{_number(point.min)}…{_number(point.max)}"


def _channels(window: Features) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(str(say.CHANNEL()))
    for name in _SHOWN:
        table.add_column(name, justify="right")
    for channel, values in window.channels.items():
        table.add_row(channel, *(_figure(values, name) for name in _SHOWN))
    return table


def _trail(windows: list[Features], wide: bool) -> Table:
    """A line a second: the vibration beside what caused it."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(local_zone(moment(windows[-1].t_us)), no_wrap=True, style="dim")
    table.add_column(str(say.DEMO_PROGRAM()), no_wrap=True)
    for heading in (say.DEMO_TOOL, say.DEMO_SPEED, say.DEMO_LOAD, say.DEMO_POWER):
        table.add_column(str(heading()), justify="right", no_wrap=True)
    table.add_column(f"{next(iter(windows[-1].channels))} rms", no_wrap=True)
    table.add_column(str(say.DEMO_PEAKS()), no_wrap=True, overflow="ellipsis")
    felt = [next(iter(window.channels.values())) for window in windows]
    largest = max((_rms(values) for values in felt), default=0.0)
    for window, values in zip(windows, felt, strict=True):
        told = (_told(window.context.get(path), wide) for path in (STATE, TOOL, SPEED, LOAD, POWER))
        bar = (_bar(_rms(values), largest, _TRAIL_BAR).ljust(_TRAIL_BAR), "cyan")
        rms = Line.assemble(f"{_figure(values, 'rms')} ", bar)
        table.add_row(local_second(moment(window.t_us)), *told, rms, _peaks(values, None if wide else 1))
    return table


def _told(point: ContextValue | None, wide: bool) -> Line:
    if point is None or point.last is None:
        return Line("—", "dim" if point is None else _QUALITY[point.quality])
    if not isinstance(point, ContextNumber):
        return Line(str(point.last), _QUALITY[point.quality])
    return Line((wide and _range(point)) or _number(point.last), _QUALITY[point.quality])


def _bars(values: ChannelValues, width: int) -> list[Line]:
    bands = values["band_rms"]
    assert isinstance(bands, dict)
    largest = max((rms for rms in bands.values() if rms is not None), default=0.0)
    return [
        Line.assemble(
            (f"{band:>7} Hz ", "dim"),
            (_bar(rms or 0.0, largest, width), "cyan"),
            f" {rms or 0:.3f}",
        )
        for band, rms in bands.items()
    ]


def _bar(value: float, largest: float, width: int) -> str:
    return "█" * round(width * value / largest) if largest else ""


def _value(point: ContextValue) -> str:
    if point.last is None:
        return "—"
    if isinstance(point, ContextNumber):
        return f"{_number(point.last)} {point.unit}".rstrip()
    return str(point.last)


def _doubt(point: ContextValue) -> str:
    return "" if point.quality == "good" else f" ({say.QUALITIES[point.quality]()})"


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _peaks(values: ChannelValues, most: int | None = None) -> str:
    peaks = values["peaks"]
    assert isinstance(peaks, list)
    return "  ".join(f"{peak.hz:.1f} Hz {peak.amplitude:.3f} g" for peak in peaks[:most])


def _figure(values: ChannelValues, name: str) -> str:
    value = values[name]
    return f"{value:.3f}" if isinstance(value, float | int) else "—"


def _rms(values: ChannelValues) -> float:
    rms = values["rms"]
    return float(rms) if isinstance(rms, float | int) else 0.0
