"""The content of `meta`: what makes a stream's numbers comparable with those of others."""

from typing import Any

from collector import __version__
from collector.config import MachineFile, WaveformSettings
from collector.features import definitions, flag_definitions
from collector.messages import MetaContent
from collector.samples import UCUM
from collector.sources.source import WaveformSource


def describe(machine: MachineFile, settings: WaveformSettings, source: WaveformSource) -> MetaContent:
    """Everything a researcher needs beside the records of one stream.

    Only what is listed here leaves the gateway: neither the port nor a file's name is part of it.
    """
    signal = source.signal
    n, hop = settings.window.resolve(signal.rate_hz)
    units = dict.fromkeys(channel.unit for channel in signal.channels)
    return MetaContent(
        version=__version__,
        machine=_given(machine.machine),
        tools=[_given(tool) for tool in machine.tools],
        source={
            "kind": settings.source.kind,
            "origin": source.origin,
            "nominal_hz": signal.rate_hz,
            "rate_exact": signal.rate_exact,
        },
        sensor=_given(settings.sensor),
        channels=[_given(channel) | {"ucum": UCUM[channel.unit]} for channel in settings.channels],
        window={"n": n, "hop": hop},
        features={unit: definitions(unit) for unit in units},
        flags=flag_definitions(),
    )


def _given(settings: Any) -> dict[str, Any]:
    """What the configuration says, without what it leaves out."""
    given: dict[str, Any] = settings.model_dump(mode="json", exclude_none=True)
    return given
