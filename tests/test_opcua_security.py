"""Who is trusted: a certificate of a server only when pinned, ours made once, users and their secrets."""

import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from opcua_listening import listening, refusal, source_of
from opcua_server import OpcuaServer, bench, make_certificate, serving
from servers import free_port
from stand_ins import S, SettableClock

from collector.errors import SourceError
from collector.sources.opcua import ConnectionSettings, OpcuaSource
from collector.sources.opcua.certificates import (
    KEY_FILE,
    OWN_FILE,
    expiry,
    fingerprint,
    own_certificate,
    pin,
    pinned,
)
from collector.sources.opcua.certificates import refusal as certificate_refusal
from collector.sources.opcua.connection import server_certificate

SPEED = {"name": "speed", "node": bench("speed")}
SECURE = ["Basic256Sha256_SignAndEncrypt", "Basic256Sha256_Sign"]
PASSWORD = "pass word ü"
DAY = 86_400 * S


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="module")
def process() -> Iterator[OpcuaServer]:
    with serving(free_port()) as server:
        yield server


@pytest.fixture
def server(process: OpcuaServer, files: Path) -> OpcuaServer:
    """Has a certificate, and lets in everybody over an encrypted connection."""
    offer(process, files, "server")
    return process


def offer(server: OpcuaServer, files: Path, name: str, *, days: int = 10, **about: Any) -> bytes:
    """Let the server have this certificate, made if it is not there, and these policies and users."""
    certificate, key = files / f"{name}.der", files / f"{name}.pem"
    if not certificate.exists():
        make_certificate(files, name, days=days)
    server.become(**{"certificate": str(certificate), "key": str(key), "policies": SECURE} | about)
    return certificate.read_bytes()


