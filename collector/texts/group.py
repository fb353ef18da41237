"""Sentences of the commands that run the group."""

from collector.texts.sentence import Text

# The folder
NO_GROUP = Text(
    "group.none",
    "There is no group in {folder}.",
    "Name its folder with --group FOLDER, or begin one: collector group init {folder} --host BROKER",
)
EXISTS = Text(
    "group.exists",
    "There is a group in {folder} already; nothing was changed.",
    "See who belongs to it: collector group list. To begin another one, name another folder.",
)
DAMAGED = Text(
    "group.damaged",
    "The file {file} is damaged.",
    "Put back the copy of the folder that you keep in a safe place.",
)
FOLDER_UNUSABLE = Text(
    "group.folder-unusable",
    "The folder {folder} cannot be used: {reason}.",
    "Type sudo before the command, or name a folder of yours with --group FOLDER.",
)
FOLDER_USED = Text(
    "group.folder-used",
    "The folder {folder} holds other files.",
    "Name a folder of its own, which need not be there yet: collector group init FOLDER --host BROKER",
)
# Names
BAD_NAME = Text(
    "group.bad-name",
    "{name} cannot be a name here.",
    "Take small letters a to z, digits and hyphens only, at most 64.",
)
RESERVED_NAME = Text(
    "group.reserved-name",
    "The name {name} has a meaning of its own here.",
    "Choose another one.",
)
LONG_NAME = Text(
    "group.long-name",
    "The name {name} is too long for a certificate.",
    "Choose shorter names: those of a company and its gateway may have {most} letters together.",
)
BAD_HOST = Text(
    "group.bad-host",
    "{host} is no name or address of a computer.",
    "Take the broker's name alone, such as broker.example.org, or its address.",
)
BAD_ROOT = Text(
    "group.bad-root",
    "Topics cannot begin with {root}.",
    "Leave --root out to take shopfloor/v1; or take small letters, digits and hyphens, with / between.",
)
NAME_TAKEN = Text(
    "group.name-taken",
    "{name} belongs to the group already; nothing was changed.",
    "For a new certificate: collector group renew {name}. To begin anew, take the old ones back first: "
    "collector group revoke {name}",
)
NO_COMPANY = Text(
    "group.no-company",
    "No company of the group is called {name}.",
    "Add it: collector group add-company {name}. Those there are: {known}",
)
NO_MEMBER = Text(
    "group.no-member",
    "Nobody in the group is called {name}.",
    "Choose one of: {known}",
)
NO_RESEARCHER = Text(
    "group.no-researcher",
    "{name} is no researcher.",
    "Only what a researcher may read can be chosen. Those there are: {known}",
)
ALL_REVOKED = Text(
    "group.all-revoked",
    "Every certificate of {name} has been taken back.",
    "To let it in again, add it again, under the same name or another one.",
)
# What was done
MADE = Text(
    "group.made",
    "The group is in {folder}. Keep a copy of it in a safe place: whoever has it can be anybody.",
)
README = Text(
    "group.readme",
    """This folder is the group. Only the commands `collector group` change it.

register.json   who belongs to the group
authorities     the keys that make certificates: whoever has them can be anybody
enrolments      sealed files for new members; delete each when it has been used
broker          what mosquitto reads; made again by: collector group apply

Keep a copy of all of it in a safe place, after every change.
""",
)
COMPANY_ADDED = Text("group.company-added", "The company {name} belongs to the group.")
LINK = Text(
    "group.link",
    "mosquitto's configuration is {configuration}",
    "On this computer, with Debian's mosquitto: sudo ln -s {configuration} "
    "/etc/mosquitto/conf.d/collector-group.conf && sudo systemctl restart mosquitto",
)
HOST_MISSING = Text(
    "group.host-missing",
    "The broker needs a name that its members can reach.",
    "Name it: collector group init FOLDER --host broker.example.org (an address does as well)",
)
ENROLMENT = Text(
    "group.enrolment",
    "The enrolment of {name} is {file}\nIt can be used until {date}.",
    "Send it, for example by mail. There it is installed with: sudo collector enroll FILE",
)
SECRET = Text(
    "group.secret",
    "The secret that opens it: {secret}",
    "Tell it by another way, for example by phone. It is not kept and not shown again.",
)
FINGERPRINT = Text(
    "group.fingerprint",
    "The key was made elsewhere. Its fingerprint: {fingerprint}",
    "Compare it by phone with what the other side was shown, before you send anything.",
)
REQUEST_UNREADABLE = Text(
    "group.request-unreadable",
    "The request {file} cannot be read: {reason}.",
    "Name the file that you were sent; it ends in .request",
)
BROKER_TOLD = Text("group.broker-told", "The running broker has been told.")
TELL_BROKER = Text(
    "group.tell-broker",
    "The broker does not know it yet.",
    "If it runs on this computer: sudo systemctl reload mosquitto. If on another one, copy the folder broker "
    "there first.",
)
BROKER_RENEWED = Text("group.broker-renewed", "The broker has a new certificate for {hosts}, until {date}.")
REVOKED = Text(
    "group.revoked",
    "{name} has no certificate and no rights any more.",
    "A connection that it has stays open, without rights. To end it too: sudo systemctl restart mosquitto. "
    "All others come back by themselves.",
)
WAS_REVOKED = Text(
    "group.was-revoked",
    "{name} was shut out before. A connection from then may still be open, and would have its rights again.",
    "If you have not done it since: sudo systemctl restart mosquitto. All others come back by themselves.",
)
MAY_READ = Text("group.may-read", "{name} may read the data of: {companies}")
APPLIED = Text("group.applied", "Everything in {folder} was made again.")
WITHOUT_GATEWAYS = Text("group.without-gateways", "Companies without a gateway: {names}")
# list
MEMBER = Text("cli.column.member", "member")
KIND = Text("cli.column.kind", "kind")
MAY = Text("cli.column.may", "may")
UNTIL = Text("cli.column.until", "until")
BROKER = Text("cli.kind.broker", "broker")
KINDS = {
    "gateway": Text("cli.kind.gateway", "gateway"),
    "ingester": Text("cli.kind.ingester", "ingester"),
    "researcher": Text("cli.kind.researcher", "researcher"),
}
KIND_GATEWAY, KIND_INGESTER, KIND_RESEARCHER = KINDS.values()
MAY_WRITE = Text("cli.may.write", "write {topic}")
MAY_INGEST = Text("cli.may.ingest", "read all, write receipts")
MAY_READ_OF = Text("cli.may.read", "read {companies}")
TAKEN_BACK = Text("cli.until.taken-back", "taken back")
ENDED = Text("cli.until.ended", "ended on {date}")
ENDS_SOON = Text("cli.until.ends-soon", "{date}, in {days} days")
