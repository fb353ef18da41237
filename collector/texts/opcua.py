"""Sentences about controllers with OPC UA: the connection, certificates, nodes, and keys that do not fit."""

from collector.texts.sentence import Text

# The connection

REFUSED = Text(
    "source.opcua.refused",
    "Nothing answers at {url}.",
    "See that the machine is on. Check address and port, and that OPC UA is switched on at the controller.",
)
NAME_UNKNOWN = Text(
    "source.opcua.name-unknown",
    "There is no computer with the name in {url}.",
    "Write the controller's IP address into url of its source, in the machine's file, as in "
    "opc.tcp://192.168.0.10:4840",
)
NOT_REACHED = Text(
    "source.opcua.not-reached",
    "The server at {url} cannot be reached: {reason}.",
    "Check the network cable and that the controller is on. It is tried again by itself.",
)
NO_ANSWER = Text(
    "source.opcua.no-answer",
    "The server at {url} did not answer within {seconds} s.",
    "See that the machine is on, and its network cable is in. It is tried again by itself; if it stays so, "
    "restart the controller's OPC UA server.",
)
SILENT = Text(
    "source.opcua.silent",
    "The server at {url} is connected, but its clock has not moved for {seconds} s.",
    "It is connected anew by itself. If it stays so, restart the controller's OPC UA server.",
)
NOT_PUBLISHING = Text(
    "source.opcua.not-publishing",
    "The server at {url} answers, but has sent nothing for {seconds} s.",
    'It is connected anew by itself. If it comes again, write mode = "polling" into its source, in the '
    "machine's file.",
)
SUBSCRIPTION_ENDED = Text(
    "source.opcua.subscription-ended",
    "The server at {url} ended what it was to send: {status}.",
    "It is connected anew by itself.",
)
NOT_UNDERSTOOD = Text(
    "source.opcua.not-understood",
    "The server at {url} answers something else than OPC UA should: {reason}.",
    "Check that url of its source, in the machine's file, is the address of an OPC UA server.",
)
STATUS = Text(
    "source.opcua.status",
    "The server at {url} refuses: {status}.",
    "Look the name of the error up in the controller's manual. It is tried again by itself.",
)
TOO_MANY_SESSIONS = Text(
    "source.opcua.too-many-sessions",
    "The server at {url} has no free session: {status}.",
    "Close other programs that are connected to it. It is tried again by itself.",
)
NO_ENDPOINT = Text(
    "source.opcua.no-endpoint",
    'The server at {url} does not offer security = "{security}".',
    "It offers: {offered}. Switch it on at the controller, or change security of its source, in the "
    "machine's file.",
)

# Who we are

USER_REFUSED = Text(
    "source.opcua.user-refused",
    "The server at {url} does not accept this user: {status}.",
    "Check user of its source, in the machine's file, and the password in its file, and that the user may "
    "read at the controller.",
)
PASSWORD_IN_CLEAR = Text(
    "source.opcua.password-in-clear",
    "The server at {url} would take the password only unencrypted.",
    'It was not sent. Write security = "sign-and-encrypt" into its source, in the machine\'s file, and '
    "switch that on at the controller.",
)
SECRET_UNREADABLE = Text(
    "source.opcua.secret-unreadable",
    "The file {file} cannot be read: {reason}.",
    "Check its path, and that the user that collector runs as may read it.",
)
SECRET_UNUSABLE = Text(
    "source.opcua.secret-unusable",
    "The file {file} is not what it should be: {reason}.",
    "A password file holds one line of text; certificates and keys are PEM files, keys without a passphrase.",
)
GATEWAY_NOT_TRUSTED = Text(
    "source.opcua.gateway-not-trusted",
    "The server at {url} does not accept this gateway's certificate: {status}.",
    "At the controller, accept the certificate with the fingerprint {fingerprint}. It is the file {file}",
)

# The gateway's own certificate

OWN_UNREADABLE = Text(
    "source.opcua.own-unreadable",
    "The gateway's own certificate in {folder} cannot be used: {reason}.",
    "Move collector.der and collector.key out of this folder; new ones are made, and must be accepted at the "
    "controller.",
)
OWN_UNWRITABLE = Text(
    "source.opcua.own-unwritable",
    "The folder {folder} for certificates cannot be written: {reason}.",
    "Set certificate_folder of its source, in the machine's file, to a folder that the user that collector "
    "runs as may write.",
)
OWN_EXPIRES = Text(
    "source.opcua.own-expires",
    "The gateway's own certificate is valid for {days} more days, until {date}.",
    "Move collector.der and collector.key out of {folder}. New ones are made; accept them at the controller.",
)
OWN_EXPIRED = Text(
    "source.opcua.own-expired",
    "The gateway's own certificate was valid until {date}.",
    "Move collector.der and collector.key out of {folder}. New ones are made; accept them at the controller.",
)
CLOCK_NOT_SET = Text(
    "source.opcua.clock-not-set",
    "The gateway needs a certificate of its own, but its clock is not set yet.",
    "It is made by itself once the clock is right. Check that the gateway reaches a time server: timedatectl",
)

