"""What a configuration has to say of the group, and saying it in a file that people wrote.

A file is changed only after a copy of it was made; if it cannot be changed safely, it is told what to paste.
"""

import os
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from collector.config import GatewaySettings
from collector.enrolment import Enrolment
from collector.errors import EnrolmentError
from collector.joining.credentials import CredentialFiles
from collector.joining.tables import Keys, as_text, value_at, with_keys
from collector.mqtt import BrokerSettings
from collector.texts import enrolment as say
from collector.whole_file import write_whole

_HANDED_OVER = {Path("/etc/collector/secrets"), Path("/etc/collector/store-secrets")}
"""The folders that systemd hands to the services, each as its `secrets`."""
_TLS_PORT = BrokerSettings(host="any", tls={}).address[1]
_ROOT = GatewaySettings.model_fields["root"].default
_LEFT_OUT: dict[tuple[str, ...], Any] = {
    ("gateway", "root"): _ROOT,
    ("store", "root"): _ROOT,
    ("broker", "port"): _TLS_PORT,
    ("broker", "protocol"): BrokerSettings.model_fields["protocol"].default,
}
"""What it means to leave a key out: such a value is not written anew."""


@dataclass(frozen=True, slots=True)
class Configured:
    """What became of a file: it was changed or made; else what is to be pasted into it, if anything."""

    changed: bool = False
    backup: Path | None = None
    """What the file was before."""
    paste: str | None = None


def configuration_file(enrolment: Enrolment, config: Path) -> Path:
    """The file that tells a gateway or an ingester about the broker."""
    if config.suffix == ".toml":
        return config
    return config / ("collector.toml" if enrolment.kind == "gateway" else "store.toml")


def broker_keys(enrolment: Enrolment, files: CredentialFiles) -> Keys:
    """What anybody's configuration has to say about the broker."""
    return {
        ("broker", "host"): enrolment.host,
        ("broker", "port"): enrolment.port,
        ("broker", "protocol"): "mqtt5",  # the other one cannot tell a refusal
        ("broker", "tls", "ca_file"): _named(files.authority),
        ("broker", "tls", "cert_file"): _named(files.certificate),
        ("broker", "tls", "key_file"): _named(files.key),
    }


def configure(enrolment: Enrolment, files: CredentialFiles, file: Path, now: datetime) -> Configured:
    """Say in the file what it has to say; a store's is made where it is missing.

    Raises:
        EnrolmentError: the file cannot be read or written; it is as it was.
    """
    try:
        before = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        before = None
    except UnicodeDecodeError:
        return Configured(paste=as_text(_wanted(enrolment, files, "")))
    except OSError as error:
        raise _unusable(file, error) from error
    wanted = _wanted(enrolment, files, before or "")
    if before is None and enrolment.kind == "gateway":
        return Configured(paste=as_text(wanted))
    after = with_keys(before or "", wanted)
    if after is None:
        return Configured(paste=as_text(wanted))
    if after == before:
        return Configured()
    try:
        return Configured(changed=True, backup=_replace(file, after, now))
    except OSError as error:
        raise _unusable(file, error) from error


def _wanted(enrolment: Enrolment, files: CredentialFiles, text: str) -> Keys:
    keys: dict[tuple[str, ...], Any] = {}
    if enrolment.kind == "gateway":
        keys[("gateway", "company")] = enrolment.company
        keys[("gateway", "name")] = enrolment.gateway
        keys[("gateway", "root")] = enrolment.root
        if enrolment.stored:
            keys[("outbox", "delivery")] = "store"
    else:
        keys[("store", "name")] = enrolment.name
        keys[("store", "root")] = enrolment.root
        if value_at(text, ("sink", "kind")) == "postgresql":  # the only sink that several can write to
            keys[("store", "group")] = enrolment.share
    keys |= broker_keys(enrolment, files)
    return {
        path: value
        for path, value in keys.items()
        if value != _LEFT_OUT.get(path) or value_at(text, path) is not None
    }


def _replace(file: Path, content: str, now: datetime) -> Path | None:
    """Write the file anew, with its owner and mode; returns the copy of what it was."""
    if not file.exists():
        write_whole(file, content.encode(), 0o644)
        return None
    backup = file.with_name(f"{file.name}.{now:%Y%m%dT%H%M%S}")
    shutil.copy2(file, backup)
    status = file.stat()
    write_whole(file, content.encode(), status.st_mode & 0o777)
    os.chown(file, status.st_uid, status.st_gid)
    return backup


def _named(file: Path) -> str:
    """A file as the configuration names it: as a credential, where systemd hands it over."""
    return f"credential:secrets_{file.name}" if file.parent in _HANDED_OVER else str(file)


def _unusable(file: Path, error: OSError) -> EnrolmentError:
    return EnrolmentError(say.FILE_UNUSABLE(file=str(file), reason=error.strerror or type(error).__name__))
