"""Joining the group: files and configuration of whoever is enrolled, and a daemon that is not disturbed."""

import stat
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from groups import ROOT, Group, Member
from hypothesis import given
from hypothesis import strategies as st
from servers import PROGRAM, Collector, Process, until, write_configuration
from typer.testing import CliRunner, Result

from collector.cli import app
from collector.config import load
from collector.enrolment import Enrolment
from collector.errors import CollectorError
from collector.group import membership
from collector.group.folder import GroupFolder
from collector.group.membership import Issued, Terms
from collector.joining.configuration import configure
from collector.joining.credentials import CredentialFiles
from collector.joining.tables import as_text, with_keys
from collector.store.settings import load_store

PROJECT = Path(__file__).resolve().parent.parent
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)

# Setting keys

TEXTS = (PROJECT / "config" / "collector.toml").read_text(encoding="utf-8")
WANTED = {("gateway", "company"): "works", ("broker", "host"): "h", ("broker", "tls", "ca_file"): "ca.pem"}


def test_remarks_and_order_stay() -> None:
    changed = with_keys(TEXTS, WANTED)
    assert changed is not None
    lines = changed.splitlines()
    kept = [line for line in TEXTS.splitlines() if not line.startswith(("company =", "host ="))]
    assert [line for line in lines if line in set(kept)] == kept
    assert tomllib.loads(changed)["broker"] == {"host": "h", "tls": {"ca_file": "ca.pem"}}
    assert with_keys(changed, WANTED) == changed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "broker.host = 'x'\n",
        "[broker.tls]\nca_file = 'old'\n\n[broker]\nhost = 'x'\n",
        "[other]\na = 1\n\n\n# the end",
        "[broker]\r\nhost = 'x'\r\n",
    ],
)
def test_tables_in_every_form(text: str) -> None:
    changed = with_keys(text, WANTED)
    assert changed is not None
    data = tomllib.loads(changed)
    assert data["broker"]["host"] == "h"
    assert data["broker"]["tls"] == {"ca_file": "ca.pem"}
    assert data["gateway"] == {"company": "works"}


UNSAFE = (
    "[broker",
    "broker = 1\n",
    "broker = { host = 'x' }\n",
    "[[broker]]\nhost = 'x'\n",
    "gateway = 'x'\n",
)


@pytest.mark.parametrize("text", UNSAFE)
def test_what_cannot_be_changed_safely_is_left_alone(text: str) -> None:
    assert with_keys(text, WANTED) is None


KEYS = st.sampled_from(["a", "b", "gateway", "broker", "tls"])
VALUES = st.recursive(
    st.one_of(st.integers(-9, 9), st.text(max_size=3), st.booleans()),
    lambda values: st.one_of(st.lists(values, max_size=2), st.dictionaries(KEYS, values, max_size=3)),
    max_leaves=6,
)


@given(
    st.dictionaries(KEYS, VALUES, max_size=4),
    st.dictionaries(st.tuples(KEYS, KEYS), st.integers(), max_size=3),
)
def test_nothing_but_what_is_wanted_changes(data: dict[str, Any], wanted: dict[tuple[str, ...], int]) -> None:
    text = tomlkit.dumps(data)
    changed = with_keys(text, wanted)
    if changed is None:
        return
    expected = tomllib.loads(text)
    for (table, key), value in wanted.items():
        expected.setdefault(table, {})[key] = value
    assert tomllib.loads(changed) == expected


def test_lines_to_paste_are_a_configuration() -> None:
    assert tomllib.loads(as_text(WANTED))["broker"]["tls"] == {"ca_file": "ca.pem"}


# Files


class Office:
    """A group without a broker, and what its administrator gives out."""

    def __init__(self, folder: Path) -> None:
        self.files = GroupFolder(folder / "group")
        self.terms = Terms(datetime.now(UTC))
        register = membership.new_register(ROOT, ["localhost"], 1, 2, self.terms)
        membership.begin(self.files, register, self.terms)
        membership.add_company(self.files, "works")

    def gateway(self) -> Issued:
        return membership.add_gateway(self.files, "works", "gw1", self.terms)

    def renewed(self, request: bytes | None = None) -> Issued:
        return membership.renew(self.files, "works/gw1", Terms(datetime.now(UTC), request=request))

    def ingester(self) -> Issued:
        return membership.add_reader(self.files, "ingester", "store-1", (), self.terms)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A gateway's configuration folder, as install.sh leaves it but with folders of this test."""
    home = tmp_path / "etc"
    write_configuration(home_made(home), 1883, SIMULATED)
    text = (PROJECT / "config" / "collector.toml").read_text(encoding="utf-8")
    text = text.replace("/var/lib/collector/outbox", "outbox").replace("#socket = ", "socket = ")
    text = text.replace("/run/collector/control.sock", "control.sock")
    (home / "collector.toml").write_text(text, encoding="utf-8")
    (home / "collector.toml").chmod(0o640)
    return home


def home_made(home: Path) -> Path:
    home.mkdir()
    return home


