"""What is retained: the description of a stream, and how the gateway is."""

from typing import Any, Literal

from pydantic import Field

from collector.messages.envelope import CONTRACT_VERSION, Envelope, Wire


class MetaContent(Wire):
    """Everything that makes a stream's records comparable with others'; its hash is the records' `meta`."""

    version: str
    """The program's version."""
    machine: dict[str, Any]
    """Maker, model, type, process, and what else the company shares."""
    tools: list[dict[str, Any]]
    """The tool table: number, diameter, teeth."""
    source: dict[str, Any]
    """Kind of source, origin (live, replay or simulated) and nominal rate."""
    sensor: dict[str, Any]
    """Model, serial number, sensitivity, calibration, range, usable band, mounting."""
    channels: list[dict[str, Any]]
    """Name, unit, UCUM code, axis and direction of each channel."""
    window: dict[str, Any]
    """Length and hop in samples."""
    features: dict[str, list[dict[str, Any]]]
    """Name, unit, definition, formula, version and source of every feature, by the unit of the channel; and
    `settings`, where its numbers depend on some: the band of the envelope, the bearing, and so on."""
    flags: list[dict[str, Any]]
    """What each quality flag means."""
    nulls: list[dict[str, str]] = Field(default_factory=list)
    """What each reason for a null means."""
    points: list[dict[str, Any]] = Field(default_factory=list)
    """Of a controller: name, kind, unit, states, and how it is shared, of each point."""
    statistics: list[dict[str, str]] = Field(default_factory=list)
    """Of a controller, or a machine's state: what each figure of a summary means."""
    context: dict[str, Any] = Field(default_factory=dict)
    """Of a waveform: the points that its windows are joined with, and how long a window waits for them."""
    state: dict[str, Any] = Field(default_factory=dict)
    """Of a machine's state: its rules with their thresholds, dwell, time zone and shifts."""


class Meta(Envelope):
    """The description of a stream, retained."""

    kind: Literal["meta"] = "meta"
    content: MetaContent


class Status(Wire):
    """How the gateway is, retained; the broker itself publishes `offline` when the gateway vanishes."""

    v: Literal[1] = CONTRACT_VERSION
    kind: Literal["status"] = "status"
    state: Literal["healthy", "degraded", "stopped", "offline"]
    epoch: str
    version: str
    t_us: int | None
    """UTC of this status; null in the last will, which was written at connection time."""
    t: str | None
    sync: bool | None
    sources: dict[str, Any] = Field(default_factory=dict)
    """Health of every source, by `machine/stream`."""
    outbox: dict[str, Any] = Field(default_factory=dict)
    """Pending records, and the oldest of them."""
    machines: dict[str, Any] = Field(default_factory=dict)
    """What each machine is doing and since when, where that is recognised."""
    problems: list[dict[str, Any]] = Field(default_factory=list)
    """What needs attention: the part of the gateway, and the code of the sentence."""
