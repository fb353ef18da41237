"""What a serial port makes of bytes that were sent at another speed: start, data and stop bits."""


def received(data: bytes, sent_baud: float, heard_baud: float) -> bytes:
    """The bytes that a receiver makes of a line on which `data` is sent without a pause.

    As a real one does, it waits for a falling edge, looks at each bit in its middle, and where there is no
    stop bit, waits until the line is idle again.
    """
    if sent_baud == heard_baud:
        return data
    line = [1]
    for octet in data:
        line += [0, *(octet >> bit & 1 for bit in range(8)), 1]
    step = sent_baud / heard_baud
    """How many bits of the sender pass in one of the receiver."""

    def level(at: float) -> int:
        return line[int(at)] if at < len(line) else 1

    out = bytearray()
    at = 0.0
    while at < len(line):
        if level(at):
            at = int(at) + 1.0
            continue
        if level(at + step / 2):  # too short for a start bit
            at = int(at) + 1.0
            continue
        out.append(sum(level(at + step * (bit + 1.5)) << bit for bit in range(8)))
        at += step * 9.5
        while at < len(line) and not level(at):
            at = int(at) + 1.0
    return bytes(out)