@pytest.fixture
def password(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n", encoding="utf-8")
    return file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "opcua"


def secure(server: OpcuaServer, folder: Path, **changes: Any) -> OpcuaSource:
    return source_of(
        server.url, SPEED, **{"security": "sign-and-encrypt", "certificate_folder": folder} | changes
    )


async def code(source: OpcuaSource) -> str:
    return (await refusal(source)).sentence.code.removeprefix("source.opcua.")


async def trust(server: OpcuaServer, folder: Path) -> str:
    """What the command for it does."""
    der, shown = await server_certificate(ConnectionSettings(url=server.url))
    pin(server.url, der, folder)
    return shown


@pytest.mark.parametrize("security", ["sign", "sign-and-encrypt"])
async def test_a_pinned_server_and_a_user_work_end_to_end(
    server: OpcuaServer, files: Path, folder: Path, password: Path, security: str
) -> None:
    offer(server, files, "server", user="gateway", password=PASSWORD)
    source = secure(server, folder, security=security, user="gateway", password_file=str(password))
    error = await refusal(source)
    assert error.sentence.code == "source.opcua.not-trusted"
    shown = await trust(server, folder)
    assert shown in str(error.sentence)
    assert f"collector trust {server.url}" in error.sentence.advice
    async with listening(source) as heard:
        await heard.until(lambda: heard.value("speed") == 1500.0)
        server.write(bench("speed"), 1600.0)
        await heard.until(lambda: heard.value("speed") == 1600.0)
        server.write(bench("speed"), 1500.0)
    assert source.remarks == ()
    own = (folder / OWN_FILE).read_bytes()
    async with listening(source) as again:
        await again.until(lambda: again.value("speed") == 1500.0)
    assert (folder / OWN_FILE).read_bytes() == own


async def test_wrong_users_are_told_and_secrets_are_not(
    server: OpcuaServer, files: Path, folder: Path, tmp_path: Path
) -> None:
    offer(server, files, "server", user="gateway", password=PASSWORD)
    await trust(server, folder)
    file = tmp_path / "wrong"
    file.write_text("canary-secret", encoding="utf-8")
    source = secure(server, folder, user="gateway", password_file=str(file))
    error = await refusal(source)
    assert error.sentence.code == "source.opcua.user-refused"
    assert "canary-secret" not in str(error.sentence.to_json())
    file.write_bytes(b"\xff\xfe")
    assert await code(source) == "secret-unusable"
    file.unlink()
    assert await code(source) == "secret-unreadable"
    assert await code(secure(server, folder)) == "user-refused"
    error = await refusal(secure(server, folder, security="none", user="gateway"))
    assert error.sentence.code == "source.opcua.no-endpoint"
    assert "sign, sign-and-encrypt" in error.sentence.advice


async def test_a_changed_certificate_is_refused_until_it_is_trusted_anew(
    server: OpcuaServer, files: Path, folder: Path
) -> None:
    await trust(server, folder)
    source = secure(server, folder)
    async with listening(source) as heard:
        await heard.until(lambda: heard.value("speed") == 1500.0)
        changed = offer(server, files, "changed")
        await heard.failure()
    error = await refusal(source)
    assert error.sentence.code == "source.opcua.certificate-changed"
    assert fingerprint(changed) in str(error.sentence)
    await trust(server, folder)
    async with listening(source) as heard:
        await heard.until(lambda: heard.value("speed") == 1500.0)


async def test_an_expired_certificate_is_refused_though_it_is_pinned(
    server: OpcuaServer, files: Path, folder: Path
) -> None:
    offer(server, files, "expired", days=-1)
    await trust(server, folder)
    source = secure(server, folder)
    assert await code(source) == "certificate-expired"
    offer(server, files, "server")
    await trust(server, folder)
    async with listening(source) as heard:
        await heard.until(lambda: heard.value("speed") == 1500.0)


async def test_a_pinned_certificate_without_its_key_is_of_no_use(
    server: OpcuaServer, files: Path, folder: Path
) -> None:
    """An attacker can show the pinned certificate, but cannot read what is encrypted for it."""
    make_certificate(files, "thief")
    server.become(certificate=str(files / "server.der"), key=str(files / "thief.pem"), policies=SECURE)
    await trust(server, folder)
    source = secure(server, folder, timeout_s=1)
    assert (await refusal(source)).sentence.code.startswith("source.opcua.")
    offer(server, files, "server")
    source = secure(server, folder)
    async with listening(source) as heard:
        await heard.until(lambda: heard.value("speed") == 1500.0)


async def test_a_server_that_does_not_trust_us_is_told_with_our_fingerprint(
    server: OpcuaServer, files: Path, folder: Path
) -> None:
    offer(server, files, "server", trusts_nobody=True)
    await trust(server, folder)
    error = await refusal(secure(server, folder))
    assert error.sentence.code == "source.opcua.gateway-not-trusted"
    assert fingerprint((folder / OWN_FILE).read_bytes()) in error.sentence.advice


async def test_a_user_may_be_a_certificate(
    server: OpcuaServer, files: Path, folder: Path, tmp_path: Path
) -> None:
    person, key = make_certificate(tmp_path, "person")
    offer(server, files, "server", user_certificate=str(person))
    pem = tmp_path / "person-certificate.pem"
    loaded = x509.load_der_x509_certificate(person.read_bytes())
    pem.write_bytes(loaded.public_bytes(serialization.Encoding.PEM))
    await trust(server, folder)
    source = secure(server, folder, user_certificate_file=str(pem), user_key_file=str(key))
    async with listening(source) as heard:
        await heard.until(lambda: heard.value("speed") == 1500.0)
    assert await code(secure(server, folder)) == "user-refused"


async def test_a_password_never_goes_in_clear(
    server: OpcuaServer, files: Path, folder: Path, password: Path
) -> None:
    offer(server, files, "server", policies=["NoSecurity"], user="gateway", password=PASSWORD)
    source = secure(server, folder, security="none", user="gateway", password_file=str(password))
    assert await code(source) == "not-trusted"
    await trust(server, folder)
    assert await code(source) == "password-in-clear"


async def test_a_password_is_encrypted_for_the_trusted_certificate_alone(
    server: OpcuaServer, files: Path, folder: Path, password: Path
) -> None:
    offer(server, files, "server", policies=["NoSecurity", *SECURE], user="gateway", password=PASSWORD)
    source = secure(server, folder, security="none", user="gateway", password_file=str(password))
    assert await code(source) == "not-trusted"
    await trust(server, folder)
    async with listening(source) as heard:
        await heard.until(lambda: heard.value("speed") == 1500.0)
    offer(server, files, "changed", policies=["NoSecurity", *SECURE], user="gateway", password=PASSWORD)
    assert await code(source) == "certificate-changed"


async def test_a_server_without_certificate_is_told(server: OpcuaServer, folder: Path) -> None:
    server.become()
    with pytest.raises(SourceError) as caught:
        await server_certificate(ConnectionSettings(url=server.url))
    assert caught.value.sentence.code == "source.opcua.no-certificate"
    assert await code(secure(server, folder, security="none", user="gateway")) == "no-certificate"


# Our own certificate, and pins, without a server


def clock_at(year: int, *, good: bool = True) -> SettableClock:
    return SettableClock(utc=round(datetime(year, 6, 1, tzinfo=UTC).timestamp()) * S, good=good)


def test_our_own_certificate_is_made_once_and_its_end_is_told(folder: Path) -> None:
    clock = clock_at(2026)
    own = own_certificate(folder, clock)
    assert own_certificate(folder, clock) == own
    assert stat.S_IMODE((folder / KEY_FILE).stat().st_mode) == 0o600
    assert own.application_uri.startswith("urn:")
    assert expiry(folder, clock) is None
    clock.utc = round(own.expires.timestamp()) * S - 31 * DAY
    assert expiry(folder, clock) is None
    clock.utc += 2 * DAY
    warning = expiry(folder, clock)
    assert warning is not None
    assert (warning.code, warning.values["days"]) == ("source.opcua.own-expires", 29)
    clock.utc += 30 * DAY
    warning = expiry(folder, clock)
    assert warning is not None
    assert warning.code == "source.opcua.own-expired"


def test_no_certificate_is_made_before_the_clock_is_set(folder: Path) -> None:
    with pytest.raises(SourceError) as caught:
        own_certificate(folder, clock_at(1970))
    assert caught.value.sentence.code == "source.opcua.clock-not-set"
    assert not folder.exists()


def test_an_unusable_own_certificate_is_told_and_never_replaced(folder: Path) -> None:
    clock = clock_at(2026)
    own_certificate(folder, clock)
    key = (folder / KEY_FILE).read_bytes()
    for damage in (b"nonsense", b""):
        (folder / KEY_FILE).write_bytes(damage)
        with pytest.raises(SourceError) as caught:
            own_certificate(folder, clock)
        assert caught.value.sentence.code == "source.opcua.own-unreadable"
    (folder / KEY_FILE).unlink()
    with pytest.raises(SourceError):
        own_certificate(folder, clock)
    (folder / OWN_FILE).unlink()
    own_certificate(folder, clock)
    (folder / KEY_FILE).write_bytes(key)
    with pytest.raises(SourceError) as caught:
        own_certificate(folder, clock)
    assert "do not belong together" in str(caught.value.sentence)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="ascii")
    with pytest.raises(SourceError) as caught:
        own_certificate(tmp_path / "file" / "opcua", clock_at(2026))
    assert caught.value.sentence.code == "source.opcua.own-unwritable"


