"""The whole thing at work on one computer: a broker, a simulated machine, the daemon, and a live table.

The accelerometer is a pseudo-terminal with real bytes, the daemon is the real one, and the table knows only
what it receives over MQTT.
"""

from collector.demo.stage import show

__all__ = ["show"]
