"""Finding out what is connected, for `collector scan`: ports, accelerometer streams, Modbus units.

Guessing (bytes or registers -> what they probably are) is pure and stands apart from listening and asking.
Nothing here writes to a device: a stream is only listened to, a unit only asked with functions that read.
"""
