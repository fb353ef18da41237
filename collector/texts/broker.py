"""Sentences about the broker."""

from collector.texts.sentence import Text

HOST_UNKNOWN = Text(
    "broker.host-unknown",
    "The broker's name in {where} cannot be resolved.",
    "Check broker.host in collector.toml and the gateway's network and DNS. Data is being kept.",
)
NOT_LISTENING = Text(
    "broker.not-listening",
    "Nothing answers at {where}.",
    "Check broker.host and broker.port; the broker may be down. Data is being kept.",
)
UNREACHABLE = Text(
    "broker.unreachable",
    "The broker at {where} cannot be reached ({reason}).",
    "Check the network and any firewall. Data is being kept.",
)
NO_ANSWER = Text(
    "broker.no-answer",
    "The broker at {where} accepted the connection but did not answer within {seconds} s.",
    "Check that broker.port is an MQTT port, and broker.tls. Data is being kept.",
)
REFUSED = Text(
    "broker.refused",
    "The broker refuses this gateway: {reason}.",
    "Ask the group's administrator; check broker.user, the password file and the certificate. "
    "Data is being kept.",
)
CERTIFICATE_REJECTED = Text(
    "broker.certificate-rejected",
    "The certificate of {where} cannot be trusted: {reason}.",
    "Check broker.tls.ca_file, broker.host and the gateway's date and time. Data is being kept.",
)
TLS_FAILED = Text(
    "broker.tls-failed",
    "No secure connection to {where}: {reason}.",
    "Check that broker.port is the TLS port and that this gateway's certificate is still valid. "
    "Data is being kept.",
)
TLS_FILES = Text(
    "broker.tls-files",
    "The certificate files of broker.tls cannot be used: {reason}.",
    "Check ca_file, cert_file and key_file.",
)
SECRET_UNREADABLE = Text(
    "broker.secret-unreadable",
    "The file {file} cannot be read: {reason}.",
    "Create it, readable by the user collector only.",
)
CONNECTION_LOST = Text(
    "broker.connection-lost",
    "The connection to the broker was lost ({reason}).",
    "It is tried again by itself. Data is being kept.",
)
PUBLISH_REFUSED = Text(
    "broker.publish-refused",
    "The broker refuses records on {topic}: {reason}.",
    "Ask the group's administrator to check the access rules. Data is being kept.",
)
