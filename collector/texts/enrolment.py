"""Sentences about joining the group, on the gateway and elsewhere."""

from collector.texts.sentence import Text

NO_ENROLMENT = Text(
    "enrolment.none",
    "This file is no enrolment.",
    "Take the file as the group's administrator sent it, unchanged; it ends in .enrolment",
)
EXPIRED = Text(
    "enrolment.expired",
    "The enrolment of {member} ended on {date}.",
    "Ask the group's administrator for a new one. If this computer has a wrong date (timedatectl), set it.",
)
WRONG_SECRET = Text(
    "enrolment.wrong-secret",
    "The secret does not open the enrolment of {member}.",
    "Type the secret that the group's administrator told you for this very file. If it is right, the file "
    "was changed on its way: ask for a new one.",
)
NEWER = Text(
    "enrolment.newer",
    "The enrolment of {member} is of a version that this program does not know.",
    "Install the newest version of the collector, then type the command again.",
)
NO_REQUEST = Text(
    "enrolment.no-request",
    "This file is no request for a certificate.",
    "Take the file that `collector enroll --request` made, unchanged; it ends in .request",
)
FILE_OR_REQUEST = Text(
    "enrolment.file-or-request", "Name the enrolment that you were sent, or --request NAME."
)
ASK_SECRET = Text("enrolment.ask-secret", "Enrolment of {member}. The secret that you were told")
REQUEST_NAME = Text(
    "enrolment.request-name",
    "{name} does not tell whom the request is for.",
    "For a gateway: --request COMPANY/GATEWAY. For others: --request NAME --as ingester, or --as researcher",
)
REQUEST_MADE = Text(
    "enrolment.request-made",
    "The key was made and stays here. The request is {file}\nIts fingerprint: {fingerprint}",
    "Send the request to the group's administrator, and read the fingerprint out by phone. Nothing in it is "
    "secret. You get an enrolment back: sudo collector enroll FILE",
)
KEY_ELSEWHERE = Text(
    "enrolment.key-elsewhere",
    "The key of this enrolment is not in {folder}.",
    "Type the command on the computer, and with the folder, where the request was made; or ask for a new "
    "enrolment.",
)
KEY_UNUSABLE = Text(
    "enrolment.key-unusable",
    "The file {file} holds no key that can be used.",
    "Move it away and make another request: collector enroll --request NAME",
)
FILE_UNUSABLE = Text(
    "enrolment.file-unusable",
    "The file {file} cannot be used: {reason}.",
    "Check its name. If permission is missing, type sudo before the command.",
)
ANOTHER_NAME = Text(
    "enrolment.another-name",
    "This gateway is {present}. Is it to be {new} from now on, and send its data as such?",
)
NOTHING_CHANGED = Text(
    "enrolment.nothing-changed",
    "Nothing was changed.",
    "Take the enrolment that is meant for this gateway.",
)
INSTALLED = Text("enrolment.installed", "Certificate and key are in {folder}, readable by their owner alone.")
CONFIGURED = Text(
    "enrolment.configured", "{file} names the group's broker now. What it was before is kept: {backup}"
)
CONFIGURED_ALREADY = Text("enrolment.configured-already", "{file} needed no change.")
PASTE = Text(
    "enrolment.paste",
    "{file} was not changed, since it could not be done safely.",
    "Put these lines into it yourself, in place of those that are like them; then: collector check",
)
CONFIGURATION_MADE = Text("enrolment.configuration-made", "{file} was made.")
FOR_PROGRAMS = Text(
    "enrolment.for-programs",
    "It may read, live, the data of: {companies}; topics begin with {root}. How to reach the broker:",
)
CONNECTED = Text("enrolment.connected", "The broker at {host}:{port} lets it in.")
NO_CONNECTION = Text(
    "enrolment.no-connection",
    "Everything is in its place, but the broker cannot be used yet: {reason}",
    "{advice} To try again, type the same command once more.",
)
START = {
    "gateway": Text(
        "enrolment.start-gateway",
        "Ready.",
        "Start it: sudo systemctl enable --now collector. Then look: sudo -u collector collector status",
    ),
    "ingester": Text(
        "enrolment.start-ingester",
        "Ready.",
        "Start it: sudo systemctl enable --now collector-store. Then look: "
        "sudo -u collector-store collector store status",
    ),
    "researcher": Text("enrolment.start-researcher", "Ready."),
}
START_GATEWAY, START_INGESTER, START_RESEARCHER = START.values()
RESTART = {
    "gateway": Text(
        "enrolment.restart-gateway",
        "The collector is running with what it had before.",
        "Let it take the new: sudo systemctl restart collector, then: sudo -u collector collector status",
    ),
    "ingester": Text(
        "enrolment.restart-ingester",
        "A running ingester still has what it had before.",
        "Let it take the new: sudo systemctl restart collector-store, then: "
        "sudo -u collector-store collector store status",
    ),
    "researcher": Text("enrolment.restart-researcher", "Programs take the new files when they start."),
}
RESTART_GATEWAY, RESTART_INGESTER, RESTART_RESEARCHER = RESTART.values()
DELETE_FILE = Text("enrolment.delete-file", "The enrolment is of no use any more: delete {file}")
