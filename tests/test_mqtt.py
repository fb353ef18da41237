"""One MQTT connection: who is let in, what a refusal says, and that nothing is left behind."""

import asyncio
import gc
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from certificates import Authority
from links import OddServer, Proxy, unanswering_port
from servers import Mosquitto, Process, StartBroker, Subscriber, free_port, until

from collector.dialling import dial
from collector.errors import BrokerError
from collector.mqtt import Acknowledgement, BrokerSettings, Connection, TimeLimits, Will

LIMITS = TimeLimits(dial_s=0.3, answer_s=0.3, goodbye_s=0.3)
"""Where it is waited out."""
SHORT_GOODBYE = TimeLimits(goodbye_s=0.3)
AT_ONCE_S = 8.0
"""Less than any limit that would be waited out, and enough for a busy machine."""
PATIENT = TimeLimits()
BOTH = pytest.mark.parametrize("protocol", ["mqtt5", "mqtt311"])


def open_sockets() -> set[str]:
    """What this process has open."""
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            target = str(entry.readlink())
        except FileNotFoundError:
            continue  # the one that listed the folder
        if target.startswith("socket:"):
            found.add(target)
    return found


@pytest_asyncio.fixture(autouse=True)
async def no_leaked_sockets() -> AsyncIterator[None]:
    """Fail a test after which a socket is open, or is closed by the garbage collector alone."""
    before = open_sockets()
    yield
    await asyncio.sleep(0)
    left = open_sockets() - before
    gc.collect()
    assert not left


class Certificates:
    """A group's authority, what it issued, and what it did not."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder, "group")
        self.other = Authority(folder, "other")
        self.server = self.authority.issue("server", names="DNS:localhost,IP:127.0.0.1")
        self.elsewhere = self.authority.issue("elsewhere", names="DNS:broker.example.org")
        self.expired_server = self.authority.issue("expired-server", names="DNS:localhost", days=-1)
        self.client = self.authority.issue("works-gw1")
        self.expired_client = self.authority.issue("expired-gw1", days=-1)
        self.stranger = self.other.issue("stranger")


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


def listener(certificate: tuple[Path, Path], authority: Authority, *more: str) -> list[str]:
    """The lines of a mosquitto that speaks TLS."""
    files = [f"cafile {authority.file}", f"certfile {certificate[0]}", f"keyfile {certificate[1]}"]
    return ["allow_anonymous true", *files, *more]


def tls(authority: Authority, certificate: tuple[Path, Path] | None = None) -> dict[str, str]:
    """The table [broker.tls] of a gateway."""
    table = {"ca_file": str(authority.file)}
    if certificate is not None:
        table |= {"cert_file": str(certificate[0]), "key_file": str(certificate[1])}
    return table


def at(port: int, **values: Any) -> BrokerSettings:
    """Settings for a broker on this computer; its name is in the servers' certificates."""
    return BrokerSettings.model_validate({"host": "localhost", "port": port} | values)


async def refusal(settings: BrokerSettings, limits: TimeLimits = PATIENT) -> tuple[str, str]:
    """Code and whole text of the error that connecting ends with."""
    with pytest.raises(BrokerError) as raised:
        await Connection.open(settings, "gateway", limits=limits)
    sentence = raised.value.sentence
    assert sentence.advice
    return sentence.code, f"{sentence} {sentence.advice}"


async def ran(*command: str | Path) -> None:
    """Run a program to its end."""
    process = await Process.start(*command)
    assert await process.process.wait() == 0, process.lines
    await process.end()


class Acknowledged:
    """Waits for acknowledgements."""

    def __init__(self) -> None:
        self.all: dict[int, str | None] = {}

    def __call__(self, acknowledgements: Sequence[Acknowledgement]) -> None:
        self.all |= {each.mid: each.refusal for each in acknowledgements}

    async def of(self, mid: int) -> str | None:
        """The refusal of a publish, or None."""
        await until(lambda: mid in self.all)
        return self.all[mid]


# Sending and receiving


