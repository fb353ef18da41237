"""The commands of the store, as its administrator types them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import commands
import pytest
from store_records import ROOT, Gateway, arrivals, now_us
from typer.testing import CliRunner

from collector.cli.store import store as app
from collector.messages import Status
from collector.store.arrivals import Arrival
from collector.store.databases import open_sink
from collector.store.report import IngesterReport
from collector.store.settings import StoreFile, load_store
from collector.store.storing import store
from collector.toml.model_tree import choices, field_kind, header, tables
from collector.toml.problems import ConfigError, shown

PROJECT = Path(__file__).resolve().parent.parent
SQLITE = '[sink]\nkind = "sqlite"\nfile = "store.sqlite"\n'
POSTGRESQL = '[sink]\nkind = "postgresql"\n'
BROKER = '[broker]\nhost = "localhost"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A store.toml with an empty database."""
    written = tmp_path / "store.toml"
    written.write_text(BROKER + SQLITE)
    open_sink(load_store(written).sink).close()
    return written


def fill(file: Path, *came: Arrival) -> None:
    sink = open_sink(load_store(file).sink)
    store(sink, came, ROOT)
    sink.close()


def report(file: Path, **changes: Any) -> None:
    now = now_us()
    fields: dict[str, Any] = {
        "name": "store-1", "version": "0.1.0", "started_us": now, "reported_us": now, "state": "ok",
        "since_us": now, "reason": None, "broker": "localhost:1883", "stored": 1234, "dead_letters": 0,
        "waiting": 0, "last_stored_us": now, "lag_s": 0.4,
    }  # fmt: skip
    said = IngesterReport.model_validate(fields | changes)
    sink = open_sink(load_store(file).sink)
    sink.report(said.name, said.reported_us, said.model_dump_json())
    sink.close()


def typed(file: Path, *command: str, answer: str = "") -> tuple[int, str]:
    """Exit code and output of a command about this store."""
    return commands.typed(app, *command, "--config", str(file), answer=answer)


def status(company: str, gateway: str, **fields: Any) -> Arrival:
    now = now_us()
    said = Status.model_validate(
        {"state": "healthy", "epoch": "1", "version": "0.1.0", "t_us": now, "t": "", "sync": True} | fields
    )
    return Arrival(f"{ROOT}/{company}/{gateway}/status", said.model_dump_json().encode(), now)


