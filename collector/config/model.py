"""What a configuration may say: collector.toml, the machine files, and the `Config` made of both.

The settings of each part are declared beside the code that uses them; here stands what belongs to no part,
above all the metadata that makes pooled data comparable. Nothing here reads a file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.json_schema import GenerateJsonSchema

from collector.activity import CalendarSettings, LearnedFile, StateSettings
from collector.config.units import unit_instead
from collector.context import ContextSettings
from collector.control import ControlSettings
from collector.features import FeatureSettings
from collector.mqtt import BrokerSettings
from collector.mqtt.checks import anchored_broker
from collector.outbox import OutboxSettings
from collector.pseudonym_key import SharingSettings
from collector.samples import Channel, Unit
from collector.settings import Finite, Name, PositiveFinite, Settings
from collector.sources import ControllerSourceSettings, SourceSettings
from collector.sources.replay import ReplaySettings
from collector.spindle import SpindleSettings
from collector.toml.model_tree import Instead
from collector.toml.named_files import absolute, anchored
from collector.windows import WindowSettings

MAIN_FILE = "collector.toml"
MACHINES_FOLDER = "machines"
LEARNED_FOLDER = "learned"
"""Files beside those of the machines, of the same names, that `collector learn` writes."""

Words = Annotated[str, Field(min_length=1, max_length=200)]
"""Free text that is published as it stands."""

CLIP_FROM = 0.995
"""The part of full scale from which a value counts as clipped; an integer's largest is below 1."""


class GatewaySettings(Settings):
    """Who this gateway is; together the first levels of every topic."""

    company: Name = Field(examples=["example-works"])
    """The company's name, as the group's administrator gave it."""
    name: Name = Field(examples=["gateway-1"])
    """The gateway's name, unique in the company."""
    root: Annotated[str, Field(pattern=r"^[a-z0-9-]+(/[a-z0-9-]+)*$", max_length=200)] = "shopfloor/v1"
    """The first levels of every topic; the same in the whole group."""


class MachineSettings(Settings):
    """The machine that the sensors sit on."""

    name: Name = Field(examples=["mill-1"])
    """The machine's name, unique in the company's gateway; a level of its topics."""
    maker: Words | None = None
    """Who built the machine."""
    model: Words | None = None
    """The maker's name for the model."""
    type: (
        Literal[
            "milling", "turning", "mill-turn", "drilling", "boring", "grinding", "gear-cutting", "sawing",
            "broaching", "edm", "laser", "press", "other",
        ]
        | None
    ) = None  # fmt: skip
    """The kind of machine."""
    process: Words | None = None
    """What is done on it, such as "finishing of steel plates"."""
    material: Words | None = None
    """The workpieces' material, where the company wants to share it."""
    batch: Words | None = None
    """The batch or order, where the company wants to share it."""
    context: ContextSettings = ContextSettings()
    """What the windows of its waveforms say about the machine."""
    state: StateSettings | None = None
    """How it is known what the machine is doing."""
    spindle: SpindleSettings = SpindleSettings()
    """Which points tell how its spindle turns."""


class ToolSettings(Settings):
    """One tool of the machine's tool table."""

    number: Annotated[int, Field(ge=0)] = Field(examples=[1])
    """The number that the controller knows it by."""
    diameter_mm: PositiveFinite | None = None
    """The cutting diameter in millimetres."""
    teeth: Annotated[int, Field(ge=1, le=1000)] | None = None
    """The number of cutting edges."""


class ChannelSettings(Settings):
    """One measured quantity of a waveform, in the order in which the device sends them."""

    name: Name = Field(examples=["x"])
    """The channel's name, unique in the waveform."""
    unit: Annotated[Unit, Instead(unit_instead)] = Field(examples=["g"])
    """The unit of its values."""
    full_scale: PositiveFinite | None = None
    """The largest value, in the unit, that the sensor can give; near it a sample counts as clipped."""
    axis: Literal["x", "y", "z", "radial", "axial", "tangential"] | None = None
    """The axis of the machine, or the direction seen from the spindle, along which it measures."""
    direction: Literal["+", "-"] | None = None
    """Whether its values grow along the axis or against it."""


class SensorSettings(Settings):
    """The sensor that a waveform comes from; all of it is published with the data."""

    model: Words | None = None
    """Maker and model."""
    serial: Words | None = None
    """The serial number."""
    sensitivity: Words | None = None
    """The sensitivity from its data sheet or calibration, such as "100 mV/g"."""
    calibration_date: date | None = None
    """The day of the last calibration."""
    range: Words | None = None
    """The measuring range, such as "±16 g"."""
    low_hz: Annotated[Finite, Field(ge=0)] | None = None
    """The lowest frequency that it measures faithfully."""
    high_hz: PositiveFinite | None = None
    """The highest frequency that it measures faithfully."""
    mounting_place: Words | None = None
    """Where on the machine it sits."""
    fixed_by: Literal["screw", "glue", "wax", "magnet", "clamp", "tape", "other"] | None = None
    """How it is fixed there."""


class WaveformSettings(Settings):
    """One fast signal: where it comes from, what its channels mean, how it is cut and evaluated."""

    name: Name = Field(examples=["spindle"])
    """The stream's name, unique in the machine; a level of its topics."""
    source: SourceSettings
    """Where the samples come from."""
    channels: Annotated[tuple[ChannelSettings, ...], Field(min_length=1, max_length=64)]
    """The channels, in the order of the samples."""
    sensor: SensorSettings = SensorSettings()
    """The sensor."""
    window: WindowSettings
    """How the samples are cut into windows."""
    features: FeatureSettings = FeatureSettings()
    """What is computed of every window."""

    def signal_channels(self) -> tuple[Channel, ...]:
        """The channels as the pipeline knows them, clipped near full scale."""
        return tuple(_channel(channel) for channel in self.channels)


