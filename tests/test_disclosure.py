"""What `collector share` says is what is sent: every field of every record, and nothing of what stays."""

import json
import re
from collections.abc import Iterable, Iterator
from io import StringIO
from pathlib import Path

import pytest
from pydantic import BaseModel
from rich.console import Console
from test_config_controllers import MACHINE, loaded
from typer.testing import CliRunner

from collector.cli import app
from collector.cli.share import page, shortened
from collector.disclosure import Disclosure, Sent, disclosures
from collector.messages import (
    Alarm,
    Change,
    ClockSet,
    Cut,
    Features,
    Gap,
    Meta,
    MetaContent,
    Readings,
    RecordsLost,
    Restart,
    StateChange,
    Status,
    Utilisation,
)
from collector.points import Point, PointKind

RECORDS: dict[str, list[type[BaseModel]]] = {
    "features": [Features],
    "readings": [Readings, Change, Utilisation, Cut],
    "meta": [Meta],
    "event": [Gap, Alarm, Restart, ClockSet, RecordsLost, StateChange],
    "status": [Status],
}


STATE = """\
[machine.state]
turning = { point = "plc/speed", above = 10 }
cutting = { feature = "spindle/x/rms" }

"""


def told(text: str, **found: tuple[Point, ...]) -> dict[str, Disclosure]:
    points = {f"mill-1/{name}": known for name, known in found.items()}
    return {disclosure.name: disclosure for disclosure in disclosures(loaded(text), points)}


def fields(disclosure: Disclosure, record: str) -> Iterator[str]:
    for sent in disclosure.sent:
        if sent.record == record:
            yield from sent.fields


def test_every_field_of_every_record_is_told() -> None:
    everything = told(MACHINE.replace("[[", STATE + "[[", 1)).values()
    for record, models in RECORDS.items():
        named = {field.split(".")[0].split("[")[0] for d in everything for field in fields(d, record)}
        for model in models:
            assert model.model_fields.keys() - {"content"} - {"kind"} <= named, model
    described = {field.split(".")[0].split("[")[0] for d in everything for field in fields(d, "meta")}
    empty_here = {"tools", "sensor"}
    assert MetaContent.model_fields.keys() - empty_here <= described


def test_why_a_description_leaves_names_the_table_where_it_stands() -> None:
    told_now = told(MACHINE)

    def why(stream: str, beginning: str) -> set[str]:
        sent = [one for one in told_now[f"mill-1/{stream}"].sent if one.fields[0].startswith(beginning)]
        return {str(one.why).rpartition(" under ")[2] for one in sent}

    assert why("spindle", "window") == {"[waveforms.window]"}
    assert why("plc", "window") == {"[[controllers]]"}
    assert why("plc", "points[") == {"the machine's file lists the point, or the profile that it names"}


def sent_of(disclosure: Disclosure, beginning: str) -> list[tuple[str, str]]:
    return [
        (str(sent.what), str(sent.why))
        for sent in disclosure.sent
        if any(field.startswith(beginning) for field in sent.fields)
    ]


@pytest.mark.parametrize(
    ("share", "what", "why"),
    [
        ("", "nothing", "texts stay"),
        ('share = "pseudonym"', "a pseudonym", 'it has share = "pseudonym"'),
        ('share = "plain"', "as it is", 'it has share = "plain"'),
    ],
)
def test_texts_are_told_as_they_are_shared(share: str, what: str, why: str) -> None:
    told_now = told(MACHINE.replace("registers = 8\n", f"registers = 8\n{share}\n"))
    for name, field in (("mill-1/plc", "points.program"), ("mill-1/spindle", "context.plc/program")):
        ((found, because),) = sent_of(told_now[name], field)
        assert found.startswith(what)
        assert because.startswith(why)


def test_values_of_the_description_are_shown_as_they_are_sent() -> None:
    told_now = told(MACHINE.replace('name = "mill-1"', 'name = "mill-1"\nmaker = "Okuma"'))
    assert sent_of(told_now["mill-1/plc"], "machine.maker")[0][0] == '"Okuma"'
    assert sent_of(told_now["mill-1/plc"], "points[0].unit")[0][0] == '"/min"'
    assert not sent_of(told_now["mill-1/plc"], "points[1].states")
    whole = "".join(f"{sent.what}" for disclosure in told_now.values() for sent in disclosure.sent)
    assert "192.168.0.20" not in whole
    assert "ttyUSB0" not in whole


def test_points_that_were_found_are_told_and_until_then_what_will_be() -> None:
    source = 'kind = "opcua"\nurl = "opc.tcp://192.168.0.10:4840"\nprofile = "opc-40501-1"\n'
    text = MACHINE + f'\n[[controllers]]\nname = "cnc"\n[controllers.source]\n{source}'
    assert sent_of(told(text)["mill-1/cnc"], "points.…")
    found = (Point("feed-override", PointKind.NUMBER), Point("program-name", PointKind.TEXT))
    told_now = told(text, cnc=found)
    assert not sent_of(told_now["mill-1/cnc"], "points.…")
    assert sent_of(told_now["mill-1/cnc"], "points.feed-override")[0][0] == "as it is"
    assert sent_of(told_now["mill-1/spindle"], "context.cnc/program-name")[0][0] == "nothing"


