"""What to type instead of a channel's unit that is not taken.

A unit is not guessed by how it is spelled: "mg" is like "g", and a thousandth of it. The units themselves are
in samples.py.
"""

from typing import get_args

from collector.samples import OTHER_UNITS, VELOCITY_UNITS, Unit
from collector.texts import Sentence, number
from collector.texts import configuration as texts
from collector.texts.toml import CHOICE, CHOICE_LIST
from collector.toml.problems import shown
from collector.toml.wide_characters import half_width


def unit_instead(found: str) -> Sentence:
    """What to type instead of this unit."""
    choices = ", ".join(map(shown, get_args(Unit)))
    plain = half_width(found).lower().replace("\u03bc", "u")
    plain = plain.translate(dict.fromkeys(map(ord, " ^*"))).replace("/s/s", "/s2")
    spelled = {unit.lower(): unit for unit in get_args(Unit)} | {"counts": "count"}
    if plain in spelled:
        return CHOICE(found=shown(found), nearest=shown(spelled[plain]), choices=choices)
    if plain in OTHER_UNITS:
        unit, factor = OTHER_UNITS[plain]
        return texts.UNIT_SCALED(found=shown(found), unit=shown(unit), factor=number(factor))
    if plain in VELOCITY_UNITS:
        return texts.UNIT_VELOCITY(found=shown(found))
    return CHOICE_LIST(found=shown(found), choices=choices)
