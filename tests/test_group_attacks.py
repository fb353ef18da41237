"""What a member of the group can do to another, with valid certificates: nothing.

Every attack is judged by its effect at the store, which reads everything. The broker's answers prove little:
mosquitto grants subscriptions that it then withholds, and accepts wills that it never sends.
"""

import asyncio
import signal
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from groups import ROOT, Group, Member, settings
from servers import Process, until

from collector.errors import BrokerError
from collector.group import membership
from collector.group.authority import Authority, issue_client, key_to_pem, new_authority, new_key, to_pem
from collector.mqtt import BrokerSettings, Will

VICTIM = f"{ROOT}/works/gw1"
FEATURES = f"{VICTIM}/mill-1/spindle/features"
META = f"{VICTIM}/mill-1/spindle/meta"
STATUS = f"{VICTIM}/status"
RECEIPT = f"{ROOT}/receipt/works/gw1"
RIVALS = f"{ROOT}/rival/gw1/mill-1/spindle/features"
DENIED = "Not authorized"

Connect = Callable[..., Awaitable[Member]]


@dataclass
class Scene:
    """A group at work: the victim, the store that reads everything, and who means no good."""

    group: Group
    own: BrokerSettings
    """The victim's."""
    victim: Member
    store: Member
    rival: BrokerSettings
    """Of a gateway of another company."""
    nosy: BrokerSettings
    """Of a researcher who may read the other company alone."""
    sent: list[tuple[str, bytes]]
    """All that the victim has published."""

    async def go_on(self) -> None:
        """The victim goes on with its work."""
        for number in range(len(self.sent), len(self.sent) + 20):
            record = (FEATURES, b"record %d" % number)
            assert await self.victim.publish(*record) is None
            self.sent.append(record)

    async def is_unharmed(self) -> None:
        """The victim goes on, and the store has of it what it sent: all, once, in order, and nothing else."""
        assert self.victim.connected
        assert self.store.connected
        await self.go_on()
        await until(lambda: self.sent[-1] in self.store.received)
        assert [record for record in self.store.received if record[0].startswith(VICTIM)] == self.sent
        assert self.victim.received == []


@pytest_asyncio.fixture
async def connect() -> AsyncIterator[Connect]:
    """Connects members, who leave after the test."""
    members: list[Member] = []

    async def connect(settings: BrokerSettings, client_id: str = "any", will: Will | None = None) -> Member:
        members.append(await Member.connect(settings, client_id, will))
        return members[-1]

    yield connect
    for member in members:
        await member.close()


@pytest_asyncio.fixture
async def scene(tmp_path: Path, connect: Connect) -> AsyncIterator[Scene]:
    """A group at work; whatever the test does in it, the victim is unharmed."""
    group = Group(tmp_path)
    own, rival = group.gateway("works"), group.gateway("rival")
    ingester, nosy = group.ingester(), group.researcher("nosy", "rival")
    await group.start()
    try:
        scene = Scene(group, own, await connect(own, "works.gw1"), await connect(ingester), rival, nosy, [])
        await scene.store.subscribe(f"{ROOT}/#")
        await scene.victim.subscribe(RECEIPT)
        for topic, payload in ((META, b"meta"), (STATUS, b"healthy")):
            assert await scene.victim.publish(topic, payload, retain=True) is None
            scene.sent.append((topic, payload))
        await scene.go_on()
        yield scene
        await scene.is_unharmed()
    finally:
        await group.stop()


async def test_publishing_as_another_company(scene: Scene, connect: Connect) -> None:
    for settings_, user in ((scene.rival, "rival.gw1"), (scene.nosy, "nosy@researcher")):
        attacker = await connect(settings_)
        for topic in (
            FEATURES,
            STATUS,
            VICTIM,
            f"{VICTIM}/",
            f"{ROOT}/works/gw2/a/b/features",
            f"{ROOT}/works",
        ):
            assert await attacker.publish(topic, b"forged") == DENIED
        await scene.group.logged(f"Denied PUBLISH from {user}", f"'{FEATURES}'")
    assert not [topic for topic, payload in scene.store.received if payload == b"forged"]


