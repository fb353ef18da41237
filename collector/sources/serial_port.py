"""The path of a serial port, as settings name it: its form, and what it tells of the port.

Nothing is opened or looked at.
"""

import re
from typing import Annotated

from pydantic import Field

from collector.texts import Sentence
from collector.texts.toml import BLANKS_AROUND, NOT_OF_THIS_FORM
from collector.toml.model_tree import Instead
from collector.toml.problems import shown

_EXAMPLE = "/dev/serial/by-id/usb-YOUR-DEVICE"
_UART = re.compile(r"-port\d+$|/tty(USB|S|AMA)\d+$")
"""Of a converter, whose names under by-id end so, or on the board; ports that are really USB have neither."""


def port_instead(found: str) -> Sentence:
    """What to type instead of a path that no port has."""
    without = found.strip()
    if without != found and without.startswith("/"):
        return BLANKS_AROUND(found=shown(found), plain=shown(without))
    return NOT_OF_THIS_FORM(found=shown(found), example=shown(_EXAMPLE))


SerialPort = Annotated[str, Field(pattern=r"^/(.*\S)?$", examples=[_EXAMPLE]), Instead(port_instead)]
"""A port's path, from the root on and without blanks at its ends."""


def keeps_to_its_baud(port: str) -> bool:
    """Whether a port of this name surely sends no faster than it is set; one that is really USB may."""
    return bool(_UART.search(port))
