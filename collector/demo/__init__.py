"""The whole thing at work on one computer: a broker, a simulated shop, the daemon, and a live table.

The shop's devices speak real protocols: an accelerometer on a pseudo-terminal, a machine tool over OPC UA, a
power meter over Modbus. The daemon is the real one, and the table knows only what it receives over MQTT.
"""
