"""Sentences about the broker."""

from collector.texts.sentence import Text

# On the way to it

HOST_UNKNOWN = Text(
    "broker.host-unknown",
    "The broker's name in {where} cannot be resolved.",
    "Check host under [broker], and this computer's network and DNS. Data is being kept.",
)
NOT_LISTENING = Text(
    "broker.not-listening",
    "Nothing answers at {where}.",
    "Check host and port under [broker]; the broker may be down. Data is being kept.",
)
UNREACHABLE = Text(
    "broker.unreachable",
    "The broker at {where} cannot be reached: no answer in time.",
    "Check the network, any firewall, and host under [broker]. Data is being kept.",
)
CANNOT_CONNECT = Text(
    "broker.cannot-connect",
    "There is no way to the broker at {where}: {reason}.",
    "Check the gateway's network, and host under [broker]. Data is being kept.",
)
NO_ANSWER = Text(
    "broker.no-answer",
    "The broker at {where} accepted the connection but did not answer within {seconds} s.",
    "Check that port under [broker] is an MQTT port, and the table [broker.tls]. Data is being kept.",
)
CLOSED_AT_ONCE = Text(
    "broker.closed-at-once",
    "The broker at {where} closed the connection without an answer.",
    "Check that port under [broker] is an MQTT port; one with TLS needs the table [broker.tls]. Data is "
    "being kept.",
)
NOT_UNDERSTOOD = Text(
    "broker.not-understood",
    "What answers at {where} does not speak {protocol}.",
    'Check that port under [broker] is an MQTT port. An older broker may need protocol = "mqtt311" there. '
    "Data is being kept.",
)
REFUSED = Text(
    "broker.refused",
    "The broker refuses us: {reason}.",
    "Ask the group's administrator; check user under [broker], the password file and the certificate. "
    "After a change restart the service. Data is being kept.",
)

# Certificates and files

TLS_FAILED = Text(
    "broker.tls-failed",
    "No secure connection to {where}: {reason}.",
    "Check that port under [broker] is the TLS port, and ask the group's administrator. Data is being kept.",
)
CLOSED_BY_TLS = Text(
    "broker.closed-by-tls",
    "The broker at {where} ended the secure connection without an answer.",
    "Perhaps it refuses this gateway's certificate, or wants one: check cert_file under [broker.tls] with "
    "the group's administrator, and that port under [broker] is the TLS port. Data is being kept.",
)
CERTIFICATE_UNTRUSTED = Text(
    "broker.certificate-untrusted",
    "The certificate of {where} cannot be trusted: {reason}.",
    "Check ca_file under [broker.tls]: it must be the authority that signed the broker's certificate. "
    "Data is being kept.",
)
CERTIFICATE_NAME = Text(
    "broker.certificate-name",
    "The certificate of {where} is another computer's: {reason}.",
    "Set host under [broker] to the name that the group's administrator gave you. Data is being kept.",
)
CERTIFICATE_DATE = Text(
    "broker.certificate-date",
    "The certificate of {where} does not hold today: {reason}.",
    "Check the gateway's date (timedatectl). If that is right, the group's administrator must renew the "
    "broker's certificate. Data is being kept.",
)
CERTIFICATE_REFUSED = Text(
    "broker.certificate-refused",
    "The broker at {where} refuses our certificate: {reason}.",
    "Check that cert_file under [broker.tls] is set and has not expired, and ask the group's administrator "
    "whether the broker knows it. Data is being kept.",
)
CERTIFICATE_ENDS = Text(
    "broker.certificate-ends",
    "This gateway's certificate ends on {date}, in {days} days.",
    "Ask the group's administrator for the next enrolment, and type: sudo collector enroll FILE",
)
CERTIFICATE_ENDED = Text(
    "broker.certificate-ended",
    "The broker refuses us: our certificate ended on {date}.",
    "Ask the group's administrator for the next enrolment, and type: sudo collector enroll FILE. If it has "
    "not ended, this gateway's date is wrong (timedatectl). Data is being kept.",
)
BROKERS_CERTIFICATE_ENDS = Text(
    "broker.brokers-certificate-ends",
    "The broker's certificate ends on {date}, in {days} days.",
    "Tell the group's administrator, who renews it with: collector group renew broker",
)
CA_FILE = Text(
    "broker.ca-file",
    "The file {file} holds no certificate.",
    "Set ca_file under [broker.tls] to the authority's certificate as PEM text (-----BEGIN "
    "CERTIFICATE-----).",
)
CERT_FILES = Text(
    "broker.cert-files",
    "{file} and {key_file} are no certificate with its key.",
    "Both must be PEM text, belong together, and need no passphrase. See cert_file and key_file under "
    "[broker.tls].",
)
SECRET_UNREADABLE = Text(
    "broker.secret-unreadable",
    "The file {file} cannot be read: {reason}.",
    'Put it into /etc/collector/secrets, name it in [broker] as "credential:secrets_FILE", then type: '
    "sudo systemctl restart collector",
)
PASSWORD_NOT_TEXT = Text(
    "broker.password-not-text",
    "The file {file} holds no text.",
    "Write the password alone into it, as UTF-8 text.",
)

# While connected

CONNECTION_LOST = Text(
    "broker.connection-lost",
    "The connection to the broker was lost ({reason}).",
    "It is tried again by itself. Data is being kept.",
)
CONNECTION_CLOSED = Text(
    "broker.connection-closed",
    "The broker closed the connection.",
    "It is tried again by itself. If this comes again and again, perhaps another program connects under the "
    "same name: see client_id under [broker]. Data is being kept.",
)
TAKEN_OVER = Text(
    "broker.taken-over",
    "Another program connects to the broker under this gateway's name.",
    "End the other one. If it is another gateway, the two must differ in name under [gateway] and client_id "
    "under [broker]. Data is being kept.",
)
PUBLISH_REFUSED = Text(
    "broker.publish-refused",
    "The broker refuses records on {topic}: {reason}.",
    "Ask the group's administrator to check the access rules. Data is being kept.",
)
PUBLISH_TOO_LARGE = Text(
    "broker.publish-too-large",
    "A record on {topic} is too large for the broker: {bytes} bytes, and it takes packets up to {limit}.",
    "Ask the group's administrator to raise the broker's limit (max_packet_size). Data is being kept.",
)
PUBLISH_ENDS_CONNECTION = Text(
    "broker.publish-ends-connection",
    "A record on {topic} is held back: the broker ends the connection when it is sent {bytes} bytes.",
    "Ask the group's administrator to raise the broker's limit (max_packet_size, message_size_limit). It is "
    "tried again after an hour. Data is being kept.",
)
SUBSCRIBE_REFUSED = Text(
    "broker.subscribe-refused",
    "The broker refuses to hand out what is said on {topic}: {reason}.",
    "Ask the group's administrator to let this gateway read its receipts there. Data is being kept.",
)
