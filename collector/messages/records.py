"""All records of the wire contract together: what a payload may be, and reading one.

What the fields mean is said once, in the models. The published JSON Schema and the AsyncAPI document are
generated from them.
"""

from typing import Annotated

from pydantic import ConfigDict, Field, TypeAdapter

from collector.messages.descriptions import Meta
from collector.messages.events import Alarm, ClockSet, Event, Gap, RecordsLost, Restart, StateChange
from collector.messages.features import Features
from collector.messages.readings import Change, Cut, Readings, Utilisation

Record = (
    Meta
    | Features
    | Readings
    | Change
    | Utilisation
    | Cut
    | Gap
    | Restart
    | ClockSet
    | RecordsLost
    | Alarm
    | StateChange
)

_OfPoints = Annotated[Readings | Change | Utilisation | Cut, Field(discriminator="reading")]
_RECORD: TypeAdapter[Record] = TypeAdapter(
    Annotated[Meta | Features | _OfPoints | Event, Field(discriminator="kind")],
    config=ConfigDict(defer_build=True),
)


def decode(payload: bytes) -> Record:
    """Read a record as published.

    Raises:
        pydantic.ValidationError: it is none of contract version 1.
    """
    return _RECORD.validate_json(payload)