@BOTH
async def test_a_publish_is_acknowledged_and_arrives(broker: Mosquitto, protocol: str) -> None:
    subscriber = await Subscriber.start(broker.port)
    answers = Acknowledged()
    connection = await Connection.open(at(broker.port, protocol=protocol), "gateway", on_acknowledged=answers)
    mids = [
        connection.publish("shopfloor/v1/a", b"live"),
        connection.publish("shopfloor/v1/a", b"late", late=True),
        connection.publish("shopfloor/v1/a", b"kept", retain=True),
    ]
    assert [await answers.of(mid) for mid in mids] == [None, None, None]
    await connection.close()
    await until(lambda: len(subscriber.raw) == 3)
    again = await Subscriber.start(broker.port)
    await until(lambda: again.raw)
    assert [payload for _, payload in subscriber.raw] == ["live", "late", "kept"]
    assert subscriber.late == (protocol == "mqtt5")  # MQTT 3.1.1 has no properties
    assert [payload for _, payload in again.raw] == ["kept"]
    await subscriber.end()
    await again.end()


@pytest.mark.parametrize("size", [0, 1, 127, 128, 20_000, 3_000_000])
async def test_a_message_of_any_size_comes_in_over_tls(
    start_broker: StartBroker, certificates: Certificates, size: int
) -> None:
    broker = await start_broker(*listener(certificates.server, certificates.authority))
    payload = os.urandom(size)
    received: list[tuple[str, bytes, bool]] = []
    settings = at(broker.port, tls=tls(certificates.authority))
    connection = await Connection.open(settings, "a", on_message=lambda *message: received.append(message))
    await connection.subscribe("shopfloor/#")
    connection.publish("shopfloor/v1/big", payload)
    await until(lambda: received)
    assert received == [("shopfloor/v1/big", payload, False)]
    await connection.close()


async def test_bytes_that_trickle_in_one_by_one_are_put_together(broker: Mosquitto) -> None:
    answers = Acknowledged()
    received: list[tuple[str, bytes, bool]] = []
    async with Proxy(broker.port, piece_bytes=1).running() as proxy:
        connection = await Connection.open(
            at(proxy.port), "a", on_acknowledged=answers, on_message=lambda *message: received.append(message)
        )
        await connection.subscribe("shopfloor/#")
        for n in range(20):
            assert await answers.of(connection.publish("shopfloor/v1/a", b'{"n": %d}' % n)) is None
        await until(lambda: len(received) == 20)
        await connection.close()
    assert received == [("shopfloor/v1/a", b'{"n": %d}' % n, False) for n in range(20)]


async def test_the_brokers_limits_are_known(start_broker: StartBroker) -> None:
    broker = await start_broker("allow_anonymous true", "max_inflight_messages 5", "max_packet_size 2000")
    connection = await Connection.open(at(broker.port), "gateway")
    assert connection.in_flight == 5
    assert connection.takes(len("topic") + 1900)
    assert not connection.takes(len("topic") + 2000)
    answers = Acknowledged()
    await connection.close()
    connection = await Connection.open(at(broker.port, in_flight=3), "gateway", on_acknowledged=answers)
    assert connection.in_flight == 3
    largest = next(n for n in range(2000, 0, -1) if connection.takes(len("shopfloor/v1/a") + n))
    assert await answers.of(connection.publish("shopfloor/v1/a", bytes(largest), late=True)) is None
    await connection.close()


async def test_a_publish_that_the_rules_forbid_is_seen_on_mqtt_5_alone(
    tmp_path: Path, start_broker: StartBroker
) -> None:
    """On MQTT 3.1.1 the acknowledgement cannot say no: this is why `protocol` warns of it."""
    rules = tmp_path / "acl"
    rules.write_text("topic write shopfloor/v1/mine/#\n")
    rules.chmod(0o600)
    broker = await start_broker("allow_anonymous true", f"acl_file {rules}")
    for protocol, expected in (("mqtt5", "Not authorized"), ("mqtt311", None)):
        answers = Acknowledged()
        settings = at(broker.port, protocol=protocol)
        connection = await Connection.open(settings, "gateway", on_acknowledged=answers)
        assert await answers.of(connection.publish("shopfloor/v1/mine/a", b"x")) is None
        assert await answers.of(connection.publish("shopfloor/v1/theirs/a", b"x")) == expected
        await connection.close()