class ControllerSettings(Settings):
    """A controller or meter of the machine: how it is read, and how its readings are published."""

    name: Name = Field(examples=["plc"])
    """Its name, unique among the machine's controllers and waveforms; a level of its topics."""
    source: ControllerSourceSettings
    """How it is reached, and its points."""
    publish_every_s: Annotated[float, Field(ge=1, le=3600)] = 10.0
    """How many seconds each summary of the readings is about."""
    stale_after_s: PositiveFinite | None = None
    """A value that nobody vouched for within so many seconds is stale; without it, three of its periods."""


class GatewayFile(Settings):
    """collector.toml: the gateway, its broker and what it keeps."""

    gateway: GatewaySettings
    """Who this gateway is."""
    broker: BrokerSettings
    """Where the data goes."""
    outbox: OutboxSettings = OutboxSettings()
    """What is kept while the broker is away."""
    control: ControlSettings = ControlSettings()
    """How the command line finds the running collector."""
    sharing: SharingSettings = SharingSettings()
    """How names that must not leave become pseudonyms."""
    calendar: CalendarSettings = CalendarSettings()
    """The hours and shifts that utilisation is told for."""


class MachineFile(Settings):
    """A file in machines/: one machine with its tools, waveforms and controllers."""

    machine: MachineSettings
    """The machine."""
    tools: tuple[ToolSettings, ...] = ()
    """The tool table."""
    waveforms: tuple[WaveformSettings, ...] = ()
    """The fast signals."""
    controllers: tuple[ControllerSettings, ...] = ()
    """The controllers and meters."""

    @property
    def name(self) -> str:
        """The machine's name."""
        return self.machine.name

    @property
    def teeth(self) -> dict[int, int | None]:
        """The cutting edges of the tools, by the controller's number."""
        return {tool.number: tool.teeth for tool in self.tools}

    @property
    def streams(self) -> tuple[WaveformSettings | ControllerSettings, ...]:
        """Everything that is collected of it."""
        return (*self.controllers, *self.waveforms)


@dataclass(frozen=True, slots=True)
class Config:
    """A whole configuration that passed every check; every path in it is absolute or `credential:NAME`."""

    gateway: GatewaySettings
    broker: BrokerSettings
    outbox: OutboxSettings
    control: ControlSettings
    sharing: SharingSettings
    calendar: CalendarSettings
    machines: tuple[MachineFile, ...]
    learned: Mapping[str, LearnedFile]
    """What commissioning runs found, by the machine's name."""
    folder: Path
    texts: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    """What the files said that it was made of, by their names from the folder on."""


def assemble(
    gateway: GatewayFile,
    machines: tuple[MachineFile, ...],
    learned: Mapping[str, LearnedFile],
    folder: Path,
    texts: Mapping[str, str],
) -> Config:
    """Put the files together; relative paths count from `folder`."""
    return Config(
        gateway=gateway.gateway,
        broker=anchored_broker(gateway.broker, folder),
        outbox=gateway.outbox.model_copy(update={"directory": anchored(gateway.outbox.directory, folder)}),
        control=gateway.control.model_copy(update={"socket": anchored(gateway.control.socket, folder)}),
        sharing=gateway.sharing.model_copy(update={"key_file": absolute(gateway.sharing.key_file, folder)}),
        calendar=gateway.calendar,
        machines=tuple(_anchored_machine(machine, folder) for machine in machines),
        learned=learned,
        folder=folder,
        texts=texts,
    )


def json_schema(file: Literal["gateway", "machine", "learned"]) -> dict[str, Any]:
    """JSON Schema of one kind of file, for editors: collector.toml, one in machines/, one in learned/."""
    models: dict[str, type[Settings]] = {
        "gateway": GatewayFile,
        "machine": MachineFile,
        "learned": LearnedFile,
    }
    return {"$schema": GenerateJsonSchema.schema_dialect, **models[file].model_json_schema()}


def _channel(settings: ChannelSettings) -> Channel:
    if settings.full_scale is None:
        return Channel(settings.name, settings.unit)
    limit = CLIP_FROM * settings.full_scale
    return Channel(settings.name, settings.unit, clip_low=-limit, clip_high=limit)


def _anchored_machine(machine: MachineFile, folder: Path) -> MachineFile:
    waveforms = tuple(
        waveform.model_copy(
            update={
                "source": waveform.source.model_copy(update={"file": anchored(waveform.source.file, folder)})
            }
        )
        if isinstance(waveform.source, ReplaySettings)
        else waveform
        for waveform in machine.waveforms
    )
    controllers = tuple(
        controller.model_copy(update={"source": _anchored_controller_source(controller.source, folder)})
        for controller in machine.controllers
    )
    return machine.model_copy(update={"waveforms": waveforms, "controllers": controllers})


def _anchored_controller_source(source: Any, folder: Path) -> Any:
    """Paths of a controller's source: each is called `…_file` or `…_folder`."""
    named = {key: getattr(source, key) for key in type(source).model_fields if key.endswith("_file")}
    folders = {key: getattr(source, key) for key in type(source).model_fields if key.endswith("_folder")}
    files = {key: absolute(file, folder) for key, file in named.items()}
    return source.model_copy(update=files | {key: anchored(path, folder) for key, path in folders.items()})