async def test_overwriting_or_clearing_what_is_retained(scene: Scene, connect: Connect) -> None:
    attacker = await connect(scene.rival)
    for topic in (META, STATUS):
        assert await attacker.publish(topic, b"forged", retain=True) == DENIED
        assert await attacker.publish(topic, b"", retain=True) == DENIED
    newcomer = scene.group.ingester("newcomer")
    await scene.group.tell()
    reader = await connect(newcomer)
    await reader.subscribe(f"{VICTIM}/#")
    await until(lambda: len(reader.received) >= 2)
    assert sorted(reader.received) == [(META, b"meta"), (STATUS, b"healthy")]


@pytest.mark.parametrize(
    "topic_filter",
    [
        FEATURES,
        f"{VICTIM}/#",
        f"{ROOT}/+/gw1/#",
        f"{ROOT}/#",
        "#",
        "+/+/+/+/+/+/+",
        "$share/store/shopfloor/v1/#",
        RECEIPT,
        f"{ROOT}/receipt/#",
        "$SYS/#",
        "$SYS/broker/log/#",
    ],
)
async def test_reading_another_companys_data(scene: Scene, connect: Connect, topic_filter: str) -> None:
    attackers = [await connect(scene.rival), await connect(scene.nosy)]
    for attacker in attackers:
        await attacker.subscribe(topic_filter)
    await scene.go_on()
    # Their own company's records come through the same connection behind all that could have come before.
    assert await attackers[0].publish(RIVALS, b"the rival's own") is None
    await until(lambda: (RIVALS, b"the rival's own") in scene.store.received)
    for attacker in attackers:
        await attacker.publish("nobody/may/write/this", b"")
        assert {topic for topic, _ in attacker.received} <= {RIVALS}
    await scene.group.logged("rival.gw1 1 ", topic_filter)


async def test_taking_a_share_of_what_the_store_is_to_get(scene: Scene, connect: Connect) -> None:
    """Of those who share a name mosquitto gives a record to one, allowed or not: so the name is a secret."""
    one, two = scene.group.ingester("one"), scene.group.ingester("two")
    await scene.group.tell()
    share = scene.group.files.read_register().share
    ingesters = [await connect(one), await connect(two)]
    for ingester in ingesters:
        await ingester.subscribe(f"$share/{share}/{ROOT}/#")
    for settings_ in (scene.rival, scene.nosy):
        attacker = await connect(settings_)
        for guess in ("store", "share", "collector", "ingesters", "share-"):
            await attacker.subscribe(f"$share/{guess}/{ROOT}/#")
    before = len(scene.sent)
    await scene.go_on()

    def got() -> list[tuple[str, bytes]]:  # without what is retained, which mosquitto gives to each
        return [record for ingester in ingesters for record in ingester.received if record[0] == FEATURES]

    await until(lambda: len(got()) >= len(scene.sent) - before)
    assert sorted(got()) == sorted(scene.sent[before:])


async def test_a_researcher_reads_what_it_may_and_nothing_else(scene: Scene, connect: Connect) -> None:
    rival, nosy = await connect(scene.rival), await connect(scene.nosy)
    await nosy.subscribe("#")
    await scene.go_on()
    assert await rival.publish(RIVALS, b"1") is None
    await until(lambda: nosy.received)
    assert nosy.received == [(RIVALS, b"1")]
    membership.may_read(scene.group.files, "nosy", ["works"])
    await scene.group.tell()
    await scene.go_on()
    await until(lambda: nosy.received[-1] == scene.sent[-1])
    assert await rival.publish(RIVALS, b"2") is None
    await nosy.publish("nobody/may/write/this", b"")
    assert (RIVALS, b"2") not in nosy.received


@pytest.mark.parametrize("retain", [False, True])
async def test_a_will_in_another_companys_name(scene: Scene, retain: bool) -> None:
    will = ("--will-topic", STATUS, "--will-payload", "offline", "--will-qos", "1")
    kept = ("--will-retain",) if retain else ()
    attacker = await Process.start(*mosquitto_sub(scene.rival, "-d", "-t", "rivals/own", *will, *kept))
    try:
        await until(lambda: any("SUBACK" in line for line in attacker.lines))
    finally:
        await attacker.end(signal.SIGKILL)
    await scene.group.logged("Client rival.gw1", "closed its connection")
    await scene.go_on()  # the broker deals with a will when the connection ends


