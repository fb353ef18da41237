"""Words and sentences about what a machine is doing, and about learning to tell."""

from collector.texts.sentence import Text

# What it is doing
ACTIVITIES = {
    "unknown": Text("state.unknown", "unknown"),
    "off": Text("state.off", "off"),
    "alarm": Text("state.alarm", "alarm"),
    "idle": Text("state.idle", "idle"),
    "turning": Text("state.turning", "turning"),
    "cutting": Text("state.cutting", "cutting"),
}
UNKNOWN, OFF, ALARM, IDLE, TURNING, CUTTING = ACTIVITIES.values()

# Why, by question and answer
ANSWERS = {
    ("on", True): Text("state.why.on", "it is on ({input} is {value})"),
    ("on", False): Text("state.why.off", "it is off ({input} is {value})"),
    ("alarm", True): Text("state.why.alarm", "it has an alarm ({input} is {value})"),
    ("alarm", False): Text("state.why.no-alarm", "it has no alarm ({input} is {value})"),
    ("turning", True): Text("state.why.turning", "the spindle turns ({input} is {value})"),
    ("turning", False): Text("state.why.standing", "the spindle stands ({input} is {value})"),
    ("cutting", True): Text("state.why.cutting", "it cuts ({input} is {value})"),
    ("cutting", False): Text("state.why.no-cut", "it does not cut ({input} is {value})"),
}
WHY_ON, WHY_OFF, WHY_ALARM, WHY_NO_ALARM, *_REST = ANSWERS.values()
WHY_TURNING, WHY_STANDING, WHY_CUTTING, WHY_NO_CUT = _REST
WHY_NO_DATA = Text("state.why.no-data", "nothing fresh and good comes from {input}")
WHY_NO_THRESHOLD = Text("state.why.no-threshold", "what it means that {input} is {value} is not known yet")
WHY_NOT_YET = Text("state.why.not-yet", "nothing has been seen yet")

# What needs attention
NOT_LEARNED = Text(
    "state.not-learned",
    'It is not known from which value of {input} on the answer to "{question}" is yes.',
    "Let it be found: sudo collector learn {machine}. Or write above = … for it in the machine's file.",
)
NO_STATE = Text(
    "state.no-state",
    "Nothing in the file of the machine {machine} says how its state is known.",
    "Write a table [machine.state] into it, as {docs}/commissioning.md shows, and type: "
    "sudo collector reload",
)
NO_STATE_BUT = Text(
    "state.no-state-but",
    "Nothing in the file of the machine {machine} says how its state is known.",
    "Write a table [machine.state] into it, as {docs}/commissioning.md shows, and type: "
    "sudo collector reload. Machines that have one: {known}",
)
NOT_RELOADED = Text(
    "state.not-reloaded",
    "The running collector does not have [machine.state] of {machine} as its file says it now.",
    "sudo collector reload",
)
NO_INPUT = Text(
    "state.no-input",
    'Nothing has been heard of {input}, which tells "{question}".',
    "See whether its source is working, and compare the name with `collector test`.",
)
STUMBLED = Text(
    "state.unexpected",
    "Telling the machine's state failed in an unexpected way ({kind}).",
    "Please report this with the log: sudo journalctl -u collector",
)