# Who is let in


@pytest_asyncio.fixture
async def guarded(tmp_path: Path, start_broker: StartBroker) -> Mosquitto:
    """A broker that knows the user `gw1` with the password `sesam`."""
    passwords = tmp_path / "passwords"
    await ran("mosquitto_passwd", "-b", "-c", passwords, "gw1", "sesam")
    return await start_broker("allow_anonymous false", f"password_file {passwords}")


@BOTH
async def test_user_and_password(guarded: Mosquitto, tmp_path: Path, protocol: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("sesam\n")
    settings = at(guarded.port, protocol=protocol, user="gw1", password_file=str(secret))
    connection = await Connection.open(settings, "gateway")
    await connection.close()
    secret.write_text("wrong\n")
    code, text = await refusal(settings)
    assert code == "broker.refused"
    assert "Not authorized" in text
    assert "password" in text
    secret.unlink()
    code, text = await refusal(settings)
    assert code == "broker.secret-unreadable"
    assert str(secret) in text
    secret.write_bytes(b"\xff\xfe\x00")
    assert (await refusal(settings))[0] == "broker.password-not-text"
    assert (await refusal(at(guarded.port, protocol=protocol)))[0] == "broker.refused"


async def test_a_password_from_systemd(
    guarded: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broker-password").write_text("sesam")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    settings = at(guarded.port, user="gw1", password_file="credential:broker-password")
    connection = await Connection.open(settings, "gateway")
    await connection.close()


@pytest.mark.parametrize("version", ["tlsv1.2", "tlsv1.3"])
async def test_certificates_of_gateways(
    start_broker: StartBroker, certificates: Certificates, version: str
) -> None:
    """With TLS 1.3 the refusal comes when the client's handshake is over, at times as a mere reset."""
    group = certificates.authority
    lines = listener(certificates.server, group, "require_certificate true", f"tls_version {version}")
    broker = await start_broker(*lines)
    connection = await Connection.open(at(broker.port, tls=tls(group, certificates.client)), "gateway")
    await connection.close()
    for certificate in (certificates.stranger, None):
        code, text = await refusal(at(broker.port, tls=tls(group, certificate)))
        assert code in {"broker.certificate-refused", "broker.closed-by-tls"}
        assert "certificate" in text
        assert "cert_file" in text
    code, text = await refusal(at(broker.port, tls=tls(group, certificates.expired_client)))
    assert code == "broker.certificate-ended"
    assert "sudo collector enroll" in text
    code, _ = await refusal(at(broker.port, tls=tls(certificates.other, certificates.client)))
    assert code == "broker.certificate-untrusted"


@pytest.mark.parametrize(
    ("served", "trusted", "code", "advice"),
    [
        ("server", "other", "broker.certificate-untrusted", "ca_file under [broker.tls]"),
        ("elsewhere", "authority", "broker.certificate-name", "host under [broker]"),
        ("expired_server", "authority", "broker.certificate-date", "date"),
    ],
)
async def test_certificates_of_brokers(
    start_broker: StartBroker, certificates: Certificates, served: str, trusted: str, code: str, advice: str
) -> None:
    broker = await start_broker(*listener(getattr(certificates, served), certificates.authority))
    settings = at(broker.port, tls=tls(getattr(certificates, trusted)))
    found, text = await refusal(settings)
    assert found == code
    assert advice in text


async def test_without_a_ca_file_the_systems_authorities_count(
    start_broker: StartBroker, certificates: Certificates
) -> None:
    broker = await start_broker(*listener(certificates.server, certificates.authority))
    assert (await refusal(at(broker.port, tls={})))[0] == "broker.certificate-untrusted"


async def test_certificate_files_that_cannot_be_used(tmp_path: Path, certificates: Certificates) -> None:
    certificate, key = map(str, certificates.client)
    authority = str(certificates.authority.file)
    odd = tmp_path / "odd.pem"
    odd.write_text("no certificate")
    locked = tmp_path / "locked.key"
    await ran("openssl", "ec", "-in", key, "-aes128", "-passout", "pass:secret", "-out", locked)
    foreign_key = str(certificates.stranger[1])
    tables = [
        ({"ca_file": "/nowhere/ca.pem"}, "broker.secret-unreadable", "/nowhere/ca.pem"),
        ({"ca_file": str(tmp_path)}, "broker.secret-unreadable", "directory"),
        ({"ca_file": str(odd)}, "broker.ca-file", str(odd)),
        ({"cert_file": "credential:gone"}, "broker.secret-unreadable", "credential:gone"),
        ({"cert_file": certificate, "key_file": "/nowhere/key"}, "broker.secret-unreadable", "/nowhere/key"),
        ({"cert_file": certificate, "key_file": foreign_key}, "broker.cert-files", foreign_key),
        ({"cert_file": certificate, "key_file": str(locked)}, "broker.cert-files", "passphrase"),
        ({"cert_file": certificate}, "broker.cert-files", certificate),
        ({"cert_file": str(odd), "key_file": key}, "broker.cert-files", str(odd)),
    ]
    for table, expected, mentioned in tables:
        code, text = await refusal(at(1, tls={"ca_file": authority} | table))
        assert code == expected
        assert mentioned in text


# What answers is no broker


async def test_nothing_listens() -> None:
    port = free_port()
    code, text = await refusal(at(port))
    assert code == "broker.not-listening"
    assert f"localhost:{port}" in text
    assert f"[::1]:{port}" in (await refusal(at(port, host="::1")))[1]


async def test_names_that_do_not_resolve() -> None:
    for host in ("no-such-broker.invalid", "a" * 64 + ".org", ".", "a\0b"):
        assert (await refusal(at(1883, host=host)))[0] == "broker.host-unknown"


async def test_a_firewall_that_swallows_everything() -> None:
    with unanswering_port() as port:
        assert (await refusal(at(port, host="127.0.0.1"), LIMITS))[0] == "broker.unreachable"


async def test_a_server_that_never_answers(certificates: Certificates) -> None:
    async with OddServer().running() as server:
        code, text = await refusal(at(server.port), LIMITS)
        assert code == "broker.no-answer"
        assert "0.3 s" in text
        code, _ = await refusal(at(server.port, tls=tls(certificates.authority)), LIMITS)
        assert code == "broker.no-answer"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "broker.no-answer"),
        (b"HTTP/1.1 400 Bad Request\r\n" + b"Server: nginx\r\n" * 20, "broker.not-understood"),
        (b"\x00" * 100, "broker.not-understood"),
        (b"\x20\xff\xff\xff\xff\xff", "broker.not-understood"),
        (b"\x20\x03\x00\x00\x7f", "broker.not-understood"),  # the properties are cut off
        (b"\x20\x02\x00\x01", "broker.not-understood"),  # "not this protocol", as MQTT 3.1.1 says it
        (b"\x20\x03\x00\x84\x00", "broker.not-understood"),  # the same of MQTT 5
        (b"\x20\x03\x00\x97\x00", "broker.refused"),
        (b"\xe0\x02\x8b\x00", "broker.connection-lost"),  # "server shutting down"
    ],
)
async def test_a_server_that_answers_nonsense(answer: bytes, code: str) -> None:
    async with OddServer(answer).running() as server:
        found, text = await refusal(at(server.port), TimeLimits(answer_s=1))
    assert found == code
    if code == "broker.not-understood":
        assert "MQTT 5" in text
        assert 'protocol = "mqtt311"' in text


