"""The command that lists the features: features."""

import json
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text as Line

from collector.cli.files import DEFAULT_FOLDER, Folder
from collector.cli.names import includes
from collector.cli.screen import print_page
from collector.cli.sentences import print_sentence
from collector.config import Config, WaveformSettings, load
from collector.errors import UsageError
from collector.features import FEATURES, Feature, definitions, selected
from collector.texts import cli as say


def features(
    stream: Annotated[
        str | None, typer.Argument(help="machine/stream or a machine, with what each of the features means.")
    ] = None,
    config: Folder = DEFAULT_FOLDER,
    json_: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """List all features, and which of them the configuration selects for each stream."""
    streams = _streams(load(config))
    chosen = {name: settings for name, settings in streams.items() if includes(stream, name)}
    if stream is not None and not chosen:
        raise UsageError(say.FEATURES_NO_STREAM(name=stream, known=", ".join(streams)))
    if json_:
        typer.echo(
            json.dumps({name: _as_json(s) for name, s in chosen.items()}, indent=2, ensure_ascii=False)
        )
        return
    print_page(_page(chosen, meanings=stream is not None))
    if stream is None:
        print_sentence(say.FEATURES_MEANINGS())


def _streams(config: Config) -> dict[str, WaveformSettings]:
    """The streams that have windows."""
    return {
        f"{machine.name}/{settings.name}": settings
        for machine in config.machines
        for settings in machine.waveforms
    }


def _page(streams: dict[str, WaveformSettings], *, meanings: bool) -> RenderableType:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for heading in (say.FEATURE, say.FEATURE_GROUP, say.UNIT):
        table.add_column(str(heading()), no_wrap=True)
    for name in streams:
        table.add_column(name, overflow="fold")
    if meanings:
        table.add_column(str(say.FEATURE_MEANING()), overflow="fold")
    for feature in FEATURES:
        has = [_channels(feature, settings) for settings in streams.values()]
        marked = [Line(text, "green" if text else "") for text in has]
        meaning = [Line(feature.definition)] if meanings else []
        group = feature.group or str(say.FIRST_SET())
        table.add_row(Line(feature.name, "" if any(has) else "dim"), group, feature.unit, *marked, *meaning)
    note = say.FEATURES_NONE() if not streams else say.FEATURES_HEAD()
    return Group(Line(str(note), "bold"), Padding(table, (0, 0, 1, 2)))


def _channels(feature: Feature, settings: WaveformSettings) -> str:
    """The channels that have a feature; empty where none has."""
    names = [
        channel.name for channel in settings.channels if feature in selected(settings.features, channel.unit)
    ]
    return str(say.ALL_CHANNELS()) if len(names) == len(settings.channels) else ", ".join(names)


def _as_json(settings: WaveformSettings) -> dict[str, Any]:
    return {channel.name: definitions(settings.features, channel.unit) for channel in settings.channels}
