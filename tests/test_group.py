"""The group's folder: who may be called what, what is kept where, and what follows from it for the broker."""

import json
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from typer.testing import CliRunner, Result

from collector.cli import app
from collector.enrolment import make_request, unseal
from collector.errors import CollectorError, EnrolmentError, GroupError
from collector.group import membership
from collector.group.access import access_list
from collector.group.authority import is_host
from collector.group.broker import configuration, tell_broker
from collector.group.folder import GroupFolder
from collector.group.membership import Terms

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
TERMS = Terms(NOW)


@pytest.fixture
def folder(tmp_path: Path) -> GroupFolder:
    """A group with the companies works and rival."""
    folder = GroupFolder(tmp_path / "group")
    membership.begin(
        folder, membership.new_register("shopfloor/v1", ["broker.example.org"], 8883, 8884, TERMS), TERMS
    )
    for company in ("works", "rival"):
        membership.add_company(folder, company)
    return folder


def refusal(action: Any, *arguments: Any) -> str:
    """The code of the refusal, after which nothing has changed."""
    folder: GroupFolder = arguments[0]
    before = folder.register_file.read_bytes()
    with pytest.raises(CollectorError) as told:
        action(*arguments)
    assert folder.register_file.read_bytes() == before
    assert told.value.sentence.advice
    return told.value.sentence.code


@pytest.mark.parametrize(
    "name", ["", "Works", "a/b", "a.b", "a@b", "+", "#", "a b", "$SYS", "wörks", "a" * 65, "a\n"]
)
def test_names_that_could_be_more_than_a_name(folder: GroupFolder, name: str) -> None:
    assert refusal(membership.add_company, folder, name) == "group.bad-name"
    assert refusal(membership.add_gateway, folder, "works", name, TERMS) == "group.bad-name"
    assert refusal(membership.add_reader, folder, "ingester", name, (), TERMS) == "group.bad-name"


@pytest.mark.parametrize("name", ["receipt", "broker"])
def test_names_with_a_meaning_of_their_own(folder: GroupFolder, name: str) -> None:
    assert refusal(membership.add_company, folder, name) == "group.reserved-name"
    assert refusal(membership.add_reader, folder, "researcher", name, (), TERMS) == "group.reserved-name"


def test_a_name_too_long_for_a_certificate(folder: GroupFolder) -> None:
    membership.add_company(folder, "c" * 40)
    assert refusal(membership.add_gateway, folder, "c" * 40, "g" * 24, TERMS) == "group.long-name"
    assert membership.add_gateway(folder, "c" * 40, "g" * 23, TERMS).party.user == f"{'c' * 40}.{'g' * 23}"


def test_nobody_is_added_twice_or_to_nothing(folder: GroupFolder) -> None:
    membership.add_gateway(folder, "works", "gw1", TERMS)
    membership.add_reader(folder, "ingester", "store", (), TERMS)
    assert refusal(membership.add_company, folder, "works") == "group.name-taken"
    assert refusal(membership.add_company, folder, "store") == "group.name-taken"
    assert refusal(membership.add_gateway, folder, "works", "gw1", TERMS) == "group.name-taken"
    assert refusal(membership.add_reader, folder, "researcher", "store", (), TERMS) == "group.name-taken"
    assert refusal(membership.add_reader, folder, "ingester", "works", (), TERMS) == "group.name-taken"
    assert refusal(membership.add_gateway, folder, "elsewhere", "gw1", TERMS) == "group.no-company"
    assert (
        refusal(membership.add_reader, folder, "researcher", "a", ["elsewhere"], TERMS) == "group.no-company"
    )
    assert refusal(membership.revoke, folder, "works/gw2", NOW) == "group.no-member"
    assert refusal(membership.renew, folder, "works/gw2", TERMS) == "group.no-member"
    assert refusal(membership.may_read, folder, "store", ["works"]) == "group.no-researcher"
    other = membership.new_register("r", ["localhost"], 1, 2, TERMS)
    assert refusal(membership.begin, folder, other, TERMS) == "group.exists"


