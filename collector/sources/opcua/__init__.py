"""Machine controllers over OPC UA: read only, by subscription or by polling.

Only settings and the source are imported from here. What talks to a server loads asyncua, which is heavy, and
is imported when a source is first connected: a gateway without OPC UA never loads it.
"""

from collector.sources.opcua.settings import ConnectionSettings, OpcuaPointSettings, OpcuaSettings, mistakes
from collector.sources.opcua.source import OpcuaSource, opcua_source

__all__ = [
    "ConnectionSettings",
    "OpcuaPointSettings",
    "OpcuaSettings",
    "OpcuaSource",
    "mistakes",
    "opcua_source",
]