# The server's certificate

NOT_TRUSTED = Text(
    "source.opcua.not-trusted",
    "The certificate of {url} is not trusted yet. Its fingerprint is {fingerprint}",
    "Compare it with the one that the controller shows. If they are the same, type: collector trust {url}",
)
CHANGED = Text(
    "source.opcua.certificate-changed",
    "The certificate of {url} is another than the one that was trusted. Its fingerprint is now {fingerprint}",
    "Ask who changed it. If it was meant to be, compare it with the one that the controller shows, and type: "
    "collector trust {url}",
)
EXPIRED = Text(
    "source.opcua.certificate-expired",
    "The certificate of {url} was valid until {date}.",
    "Let the controller make a new one, then type: collector trust {url}",
)
NOT_YET_VALID = Text(
    "source.opcua.certificate-not-yet-valid",
    "The certificate of {url} is valid only from {date} on.",
    "Check the controller's clock and this gateway's clock.",
)
NO_CERTIFICATE = Text(
    "source.opcua.no-certificate",
    "The server at {url} has no certificate.",
    'Let the controller make one; or write security = "none" into its source, in the machine\'s file, and '
    "leave user out.",
)
CERTIFICATE_UNREADABLE = Text(
    "source.opcua.certificate-unreadable",
    "The certificate of {url} cannot be read: {reason}.",
    "Let the controller make a new one, then type: collector trust {url}",
)

# Machines and nodes

NO_MACHINE = Text(
    "source.opcua.no-machine",
    "The server at {url} shows no machine that follows {profile}.",
    "Take profile out of its source, in the machine's file, and name the nodes yourself. This lists them: "
    "collector browse {url}",
)
SEVERAL_MACHINES = Text(
    "source.opcua.several-machines",
    "The server at {url} has several machines: {machines}.",
    'Say which one in its source, in the machine\'s file, as in machine = "{first}"',
)
OTHER_MACHINE = Text(
    "source.opcua.other-machine",
    'The server at {url} has no machine "{machine}".',
    "Set machine of its source, in the machine's file, to one of these: {machines}",
)

# What does not fit together

NEEDS_KEY = Text(
    "config.opcua.needs-key",
    "{key} is given without {other}",
    "Give both, or take {key} out.",
)
TWO_IDENTITIES = Text(
    "config.opcua.two-identities",
    "both a user's name and a user's certificate are given",
    "Keep user and password_file, or user_certificate_file and user_key_file.",
)
NO_POINTS = Text(
    "config.opcua.no-points",
    "there is nothing to read: neither a profile nor points",
    'Add profile = "opc-40501-1", or points. This lists what the controller has: collector browse URL',
)
NAME_TWICE = Text(
    "config.opcua.name-twice", 'the name "{name}" is given to two points', "Give each point another name."
)
UNKNOWN_PROFILE = Text(
    "config.opcua.unknown-profile",
    'found "{profile}", which is no profile of an OPC UA controller',
    'Type "{nearest}", or one of these: {known}.',
)
NODE_MISSING = Text(
    "config.opcua.node-missing",
    'the point "{name}" has no node, and is none of the profile\'s',
    'Add node = "ns=2;s=…". This shows the controller\'s nodes: collector browse URL',
)
URL_HOST = Text(
    "config.opcua.url-host",
    "found {found}, in which stands neither the name nor the address of a controller",
    'Type it like this: "opc.tcp://192.168.0.10:4840"; an address is four numbers up to 255.',
)
NOT_A_NODE = Text(
    "config.opcua.not-a-node",
    'found "{node}", which is no node of OPC UA',
    'Type an id, as in "ns=2;s=/Channel/State/progStatus" or "nsu=http://example.org/;i=12", or a path from '
    'Objects, as in "/Machines/mill/FeedOverride".',
)
STATES_ARE_STATES = Text(
    "config.opcua.states-are-states",
    'the point "{name}" has states, so it can be nothing but a state',
    "Take kind out, or states.",
)
DEADBAND_OF_NUMBER = Text(
    "config.opcua.deadband-of-number",
    'the point "{name}" is no number, so it can have no deadband',
    "Take deadband out.",
)