@pytest.mark.parametrize(
    ("root", "host", "code"),
    [
        ("a/+/b", "localhost", "group.bad-root"),
        ("/a", "localhost", "group.bad-root"),
        ("a", "mqtt://broker", "group.bad-host"),
        ("a", "broker:8883", "group.bad-host"),
        ("a", "", "group.bad-host"),
    ],
)
def test_a_group_that_cannot_begin_leaves_nothing(tmp_path: Path, root: str, host: str, code: str) -> None:
    folder = GroupFolder(tmp_path / "group")
    with pytest.raises(GroupError) as told:
        membership.begin(folder, membership.new_register(root, [host], 1, 2, TERMS), TERMS)
    assert told.value.sentence.code == code
    assert not folder.path.exists()


def test_a_folder_with_other_files_keeps_its_rights(tmp_path: Path) -> None:
    folder = GroupFolder(tmp_path / "home")
    folder.path.mkdir(mode=0o750)
    (folder.path / "letter").write_text("", encoding="ascii")
    with pytest.raises(GroupError) as told:
        membership.begin(folder, membership.new_register("r", ["localhost"], 1, 2, TERMS), TERMS)
    assert told.value.sentence.code == "group.folder-used"
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o750


def test_hosts() -> None:
    assert all(map(is_host, ("localhost", "broker.example.org", "10.0.0.5", "fe80::1", "pi-4")))
    assert not any(map(is_host, ("", "a..b", "-a", "a_b", "a b", "[::1]", "*.example.org", "würzburg")))


def test_access_rules(folder: GroupFolder) -> None:
    membership.add_gateway(folder, "works", "gw1", TERMS)
    membership.add_gateway(folder, "rival", "gw1", TERMS)
    membership.add_reader(folder, "ingester", "store", (), TERMS)
    membership.add_reader(folder, "researcher", "tanaka", ["works"], TERMS)
    rules = [line for line in access_list(folder.read_register()).splitlines() if not line.startswith("#")]
    assert (
        "\n".join(rules).strip()
        == """\
user rival.gw1
topic write shopfloor/v1/rival/gw1/#
topic read shopfloor/v1/receipt/rival/gw1

user store@ingester
topic read shopfloor/v1/#
topic write shopfloor/v1/receipt/+/+

user tanaka@researcher
topic read shopfloor/v1/works/#

user works.gw1
topic write shopfloor/v1/works/gw1/#
topic read shopfloor/v1/receipt/works/gw1"""
    )
    assert (folder.broker / "access").read_text(encoding="utf-8") == access_list(folder.read_register())


def test_who_is_shut_out_has_no_rules_and_can_be_let_in_again(folder: GroupFolder) -> None:
    for name in ("gw1", "gw2"):
        membership.add_gateway(folder, "works", name, TERMS)
    first = folder.read_register().find("works/gw1")
    assert [party.title for party in membership.revoke(folder, "works", NOW)] == ["works/gw1", "works/gw2"]
    assert "works" not in (folder.broker / "access").read_text(encoding="utf-8")
    assert not folder.enrolment("works/gw1").exists()
    listed = x509.load_pem_x509_crl((folder.broker / "gateways.crl").read_bytes())
    assert first
    assert listed.get_revoked_certificate_by_serial_number(first.certificates[0].serial) is not None
    assert refusal(membership.renew, folder, "works/gw1", TERMS) == "group.all-revoked"
    again = membership.add_gateway(folder, "works", "gw1", TERMS)
    assert len(again.party.certificates) == 2
    assert "user works.gw1" in (folder.broker / "access").read_text(encoding="utf-8")


def test_every_revocation_list_is_later_than_the_one_before_and_holds_already(folder: GroupFolder) -> None:
    membership.add_gateway(folder, "works", "gw1", TERMS)
    now, made = NOW, folder.read_register().lists_made
    for pause_s in (0.0, 0.0, 0.3, 0.3, 2.0):
        now += timedelta(seconds=pause_s)
        membership.revoke(folder, "works/gw1", now)
        listed = x509.load_pem_x509_crl((folder.broker / "gateways.crl").read_bytes())
        assert made < listed.last_update_utc < now
        assert listed.next_update_utc is not None
        assert listed.next_update_utc > now + timedelta(days=19 * 365)
        made = listed.last_update_utc


