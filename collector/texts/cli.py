"""Words and sentences of the command line."""

from collector.texts.sentence import Text

# check, reload
CONFIGURATION_GOOD = Text(
    "cli.configuration-good", "The configuration is good. Machines: {machines}, sources: {sources}."
)
CONFIGURATION_REMARKS = Text(
    "cli.configuration-remarks",
    "The configuration can be used, but look at what stands above. Machines: {machines}, sources: {sources}.",
)
RELOADED = Text("cli.reloaded", "The new configuration is in use.")
WHAT_TO_DO = Text("cli.what-to-do", "What to do: {advice}")
INTERNAL = Text(
    "cli.internal",
    "The collector made a mistake of its own ({kind}: {message}).",
    "Please report it. For the whole trace, run it again with COLLECTOR_DEBUG=1 before the command.",
)
# any command
NO_COMMAND = Text(
    "cli.no-command", '"{group}" has no command "{name}".', "{group} --help lists what there is."
)
NO_COMMAND_BUT = Text(
    "cli.no-command-but",
    '"{group}" has no command "{name}".',
    'Type "{group} {near}"; {group} --help lists what there is.',
)
# status
HEALTHY = Text("cli.status.healthy", "everything is working")
DEGRADED = Text("cli.status.degraded", "needs attention")
RUNNING_FOR = Text("cli.status.running-for", "collector {version}, running for {duration}")
STATES = {
    "ok": Text("cli.state.ok", "ok"),
    "starting": Text("cli.state.starting", "starting"),
    "finished": Text("cli.state.finished", "finished"),
    "degraded": Text("cli.state.degraded", "attention"),
    "failed": Text("cli.state.failed", "failed"),
}
STATE_OK, STATE_STARTING, STATE_FINISHED, STATE_DEGRADED, STATE_FAILED = STATES.values()
CONFIGURATION = Text("cli.part.configuration", "configuration")
BROKER = Text("cli.part.broker", "broker")
OUTBOX = Text("cli.part.outbox", "outbox")
GATEWAY = Text("cli.part.gateway", "gateway")
NOT_RELOADED = Text("cli.status.not-reloaded", "the files were changed {duration} ago and are not in use")
BROKER_FACTS = Text("cli.status.broker", "{address}, {confirmed} records delivered")
BROKER_AWAY_FACTS = Text(
    "cli.status.broker-away", "{address}, not connected for {duration}, {confirmed} records delivered"
)
OUTBOX_EMPTY = Text("cli.status.outbox-empty", "nothing waits")
OUTBOX_WAITING = Text("cli.status.outbox-waiting", "{pending} records wait, {oldest}")
OLDEST_FOR = Text("cli.status.oldest-for", "the oldest for {age}")
OLDEST_UNDATED = Text(
    "cli.status.oldest-undated", "the oldest for an unknown time: the clock was not synchronised"
)
OUTBOX_AWAITING = Text("cli.status.outbox-awaiting", "{awaiting} of them for the store's receipt")
OUTBOX_ROOM = Text("cli.status.outbox-room", "room for {hours} hours without a broker")
OUTBOX_HARDLY_ROOM = Text("cli.status.outbox-hardly-room", "room for less than an hour without a broker")
CLOCK_SET = Text("cli.status.clock-set", "clock synchronised")
CLOCK_NOT_SET = Text("cli.status.clock-not-set", "clock NOT synchronised")
DISK_FREE = Text("cli.status.disk-free", "{free} GiB free")
TEMPERATURE = Text("cli.status.temperature", "{temperature} °C")
SOURCE = Text("cli.column.source", "source")
STATE = Text("cli.column.state", "state")
SINCE = Text("cli.column.since", "since")
LAST_DATA = Text("cli.column.last-data", "last data")
RATE = Text("cli.column.rate", "rate / configured")
MEASURED = Text("cli.column.measured", "rate")
WINDOWS = Text("cli.column.windows", "windows")
LOST = Text("cli.column.lost", "lost")
MACHINE = Text("cli.column.machine", "machine")
DOING = Text("cli.column.doing", "what it does")
BECAUSE = Text("cli.column.because", "because")
NEVER = Text("cli.never", "never")
UNCHANGED = Text("cli.unchanged", "unchanged")
AGO = Text("cli.ago", "{duration} ago")
ABOUT = Text("cli.about", "about {number}")
NOTHING_SINCE = Text(
    "cli.status.nothing-since", "It has delivered nothing for {duration}; before that it did."
)
NOTHING_YET = Text("cli.status.nothing-yet", "It has delivered nothing since the start, {duration} ago.")
NOTHING_SINCE_RELOAD = Text(
    "cli.status.nothing-since-reload",
    "It has delivered nothing since it was added or configured anew, {duration} ago.",
)
NEXT_TRY = Text("cli.status.next-try", "Next try in {duration}.")
LAST_ERROR = Text("cli.status.last-error", "Last error, {duration} ago: {error}")
# test
TESTED = Text(
    "cli.test.tested", "{name}: {samples} samples in {seconds} s; measured {rate} Hz, configured {nominal} Hz"
)
THROUGH_DAEMON = Text(
    "cli.test.through-daemon", "(watched through the running collector, which holds the source)"
)
BAD_BYTES = Text("cli.test.bad-bytes", "{bytes} bytes were no valid data; {lost} samples lost")
CHANNEL = Text("cli.column.channel", "channel")
UNIT = Text("cli.column.unit", "unit")
MEAN = Text("cli.column.mean", "mean")
RMS = Text("cli.column.rms", "rms")
LEAST = Text("cli.column.least", "least")
GREATEST = Text("cli.column.greatest", "greatest")
LAST_SAMPLES = Text("cli.column.last-samples", "last samples")
# controllers, in status and test
CONTROLLER = Text("cli.column.controller", "controller")
GOOD_POINTS = Text("cli.column.good-points", "good / points")
READINGS = Text("cli.column.readings", "readings")
WITHHELD = Text("cli.column.withheld", "not shared")
POINT = Text("cli.column.point", "point")
VALUE = Text("cli.column.value", "value")
QUALITY = Text("cli.column.quality", "quality")
AGE = Text("cli.column.age", "age")
LATENCY = Text("cli.column.latency", "answer in")
PLACE = Text("cli.column.place", "where it stands")
RAW = Text("cli.column.raw", "raw")
SHARED = Text("cli.column.shared", "leaves")
POINTS_TESTED = Text("cli.test.points-tested", "{name}: said something {arrivals} times in {seconds} s")
QUALITIES = {
    "good": Text("cli.quality.good", "good"),
    "uncertain": Text("cli.quality.uncertain", "uncertain"),
    "bad": Text("cli.quality.bad", "bad"),
    "stale": Text("cli.quality.stale", "stale"),
}
QUALITY_GOOD, QUALITY_UNCERTAIN, QUALITY_BAD, QUALITY_STALE = QUALITIES.values()
SHARES = {
    "none": Text("cli.share.none", "no"),
    "pseudonym": Text("cli.share.pseudonym", "as a pseudonym"),
    "plain": Text("cli.share.plain", "yes"),
}
SHARE_NONE, SHARE_PSEUDONYM, SHARE_PLAIN = SHARES.values()
# browse, trust
BROWSE_NO_NODE = Text(
    "cli.browse.no-node",
    "The server has no node {start}.",
    "Leave --start out to see all. A path begins with a slash, as in /Mill; names are case-sensitive.",
)
BROWSE_NOTHING = Text(
    "cli.browse.nothing",
    'No node has "{find}" in its path.',
    "Leave --find out to see all.",
)
BROWSE_STANDARD = Text(
    "cli.browse.standard",
    'This machine follows OPC 40501-1: with profile = "opc-40501-1" instead of points, spindles, channels '
    "and program are found by themselves.",
)
BROWSE_MANY = Text(
    "cli.browse.many",
    "These are {points} points. With --find only those with a certain word are shown.",
)
BROWSE_PASTE = Text(
    "cli.browse.paste", "To paste into the machine's file, without the points that you do not need:"
)
NOT_AN_OPCUA_URL = Text(
    "cli.not-an-opcua-url",
    "{url} is not the address of an OPC UA server.",
    "It looks like opc.tcp://192.168.0.10:4840",
)
TRUST_FINGERPRINT = Text("cli.trust.fingerprint", "{url} shows the certificate\n  SHA-256 {fingerprint}")
TRUST_SAME = Text("cli.trust.same", "Does the controller itself show the same fingerprint?")
TRUST_REFUSED = Text(
    "cli.trust.refused",
    "The certificate is not trusted; nothing was changed.",
    "Ask who looks after the controller which certificate it has.",
)
TRUSTED = Text("cli.trust.trusted", "Trusted from now on ({file}). No other certificate is accepted.")
# outbox
OUTBOX_WAITS = Text("cli.outbox.waits", "{records} records wait, {size} MiB on disk; {oldest}")
OUTBOX_FOR = Text("cli.outbox.for", "for the broker: {broker}, for the store's receipt: {store}")
OUTBOX_IN_MEMORY = Text("cli.outbox.in-memory", "in memory")
OUTBOX_SETTLED = Text(
    "cli.outbox.settled", "of those on disk, delivered already and taken out soon: {records}"
)
OUTBOX_STOPPED = Text("cli.outbox.stopped", "the collector is not running; this is what is on disk")
OUTBOX_REJECTED = Text("cli.outbox.rejected", "rejected by the store since the start: {records} ({reasons})")
OUTBOX_LOST = Text("cli.outbox.lost", "given up ({cause}), and not heard of yet: {records} of {epoch}")
EPOCH = Text("cli.column.epoch", "run")
RECORDS = Text("cli.column.records", "records")
MEBIBYTES = Text("cli.column.mebibytes", "MiB")
NUMBERS = Text("cli.column.numbers", "numbers")
OLDEST = Text("cli.column.oldest", "oldest")
UNKNOWN = Text("cli.unknown", "unknown")
EXPORTED = Text("cli.outbox.exported", "{records} records copied to {file}; they still wait to be sent.")
EXPORT_EXISTS = Text(
    "cli.outbox.export-exists", "{file} is there already.", "Type another file, or remove this one first."
)
EXPORT_UNWRITABLE = Text(
    "cli.outbox.export-unwritable",
    "{file} cannot be written: {reason}.",
    "Type a file in a folder where you may write, such as /tmp.",
)
PURGE_SURE = Text(
    "cli.outbox.purge-sure",
    "Delete everything that waits? It will reach nobody; `collector outbox export` makes a copy first.",
)
PURGE_CANCELLED = Text("cli.outbox.purge-cancelled", "Nothing was deleted.")
PURGE_OTHER_USER = Text(
    "cli.outbox.purge-other-user",
    "The files in {path} belong to another user; nothing was deleted.",
    "Type: sudo -u collector collector outbox purge",
)
PURGED_NOTHING = Text("cli.outbox.purged-nothing", "Nothing waits, so nothing was deleted.")
PURGED = Text("cli.outbox.purged", "{records} records deleted. That they are missing is published.")
TRUST_PROTECT = Text(
    "cli.trust.protect",
    'To protect the connection, too, write beside its url: security = "sign-and-encrypt"',
)
# demo
DEMO_INSTALL = Text(
    "cli.demo.install",
    "The demo needs the package amqtt.",
    "pip install 'collector[demo]'",
)
DEMO_TRY = Text("cli.demo.try", "Try in another terminal (mosquitto_sub is in Debian's mosquitto-clients):")
DEMO_END = Text("cli.demo.end", "{records} records received; the demo has ended.")
DEMO_WAITING = Text("cli.demo.waiting", "waiting for the first window …")
DEMO_SPECTRUM = Text("cli.demo.spectrum", "Spectrum of {channel}, rms in {unit}")
DEMO_CONTEXT = Text("cli.demo.context", "machine")
DEMO_IN_WINDOW = Text("cli.demo.in-window", "in window")
DEMO_PROGRAM = Text("cli.demo.program", "program")
DEMO_TOOL = Text("cli.demo.tool", "tool")
DEMO_SPEED = Text("cli.demo.speed", "/min")
DEMO_LOAD = Text("cli.demo.load", "load %")
DEMO_POWER = Text("cli.demo.power", "W")
DEMO_PEAKS = Text("cli.demo.peaks", "strongest peaks")
# features
FEATURES_HEAD = Text("cli.features.head", "Features, and the channels of each stream that have them")
FEATURES_NONE = Text("cli.features.none", "Features; the configuration has no stream with windows")
FEATURES_MEANINGS = Text(
    "cli.features.meanings",
    "What each of them means: collector features STREAM, or {docs}/features.md. To choose: groups in "
    "[waveforms.features].",
)
FEATURES_NO_STREAM = Text(
    "cli.features.no-stream",
    'There is no stream "{name}" with windows.',
    "Type one of: {known}; or no name, to see all of them.",
)
FEATURE = Text("cli.column.feature", "feature")
FEATURE_GROUP = Text("cli.column.group", "group")
FEATURE_MEANING = Text("cli.column.meaning", "what it means")
FIRST_SET = Text("cli.features.first-set", "first set")
ALL_CHANNELS = Text("cli.features.all-channels", "all")
