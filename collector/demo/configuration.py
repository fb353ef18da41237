"""The demo's configuration as staff would write it: the simulated shop's devices and what is read of them."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from collector.demo.accelerometer import NOMINAL_HZ, SCALE_G, SYNC
from collector.demo.machine_tool import MAKER
from collector.demo.meter import PROFILE
from collector.demo.shop import TOOLS
from collector.messages import Topics

TOPICS = Topics("shopfloor/v1", "demo-works", "gw1")
MACHINE, STREAM = "mill-1", "spindle"
PROGRAM, STATE, TOOL = "cnc/program-name", "cnc/program-state", "cnc/tool-number"
SPEED, LOAD = "cnc/spindle-speed", "cnc/spindle-load"
POWER, CURRENT = "meter/power", "meter/current-l1"
POINTS = (PROGRAM, STATE, TOOL, SPEED, LOAD, POWER, CURRENT)
"""What every window is joined with."""
_BAND_EDGES_HZ = (10, 25, 63, 90, 110, 160, 250, 350, 450, 630, 780)

_GATEWAY_TOML = """\
[gateway]
company = "{company}"
name = "{gateway}"

[broker]
host = "127.0.0.1"
port = {port}
protocol = "mqtt311"

[outbox]
directory = "outbox"

[control]
socket = "control.sock"
"""

_MACHINE_TOML = """\
[machine]
name = "{machine}"
maker = "simulated"
type = "milling"
{tools}
[machine.context]
points = [{points}]
join_delay_s = 0.3

[machine.state]
on = {{ point = "{power}", above = 100 }}
turning = {{ point = "{speed}", above = 50 }}
cutting = {{ point = "{load}", above = 20, below = 15 }}

[[waveforms]]
name = "{stream}"
channels = [
  {{ name = "x", unit = "g", axis = "x" }},
  {{ name = "y", unit = "g", axis = "y" }},
  {{ name = "z", unit = "g", axis = "z" }},
]
window = {{ samples = 1024, overlap = 0.5 }}
features = {{ peaks = 2, bands = [{bands}] }}
sensor = {{ model = "pseudo-terminal", range = "±16 g", mounting_place = "spindle housing" }}

[waveforms.source]
kind = "serial"
port = "{accelerometer}"
baud = 921600
rate_hz = {rate}

[waveforms.source.format]
kind = "binary"
sync = "{sync}"
counter = "u16"
values = "i16"
scale = {scale}
checksum = "crc16-modbus"

[[controllers]]
name = "cnc"

[controllers.source]
kind = "opcua"
url = "opc.tcp://127.0.0.1:{machine_tool_port}"
profile = "opc-40501-1"
sampling_ms = 100
publishing_ms = 100
points = [
  {{ name = "program-name", share = "pseudonym" }},
  {{ name = "spindle-speed", node = "nsu={maker};s=spindle-speed", unit = "/min" }},
  {{ name = "spindle-load", node = "nsu={maker};s=spindle-load", unit = "%" }},
  {{ name = "tool-number", node = "nsu={maker};s=tool-number" }},
]

[[controllers]]
name = "meter"

[controllers.source]
kind = "modbus-tcp"
host = "127.0.0.1"
port = {meter_port}
profile = "{profile}"
every_s = 0.2
"""

_TOOL_TOML = """
[[tools]]
number = {number}
diameter_mm = {diameter_mm}
teeth = {teeth}
"""


@dataclass(frozen=True, slots=True)
class Places:
    """Where everything is reached."""

    accelerometer: Path
    broker_port: int
    machine_tool_port: int
    meter_port: int


def write_configuration(folder: Path, places: Places) -> None:
    """Write collector.toml and the machine's file."""
    gateway = _GATEWAY_TOML.format(company=TOPICS.company, gateway=TOPICS.gateway, port=places.broker_port)
    machine = _MACHINE_TOML.format(
        machine=MACHINE,
        stream=STREAM,
        tools="".join(
            _TOOL_TOML.format(number=tool.number, diameter_mm=tool.diameter_mm, teeth=tool.teeth)
            for tool in TOOLS
        ),
        points=", ".join(f'"{point}"' for point in POINTS),
        power=POWER,
        speed=SPEED,
        load=LOAD,
        bands=", ".join(f"{{ low_hz = {low}, high_hz = {high} }}" for low, high in pairwise(_BAND_EDGES_HZ)),
        accelerometer=places.accelerometer,
        rate=NOMINAL_HZ,
        sync=SYNC.hex(),
        scale=SCALE_G,
        machine_tool_port=places.machine_tool_port,
        maker=MAKER,
        meter_port=places.meter_port,
        profile=PROFILE,
    )
    (folder / "collector.toml").write_text(gateway, encoding="utf-8")
    (folder / "machines").mkdir()
    (folder / "machines" / f"{MACHINE}.toml").write_text(machine, encoding="utf-8")