@pytest.mark.parametrize("answer", [b"\x20\x02\x00\x01", b"\xff" * 50])
async def test_nonsense_on_mqtt_311(answer: bytes) -> None:
    async with OddServer(answer).running() as server:
        code, text = await refusal(at(server.port, protocol="mqtt311"))
    assert code == "broker.not-understood"
    assert "MQTT 3.1.1" in text


async def test_tls_and_plain_ports_mixed_up(
    start_broker: StartBroker, broker: Mosquitto, certificates: Certificates
) -> None:
    secure = await start_broker(*listener(certificates.server, certificates.authority))
    code, text = await refusal(at(secure.port))
    assert code == "broker.closed-at-once"
    assert "[broker.tls]" in text
    code, text = await refusal(at(broker.port, tls=tls(certificates.authority)))
    assert code in {"broker.closed-by-tls", "broker.tls-failed"}
    assert "TLS port" in text
    async with OddServer(b"HTTP/1.1 400 Bad Request\r\n").running() as server:
        code, text = await refusal(at(server.port, tls=tls(certificates.authority)))
    assert code == "broker.tls-failed"
    assert "TLS port" in text


# The end


@pytest.mark.parametrize("with_tls", [False, True])
async def test_a_killed_broker_is_noticed_at_once(
    start_broker: StartBroker, certificates: Certificates, with_tls: bool
) -> None:
    secure = listener(certificates.server, certificates.authority)
    broker = await start_broker(*(secure if with_tls else ()))
    settings = at(broker.port, tls=tls(certificates.authority) if with_tls else None)
    connection = await Connection.open(settings, "gateway")
    await broker.kill()
    with pytest.raises(BrokerError) as raised:
        await asyncio.wait_for(asyncio.shield(connection.lost), 2)
    assert raised.value.sentence.code in {"broker.connection-closed", "broker.connection-lost"}
    with pytest.raises(BrokerError):
        connection.publish("a", b"x")
    await connection.close()
    await connection.close()  # twice does no harm


