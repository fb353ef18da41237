"""The order of things when a gateway joins: its files, its configuration, and whether the broker lets it in.

A running daemon is never disturbed: under its name nobody else connects.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from collector.enrolment import Enrolment
from collector.errors import EnrolmentError
from collector.joining.credentials import CredentialFiles
from collector.joining.tables import Wanted, as_text, with_tables
from collector.mqtt import BrokerSettings, Connection, TlsSettings
from collector.texts import enrolment as say
from collector.whole_file import write_whole

SYSTEMD_SECRETS = Path("/etc/collector/secrets")
"""The folder that systemd hands to the service (systemd/collector.service)."""


@dataclass(frozen=True, slots=True)
class Configured:
    """What became of a configuration file: the copy of what it was; or what is to be pasted into it."""

    backup: Path | None
    paste: str | None


def wanted_tables(enrolment: Enrolment, files: CredentialFiles) -> Wanted:
    """What collector.toml has to say."""
    tables = {"gateway": {"company": enrolment.company, "name": enrolment.gateway, "root": enrolment.root}}
    return tables | broker_tables(enrolment, files)


def broker_tables(enrolment: Enrolment, files: CredentialFiles) -> dict[str, Mapping[str, Any]]:
    """What a configuration has to say about the broker."""
    named = {
        "ca_file": _named(files.authority),
        "cert_file": _named(files.certificate),
        "key_file": _named(files.key),
    }
    # Only MQTT 5 tells a refusal.
    broker = {"host": enrolment.host, "port": enrolment.port, "protocol": "mqtt5"}
    return {"broker": broker, "broker.tls": named}


def configure(file: Path, wanted: Wanted, now: datetime) -> Configured:
    """Set what is wanted in a configuration file, after a copy of it was made.

    Raises:
        EnrolmentError: the file cannot be read or written; it is as it was.
    """
    try:
        before = file.read_bytes()
        changed = with_tables(before.decode(), wanted)
        if changed is None:
            return Configured(None, as_text(wanted))
        if changed.encode() == before:
            return Configured(None, None)
        backup = file.with_name(f"{file.name}.{now:%Y%m%dT%H%M%S}")
        shutil.copy2(file, backup)
        status = file.stat()
        write_whole(file, changed.encode(), status.st_mode & 0o777)
        os.chown(file, status.st_uid, status.st_gid)
    except UnicodeDecodeError:
        return Configured(None, as_text(wanted))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise EnrolmentError(say.FILE_UNUSABLE(file=str(file), reason=reason)) from error
    return Configured(backup, None)


async def try_connection(enrolment: Enrolment, files: CredentialFiles) -> None:
    """Connect to the broker once, as the daemon will; not while it runs, for it would be thrown out.

    Raises:
        BrokerError: why it would not work.
    """
    tls = TlsSettings(ca_file=str(files.authority), cert_file=str(files.certificate), key_file=str(files.key))
    settings = BrokerSettings(host=enrolment.host, port=enrolment.port, tls=tls)
    connection = await Connection.open(settings, enrolment.user)
    await connection.close()


def _named(file: Path) -> str:
    """A file as the configuration names it: as a credential, where systemd hands it over."""
    return f"credential:secrets_{file.name}" if file.parent == SYSTEMD_SECRETS else str(file)