async def test_taking_over_the_victims_client_id(scene: Scene, connect: Connect) -> None:
    for attacker in (scene.rival, scene.nosy):
        member = await connect(attacker, "works.gw1")
        assert await member.publish(FEATURES, b"forged") == DENIED
        assert scene.victim.connected


async def test_taking_over_the_victims_session(scene: Scene, connect: Connect) -> None:
    """What waits for a member that is away is its own: nobody else can fetch or end its session."""
    away = scene.group.gateway("works", "gw2")
    await scene.group.tell()
    session = ("-V", "5", "-x", "3600", "-c", "-i", "works.gw2", "-q", "1")
    listening = (*session, "-t", f"{ROOT}/receipt/works/gw2", "-F", "%p")
    await leave_a_session(away, *listening)
    assert await scene.store.publish(f"{ROOT}/receipt/works/gw2", b"kept for it") is None
    for attacker in (scene.rival, scene.nosy):
        thief = await Process.start(*mosquitto_sub(attacker, "-d", *listening))
        await until(lambda thief=thief: any("SUBACK" in line for line in thief.lines))
        await thief.end()
        assert not any("kept for it" in line for line in thief.lines)
    owner = await Process.start(*mosquitto_sub(away, "-C", "1", *listening))
    await owner.ended()  # with one message; a signal meanwhile can leave it hanging in its own lock
    assert owner.lines == ["kept for it"]


async def test_forging_receipts(scene: Scene, connect: Connect) -> None:
    own = f"{ROOT}/receipt/rival/gw1"
    for settings_ in (scene.rival, scene.nosy):
        attacker = await connect(settings_)
        for topic in (RECEIPT, own):
            assert await attacker.publish(topic, b"forged") == DENIED
    assert await scene.victim.publish(RECEIPT, b"forged") == DENIED
    assert scene.victim.received == []
    assert await scene.store.publish(RECEIPT, b"true") is None
    await until(lambda: scene.victim.received)
    assert scene.victim.received == [(RECEIPT, b"true")]
    scene.victim.received.clear()


async def test_an_ingester_forges_no_records(scene: Scene) -> None:
    assert await scene.store.publish(FEATURES, b"forged") == DENIED


async def test_certificates_that_do_not_count(scene: Scene, tmp_path: Path) -> None:
    """Another authority's, an ended one, one of the other listener, one issued there in the victim's name."""
    now = datetime.now(UTC)
    gateways, readers = (scene.group.files.read_authority(name) for name in ("gateways", "readers"))
    broker = scene.group.files.read_authority("broker")
    port, readers_port = scene.own.port or 0, scene.nosy.port or 0
    year = timedelta(days=365)
    forgeries = {
        "another authority": (new_authority("localhost gateways", now), port, now + year),
        "the broker's authority": (broker, port, now + year),
        "the readers' authority": (readers, port, now + year),
        "the gateways' authority": (gateways, readers_port, now + year),
        "ended": (gateways, port, now - timedelta(minutes=1)),
    }
    for what, (authority, at, until_) in forgeries.items():
        attacker = forged(tmp_path / what, authority, "works.gw1", at, until_, scene.own)
        with pytest.raises(BrokerError):
            await Member.connect(attacker, "works.gw1")
    await scene.group.logged("certificate verify failed")


async def test_members_at_the_other_listener(scene: Scene) -> None:
    for member, port in ((scene.rival, scene.nosy.port), (scene.nosy, scene.rival.port)):
        with pytest.raises(BrokerError):
            await Member.connect(member.model_copy(update={"port": port}))
    await scene.group.logged("certificate verify failed")


async def test_without_a_certificate_or_without_tls(scene: Scene) -> None:
    tls = scene.rival.tls
    assert tls is not None
    bare = tls.model_copy(update={"cert_file": None, "key_file": None})
    for port in (scene.rival.port, scene.nosy.port):
        for withheld in (bare, None):
            with pytest.raises(BrokerError):
                await Member.connect(scene.rival.model_copy(update={"tls": withheld, "port": port}))


async def test_another_user_name_in_the_greeting_counts_for_nothing(
    scene: Scene, tmp_path: Path, connect: Connect
) -> None:
    password = tmp_path / "password"
    password.write_text("guessed", encoding="ascii")
    named = {"user": "works.gw1", "password_file": str(password)}
    attacker = await connect(scene.rival.model_copy(update=named), "works.gw1")
    assert await attacker.publish(FEATURES, b"forged") == DENIED
    assert await attacker.publish(RIVALS, b"own") is None