@pytest.mark.parametrize(
    ("text", "line", "code"),
    [
        (SQLITE, 1, "config.missing-table"),
        (BROKER + '[sink]\nkind = "sqlit"\n', 4, "config.choice"),
        (BROKER + SQLITE + "fiel = 1\n", 6, "config.unknown-key"),
        (BROKER + POSTGRESQL, 3, "config.missing-key"),
        (BROKER + POSTGRESQL + 'url = "localhost"\n', 5, "config.not-of-this-form"),
        (BROKER + POSTGRESQL + 'url = "postgresql://a:b@c/d"\n', 5, "store.sink.password-in-url"),
        (BROKER + POSTGRESQL + 'url = "postgresql:///d"\npassword_file = "p"\n', 6, "config.file-missing"),
        ('[store]\ngroup = "store"\n' + BROKER + SQLITE, 2, "store.group.needs-postgresql"),
        ("[broker]\nhost = \"mqtt://localhost\"\n" + SQLITE, 2, "config.host"),
        (BROKER + SQLITE + "[retention]\nrecords_days = 0\n", 7, "config.not-at-least"),
        ("[broker\n", 1, "config.syntax"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_told_with_line_and_advice(tmp_path: Path, text: str, line: int, code: str) -> None:
    file = tmp_path / "store.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as error:
        load_store(file)
    (problem,) = error.value.problems
    assert (problem.line, problem.sentence.code.startswith(code)) == (line, True), problem
    assert problem.advice
    exit_code, output = typed(file, "check")
    assert exit_code == 2
    assert f"store.toml:{line}:" in output


def test_no_file(tmp_path: Path) -> None:
    code, output = typed(tmp_path / "store.toml", "check")
    assert code == 2
    assert "config/store.toml" in output


def test_the_example_is_good_with_everything_switched_on_too(tmp_path: Path) -> None:
    text = (PROJECT / "config" / "store.toml").read_text()
    text = text.replace("/var/lib/collector-store", str(tmp_path))
    (tmp_path / "store.toml").write_text(text)
    assert load_store(tmp_path).sink.kind == "sqlite"
    plain, postgresql = text.split("#[sink]\n")
    lines = ("[sink]\n" + postgresql).replace("\n#records", "\nrecords").replace("\n#dead", "\ndead")
    lines = lines.replace("\n#kind", "\nkind").replace("\n#url", "\nurl").replace("\n#password", "\npassword")
    head = plain.partition("[sink]")[0]
    for key in ("name", "root", "group", "port"):
        head = head.replace(f"\n#{key} =", f"\n{key} =")
    (tmp_path / "store.toml").write_text(head + lines)
    settings = load_store(tmp_path)
    assert settings.store.group is not None
    assert settings.sink.kind == "postgresql"
    assert settings.retention.records_days == 730


def test_the_page_explains_every_key_and_every_choice() -> None:
    page = (PROJECT / "docs" / "store.md").read_text()
    for table in tables(StoreFile):
        if table.path[0] != "broker":
            assert header(table.path, listed=False) in page
            for key in table.model.model_fields:
                assert f"| {key} |" in page or f"| **{key}** |" in page, key
                assert all(shown(choice) in page for choice in choices(field_kind(table.model, key)))


def test_status(file: Path) -> None:
    code, output = typed(file, "status")
    assert code == 3
    assert "No ingester has ever used this database" in output
    report(file)
    code, output = typed(file, "status")
    assert code == 0
    assert "store-1" in output
    assert "1,234" in output
    report(file, name="store-2", reported_us=now_us() - 120_000_000)
    code, output = typed(file, "status")
    assert code == 1
    assert "store-2 is not running: its last word is 2 minutes old" in output
    report(file, name="store-3", reported_us=now_us() - 8 * 86_400_000_000)
    assert "store-3" not in typed(file, "status")[1]
    report(file, stopped=True)
    code, output = typed(file, "status", "--json")
    assert code == 3
    assert json.loads(output)["ingesters"][0]["stopped"] is True


def test_fleet_tells_what_is_wrong_with_each_gateway(file: Path) -> None:
    code, output = typed(file, "fleet")
    assert (code, "No gateway has been heard of" in output) == (0, True)
    now = now_us()
    fill(file, status("works", "well"))
    assert typed(file, "fleet")[0] == 0
    old = replace(status("works", "silent"), received_us=now - 600_000_000)
    odd = Arrival(f"{ROOT}/works/rejected/mill-1/spindle/features", b"?", now)
    late = {"pending": 10, "oldest_us": now - 900_000_000, "oldest_sync": True, "dropped": 0, "corrupt": 0}
    undated = late | {"oldest_us": 60_000_000, "oldest_sync": False}
    fill(
        file,
        old,
        status("works", "off", state="offline"),
        status("works", "stopped", state="stopped"),
        status("works", "degraded", state="degraded", problems=[{"part": "outbox", "code": "outbox.full"}]),
        status("works", "late", outbox=late),
        status("works", "undated", outbox=undated),
        status("works", "unset", sync=False),
        replace(status("works", "kept", sync=False), retained=True),
        replace(status("works", "long-gone", t_us=now - 600_000_000), retained=True),
        status("works", "outdated", version="0.0.9"),
        status("works", "odd-version", version="new"),
        odd,
        status("works", "rejected"),
    )
    code, output = typed(file, "fleet", "--json")
    assert code == 1
    said = {g["gateway"]: [complaint["code"] for complaint in g["complaints"]] for g in json.loads(output)}
    assert said == {
        "well": [],
        "silent": ["store.fleet.silent"],
        "off": ["store.fleet.offline"],
        "stopped": ["store.fleet.stopped"],
        "degraded": ["store.fleet.degraded"],
        "late": ["store.fleet.late"],
        "undated": [],
        "unset": ["store.fleet.unsynchronised"],
        "kept": ["store.fleet.unheard", "store.fleet.unsynchronised"],
        "long-gone": ["store.fleet.silent"],
        "outdated": ["store.fleet.outdated"],
        "odd-version": ["store.fleet.outdated"],
        "rejected": ["store.fleet.rejected"],
    }
    code, output = typed(file, "fleet")
    assert "Records wait in it for 15 minutes" in output
    assert "It needs attention: outbox.full" in output


def test_dead_letters(file: Path) -> None:
    assert "There are no dead letters" in typed(file, "dead-letters")[1]
    fill(file, Arrival(f"{ROOT}/works/gw1/mill-1/spindle/features", b"as it \xff came", now_us()))
    code, output = typed(file, "dead-letters")
    assert code == 0
    assert "unreadable" in output
    (letter,) = json.loads(typed(file, "dead-letters", "--json")[1])
    result = CliRunner().invoke(app, ["dead-letters", letter["digest"][:8], "--config", str(file)])
    assert result.stdout_bytes == b"as it \xff came"
    code, output = typed(file, "dead-letters", "nothing")
    assert (code, "No dead letter's name begins with nothing" in output) == (2, True)


def test_export(file: Path, tmp_path: Path) -> None:
    gateway = Gateway()
    fill(file, *arrivals([gateway.meta(), *(gateway.features() for _ in range(5))]))
    snapshots = [tmp_path / "a", tmp_path / "b"]
    times = ("--from", "2026-09-01", "--to", "2026-10-01")
    outputs = [typed(file, "export", str(folder), *times, "--format", "csv") for folder in snapshots]
    assert [code for code, _ in outputs] == [0, 0]
    assert outputs[0][1].splitlines()[-1] == outputs[1][1].splitlines()[-1], "the same digest"
    assert json.loads((snapshots[0] / "manifest.json").read_text())["tables"]["records"]["rows"] == 6
    code, output = typed(file, "export", str(snapshots[0]), *times)
    assert (code, "There is something in the folder" in output) == (1, True)
    code, output = typed(file, "export", str(tmp_path / "c"), "--from", "yesterday", "--to", "2026-10-01")
    assert (code, "yesterday is no time" in output) == (2, True)
    assert "Records: 6." in outputs[0][1]
    code, output = typed(file, "export", str(tmp_path / "c"), "--from", "2026-10-01", "--to", "2026-09-01")
    assert (code, "There is no time from 2026-10-01 to 2026-09-01" in output) == (2, True)
    code, output = typed(file, "export", str(tmp_path / "c"), *times, "--company", "wroks")
    assert (code, "There are: works." in output) == (2, True)
    assert not (tmp_path / "c").exists()


def test_prune(file: Path) -> None:
    fill(file, *arrivals([Gateway().features(now_us() - 2 * 86_400_000_000)]))
    assert "Deleted: 0 records" in typed(file, "prune", "--yes")[1]
    file.write_text(file.read_text() + "[retention]\nrecords_days = 1\n")
    code, output = typed(file, "prune", answer="n\n")
    assert (code, "Deleted" in output) == (1, False)
    assert "Deleted: 1 records" in typed(file, "prune", answer="y\n")[1]


def test_prune_by_a_clock_that_is_doubted_wants_an_answer(file: Path) -> None:
    fill(file, *arrivals([Gateway().features(now_us() - 40 * 86_400_000_000)]))
    file.write_text(file.read_text() + "[retention]\nrecords_days = 20\n")
    code, output = typed(file, "prune", "--yes")
    assert (code, "nothing was deleted." in output) == (1, True), output
    code, output = typed(file, "prune", answer="n\n")
    assert (code, "but the newest record is from" in output) == (1, True), output
    assert "Deleted: 1 records" in typed(file, "prune", answer="y\n")[1]


@pytest.mark.parametrize(
    ("retention", "question", "other"),
    [
        ("", "Records are kept for ever. Delete dead letters last seen before 20", "every record"),
        ("records_days = 1\n", "Delete every record from before 20", "Records are kept"),
    ],
)
def test_prune_asks_for_what_it_deletes(file: Path, retention: str, question: str, other: str) -> None:
    file.write_text(f"{file.read_text()}[retention]\n{retention}")
    code, output = typed(file, "prune", answer="n\n")
    assert (code, question in output, other in output) == (1, True, False), output


def test_withdraw(file: Path) -> None:
    fill(file, *arrivals([Gateway().features()]), status("works", "gw1"))
    code, output = typed(file, "withdraw", "wroks")
    assert (code, "There are: works." in output) == (2, True)
    code, output = typed(file, "withdraw", "works", answer="wroks\n")
    assert (code, "nothing was deleted" in output) == (1, True)
    code, output = typed(file, "withdraw", "works", answer="works\n")
    assert (code, "Deleted: 1 records" in output) == (0, True)
    assert "No gateway has been heard of" in typed(file, "fleet")[1]


def test_a_database_that_cannot_be_used_is_told_in_words(tmp_path: Path) -> None:
    file = tmp_path / "store.toml"
    for sink, expected, words in (
        ('[sink]\nkind = "sqlite"\nfile = "."\n', 1, "cannot be used"),
        (SQLITE, 3, f"There is no database {tmp_path / 'store.sqlite'} yet."),
        (
            '[sink]\nkind = "postgresql"\nurl = "postgresql:///x?host=/nowhere"\n',
            1,
            "PostgreSQL at postgresql:///x",
        ),
    ):
        file.write_text(BROKER + sink)
        code, output = typed(file, "status")
        assert (code, words in output) == (expected, True), output
