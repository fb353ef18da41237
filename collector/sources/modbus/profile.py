"""A device's settings completed with what its profile says; what is written in the configuration goes before.

The profiles are data in `collector/profiles`: `[device]` holds keys of the source, `[[points]]` its points.
"""

from typing import Any, TypeVar

from collector.profiles import load_profile
from collector.sources.modbus.settings import ModbusSettings

S = TypeVar("S", bound=ModbusSettings)


def completed(settings: S) -> S:
    """The settings as if the whole profile stood in them; points of the same name are joined, key by key.

    Raises:
        KeyError: there is no such profile.
    """
    if settings.profile is None:
        return settings
    profile = load_profile(settings.profile)
    said = settings.model_dump(exclude_unset=True)
    points: dict[str, dict[str, Any]] = {point["name"]: point for point in profile["points"]}
    for point in said.pop("points", ()):
        points[point["name"]] = points.get(point["name"], {}) | point
    whole = profile.get("device", {}) | said | {"points": list(points.values())}
    return type(settings).model_validate(whole)
