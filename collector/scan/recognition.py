"""Which of the known Modbus devices a unit is, by what it reads where theirs would stand; pure.

A profile's `[recognise]` says between which bounds some of its points must be: a voltage near 230 V and a
frequency near 50 Hz at two certain places are seldom accidents. It stays a likeness, so what was read is
told.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from collector.points import PointQuality, Reading
from collector.profiles import load_profile, profile_names
from collector.sources.modbus.polls import Poll, polls_of
from collector.sources.modbus.profile import completed
from collector.sources.modbus.settings import ModbusSettings
from collector.texts import number

Bounds = Mapping[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A profile, what has to be asked to see whether a unit is such a device, and what it must say."""

    profile: str
    polls: tuple[Poll, ...]
    bounds: Bounds
    units: Mapping[str, str]

    def evidence(self, readings: Iterable[Reading]) -> str | None:
        """What speaks for it, in words; None where anything speaks against it."""
        said = {reading.point: reading.value for reading in readings if reading.quality is PointQuality.GOOD}
        values = {name: value for name in self.bounds if isinstance(value := said.get(name), float)}
        if values.keys() != self.bounds.keys():
            return None
        if not all(low <= values[name] <= high for name, (low, high) in self.bounds.items()):
            return None
        return ", ".join(
            f"{name} {number(value, 4)} {self.units[name]}".rstrip() for name, value in values.items()
        )


def candidates(unit_id: int) -> Iterator[Candidate]:
    """The profiles that a unit may fit, the ones that say most first.

    Where a profile tells the number that its devices leave the factory with, only that one is taken for such.
    """
    known = {name: load_profile(name) for name in profile_names("modbus")}
    likely = {name: data for name, data in known.items() if "recognise" in data}
    for name, data in sorted(likely.items(), key=lambda item: -len(item[1]["recognise"])):
        if data.get("device", {}).get("unit_id", unit_id) == unit_id:
            bounds = {point: (float(low), float(high)) for point, (low, high) in data["recognise"].items()}
            device = completed(ModbusSettings(unit_id=unit_id, profile=name))
            points = tuple(point for point in device.points if point.name in bounds)
            polls = polls_of(device.model_copy(update={"points": points}))
            yield Candidate(name, tuple(polls), bounds, {point.name: point.unit for point in points})


def factory_unit_ids() -> tuple[int, ...]:
    """The numbers that known devices leave the factory with, where it is not 1."""
    devices = (load_profile(name).get("device", {}) for name in profile_names("modbus"))
    return tuple(sorted({int(device["unit_id"]) for device in devices if "unit_id" in device}))
