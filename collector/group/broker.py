"""What mosquitto reads: its configuration, access list, certificates and revocation lists.

All of it is worked out of register and authorities; nothing here decides who may do what.
"""

import os
import signal
from pathlib import Path

from collector.group.access import access_list
from collector.group.authority import revocation_list
from collector.group.folder import GroupFolder
from collector.group.register import Register

CONFIGURATION = "mosquitto.conf"

_COMMON = """\
# Written by `collector group`; changes made here are lost.
# Complete: `mosquitto -c` takes it as it is, and Debian's mosquitto in /etc/mosquitto/conf.d.

# Who connects is known by the certificate alone; what the access list does not allow is refused.
allow_anonymous false
acl_file {broker}/access

# For each subscriber that does not keep up. What is dropped beyond is not lost: no receipt comes for it, and
# the gateways send it again.
max_inflight_messages 256
max_queued_messages 10000
max_queued_bytes 67108864
max_packet_size 1048576
# Nobody here needs the broker to remember a session.
persistent_client_expiration 1h

connection_messages true
log_timestamp true
log_timestamp_format %Y-%m-%dT%H:%M:%S
log_type error
log_type warning
log_type notice
log_type information
log_type subscribe
log_type unsubscribe
{log}"""
_EVERY_MESSAGE = """\
# The only kind of line that tells a refused publish. It tells every message: some 400 bytes for each.
log_type debug
"""
_LISTENER = """
# {what}
listener {port}
protocol mqtt
tls_version tlsv1.2
certfile {broker}/broker.pem
keyfile {broker}/broker.key
cafile {broker}/{authority}.pem
crlfile {broker}/{authority}.crl
require_certificate true
# The name in the certificate is user and client id, whatever the client says: nobody takes another's place.
use_identity_as_username true
use_username_as_clientid true
"""


def configuration(register: Register, broker: Path) -> str:
    """The configuration of mosquitto; `broker` is the folder of its files."""
    listeners = (
        ("gateways", register.gateways_port, "Gateways."),
        ("readers", register.readers_port, "Researchers, and the store's ingesters."),
    )
    parts = [
        _LISTENER.format(what=what, port=port, broker=broker, authority=authority)
        for authority, port, what in listeners
    ]
    log = _EVERY_MESSAGE if register.log == "refusals" else ""
    return _COMMON.format(broker=broker, log=log) + "".join(parts)


def write_broker_files(folder: GroupFolder, register: Register) -> None:
    """Write what follows from the register; the broker's own certificate stays.

    Raises:
        GroupError: something cannot be read or written.
    """
    folder.create()
    for name, kinds in (("gateways", {"gateway"}), ("readers", {"ingester", "researcher"})):
        authority = folder.read_authority(name)
        revoked = [
            (certificate.serial, certificate.revoked)
            for party in register.parties
            if party.kind in kinds
            for certificate in party.certificates
            if certificate.revoked is not None
        ]
        listed = revocation_list(authority, revoked, register.lists_made)
        folder.write(folder.broker / f"{name}.pem", authority.certificate_pem, 0o640)
        folder.write(folder.broker / f"{name}.crl", listed, 0o640)
    folder.write(folder.broker / "access", access_list(register).encode(), 0o640)
    text = configuration(register, folder.broker.absolute())
    folder.write(folder.broker / CONFIGURATION, text.encode(), 0o640)


def tell_broker(pid_file: Path) -> bool:
    """Let the running mosquitto read its files again; False if it does not run here, or may not be told."""
    try:
        pid = int(pid_file.read_text(encoding="ascii"))
        if Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip() != "mosquitto":
            return False
        os.kill(pid, signal.SIGHUP)
    except (OSError, ValueError):
        return False
    return True