def test_certificates_are_what_strict_programs_want(folder: GroupFolder) -> None:
    issued = membership.add_gateway(folder, "works", "gw1", TERMS)
    enrolment = unseal(issued.file.read_bytes(), issued.secret, NOW)
    certificate = x509.load_pem_x509_certificate(enrolment.certificate.encode())
    assert certificate.subject.rfc4514_string() == "CN=works.gw1"
    assert certificate.not_valid_before_utc == NOW - timedelta(days=1)
    assert certificate.not_valid_after_utc == NOW + timedelta(days=730)
    authority = folder.read_authority("gateways").certificate
    certificate.verify_directly_issued_by(authority)
    identifier = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    of_issuer = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert of_issuer.key_identifier == identifier
    broker = x509.load_pem_x509_certificate((folder.broker / "broker.pem").read_bytes())
    names = broker.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["broker.example.org"]
    broker.verify_directly_issued_by(x509.load_pem_x509_certificate(enrolment.authority.encode()))


def test_no_certificate_outlives_its_authority(folder: GroupFolder) -> None:
    issued = membership.add_gateway(folder, "works", "gw1", Terms(NOW + timedelta(days=19 * 365)))
    authority = folder.read_authority("gateways").certificate
    assert issued.party.certificates[0].until == authority.not_valid_after_utc


def test_who_may_read_which_file(folder: GroupFolder) -> None:
    membership.add_gateway(folder, "works", "gw1", TERMS)
    modes = {
        str(file.relative_to(folder.path)): stat.S_IMODE(file.stat().st_mode)
        for file in [folder.path, *folder.path.rglob("*")]
    }
    secret = {
        name: mode for name, mode in modes.items() if name.endswith((".key", ".enrolment", "register.json"))
    }
    assert secret.pop("broker/broker.key") == 0o640
    assert set(secret.values()) == {0o600}
    assert modes["."] == 0o711
    assert modes["authorities"] == modes["enrolments"] == 0o700
    assert modes["broker"] == 0o2750
    assert {mode for name, mode in modes.items() if name.startswith("broker/")} == {0o640}


def test_what_the_broker_reads_can_be_made_again(folder: GroupFolder) -> None:
    membership.add_gateway(folder, "works", "gw1", TERMS)
    kept = {file.name: file.read_bytes() for file in folder.broker.iterdir()}
    for name in kept.keys() - {"broker.pem", "broker.key"}:
        (folder.broker / name).unlink()
    membership.apply(folder)
    made = {file.name: file.read_bytes() for file in folder.broker.iterdir()}
    signed = {"gateways.crl", "readers.crl"}  # the signature is another each time
    assert {name: made[name] for name in made.keys() - signed} == {
        name: kept[name] for name in kept.keys() - signed
    }
    assert made.keys() == kept.keys()


def test_the_broker_logs_refused_messages_unless_told_otherwise(folder: GroupFolder) -> None:
    assert "log_type debug" in configuration(folder.read_register(), folder.broker)
    membership.apply(folder, "connections")
    assert "log_type debug" not in (folder.broker / "mosquitto.conf").read_text(encoding="utf-8")
    membership.apply(folder)
    assert "log_type debug" not in (folder.broker / "mosquitto.conf").read_text(encoding="utf-8")


def test_damage_is_told(folder: GroupFolder) -> None:
    (folder.path / "authorities" / "gateways.key").write_text("nothing", encoding="ascii")
    with pytest.raises(GroupError) as told:
        membership.add_gateway(folder, "works", "gw1", TERMS)
    assert told.value.sentence.code == "group.damaged"
    folder.register_file.write_text("{}", encoding="ascii")
    with pytest.raises(GroupError) as told:
        membership.add_company(folder, "third")
    assert told.value.sentence.code == "group.damaged"


