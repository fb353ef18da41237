"""Who belongs to the group: companies, gateways, ingesters, researchers, and their certificates; one file.

What follows from it for the broker is worked out anew from it alone. Keys are not in it.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from collector.enrolment import Kind
from collector.settings import Name, Settings

Log = Literal["refusals", "connections"]

LONGEST_USER = 64
"""Letters that the name in a certificate may have (RFC 5280, ub-common-name)."""


class Certificate(Settings):
    """A certificate that was issued; `revoked` tells when it was taken back."""

    serial: int
    until: datetime
    revoked: datetime | None = None


class Party(Settings):
    """One that connects to the broker."""

    kind: Kind
    company: Name | None = None
    """Of a gateway."""
    name: Name
    companies: tuple[Name, ...] = ()
    """Whose data a researcher may read."""
    certificates: tuple[Certificate, ...] = ()
    """All that were ever issued, the newest last."""

    @property
    def title(self) -> str:
        """What people and commands call it: `works/gw1` of a gateway, else the name."""
        return f"{self.company}/{self.name}" if self.company else self.name

    @property
    def user(self) -> str:
        """The name in its certificate. A name has neither dot nor @, so no two are alike.

        Of a gateway also the client id that the daemon connects with.
        """
        return f"{self.company}.{self.name}" if self.company else f"{self.name}@{self.kind}"

    @property
    def standing(self) -> tuple[Certificate, ...]:
        """The certificates that have not been taken back."""
        return tuple(certificate for certificate in self.certificates if certificate.revoked is None)

    def revoked(self, now: datetime) -> "Party":
        """The same with every certificate taken back."""
        taken = tuple(c if c.revoked else c.model_copy(update={"revoked": now}) for c in self.certificates)
        return self.model_copy(update={"certificates": taken})


class Register(Settings):
    """The group."""

    collector_group: Literal[1] = 1
    root: str
    hosts: Annotated[tuple[str, ...], Field(min_length=1)]
    """Names and addresses of the broker; members are told the first."""
    gateways_port: int
    readers_port: int
    """Of researchers and ingesters."""
    broker_until: datetime
    """When the broker's certificate ends."""
    lists_made: datetime
    """The time that the last revocation lists bear."""
    share: Name
    """Under which ingesters share the records. Whoever knew it could take a share and let it vanish: of those
    who ask under one name mosquitto gives a record to one, and only then looks whether it may have it."""
    log: Log = "refusals"
    """What the broker logs: every message, refused ones among them; or who connects and subscribes."""
    companies: tuple[Name, ...] = ()
    parties: tuple[Party, ...] = ()

    def find(self, title: str) -> Party | None:
        """The party that is called so."""
        return next((party for party in self.parties if party.title == title), None)

    def of_company(self, company: str) -> Iterator[Party]:
        """A company's gateways."""
        return (party for party in self.parties if party.company == company)

    def with_party(self, changed: Party) -> "Register":
        """The same with a party added, or put in the place of the one that has its title."""
        if self.find(changed.title) is None:
            parties = (*self.parties, changed)
        else:
            parties = tuple(changed if party.title == changed.title else party for party in self.parties)
        return self.model_copy(update={"parties": parties})