async def test_another_client_under_the_same_name(broker: Mosquitto) -> None:
    first = await Connection.open(at(broker.port), "gateway")
    second = await Connection.open(at(broker.port), "gateway")
    with pytest.raises(BrokerError) as raised:
        await asyncio.wait_for(asyncio.shield(first.lost), 2)
    assert "client_id" in raised.value.sentence.advice  # this mosquitto closes without saying why
    await first.close()
    await second.close()
    async with OddServer(b"\x20\x03\x00\x00\x00" + b"\xe0\x02\x8e\x00").running() as server:
        connection = await Connection.open(at(server.port), "gateway")
        with pytest.raises(BrokerError) as raised:
            await connection.lost
        assert raised.value.sentence.code == "broker.taken-over"
        await connection.close()


async def test_message_ids_that_are_used_up_end_the_connection(broker: Mosquitto) -> None:
    """Else an acknowledgement might be taken for that of another message."""
    async with Proxy(broker.port).running() as proxy:
        connection = await Connection.open(at(proxy.port), "gateway", limits=SHORT_GOODBYE)
        proxy.stall()
        for _ in range(65_535):
            connection.publish("a", b"{}")
        with pytest.raises(BrokerError):
            connection.publish("a", b"{}")
        assert connection.lost.done()
        await connection.close()