async def test_a_revoked_member(scene: Scene, connect: Connect) -> None:
    """It loses its rights at once, even on a connection that it has, and cannot come back by any way."""
    clients = [
        TlsClient(scene.rival, version) for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
    ]
    for client in clients:
        assert not await asyncio.to_thread(client.greet)
        assert await asyncio.to_thread(client.greet), "else the attack below would be none"
    attacker = await connect(scene.rival)
    await attacker.subscribe(f"{ROOT}/receipt/rival/gw1")
    membership.revoke(scene.group.files, "rival/gw1", datetime.now(UTC))
    await scene.group.tell()
    for topic in (FEATURES, RIVALS):
        assert await attacker.publish(topic, b"forged") == DENIED
    assert await scene.store.publish(f"{ROOT}/receipt/rival/gw1", b"not for it any more") is None
    await attacker.publish("nobody/may/write/this", b"")
    assert attacker.received == []
    with pytest.raises(BrokerError):
        await Member.connect(scene.rival)
    for client in clients:
        with pytest.raises((ssl.SSLError, ConnectionError)):  # told why, or simply cut off
            await asyncio.to_thread(client.greet)
    await scene.group.logged("certificate verify failed")


async def test_members_of_a_revoked_company_only(scene: Scene, connect: Connect) -> None:
    """Lists made in the same second do not hide one another, and others stay connected."""
    others = scene.group.gateway("rival", "gw2"), scene.group.gateway("rival", "gw3")
    await scene.group.tell()
    for title, member in zip(("rival/gw2", "rival/gw3"), others, strict=True):
        await connect(member)
        membership.revoke(scene.group.files, title, datetime.now(UTC))
        await scene.group.tell()
        with pytest.raises(BrokerError):
            await Member.connect(member)
    still = await connect(scene.rival)
    assert await still.publish(RIVALS, b"own") is None


class TlsClient:
    """A client that goes on with its last TLS session, where the broker lets it."""

    def __init__(self, member: BrokerSettings, version: ssl.TLSVersion) -> None:
        assert member.tls is not None
        self._port = member.port
        self._session: ssl.SSLSession | None = None
        self._context = ssl.create_default_context(cafile=str(member.tls.ca_file))
        self._context.load_cert_chain(str(member.tls.cert_file), str(member.tls.key_file))
        self._context.minimum_version = self._context.maximum_version = version

    def greet(self) -> bool:
        """Connect; tells whether the session was an old one. OSError if the broker does not answer."""
        with (
            socket.create_connection(("localhost", self._port), timeout=10) as plain,
            self._context.wrap_socket(plain, server_hostname="localhost", session=self._session) as secure,
        ):
            secure.sendall(b"\x10\x10\0\4MQTT\5\2\0\x1e\0\0\3abc")
            if not secure.recv(100):
                raise ConnectionResetError("closed without an answer")
            self._session = secure.session
            return bool(secure.session_reused)


def forged(
    folder: Path, authority: Authority, user: str, port: int, until_: datetime, like: BrokerSettings
) -> BrokerSettings:
    """A member with a certificate that this authority signed."""
    folder.mkdir()
    key = new_key()
    certificate = issue_client(authority, user, key.public_key(), datetime.now(UTC), until_)
    (folder / "pem").write_bytes(to_pem(certificate))
    (folder / "key").write_bytes(key_to_pem(key))
    assert like.tls is not None
    return settings(port, Path(str(like.tls.ca_file)), folder / "pem", folder / "key")


def mosquitto_sub(member: BrokerSettings, *options: str) -> tuple[str, ...]:
    """The command line of a stranger's client with a member's certificate."""
    assert member.tls is not None
    files = ("--cafile", member.tls.ca_file, "--cert", member.tls.cert_file, "--key", member.tls.key_file)
    where = ("stdbuf", "-oL", "mosquitto_sub", "-h", "localhost", "-p", str(member.port))
    return (*where, *map(str, files), *options)


async def leave_a_session(member: BrokerSettings, *session: str) -> None:
    """Subscribe in a session that lasts, and go."""
    client = await Process.start(*mosquitto_sub(member, "-d", *session))
    await until(lambda: any("SUBACK" in line for line in client.lines))
    await client.end()