SIMULATED = """\
channels = [{ name = "x", unit = "g" }]
window = { samples = 512 }
source = { kind = "simulated", rate_hz = 6400 }
"""


def enroll(issued: Issued, home: Path, *options: str, secret: str | None = None, yes: str = "") -> Result:
    """Type `collector enroll`, and what it asks for."""
    result = CliRunner().invoke(
        app,
        ["enroll", str(issued.file), "--config", str(home), *options],
        input=f"{secret or issued.secret}\n{yes}\n",
        terminal_width=200,
    )
    assert "PRIVATE KEY" not in result.output
    return result


def told(result: Result) -> str:
    """The code of the sentence that a command ended with; `main` shows it."""
    assert isinstance(result.exception, CollectorError)
    return result.exception.sentence.code


def test_a_gateway_is_configured_whether_or_not_the_broker_is_there(office: Office, home: Path) -> None:
    office.ingester()
    before = (home / "collector.toml").read_bytes()
    done = enroll(office.gateway(), home)
    assert told(done) == "enrolment.no-connection"
    assert "Nothing answers at localhost:1" in str(done.exception)
    config = load(home)
    assert (config.gateway.company, config.gateway.name) == ("works", "gw1")
    assert config.broker.address == ("localhost", 1)
    assert config.broker.tls is not None
    assert config.outbox.delivery == "store"
    assert stat.S_IMODE((home / "secrets").stat().st_mode) == 0o700
    for file in ("ca.pem", "gateway.pem", "gateway.key"):
        assert stat.S_IMODE((home / "secrets" / file).stat().st_mode) == 0o600
    assert stat.S_IMODE((home / "collector.toml").stat().st_mode) == 0o640
    backups = [file for file in home.iterdir() if file.name.startswith("collector.toml.")]
    assert [file.read_bytes() for file in backups] == [before]


def test_a_wrong_secret_changes_nothing(office: Office, home: Path) -> None:
    before = sorted(home.rglob("*")), (home / "collector.toml").read_bytes()
    assert told(enroll(office.gateway(), home, secret="AAAA")) == "enrolment.wrong-secret"
    assert (sorted(home.rglob("*")), (home / "collector.toml").read_bytes()) == before


def test_a_gateway_with_another_name_is_asked_for(office: Office, home: Path) -> None:
    file = home / "collector.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("gateway-1", "gw7"), encoding="utf-8")
    before = file.read_bytes()
    issued = office.gateway()
    refused = enroll(issued, home, yes="n")
    assert "example-works/gw7" in refused.output
    assert (file.read_bytes(), (home / "secrets").exists()) == (before, False)
    enroll(issued, home, yes="y")
    assert load(home).gateway.name == "gw1"


