"""A group on this machine: its folder, a real mosquitto with the group's configuration, and its members."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from servers import Process, free_port, until

from collector.enrolment import unseal
from collector.group import membership
from collector.group.broker import tell_broker
from collector.group.folder import GroupFolder
from collector.group.membership import Issued, Terms
from collector.joining.credentials import CredentialFiles, install
from collector.mqtt import Acknowledgement, BrokerSettings, Connection, TlsSettings, Will

ROOT = "shopfloor/v1"


class Group:
    """The companies `works` and `rival`; the broker is Debian's, with the group's configuration included."""

    def __init__(self, folder: Path) -> None:
        self.files = GroupFolder(folder / "group")
        self.terms = Terms(datetime.now(UTC))
        self.broker: Process | None = None
        self.pid_file = folder / "mosquitto.pid"
        self._home = folder
        register = membership.new_register(
            ROOT, ["localhost", "127.0.0.1"], free_port(), free_port(), self.terms
        )
        membership.begin(self.files, register, self.terms)
        for company in ("works", "rival"):
            membership.add_company(self.files, company)

    def gateway(self, company: str, name: str = "gw1") -> BrokerSettings:
        """A new gateway that has been enrolled."""
        return self.enrolled(membership.add_gateway(self.files, company, name, self.terms))

    def ingester(self, name: str = "store") -> BrokerSettings:
        """A new ingester."""
        return self.enrolled(membership.add_reader(self.files, "ingester", name, (), self.terms))

    def researcher(self, name: str, *companies: str) -> BrokerSettings:
        """A new researcher who may read these companies' data."""
        return self.enrolled(membership.add_reader(self.files, "researcher", name, companies, self.terms))

    def enrolled(self, issued: Issued) -> BrokerSettings:
        """How a member connects, from what its enrolment holds."""
        enrolment = unseal(issued.file.read_bytes(), issued.secret, datetime.now(UTC))
        files = CredentialFiles(self._home / "members" / enrolment.user, "member")
        install(enrolment, files)
        return settings(enrolment.port, files.authority, files.certificate, files.key)

    async def start(self, *more: str) -> None:
        """Start the broker; `more` lines come after its configuration."""
        configuration = self._home / "debian.conf"
        lines = (
            "user root",  # the folders of tests are closed to others
            f"pid_file {self.pid_file}",
            "persistence true",
            f"persistence_location {self._home}/",
            f"include_dir {self.files.broker}",
            *more,
        )
        configuration.write_text("\n".join(lines) + "\n", encoding="utf-8")
        program = "/usr/sbin/mosquitto" if Path("/usr/sbin/mosquitto").exists() else "mosquitto"
        self.broker = await Process.start(program, "-c", configuration)
        await self.logged(" running")

    async def stop(self) -> None:
        """End the broker."""
        if self.broker is not None:
            await self.broker.end()

    async def tell(self) -> None:
        """Let the running broker take what has changed, and wait until it has."""
        before = self._reloads()
        assert tell_broker(self.pid_file)
        await until(lambda: self._reloads() > before)

    async def logged(self, *parts: str) -> str:
        """Wait for a line of the broker's log that has all of these in it."""
        assert self.broker is not None
        lines = self.broker.lines
        found: str = await until(
            lambda: next((line for line in lines if all(part in line for part in parts)), None)
        )
        return found

    def _reloads(self) -> int:
        assert self.broker is not None
        return sum("Reloading config" in line for line in self.broker.lines)


class Member:
    """A connection of a member, or of somebody who would like to be one; everything it gets is kept."""

    def __init__(self) -> None:
        self.connection: Connection
        self.received: list[tuple[str, bytes]] = []
        self.answers: dict[int, str | None] = {}
        """By message id: why the broker refused a publish, or None."""

    @classmethod
    async def connect(
        cls, settings: BrokerSettings, client_id: str = "any", will: Will | None = None
    ) -> "Member":
        """Connect; BrokerError if the broker does not let it in."""
        member = cls()
        member.connection = await Connection.open(
            settings,
            client_id,
            will=will,
            on_acknowledged=member._answered,
            on_message=lambda topic, payload, _: member.received.append((topic, payload)),
        )
        return member

    async def subscribe(self, *filters: str) -> None:
        """Ask for topics, which the broker grants to everybody."""
        for topic_filter in filters:
            await self.connection.subscribe(topic_filter)

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> str | None:
        """Publish, wait for the answer, and return the broker's refusal."""
        mid = self.connection.publish(topic, payload, retain=retain)
        await until(lambda: mid in self.answers or self.connection.lost.done())
        return self.answers[mid]

    @property
    def connected(self) -> bool:
        """Whether the broker has not thrown it out."""
        return not self.connection.lost.done()

    async def close(self) -> None:
        """Leave."""
        await self.connection.close()

    def _answered(self, acknowledgements: Sequence[Acknowledgement]) -> None:
        self.answers |= {answer.mid: answer.refusal for answer in acknowledgements}


def settings(port: int, authority: Path, certificate: Path, key: Path) -> BrokerSettings:
    """How to connect with these files."""
    tls = TlsSettings(ca_file=str(authority), cert_file=str(certificate), key_file=str(key))
    return BrokerSettings(host="localhost", port=port, tls=tls)


def days_ago(days: int) -> datetime:
    """A moment in the past."""
    return datetime.now(UTC) - timedelta(days=days)
