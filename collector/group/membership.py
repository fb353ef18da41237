"""What the group's administrator does: begin the group, add, renew, take back.

Each step writes the register first: what follows from it can be made again, a certificate unknown to it could
not be taken back. Whether the running broker has been told is the caller's business.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from collector.enrolment import Enrolment, Kind, fingerprint, new_secret, read_request, seal
from collector.errors import GroupError
from collector.group.authority import (
    issue_client,
    issue_server,
    key_to_pem,
    new_authority,
    new_key,
    to_pem,
)
from collector.group.broker import write_broker_files
from collector.group.folder import AUTHORITIES, GroupFolder
from collector.group.names import (
    check_companies,
    check_name,
    check_new,
    check_register,
    check_user,
    find,
    listed,
)
from collector.group.register import Certificate, Log, Party, Register
from collector.texts import group as say

CERTIFICATE_DAYS = 2 * 365
ENROLMENT_DAYS = 7
_LISTS_BACKDATED = timedelta(days=1)
"""Revocation lists too hold from the day before on."""


@dataclass(frozen=True, slots=True)
class Terms:
    """For how long, from when, and whose key."""

    now: datetime
    certificate_days: int = CERTIFICATE_DAYS
    enrolment_days: int = ENROLMENT_DAYS
    request: bytes | None = None
    """For a key that was made elsewhere."""

    @property
    def until(self) -> datetime:
        """The end of certificates, to the second."""
        return (self.now + timedelta(days=self.certificate_days)).replace(microsecond=0)

    @property
    def expires(self) -> datetime:
        """The end of enrolments."""
        return (self.now + timedelta(days=self.enrolment_days)).replace(microsecond=0)


@dataclass(frozen=True, slots=True)
class Issued:
    """A sealed enrolment, and what opens it."""

    party: Party
    file: Path
    secret: str
    expires: datetime
    fingerprint: str | None
    """Of the key that was made elsewhere."""


def begin(folder: GroupFolder, register: Register, terms: Terms) -> None:
    """Begin a group: its authorities, the broker's certificate, and everything that mosquitto needs.

    Raises:
        GroupError: there is one already, a name is wrong, or the folder cannot be used.
    """
    if folder.register_file.exists():
        raise GroupError(say.EXISTS(folder=str(folder.path)))
    check_register(register)
    folder.check_unused()
    folder.create()
    folder.write(folder.path / "README", str(say.README()).encode(), 0o644)
    for name in AUTHORITIES:
        folder.write_authority(name, new_authority(f"{register.hosts[0][:40]} {name}", terms.now))
    _certify_broker(folder, register, terms)
    write_broker_files(folder, register)
    folder.write_register(register)


def add_company(folder: GroupFolder, name: str) -> None:
    """Let a company have gateways.

    Raises:
        GroupError: the name is wrong or taken.
    """
    with folder.changing():
        register = folder.read_register()
        check_new(register, name)
        folder.write_register(register.model_copy(update={"companies": (*register.companies, name)}))


def add_gateway(folder: GroupFolder, company: str, name: str, terms: Terms) -> Issued:
    """Let a gateway of a company write its topics.

    Raises:
        GroupError: the company is unknown, or the name is wrong or taken.
    """
    with folder.changing():
        register = folder.read_register()
        check_companies(register, [company])
        check_name(name)
        return _admit(folder, register, Party(kind="gateway", company=company, name=name), terms)


def add_reader(folder: GroupFolder, kind: Kind, name: str, companies: Sequence[str], terms: Terms) -> Issued:
    """Let an ingester read everything and write receipts, or a researcher read these companies' data.

    Raises:
        GroupError: a company is unknown, or the name is wrong or taken.
    """
    with folder.changing():
        register = folder.read_register()
        if register.find(name) is None:
            check_new(register, name)
        check_companies(register, companies)
        return _admit(folder, register, Party(kind=kind, name=name, companies=tuple(companies)), terms)


def may_read(folder: GroupFolder, name: str, companies: Sequence[str]) -> None:
    """Set whose data a researcher may read.

    Raises:
        GroupError: a name is unknown.
    """
    with folder.changing():
        register = folder.read_register()
        party = register.find(name)
        if party is None or party.kind != "researcher":
            known = listed(party.name for party in register.parties if party.kind == "researcher")
            raise GroupError(say.NO_RESEARCHER(name=name, known=known))
        check_companies(register, companies)
        _keep(folder, register.with_party(party.model_copy(update={"companies": tuple(companies)})))


def renew(folder: GroupFolder, title: str, terms: Terms) -> Issued:
    """Issue a member's next certificate; those it has stay good until they end.

    Raises:
        GroupError: there is no such member, or all its certificates have been taken back.
    """
    with folder.changing():
        register = folder.read_register()
        party = find(register, title)
        if not party.standing:
            raise GroupError(say.ALL_REVOKED(name=title))
        return _issue(folder, register, party, terms)


def renew_broker(folder: GroupFolder, hosts: Sequence[str], terms: Terms) -> Register:
    """Issue the broker's next certificate, for the names it has or for these.

    Raises:
        GroupError: a name is wrong, or the folder cannot be used.
    """
    with folder.changing():
        register = folder.read_register()
        update = {"broker_until": terms.until, "hosts": tuple(hosts) or register.hosts}
        renewed = register.model_copy(update=update)
        check_register(renewed)
        _certify_broker(folder, renewed, terms)
        _keep(folder, renewed)
        return renewed


def revoke(folder: GroupFolder, title: str, now: datetime) -> list[Party]:
    """Take every certificate of a member back, or of all gateways of a company, and with them its rights.

    Raises:
        GroupError: there is no such member.
    """
    with folder.changing():
        register = folder.read_register()
        parties = list(register.of_company(title)) if title in register.companies else [find(register, title)]
        made = max(now - _LISTS_BACKDATED, register.lists_made + timedelta(seconds=1))
        changed = register.model_copy(update={"lists_made": made.replace(microsecond=0)})
        for party in parties:
            changed = changed.with_party(party.revoked(now))
            folder.forget_enrolment(party.title)
        _keep(folder, changed)
        return parties


def apply(folder: GroupFolder, log: Log | None = None) -> None:
    """Make again everything that mosquitto reads; `log` changes what it logs.

    Raises:
        GroupError: there is no group here, or the folder cannot be used.
    """
    with folder.changing():
        register = folder.read_register()
        _keep(folder, register.model_copy(update={"log": log}) if log else register)


def new_register(
    root: str, hosts: Sequence[str], gateways_port: int, readers_port: int, terms: Terms
) -> Register:
    """The register of a group without members."""
    return Register(
        root=root,
        hosts=tuple(hosts),
        gateways_port=gateways_port,
        readers_port=readers_port,
        broker_until=terms.until,
        lists_made=(terms.now - _LISTS_BACKDATED).replace(microsecond=0),
        share=f"share-{secrets.token_hex(16)}",
    )


def _admit(folder: GroupFolder, register: Register, party: Party, terms: Terms) -> Issued:
    """Issue the first certificate of a party; or the next, of one that was shut out before."""
    check_user(party)
    before = register.find(party.title)
    if before is not None:
        if before.standing or before.kind != party.kind:
            raise GroupError(say.NAME_TAKEN(name=party.title))
        party = party.model_copy(update={"certificates": before.certificates})
    return _issue(folder, register, party, terms)


def _issue(folder: GroupFolder, register: Register, party: Party, terms: Terms) -> Issued:
    key = None if terms.request else new_key()
    public_key = key.public_key() if key else read_request(terms.request or b"")
    authority = folder.read_authority("gateways" if party.kind == "gateway" else "readers")
    certificate = issue_client(authority, party.user, public_key, terms.now, terms.until)
    issued = Certificate(serial=certificate.serial_number, until=certificate.not_valid_after_utc)
    party = party.model_copy(update={"certificates": (*party.certificates, issued)})
    _keep(folder, register.with_party(party))
    enrolment = Enrolment(
        kind=party.kind,
        user=party.user,
        company=party.company,
        gateway=party.name if party.company else None,
        companies=party.companies,
        stored=any(other.kind == "ingester" and other.standing for other in register.parties),
        share=register.share if party.kind == "ingester" else None,
        root=register.root,
        host=register.hosts[0],
        port=register.gateways_port if party.kind == "gateway" else register.readers_port,
        authority=folder.read_authority("broker").certificate_pem.decode(),
        certificate=to_pem(certificate).decode(),
        key=key_to_pem(key).decode() if key else None,
    )
    secret, file = new_secret(), folder.enrolment(party.title)
    folder.write(file, seal(enrolment, party.title, secret, terms.expires), 0o600)
    return Issued(party, file, secret, terms.expires, None if key else fingerprint(public_key))


def _certify_broker(folder: GroupFolder, register: Register, terms: Terms) -> None:
    key = new_key()
    authority = folder.read_authority("broker")
    certificate = issue_server(authority, register.hosts, key.public_key(), terms.now, terms.until)
    folder.write(folder.broker / "broker.key", key_to_pem(key), 0o640)
    folder.write(folder.broker / "broker.pem", to_pem(certificate), 0o640)


def _keep(folder: GroupFolder, register: Register) -> None:
    folder.write_register(register)
    write_broker_files(folder, register)
