"""The features of a window that need the spindle's speed, once its context is known.

How lines are found at a known speed is in synchronous.py; which speed it is, in spindle.py.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from collector.features import synchronous
from collector.features.envelope import bearing_orders
from collector.features.parts import part_of
from collector.features.reasons import Reason
from collector.features.scratch import quiet
from collector.features.settings import FeatureSettings
from collector.features.synchronous import Carried, Turning
from collector.features.values import Rows
from collector.samples import Channel

_SIDEBANDS = ("lower", "upper")
_CHATTER = ("chatter", "chatter_hz", "chatter_amplitude")


@dataclass(frozen=True, slots=True)
class AtSpeed:
    """The features, also as plain numbers by channel, and why some are null.

    `refined_hz` is the speed that the lines of the spectrum show; None where it was not looked for.
    """

    rows: Rows
    channels: list[dict[str, Any]]
    nulls: dict[str, str]
    refined_hz: float | None = None


class SpeedFeatures:
    """Computes what a stream's windows say at a known speed."""

    def __init__(self, settings: FeatureSettings, channels: tuple[Channel, ...]) -> None:
        self._channels = len(channels)
        self._quiet = quiet()
        self._harmonics = settings.harmonics
        self._keys = tuple(str(order) for order in range(1, settings.harmonics + 1))
        self._synchronous = part_of("synchronous", settings, channels)
        self._current = part_of("current", settings, channels)
        self._bearing = part_of("envelope", settings, channels) if settings.bearing else None
        orders = bearing_orders(settings.bearing) if settings.bearing else {}
        self._flaws, self._orders = tuple(orders), np.array(list(orders.values()))
        self._null: dict[Reason, AtSpeed] = {}

    @property
    def wanted(self) -> bool:
        """Whether there is anything that needs the speed."""
        return not (self._synchronous is None and self._current is None and self._bearing is None)

    def compute(self, carried: Carried | None, turning: Turning) -> AtSpeed:
        """Everything that needs the speed; null with its reason where the speed may not be used."""
        hertz = turning.rotation_hz
        if carried is None or hertz is None:
            return self._nothing(turning.speed_reason or Reason.SPEED_UNKNOWN)
        return self._quiet.run(self._at, carried, hertz, turning)

    def _at(self, carried: Carried, hertz: float, turning: Turning) -> AtSpeed:
        """Everything at a speed that may be used."""
        made = Rows(self._channels)
        refined_hz = None
        if self._synchronous is not None:
            refined_hz = hertz = self._add_synchronous(made, carried, hertz, turning)
        if self._bearing is not None:
            self._add_bearing(made, carried, hertz)
        if self._current is not None:
            self._add_sidebands(made, carried, hertz)
        return AtSpeed(made, made.per_channel(), made.nulls(), refined_hz)

    def _add_synchronous(self, made: Rows, carried: Carried, hertz: float, turning: Turning) -> float:
        """Rotation, tooth passing and chatter; gives the speed by the lines."""
        found = synchronous.rotation(carried, hertz, turning.teeth, self._harmonics)
        made.keyed["rotation"] = self._keys, found.rotation
        made.keyed["tooth_passing"] = self._keys, found.tooth_passing
        teeth_reason = turning.teeth_reason or found.tooth_reason
        if found.rotation_reason is not None:
            made.reasons["rotation"] = found.rotation_reason
        if teeth_reason is not None:
            made.reasons["tooth_passing"] = teeth_reason
        chatter_reason = found.rotation_reason or teeth_reason
        if chatter_reason is not None:
            made.scalars |= {name: np.full(self._channels, np.nan) for name in _CHATTER}
            made.reasons |= dict.fromkeys(_CHATTER, chatter_reason)
            return found.refined_hz
        lines = np.concatenate((found.rotation, found.tooth_passing), axis=1)
        chatter = synchronous.chatter(carried, found.refined_hz, lines)
        made.scalars["chatter"] = chatter.share
        made.scalars["chatter_hz"] = chatter.bins * (carried.rate_hz / carried.n)
        made.scalars["chatter_amplitude"] = chatter.amplitude
        return found.refined_hz

    def _add_bearing(self, made: Rows, carried: Carried, hertz: float) -> None:
        part = self._bearing
        assert part is not None
        made.only["bearing"] = part.channels
        if carried.envelope is None:
            made.keyed["bearing"] = self._flaws, np.full((self._channels, len(self._flaws)), np.nan)
            made.reasons["bearing"] = Reason.NOT_COVERED
            return
        found = synchronous.at_orders(carried.envelope, carried, hertz, self._orders)
        made.keyed["bearing"] = self._flaws, made.spread(part, found)

    def _add_sidebands(self, made: Rows, carried: Carried, hertz: float) -> None:
        part = self._current
        assert part is not None
        found = synchronous.sidebands(carried, hertz, part.rows)
        made.only["line_sidebands"] = part.channels
        if found is None:
            made.reasons["line_sidebands"] = Reason.UNRESOLVABLE
            found = np.full((self._channels, 2), np.nan)
        made.keyed["line_sidebands"] = _SIDEBANDS, made.spread(part, found)

    def _nothing(self, reason: Reason) -> AtSpeed:
        """Every row null; made once for a reason, since a machine without a controller has nothing else."""
        found = self._null.get(reason)
        if found is None:
            made = self._all_missing()
            made.reasons = dict.fromkeys((*made.keyed, *made.scalars), reason)
            found = self._null[reason] = AtSpeed(made, made.per_channel(), made.nulls())
        return found

    def _all_missing(self) -> Rows:
        """What a window without a speed has."""
        made = Rows(self._channels)
        keyed = {
            "rotation": (self._keys, self._synchronous),
            "tooth_passing": (self._keys, self._synchronous),
            "bearing": (self._flaws, self._bearing),
            "line_sidebands": (_SIDEBANDS, self._current),
        }
        for name, (keys, part) in keyed.items():
            if part is not None:
                made.keyed[name] = keys, np.full((self._channels, len(keys)), np.nan)
                made.only[name] = part.channels
        if self._synchronous is not None:
            made.scalars = {name: np.full(self._channels, np.nan) for name in _CHATTER}
        return made
