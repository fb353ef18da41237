"""The numbers of a features record, one by one; pure."""

from collections.abc import Iterator
from typing import Any


def feature_values(channels: dict[str, Any]) -> Iterator[tuple[str, str, str, float | None]]:
    """Channel, feature, part and value; the part is empty for a feature that is one number.

    Parts are a band's edges, as in `10-100`, or of the peaks `1.hz` and `1.amplitude`, the strongest first.
    """
    for channel, features in channels.items():
        for feature, value in features.items():
            yield from ((channel, feature, part, number) for part, number in _parts(value))


def _parts(value: Any) -> Iterator[tuple[str, float | None]]:
    match value:
        case dict():
            yield from value.items()
        case list():
            for place, peak in enumerate(value, 1):
                yield from ((f"{place}.{part}", number) for part, number in peak.items())
        case _:
            yield "", value