def test_a_key_made_on_the_gateway_never_leaves_it(
    office: Office, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(2):  # asked twice, it is the same key
        asked = CliRunner().invoke(app, ["enroll", "--request", "works/gw1", "--config", str(home)])
        assert asked.exit_code == 0
    request = (tmp_path / "works.gw1.request").read_bytes()
    issued = membership.add_gateway(office.files, "works", "gw1", Terms(datetime.now(UTC), request=request))
    assert issued.fingerprint is not None
    assert issued.fingerprint in asked.output.replace("\n", "")
    key = (home / "secrets" / "requested.key").read_bytes()
    enroll(issued, home)
    assert (home / "secrets" / "gateway.key").read_bytes() == key
    assert not (home / "secrets" / "requested.key").exists()
    # Renewed for the same key, it stays; for a key that is not here, nothing happens.
    enroll(office.renewed(request), home)
    assert (home / "secrets" / "gateway.key").read_bytes() == key
    (home / "secrets" / "gateway.key").unlink()
    lost = enroll(office.renewed(request), home)
    assert told(lost) == "enrolment.key-elsewhere"


@pytest.mark.parametrize("options", [["gw1"], ["works/gw1", "--as", "ingester"]])
def test_a_request_says_for_whom(home: Path, options: list[str]) -> None:
    asked = CliRunner().invoke(app, ["enroll", "--config", str(home), "--request", *options])
    assert told(asked) == "enrolment.request-name"
    assert not (home / "secrets").exists()


def test_a_stores_file_is_made_and_changed(office: Office, tmp_path: Path) -> None:
    home = home_made(tmp_path / "etc")
    issued = office.ingester()
    done = enroll(issued, home)
    assert "store.toml was made" in done.output.replace("\n", "")
    assert (home / "store-secrets" / "ingester.key").exists()
    store = tomllib.loads((home / "store.toml").read_text(encoding="utf-8"))
    assert store["store"] == {"name": "store-1"}
    assert store["broker"]["port"] == 2
    (home / "store.toml").write_text('# ours\n[sink]\nkind = "postgresql"\n', encoding="utf-8")
    enroll(issued, home)
    again = membership.renew(office.files, "store-1", office.terms)
    assert "systemctl restart collector-store" in enroll(again, home).output.replace("\n", " ")
    store = tomllib.loads((home / "store.toml").read_text(encoding="utf-8"))
    assert store["store"]["group"] == office.files.read_register().share
    assert store["sink"] == {"kind": "postgresql"}


@pytest.mark.parametrize("sink", ["sqlite", "postgresql"])
def test_the_example_of_a_store_becomes_a_good_one(office: Office, tmp_path: Path, sink: str) -> None:
    home = home_made(tmp_path / "etc")
    text = (PROJECT / "config" / "store.toml").read_text(encoding="utf-8")
    text = text.replace("/var/lib/collector-store", str(tmp_path))
    if sink == "postgresql":
        before, _, after = text.partition("[sink]\n")
        _, _, rest = after.partition("[retention]")
        text = f'{before}[sink]\nkind = "postgresql"\nurl = "postgresql:///collector"\n\n[retention]{rest}'
    (home / "store.toml").write_text(text, encoding="utf-8")
    enroll(office.ingester(), home)
    store = load_store(home)
    assert store.broker.address == ("localhost", 2)
    assert store.store.ingester == "store-1"
    assert store.sink.kind == sink
    assert store.store.group == (office.files.read_register().share if sink == "postgresql" else None)


def test_a_researcher_gets_a_folder(office: Office, tmp_path: Path) -> None:
    issued = membership.add_reader(office.files, "researcher", "tanaka", ["works"], office.terms)
    done = enroll(issued, tmp_path, "--into", str(tmp_path / "tanaka"))
    assert 'host = "localhost"' in done.output
    assert sorted(file.name for file in (tmp_path / "tanaka").iterdir()) == [
        "ca.pem",
        "tanaka.key",
        "tanaka.pem",
    ]


def test_lines_are_told_where_the_file_cannot_be_changed(tmp_path: Path) -> None:
    files = CredentialFiles(tmp_path, "gateway")
    for content in (b"[broker", b"\xff\xfe"):
        file = tmp_path / "collector.toml"
        file.write_bytes(content)
        told = configure(GATEWAY, files, file, NOW)
        assert told.paste is not None
        assert tomllib.loads(told.paste)["gateway"]["name"] == "gw1"
        assert file.read_bytes() == content


def test_the_services_secrets_are_named_as_systemd_hands_them_over(tmp_path: Path) -> None:
    file = tmp_path / "collector.toml"
    file.write_text("", encoding="utf-8")
    configure(GATEWAY, CredentialFiles(Path("/etc/collector/secrets"), "gateway"), file, NOW)
    tls = tomllib.loads(file.read_text(encoding="utf-8"))["broker"]["tls"]
    assert tls["key_file"] == "credential:secrets_gateway.key"


def test_what_a_file_leaves_out_on_purpose_stays_out(tmp_path: Path) -> None:
    file = tmp_path / "collector.toml"
    file.write_text('[broker]\nprotocol = "mqtt311"\n', encoding="utf-8")
    configure(GATEWAY, CredentialFiles(tmp_path, "gateway"), file, NOW)
    data = tomllib.loads(file.read_text(encoding="utf-8"))
    assert data["broker"]["protocol"] == "mqtt5"
    assert "port" not in data["broker"]
    assert "root" not in data["gateway"]
    assert "outbox" not in data


GATEWAY = Enrolment(
    kind="gateway",
    user="works.gw1",
    company="works",
    gateway="gw1",
    root=ROOT,
    host="broker.example.org",
    port=8883,
    authority="A",
    certificate="C",
    key="K",
)


# At work


async def test_from_enrolling_to_records_and_a_running_gateway_is_not_disturbed(
    home: Path, tmp_path: Path
) -> None:
    group = Group(tmp_path)
    ingester = group.ingester()
    issued = membership.add_gateway(group.files, "works", "gw1", group.terms)
    await group.start()
    store = await Member.connect(ingester)
    await store.subscribe(f"{ROOT}/#")
    collector = Collector(home)
    try:
        first = await typed(issued, home)
        assert any("lets it in" in line for line in first), first
        await collector.start()
        await until(lambda: any(topic.endswith("/features") for topic, _ in store.received))
        report = await collector.report()
        assert report
        assert report["broker"]["state"] == "ok"
        again = membership.renew(group.files, "works/gw1", group.terms)
        renewed = await typed(again, home)
        assert any("systemctl restart collector" in line for line in renewed), renewed
        assert group.broker
        connections = [
            line for line in group.broker.lines if "connected from" in line and "works.gw1" in line
        ]
        assert len(connections) == 2  # the trial before it ran, and the daemon's own
    finally:
        await collector.end()
        await store.close()
        await group.stop()


async def typed(issued: Issued, home: Path) -> list[str]:
    """What `collector enroll` says as a process of its own."""
    process = await Process.start(
        "sh", "-c", 'printf "%s\\n" "$SECRET" | "$0" "$@"', PROGRAM, "enroll", issued.file, "--config", home,
        SECRET=issued.secret,
    )  # fmt: skip
    await process.process.wait()
    await process.end()
    return process.lines
