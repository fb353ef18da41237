"""What `collector share` says of each field that leaves the gateway: what it holds, and why it leaves."""

from collector.texts.sentence import Text

# Headings
RECORD = Text("share.column.record", "record")
FIELD = Text("share.column.field", "field")
SENT = Text("share.column.sent", "what is sent")
WHY = Text("share.column.why", "why")
HEAD = Text("share.head", "{name} sends to {topic}/…")
GATEWAY_HEAD = Text("share.gateway-head", "The gateway itself sends to {topic}/…")
NOTHING_ELSE = Text("share.nothing-else", "Nothing else leaves this gateway. Raw samples never do.")
EVERY_FIELD = Text("share.every-field", "Every field in a line of its own: collector share {stream} --all")
NO_SUCH_STREAM = Text("share.no-such-stream", "There is no stream {name}.", "Choose one of: {known}")

# What is sent
NUMBERING = Text("share.sent.numbering", "number, time and clock of the record")
WINDOW = Text("share.sent.window", "where the window lies, its rate, and its quality")
VALUES = Text("share.sent.values", "computed numbers: {names}")
AS_IT_IS = Text("share.sent.as-it-is", "as it is")
PSEUDONYM = Text("share.sent.pseudonym", "a pseudonym of {length} letters and digits instead of the text")
NOTHING = Text("share.sent.nothing", "nothing")
ITS_NAME = Text("share.sent.its-name", "its name {name}, and that it is not shared")
FOUND_LATER = Text("share.sent.found-later", "numbers and states as they are, of texts nothing")
DEFINITIONS = Text("share.sent.definitions", "definitions of: {names}")
GAPS = Text("share.sent.gaps", "from when to when samples are missing, how many, and by which kind of cause")
ALARMS = Text("share.sent.alarms", "the code and the sentence of what is wrong, with its places left open")
PERIOD = Text("share.sent.period", "from when to when, and how far the controller's clock is off")
CHANGES = Text("share.sent.changes", "name, value, value before and quality of a state or shared text")
STATE_CHANGES = Text(
    "share.sent.state-changes", "what the machine does from now on and did before, and what told it: {inputs}"
)
UTILISATION = Text("share.sent.utilisation", "how long the machine was in each state, by hour and by shift")
CUTS = Text(
    "share.sent.cuts", "of each cut: its times, {names} summed up over its windows, and their context"
)
RESTARTS = Text(
    "share.sent.restarts", "starts of the program, steps of the clock, and records that were lost"
)
STATUS = Text(
    "share.sent.status",
    "state, counts and times of every source, machine and of the outbox; codes of problems",
)

# Why
TO_COUNT = Text("share.why.to-count", "so that a missing record is noticed, and times can be trusted")
TO_EVALUATE = Text("share.why.to-evaluate", "this is what the group evaluates")
CONFIGURED = Text("share.why.configured", "it stands in the machine's file under {table}")
POINT_LISTED = Text(
    "share.why.point-listed", "the machine's file lists the point, or the profile that it names"
)
TO_UNDERSTAND = Text(
    "share.why.to-understand", "so that the numbers can be understood; the same for everyone"
)
KIND_OF_SOURCE = Text(
    "share.why.kind-of-source", "what kind of source it is; neither its port nor its address"
)
USUAL_NUMBER = Text("share.why.usual-number", 'numbers leave unless they have share = "none"')
USUAL_STATE = Text("share.why.usual-state", 'states leave unless they have share = "none"')
USUAL_TEXT = Text(
    "share.why.usual-text", 'texts stay unless they have share = "pseudonym" or share = "plain"'
)
SAID_SO = Text("share.why.said-so", 'it has share = "{share}"')
FOUND = Text("share.why.found", "points that are found once the controller was connected")
TO_KNOW_HOLES = Text("share.why.to-know-holes", "so that a hole in the data is known as one")
TO_HELP = Text("share.why.to-help", "so that the group sees that something needs attention")