def test_pins_belong_to_host_and_port(folder: Path, files: Path) -> None:
    one, two = (make_certificate(files, name)[0].read_bytes() for name in ("one", "two"))
    pin("opc.tcp://Mill:4840/path", one, folder)
    pin("opc.tcp://mill:4841", two, folder)
    assert pinned("opc.tcp://mill", folder) == one
    assert pinned("opc.tcp://mill:4841/", folder) == two
    assert pinned("opc.tcp://lathe", folder) is None
    pin("opc.tcp://[fe80::1]:4840", two, folder)
    assert pinned("opc.tcp://[fe80::1]", folder) == two
    with pytest.raises(SourceError):
        pin("opc.tcp://mill", b"nonsense", folder)
    assert pinned("opc.tcp://mill", folder) == one


def test_a_clock_that_is_not_set_cannot_make_a_certificate_invalid(files: Path) -> None:
    served = make_certificate(files, "timely")[0].read_bytes()
    url = "opc.tcp://mill"
    assert certificate_refusal(url, served, served, clock_at(1970, good=False)) is None
    early = certificate_refusal(url, served, served, clock_at(1990))
    assert early is not None
    assert early.code == "source.opcua.certificate-not-yet-valid"
    late = certificate_refusal(url, served, served, clock_at(2090, good=False))
    assert late is not None
    assert late.code == "source.opcua.certificate-expired"
    unreadable = certificate_refusal(url, b"nonsense", served, clock_at(2026))
    assert unreadable is not None
    assert unreadable.code == "source.opcua.certificate-unreadable"
