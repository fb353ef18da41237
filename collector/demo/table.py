"""The live table of the demo: what a researcher's subscription receives, and a spectrum of it."""

import asyncio
from collections import deque

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text as Line

from collector.messages import Features, decode
from collector.messages.records import ChannelValues
from collector.texts import cli as say

_BAR = 40
_SHOWN = ("rms", "peak", "crest", "kurtosis")


class Received:
    """What has come over MQTT so far."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.records = 0
        self.windows: deque[Features] = deque(maxlen=100)
        self.events: deque[str] = deque(maxlen=3)
        self.news = asyncio.Event()

    def take(self, topic: str, payload: bytes) -> None:
        """A message of the subscription."""
        if topic.endswith("/status"):
            return
        self.records += 1
        record = decode(payload)
        if isinstance(record, Features):
            self.windows.append(record)
        elif record.kind == "event":
            self.events.append(f"{record.t[11:19]} {record.event}")
        self.news.set()


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
                live.update(_page(received), refresh=True)


async def _print_lines(console: Console, received: Received) -> None:
    while True:
        await received.news.wait()
        received.news.clear()
        while received.windows:
            console.print(_line(received.windows.popleft()), highlight=False, soft_wrap=True, markup=False)


def _line(window: Features) -> str:
    channels = "  ".join(f"{name} rms {_number(values, 'rms')} g" for name, values in window.channels.items())
    strongest = _peaks(next(iter(window.channels.values())))
    return f"{window.t[11:23]} {window.rate_hz:.1f} Hz ({window.rate_state})  {channels}  {strongest}"


def _page(received: Received) -> RenderableType:
    window = received.windows[-1]
    table = Table(title=str(say.DEMO_TITLE(topic=received.topic)), title_justify="left", box=None)
    table.add_column(str(say.CHANNEL()))
    for name in _SHOWN:
        table.add_column(name, justify="right")
    table.add_column(str(say.DEMO_PEAKS()))
    for channel, values in window.channels.items():
        table.add_row(channel, *(_number(values, name) for name in _SHOWN), _peaks(values))
    facts = Line(
        f"{window.t[:23]}Z  {window.rate_hz:.1f} Hz ({window.rate_state})  "
        f"{say.LOST()} {window.lost}  {' '.join(window.quality)}  {'   '.join(received.events)}",
        "dim",
    )
    channel, values = next(iter(window.channels.items()))
    return Group(
        "", table, "", Line(str(say.DEMO_SPECTRUM(channel=channel, unit="g"))), *_bars(values), facts
    )


def _bars(values: ChannelValues) -> list[Line]:
    bands = values["band_rms"]
    assert isinstance(bands, dict)
    largest = max((rms for rms in bands.values() if rms is not None), default=0.0) or 1.0
    return [
        Line.assemble(
            (f"{band:>8} Hz ", "dim"), ("█" * round(_BAR * (rms or 0) / largest), "cyan"), f" {rms or 0:.3f}"
        )
        for band, rms in bands.items()
    ]


def _peaks(values: ChannelValues) -> str:
    peaks = values["peaks"]
    assert isinstance(peaks, list)
    return "  ".join(f"{peak.hz:.1f} Hz {peak.amplitude:.3f} g" for peak in peaks)


def _number(values: ChannelValues, name: str) -> str:
    value = values[name]
    return f"{value:.3f}" if isinstance(value, float | int) else "—"
