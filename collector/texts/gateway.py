"""Sentences about the gateway as a whole and the streams on it."""

from collector.texts.sentence import Text

SOURCE_BUG = Text(
    "source.unexpected",
    "The source failed in an unexpected way ({kind}: {message}).",
    "It is tried again by itself. Please report this with the log: sudo journalctl -u collector",
)
LOSING_DEVICE = Text(
    "source.losing.device",
    "The device skipped {lost} samples in the last minute (by its own counter).",
    "Check the USB cable and hub; lower the sample rate if it stays.",
)
LOSING_GARBAGE = Text(
    "source.losing.garbage",
    "Disturbed data: about {lost} samples were thrown away in the last minute.",
    "Check the cable, its shield and the baud rate.",
)
LOSING_OVERRUN = Text(
    "source.losing.overrun",
    "The gateway was too slow for {lost} samples in the last minute.",
    "Lower the sample rate, or the number of streams on this gateway.",
)
LOSING_RECONNECT = Text(
    "source.losing.reconnect",
    "The device was away; about {lost} samples are missing.",
    "Nothing to do if that was on purpose; else check plug and cable.",
)
RECONFIGURED = Text(
    "source.reconfigured",
    "It was configured anew by a reload; about {lost} samples are missing.",
)
LOSING_LATE = Text(
    "source.losing.late",
    "About {lost} samples vanished without a trace.",
    "Check the cable; a device that counts its samples tells exactly.",
)
NO_WINDOWS = Text(
    "source.no-windows",
    "Nothing is published: for {seconds} s no {n} samples came without a gap between them.",
    "Mend what makes the gaps (cable, hub, baud rate), or make the window shorter.",
)
DISTURBED = Text(
    "source.disturbed",
    "Disturbed data: {bytes} bytes of the last minute were no valid data; no sample is known to be lost.",
    "Check the cable, its shield and the baud rate.",
)
RATE_OFF = Text(
    "source.rate-off",
    "The sensor delivers {measured} Hz instead of the configured {nominal} Hz ({percent} %).",
    "If the sensor is set so, write rate_hz = {measured} into its source, in the machine's file.",
)
STUCK = Text(
    "source.stuck",
    "A channel keeps exactly the same value.",
    "Check the sensor: its cable, its power, and that it is not frozen.",
)
CLIPPED = Text(
    "source.clipped",
    "The signal reaches the limit of the sensor.",
    "Use a sensor with a larger range, or mount it elsewhere.",
)
NO_SUCH_SOURCE = Text(
    "gateway.no-such-source",
    "There is no source {name}.",
    "Choose one of: {known}",
)
SEVERAL_SOURCES = Text(
    "gateway.several-sources",
    "The machine {machine} has several sources.",
    "Type one of them: {known}",
)
WHICH_SOURCE = Text(
    "gateway.which-source",
    "Which source is meant?",
    "Type one of them: {known}",
)
STATE_NO_SOURCE = Text(
    "gateway.state-no-source",
    "{name} is computed from what others deliver; it has no source that could be watched.",
    "`collector status` shows it. What the machine's sources deliver is shown by their names: {known}",
)
NOTHING_ARRIVES = Text(
    "gateway.nothing-arrives",
    "{name} delivered nothing within {seconds} s.",
    "See `collector status` for the reason.",
)
NOTHING_CAME = Text(
    "gateway.nothing-came",
    "{name} was opened, and delivered nothing within {seconds} s.",
    "Is the device on, are address, baud rate and wiring right? Watch it longer with --seconds 30.",
)
NOT_RUNNING = Text(
    "gateway.not-running",
    "The collector is not running (nobody answers on {path}).",
    "Start it: sudo systemctl start collector. If it does not stay up: sudo journalctl -u collector",
)
NO_ANSWER = Text(
    "gateway.no-answer",
    "The collector runs, but has not answered within {seconds} s on {path}.",
    "Ask again in a minute. If it stays so, restart it: sudo systemctl restart collector. "
    "The reason may be in: sudo journalctl -u collector",
)
BUSY = Text(
    "gateway.busy",
    "The collector runs, but is busy: too many ask it at the same time, or it is just being stopped.",
    "Ask again in a minute. If it stays so, close other windows and programs that ask it.",
)
ALREADY_RUNNING = Text(
    "gateway.already-running",
    "Another collector is already running on {path}.",
    "Stop it first: sudo systemctl stop collector",
)
SOCKET_FORBIDDEN = Text(
    "gateway.socket-forbidden",
    "You may not ask the collector on {path}.",
    "Put sudo before the command, or add yourself to the group collector.",
)
SOCKET_UNUSABLE = Text(
    "gateway.socket-unusable",
    "The control socket {path} cannot be made: {reason}.",
    "Check socket under [control] in collector.toml.",
)
NOT_A_SOCKET = Text(
    "gateway.not-a-socket",
    "The control socket cannot be made: {path} is there already and is no socket. It was left as it is.",
    "Type another path for socket under [control] in collector.toml.",
)
REQUEST_UNKNOWN = Text("gateway.request-unknown", "The request is not understood.")
REQUEST_FAILED = Text(
    "gateway.request-failed",
    "The collector runs, but made a mistake of its own when it was asked.",
    "Please report it, with what is in: sudo journalctl -u collector",
)
ON_LAST_GOOD = Text(
    "gateway.on-last-good",
    "The configuration has mistakes ({count}); the last good one is in use.",
    "See them with `sudo collector reload`, mend them, and type it again.",
)
RELOAD_REFUSED = Text(
    "gateway.reload-refused",
    "The new configuration has mistakes ({count}); the one before stays in use.",
    "See them with `sudo collector reload`, mend them, and type it again.",
)
NOT_RELOADED = Text(
    "gateway.not-reloaded",
    "Files of the configuration were changed, and the change is not in use yet.",
    "When you are done with it: sudo collector reload",
)
LEFT_BEHIND = Text(
    "gateway.left-behind",
    "The broker still keeps what this gateway said of itself as {name}: messages: {count}.",
    "Only {name} may take them back. Put its name and certificate back, start the collector, change the "
    "name, and restart it. Or leave them: its status says that it is off.",
)
NEEDS_RESTART = Text(
    "gateway.needs-restart",
    "A change of [{table}] takes effect only after a restart; nothing was changed.",
    "sudo systemctl restart collector",
)
STOPPING = Text("gateway.stopping", "The collector is being stopped.", "Start it again, then repeat this.")
DISK_LOW = Text(
    "gateway.disk-low",
    "Only {free_mib} MiB are free on the gateway's disk.",
    "Free some space, or make max_mib smaller under [outbox] in collector.toml.",
)
UNDER_VOLTAGE = Text(
    "gateway.under-voltage",
    "The gateway's power supply is too weak.",
    "Use the power supply made for this computer.",
)
HOT = Text(
    "gateway.hot",
    "The gateway is hot: {temperature} °C.",
    "Give it air, or a heat sink.",
)
CLOCK_UNSET = Text(
    "gateway.clock-unset",
    "The gateway's clock is not synchronised; times may be wrong, and records say so.",
    "Check the network, and `timedatectl`.",
)
OUTBOX_DROPPING = Text(
    "gateway.outbox-dropping",
    "{dropped} records had to be dropped because the outbox was full or too old.",
    "Repair the way to the broker; raise max_mib under [outbox] in collector.toml if the disk has room.",
)
OUTBOX_CORRUPT = Text(
    "gateway.outbox-corrupt",
    "{corrupt} damaged records were found on the disk.",
    "Usually a power cut. If it comes again, replace the SD card.",
)
OUTBOX_REJECTED = Text(
    "gateway.outbox-rejected",
    "The group's store does not take {rejected} records ({reasons}). They are not sent again.",
    "Tell the group's administrator: the store keeps what it could not read. Perhaps this program is too new "
    "or too old for it.",
)
STORE_SILENT = Text(
    "gateway.store-silent",
    "The group's store has confirmed nothing for {minutes} minutes; {pending} records wait.",
    "Ask the group's administrator whether the store runs, and may write receipts for this gateway. "
    "Data is being kept.",
)
STREAM_ADDED = Text("gateway.stream-added", "{name} added")
STREAM_REMOVED = Text("gateway.stream-removed", "{name} removed")
STREAM_CHANGED = Text("gateway.stream-changed", "{name} changed")
STREAM_DESCRIBED = Text("gateway.stream-described", "{name} described anew")
BROKER_CHANGED = Text("gateway.broker-changed", "broker settings changed")
UNCHANGED = Text("gateway.unchanged", "nothing changed")