def test_only_a_mosquitto_is_told(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    assert not tell_broker(pid_file)
    for content in ("", "nobody", "1", "999999999"):
        pid_file.write_text(content, encoding="ascii")
        assert not tell_broker(pid_file)


# The commands


def test_the_daemon_does_without_what_other_commands_load() -> None:
    others = "{'cryptography', 'tomlkit', 'rich', 'asyncua'}"
    program = f"import sys, collector.cli.daemon; print({others} & {{*sys.modules}})"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert loaded.stdout == "set()\n"


@pytest.fixture
def run(tmp_path: Path) -> Any:
    """Runs `collector group …` on a folder of this test."""

    def run(*command: str) -> Result:
        environment = {
            "COLLECTOR_GROUP": str(tmp_path / "g"),
            "COLLECTOR_BROKER_PID_FILE": str(tmp_path / "pid"),
        }
        result = CliRunner().invoke(app, ["group", *command], env=environment, terminal_width=200)
        assert "PRIVATE KEY" not in result.output
        return result

    return run


def test_from_nothing_by_commands(run: Any, tmp_path: Path) -> None:
    folder = GroupFolder(tmp_path / "g")
    assert run("init", str(folder.path), "--host", "broker.example.org", "--host", "10.0.0.5").exit_code == 0
    assert run("add-company", "works").exit_code == 0
    for command in (
        ("add-ingester", "store"),
        ("add-gateway", "works", "gw1"),
        ("add-researcher", "tanaka", "--company", "works"),
        ("renew", "works/gw1", "--days", "10"),
    ):
        done = run(*command)
        assert done.exit_code == 0, done.output
        assert "sudo collector enroll FILE" in done.output
    assert run("may-read", "tanaka").exit_code == 0
    assert run("renew", "broker", "--days", "365").exit_code == 0
    listed = run("list").output
    assert "write shopfloor/v1/works/gw1" in listed
    assert "in 9 days" in listed
    assert "broker.example.org, 10.0.0.5" in listed
    assert run("revoke", "tanaka").exit_code == 0
    assert "taken back" in run("list").output
    assert "systemctl restart mosquitto" in run("add-researcher", "tanaka").output.replace("\n", " ")
    assert run("apply", "--log", "connections").exit_code == 0
    register = json.loads(folder.register_file.read_bytes())
    assert [party["name"] for party in register["parties"]] == ["store", "gw1", "tanaka"]


def test_a_key_that_was_made_elsewhere_is_not_in_the_enrolment(run: Any, tmp_path: Path) -> None:
    run("init", str(tmp_path / "g"), "--host", "localhost")
    run("add-company", "works")
    request = tmp_path / "request"
    request.write_bytes(make_request("anything", ec.generate_private_key(ec.SECP256R1())))
    done = run("add-gateway", "works", "gw1", "--request", str(request))
    assert "fingerprint" in done.output
    secret = done.output.partition("The secret that opens it: ")[2].split()[0]
    enrolment = unseal(
        (tmp_path / "g/enrolments/works.gw1.enrolment").read_bytes(), secret, datetime.now(UTC)
    )
    assert enrolment.key is None
    assert enrolment.user == "works.gw1"
    request.write_text("no request", encoding="ascii")
    assert isinstance(run("add-gateway", "works", "gw2", "--request", str(request)).exception, EnrolmentError)
    assert "gw2" not in run("list").output


def test_mistakes_are_told(run: Any, tmp_path: Path) -> None:
    init = ("init", str(tmp_path / "g"))
    good = (*init, "--host", "localhost")
    codes = []
    for command in (("list",), init, good, good, ("add-gateway", "works", "gw1")):
        error = run(*command).exception
        codes.append(error.sentence.code if isinstance(error, CollectorError) else error)
    assert codes == ["group.none", "group.host-missing", None, "group.exists", "group.no-company"]
    assert run("add-gateway", "works").exit_code == 2
