"""What `collector learn` says while someone lets it watch a machine."""

from collector.texts.sentence import Text

INTRO = Text(
    "cli.learn.intro",
    "What {machine} is doing is learned from: {inputs}.",
    "Let it do one thing at a time, without a pause, and say which. Nothing is written before you agree.",
)
ASK_ACTIVITY = Text("cli.learn.ask-activity", "What does it do now? {known} (Enter: that is all)")
NO_ACTIVITY = Text(
    "cli.learn.no-activity", '"{found}" is nothing that a machine is watched at.', "Type one of: {known}"
)
WATCHING = Text("cli.learn.watching", "Watching for {seconds} s. Let it go on: {activity}.")
SEEN = Text("cli.learn.seen", "{activity}: {input} from {low} to {high}, values: {count}")
SEEN_NOTHING = Text(
    "cli.learn.seen-nothing",
    "{activity}: not one good value of {input} came",
    "`collector status` tells whether its source works.",
)
SEEN_TOO_SHORT = Text(
    "cli.learn.seen-too-short",
    "{activity}: not one value of {input} came: from one to the next it takes {step} s.",
    "Watch for longer: --seconds {enough}",
)
ASK_MORE = Text(
    "cli.learn.ask-more",
    "These are too few values, {least} are needed. Does it go on with this: {activity}? Watch it once more?",
)
FOUND = Text(
    "cli.learn.found",
    '"{question}" is yes from {above} on and no below {below} of {input}; {right} % of the values are right.',
)
NOW = Text("cli.learn.now", '"{question}" so far: yes from {above} on, no below {below} of {input}.')
MISSING = Text(
    "cli.learn.missing",
    'To learn "{question}" from {input}, it must still be watched while it is: {activities}.',
    "Type this once more while it does that.",
)
TOO_FEW = Text(
    "cli.learn.too-few",
    'For "{question}" too little of {input} was watched, values: {count}; {least} are needed.',
    "Watch it once more while it does the same: what was watched before counts, too.",
)
INSEPARABLE = Text(
    "cli.learn.inseparable",
    '"{question}" cannot be told from {input}: {right} % of the values would be right, {least} are needed.',
    "Take another point or feature (rms of the direction in which it vibrates most, the spindle's current), "
    "or begin anew with --forget, and let the machine do one thing without a pause.",
)
NOTHING_TO_LEARN = Text(
    "cli.learn.nothing",
    "The file of the machine {machine} leaves nothing to learn: it has all thresholds.",
    "Leave above and below out of [machine.state] to have them found.",
)
ASK_WRITE = Text("cli.learn.ask-write", "Write it?")
ASK_REPLACE = Text("cli.learn.ask-replace", "Replace what was learned before?")
NOT_WRITTEN = Text("cli.learn.not-written", "Nothing was written. What was watched is kept.")
HOW_TO_WRITE = Text("cli.learn.how-to-write", "To write it: sudo collector learn {machine} --write")
WRITTEN = Text("cli.learn.written", "Written to {file}. Let it take effect: sudo collector reload")
STANDS_ALREADY = Text(
    "cli.learn.stands-already",
    "{file} has a threshold for {questions} already; it was left as it is.",
    "To replace it: sudo collector learn {machine} --write --replace",
)
FORGOTTEN = Text("cli.learn.forgotten", "What was watched so far is forgotten.")
UNWRITABLE = Text(
    "cli.learn.unwritable",
    "{file} cannot be written: {reason}.",
    "Put sudo before the command.",
)
NO_SUCH_MACHINE = Text(
    "cli.learn.no-such-machine", "There is no machine {machine}.", "Choose one of: {known}"
)
NO_RECORDING = Text(
    "cli.learn.no-recording",
    "The machine {machine} has no recording.",
    'One with kind = "replay" is needed; without --recording the running collector is watched.',
)
SPANS_UNREADABLE = Text("cli.learn.spans-unreadable", "{file} cannot be read: {reason}.", "Check its name.")
SPAN_WRONG = Text(
    "cli.learn.span-wrong",
    "Line {line} of {file} is none that tells what the machine did.",
    "Write it like this: cutting,12.5,40 (from and to in seconds). Possible are: {known}",
)
FILE_HEAD = Text(
    "cli.learn.file-head",
    "# Written by: collector learn {machine}\n# The machine's own file goes before what stands here.\n",
)
