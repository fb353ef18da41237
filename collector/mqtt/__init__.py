"""MQTT as the rest of the program sees it: what is configured, and one connection.

What is sent, when, and what happens after a loss is the caller's business.
"""

from collector.mqtt.client import Will
from collector.mqtt.connection import Acknowledgement, Connection, TimeLimits
from collector.mqtt.expiry import Ends
from collector.mqtt.pauses import reconnect_pauses
from collector.mqtt.settings import BrokerSettings, TlsSettings
from collector.mqtt.size_limit import SizeLimit

__all__ = [
    "Acknowledgement",
    "BrokerSettings",
    "Connection",
    "Ends",
    "SizeLimit",
    "TimeLimits",
    "TlsSettings",
    "Will",
    "reconnect_pauses",
]
