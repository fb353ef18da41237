"""What a row of the table of features says. The rows themselves are in table.py."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from collector.features.time_domain import Moments, Values
from collector.samples import Unit

UnitRule = Literal["same", "1", "Hz", "mm/s", "um"]
"""A fixed unit, or `same`: the channel's."""

Group = Literal["shape", "spectrum", "octaves", "velocity", "envelope", "synchronous", "current"]
"""What a configuration selects; what is in no group is always there, the first set."""

ACCELERATION: frozenset[Unit] = frozenset({"g", "m/s2"})
CURRENT: frozenset[Unit] = frozenset({"A"})


@dataclass(frozen=True, slots=True)
class Feature:
    """One row: what a number means.

    `scalar` computes it where the moments are enough. `needs` names the settings without which it is not
    there, `made_with` those that its numbers depend on, `units` the units of the channels that have it (None:
    all of them). A `keyed` one is several numbers, each under a key such as a band's name.
    """

    name: str
    unit: UnitRule
    definition: str
    formula: str
    source: str
    version: int = 1
    group: Group | None = None
    units: frozenset[Unit] | None = None
    needs: tuple[Literal["envelope", "bearing"], ...] = ()
    made_with: tuple[Literal["octaves", "velocity", "envelope", "bearing", "line_hz"], ...] = ()
    scalar: Callable[[Moments], Values] | None = None
    keyed: bool = False

    def unit_of(self, channel_unit: Unit) -> str:
        """The unit for a channel of this unit."""
        return channel_unit if self.unit == "same" else self.unit

    def is_for(self, channel_unit: Unit) -> bool:
        """Whether a channel of this unit has it."""
        return self.units is None or channel_unit in self.units