async def test_a_mistake_in_a_callback_is_not_hidden(
    broker: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    def mistaken(_: Sequence[Acknowledgement]) -> None:
        raise LookupError("a mistake of ours")

    connection = await Connection.open(at(broker.port), "gateway", on_acknowledged=mistaken)
    connection.publish("a", b"x")
    with pytest.raises(LookupError, match="a mistake of ours"):
        await asyncio.wait_for(asyncio.shield(connection.lost), 2)
    await connection.close()


@BOTH
async def test_the_will_is_published_after_a_kill_and_not_after_a_goodbye(
    broker: Mosquitto, protocol: str
) -> None:
    subscriber = await Subscriber.start(broker.port)
    settings = at(broker.port, protocol=protocol)
    will = Will("shopfloor/v1/works/gw1/status", b"offline")
    connection = await Connection.open(settings, "polite", will=will)
    connection.publish("shopfloor/v1/a", b"bye")
    await connection.close()
    await until(lambda: subscriber.raw)
    script = f"""
import asyncio
from collector.mqtt import *
async def main():
    settings = BrokerSettings.model_validate({settings.model_dump()!r})
    await Connection.open(settings, "rude", will=Will({will.topic!r}, {will.payload!r}))
    print("connected", flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""
    client = await Process.start(sys.executable, "-c", script)
    await until(lambda: client.lines)
    assert client.lines == ["connected"]
    assert [payload for _, payload in subscriber.raw] == ["bye"]
    await client.end(signal.SIGKILL)
    await until(lambda: len(subscriber.raw) == 2)
    assert subscriber.raw[1] == (will.topic, "offline")
    await subscriber.end()


async def cancelled(task: asyncio.Task[Any]) -> None:
    """Cancel, and see that it ends at once."""
    assert not task.done()
    task.cancel()
    async with asyncio.timeout(AT_ONCE_S):
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_cancelled_while_the_files_are_read(certificates: Certificates) -> None:
    settings = at(1, tls=tls(certificates.authority, certificates.client))
    opening = asyncio.create_task(Connection.open(settings, "gateway"))
    await asyncio.sleep(0)
    await cancelled(opening)


async def test_cancelled_while_the_name_is_looked_up() -> None:
    dialling = asyncio.create_task(dial("no-such-broker.invalid", 1883, 1))
    await asyncio.sleep(0)
    looking_up = [thread for thread in threading.enumerate() if thread.name == "name-lookup"]
    await cancelled(dialling)
    for thread in looking_up:
        await asyncio.to_thread(thread.join)


async def test_cancelled_while_dialling() -> None:
    with unanswering_port() as port:
        before = open_sockets()
        opening = asyncio.create_task(Connection.open(at(port, host="127.0.0.1"), "gateway"))
        await until(lambda: open_sockets() - before)
        await cancelled(opening)


@pytest.mark.parametrize("with_tls", [False, True])
async def test_cancelled_while_waiting_for_the_brokers_answer(
    certificates: Certificates, with_tls: bool
) -> None:
    async with OddServer().running() as server:
        settings = at(server.port, tls=tls(certificates.authority) if with_tls else None)
        opening = asyncio.create_task(Connection.open(settings, "gateway"))
        await server.connected.wait()
        await cancelled(opening)
        await asyncio.wait_for(server.left.wait(), AT_ONCE_S)


async def test_closing_a_stalled_connection_takes_no_longer_than_the_limit(broker: Mosquitto) -> None:
    async with Proxy(broker.port).running() as proxy:
        connection = await Connection.open(at(proxy.port), "gateway", limits=SHORT_GOODBYE)
        proxy.stall()
        for _ in range(100):
            connection.publish("a", b"{%s}" % bytes(100_000))
        async with asyncio.timeout(AT_ONCE_S):
            await connection.close()
        lasting = TimeLimits(dial_s=60, answer_s=60, goodbye_s=60)
        connection = await Connection.open(at(proxy.port), "gateway", limits=lasting)
        proxy.stall()
        for _ in range(100):
            connection.publish("a", b"{%s}" % bytes(100_000))
        closing = asyncio.create_task(connection.close())
        await asyncio.sleep(0.05)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(closing, AT_ONCE_S)


async def test_a_hundred_connections_leave_nothing_behind(
    start_broker: StartBroker, certificates: Certificates
) -> None:
    broker = await start_broker(*listener(certificates.server, certificates.authority))
    settings = at(broker.port, tls=tls(certificates.authority))
    before = open_sockets()
    for _ in range(25):
        opened = await asyncio.gather(*(Connection.open(settings, f"gateway-{n}") for n in range(4)))
        await asyncio.gather(*(connection.close() for connection in opened))
    await asyncio.sleep(0)
    assert open_sockets() == before


def test_addresses() -> None:
    assert BrokerSettings(host="b").address == ("b", 1883)
    assert at(1, host="b", tls={}).where == "b:1"
    assert BrokerSettings.model_validate({"host": "::1", "tls": {}}).where == "[::1]:8883"