STATES = "".join(
    f"""
[[controllers.source.points]]
name = "station-{number}"
table = "holding"
address = {20 + number}
type = "u16"
states = {{ {", ".join(f"{code} = 'step {number}-{code}'" for code in range(12))} }}
{'share = "none"' if number == 3 else ""}
"""
    for number in range(10)
)


def test_what_is_sent_alike_for_the_same_reason_is_told_in_one_line_that_leaves_nothing_out() -> None:
    told_now = told(MACHINE + STATES)
    for disclosure in told_now.values():
        short = list(shortened(disclosure.sent))
        for record in RECORDS:
            if record != "meta":
                fields_told = sorted(field for one in short if one.record == record for field in one.fields)
                assert fields_told == sorted(fields(disclosure, record))
        values = {(sent.record, str(sent.why), str(sent.what)) for sent in disclosure.sent}
        for record, why, value in values:
            assert any((o.record, str(o.why)) == (record, why) and value in str(o.what) for o in short)
    plc = told_now["mill-1/plc"]
    assert len(plc.sent) > 150
    assert len(list(shortened(plc.sent))) < 20
    (states,) = [one for one in shortened(plc.sent) if "points.station-0.last" in one.fields]
    assert "points.station-9.last" in states.fields, "also behind the one that stays"
    assert not any(field.startswith("points.station-3") for field in states.fields)


def test_the_command(tmp_path: Path) -> None:
    (tmp_path / "machines").mkdir()
    main = '[gateway]\ncompany = "works"\nname = "gw1"\n[broker]\nhost = "h"\n'
    (tmp_path / "collector.toml").write_text(
        main + f'[outbox]\ndirectory = "{tmp_path}/o"\n[control]\nsocket = "control.sock"\n'
    )
    (tmp_path / "machines" / "mill-1.toml").write_text(MACHINE + STATES)
    run = CliRunner().invoke
    every = run(app, ["share", "--config", str(tmp_path)])
    assert every.exit_code == 0, every.output
    for topic in ("works/gw1/mill-1/plc/…", "works/gw1/mill-1/spindle/…", "[machine]", "context.plc/speed.{"):
        assert topic in every.output
    one = run(app, ["share", "mill-1/plc", "--config", str(tmp_path), "--json"])
    assert one.exit_code == 0
    assert '"name": "mill-1/plc"' in one.output
    assert "mill-1/spindle" not in one.output
    whole = run(app, ["share", "mill-1", "--config", str(tmp_path), "--json"])
    assert [told["name"] for told in json.loads(whole.output)] == ["mill-1/plc", "mill-1/spindle"]
    short, long = (
        run(app, ["share", "mill-1/plc", *more, "--config", str(tmp_path)]).output for more in ([], ["--all"])
    )
    assert "points.station-9.{kind, last," in " ".join(long.split())
    assert "points.{station-0, station-1," in " ".join(short.split())
    assert "}.{kind, last, quality, changes, changed_s, vouched_s}" in " ".join(short.split())
    assert 3 * len(short.splitlines()) < len(long.splitlines())
    wrong = run(app, ["share", "mill-1/plk", "--config", str(tmp_path)])
    assert wrong.exit_code == 1


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("width", [40, 80, 120, 160])
def test_a_page_fits_its_terminal_and_no_word_of_it_is_lost(width: int, whole: bool) -> None:
    for disclosure in told(MACHINE.replace("[[waveforms]]", STATE + "[[waveforms]]", 1) + STATES).values():
        sent = disclosure.sent if whole else tuple(shortened(disclosure.sent))
        shown = rendered(disclosure, sent, width)
        assert max(map(len, shown)) <= width
        letters = "".join("".join(shown).split())
        words = [str(text) for one in sent for text in (one.what, one.why)]
        names = [name for one in sent for field in one.fields for name in re.split(r"[.\[\]]", field)]
        if width < 140:  # in a table, a cell that is broken stands between its neighbours
            assert [word for word in words if "".join(word.split()) not in letters] == []
        assert [name for name in names if width >= 80 and name not in letters] == []


def test_a_controller_of_many_states_is_no_longer_on_80_columns_than_on_160() -> None:
    plc = told(MACHINE + STATES)["mill-1/plc"]
    narrow, wide = (len(rendered(plc, shortened(plc.sent), width)) for width in (80, 160))
    assert narrow <= wide < 100


def rendered(disclosure: Disclosure, sent: Iterable[Sent], width: int) -> list[str]:
    console = Console(width=width, file=StringIO(), record=True, force_terminal=True)
    console.print(page(disclosure.name, disclosure.topic, sent, width))
    return [line.rstrip() for line in console.export_text().splitlines()]
