"""Files on disk become one typed `Config`, or every problem in them: file, line, what to type.

    loading.py   the order of things              model.py      what the files may say
    checks.py    what must fit together           existence.py  what must be on this gateway
    units.py     units that are not taken       speed_checks.py whether a port is fast enough
    remarks.py   what is good and probably not meant
    passed_over.py files that nobody would read
    last_good.py the copy for a boot with a wrong one
    in_use.py    whether the files still say what is in use

One file is judged in `toml/`; settings of the parts are declared beside the code that uses them; nothing here
runs anything.
"""

from collector.config.in_use import changed_us
from collector.config.last_good import load_last_good, save_last_good
from collector.config.loading import DEFAULT_FOLDER, load, load_outbox
from collector.config.model import (
    LEARNED_FOLDER,
    ChannelSettings,
    Config,
    ControllerSettings,
    GatewayFile,
    GatewaySettings,
    MachineFile,
    MachineSettings,
    SensorSettings,
    ToolSettings,
    WaveformSettings,
    json_schema,
)
from collector.config.remarks import remarks
from collector.toml.problems import ConfigError, Problem

__all__ = [
    "DEFAULT_FOLDER",
    "LEARNED_FOLDER",
    "ChannelSettings",
    "Config",
    "ConfigError",
    "ControllerSettings",
    "GatewayFile",
    "GatewaySettings",
    "MachineFile",
    "MachineSettings",
    "Problem",
    "SensorSettings",
    "ToolSettings",
    "WaveformSettings",
    "changed_us",
    "json_schema",
    "load",
    "load_last_good",
    "load_outbox",
    "remarks",
    "save_last_good",
]
