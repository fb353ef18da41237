"""What every point has in the configuration, whichever protocol it is read with; values only.

How a point is addressed is the business of each protocol's own settings, which build on these.
"""

from typing import Annotated

from pydantic import Field

from collector.points import Share
from collector.settings import Name, PositiveFinite, Settings

StateNames = dict[int, Annotated[str, Field(min_length=1)]]
"""The names of an enumeration's values, as in `{ 0 = "off", 1 = "on" }`."""

ProfileName = Annotated[str, Field(min_length=1, max_length=64)]
"""A list of points that comes with the collector; a name that is none is answered with those there are."""


class PointSettings(Settings):
    """One quantity that a controller or meter says."""

    name: Name
    """Its name, unique in its source; part of what subscribers see."""
    unit: str = ""
    """UCUM code of a number, such as `A`, `W`, `kW.h` or `/min`; empty where it has none."""
    share: Share | None = None
    """Whether it leaves the gateway: `none`, `pseudonym` or `plain`. Not given: all but texts leave."""
    states: StateNames | None = Field(default=None, examples=[{"0": "off", "1": "on"}])
    """Names for the values of an enumeration; makes it a state that is published on change."""
    every_s: PositiveFinite | None = None
    """Seconds from one reading to the next; not given, the period of its group or source."""
