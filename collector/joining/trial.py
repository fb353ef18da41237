"""Trying whether the broker lets a new member in."""

from collector.enrolment import Enrolment
from collector.joining.credentials import CredentialFiles
from collector.mqtt import BrokerSettings, Connection, TlsSettings


async def try_connection(enrolment: Enrolment, files: CredentialFiles) -> None:
    """Connect once and leave. Not while the member itself is connected: the broker would throw it out.

    Raises:
        BrokerError: why it would not work.
    """
    tls = TlsSettings(ca_file=str(files.authority), cert_file=str(files.certificate), key_file=str(files.key))
    settings = BrokerSettings(host=enrolment.host, port=enrolment.port, tls=tls)
    connection = await Connection.open(settings, enrolment.user)
    await connection.close()
