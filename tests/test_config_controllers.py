"""Controllers in a machine file: what must fit together is told with its line and what to type."""

import shutil
from pathlib import Path

import pytest

from collector.config import Config, ConfigError, Problem, load
from collector.config.loading import load_texts
from collector.context import ContextSettings

MAIN = """\
[gateway]
company = "works"
name = "gw1"
[broker]
host = "localhost"
"""

MACHINE = """\
[machine]
name = "mill-1"

[[waveforms]]
name = "spindle"
channels = [{ name = "x", unit = "g" }]
window = { samples = 256 }
source = { kind = "serial", port = "/dev/ttyUSB0", baud = 9600, rate_hz = 100, format = { kind = "text" } }

[[controllers]]
name = "plc"

[controllers.source]
kind = "modbus-tcp"
host = "192.168.0.20"
addressing = "pdu"

[[controllers.source.points]]
name = "speed"
table = "holding"
address = 0
type = "f32"
unit = "/min"

[[controllers.source.points]]
name = "program"
table = "holding"
address = 2
type = "text"
registers = 8
"""

LINE = """
[[controllers]]
name = "%s"

[controllers.source]
kind = "modbus-rtu"
port = "%s"
baud = %d
addressing = "pdu"
points = [{ name = "power", table = "input", address = 0, type = "u16", unit = "W" }]
"""

FOLDER = Path("/etc/collector")


def loaded(machine: str, main: str = MAIN) -> Config:
    return load_texts({"collector.toml": main.encode(), "machines/mill-1.toml": machine.encode()}, FOLDER)


def problems(machine: str) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as error:
        loaded(machine)
    return error.value.problems


def only(machine: str) -> tuple[int, str, str]:
    """The line that was told, the key's path, and the sentence's code."""
    (problem,) = problems(machine)
    assert problem.line is not None
    return problem.line, problem.path, problem.sentence.code


def line_with(text: str, beginning: str) -> int:
    return next(number for number, line in enumerate(text.split("\n"), 1) if line.startswith(beginning))


def change(old: str, new: str) -> str:
    assert old in MACHINE
    return MACHINE.replace(old, new, 1)


def test_a_controller_beside_a_waveform() -> None:
    (machine,) = loaded(MACHINE).machines
    assert [stream.name for stream in machine.streams] == ["plc", "spindle"]
    assert machine.controllers[0].publish_every_s == 10
    assert machine.machine.context == ContextSettings()


def test_a_machine_may_have_controllers_alone_but_not_nothing() -> None:
    alone = MACHINE[: MACHINE.index("[[waveforms]]")] + MACHINE[MACHINE.index("[[controllers]]") :]
    assert loaded(alone).machines[0].waveforms == ()
    nothing = MACHINE[: MACHINE.index("[[waveforms]]")]
    assert only(nothing) == (1, "", "config.nothing-collected")


def test_one_table_where_a_list_belongs_is_not_also_said_to_be_missing() -> None:
    single = MACHINE[: MACHINE.index("[[controllers]]")].replace("[[waveforms]]", "[waveforms]")
    assert only(single)[1:] == ("waveforms", "config.list-of-tables")


def test_a_key_of_other_points_is_not_said_to_belong_where_it_stands() -> None:
    opcua = """
[[controllers]]
name = "cnc"
[controllers.source]
kind = "opcua"
url = "opc.tcp://cnc:4840"
points = [{ name = "load", node = "ns=1;i=5", address = 7 }]
"""
    (problem,) = problems(MACHINE + opcua)
    assert (problem.path, problem.sentence.code) == (
        "controllers[1].source.points[0].address",
        "config.unknown-key.list",
    )


def test_names_are_unique_among_waveforms_and_controllers() -> None:
    twice = change('name = "plc"', 'name = "spindle"')
    assert only(twice)[1:] == ("controllers[0].name", "config.same-name")


def test_mistakes_within_a_source_have_their_lines() -> None:
    text = change('type = "f32"\n', "")
    line, path, code = only(text)
    assert path == "controllers[0].source.points[0].type"
    assert line == line_with(text, "[[controllers.source.points]]")
    assert code.startswith("config.modbus.")


def test_an_unknown_kind_of_source() -> None:
    (problem,) = problems(change('kind = "modbus-tcp"', 'kind = "modbus"'))
    assert problem.path == "controllers[0].source.kind"
    assert '"modbus-tcp"' in problem.advice


def test_a_number_has_no_pseudonym() -> None:
    text = change('unit = "/min"\n', 'unit = "/min"\nshare = "pseudonym"\n')
    assert only(text) == (
        line_with(text, "share"),
        "controllers[0].source.points[0].share",
        "config.number-pseudonym",
    )


@pytest.mark.parametrize(
    ("host", "is_good"),
    [
        ("192.168.0.20", True),
        ("fe80::1%eth0", True),
        ("plc_1.halle-2", True),
        ("旋盤", True),
        ("10.1", True),
        ("192.168.0.300", False),
        ("192.168.0", False),
        ("192.168.0.20:502", False),
        ("192,168,0,20", False),
        ("http://192.168.0.20", False),
        (" 192.168.0.20", False),
        ("1:2:3", False),
    ],
)
def test_a_host_is_a_name_or_an_address(host: str, is_good: bool) -> None:
    text = MACHINE.replace("192.168.0.20", host)
    if is_good:
        assert loaded(text)
    else:
        (problem,) = problems(text)
        assert (problem.line, problem.sentence.code) == (line_with(text, "host"), "config.modbus.host")
        assert host in str(problem)


@pytest.mark.parametrize(
    ("points", "code"),
    [
        ('["plc/speed"]', None),
        ('["plc/sped"]', "config.choice"),
        ('["spindle"]', "config.not-of-this-form"),
        ('["plc/program"]', "config.context-not-shared"),
    ],
)
def test_the_points_of_the_context_exist_and_are_shared(points: str, code: str | None) -> None:
    text = change('name = "mill-1"\n', f'name = "mill-1"\ncontext = {{ points = {points} }}\n')
    if code is None:
        assert loaded(text).machines[0].machine.context.points == ("plc/speed",)
        return
    line, path, found = only(text)
    assert (path, line) == ("machine.context.points[0]", line_with(text, "context"))
    assert found == code


@pytest.mark.parametrize(
    ("spindle", "key", "code"),
    [
        ('speed = "plc/speed"', "", ""),
        ('speed = "plc/sped"', "speed", "config.choice"),
        ('tool = "plc/program"', "tool", "config.context-not-shared"),
        ('tool = "plc"', "tool", "config.not-of-this-form"),
    ],
)
def test_the_points_of_the_spindle_exist_and_are_shared(spindle: str, key: str, code: str) -> None:
    text = change('name = "mill-1"\n', f'name = "mill-1"\nspindle = {{ {spindle} }}\n')
    if not code:
        assert loaded(text).machines[0].machine.spindle.speed == "plc/speed"
        return
    assert only(text) == (line_with(text, "spindle ="), f"machine.spindle.{key}", code)


def test_the_points_of_the_spindle_are_among_those_of_the_context() -> None:
    text = change(
        'name = "mill-1"\n',
        'name = "mill-1"\ncontext = { points = [] }\nspindle = { speed = "plc/speed" }\n',
    )
    expected = (line_with(text, "spindle ="), "machine.spindle.speed", "config.spindle-not-joined")
    assert only(text) == expected


def test_points_that_a_profile_finds_later_are_not_missed() -> None:
    text = change('name = "mill-1"\n', 'name = "mill-1"\ncontext = { points = ["cnc/feed-override"] }\n')
    source = 'kind = "opcua"\nurl = "opc.tcp://192.168.0.10:4840"\nprofile = "opc-40501-1"\n'
    text += f'\n[[controllers]]\nname = "cnc"\n[controllers.source]\n{source}'
    assert loaded(text).machines[0].machine.context.points == ("cnc/feed-override",)


def test_devices_on_one_line_agree_and_share_it_with_no_waveform() -> None:
    bus = LINE % ("meter", "/dev/ttyUSB1", 9600) + LINE % ("pump", "/dev/ttyUSB1", 9600)
    assert len(loaded(MACHINE + bus).machines[0].controllers) == 3
    text = MACHINE + LINE % ("meter", "/dev/ttyUSB1", 9600) + LINE % ("pump", "/dev/ttyUSB1", 19200)
    (problem,) = problems(text)
    assert (problem.path, problem.sentence.code) == ("controllers[2].source.baud", "config.other-line")
    assert "baud = 9600" in problem.advice
    text = MACHINE + LINE % ("meter", "/dev/ttyUSB0", 9600)
    (problem,) = problems(text)
    assert (problem.path, problem.sentence.code) == ("controllers[1].source.port", "config.same-port")


@pytest.mark.parametrize(("baud", "code"), [(19200, "config.other-line"), (9600, "config.other-port-name")])
def test_a_port_behind_a_link_is_the_same_port(tmp_path: Path, baud: int, code: str) -> None:
    """Also for two machines: under two names, each would find the port taken by the other."""
    (tmp_path / "machines").mkdir()
    (tmp_path / "usb").touch()
    (tmp_path / "by-id").symlink_to("usb")
    (tmp_path / "collector.toml").write_text(MAIN + f'[outbox]\ndirectory = "{tmp_path}/outbox"\n')
    (tmp_path / "machines" / "mill-1.toml").write_text(MACHINE + LINE % ("meter", tmp_path / "usb", 9600))
    lathe = '[machine]\nname = "lathe"\n' + LINE % ("pump", tmp_path / "by-id", baud)
    (tmp_path / "machines" / "mill-2.toml").write_text(lathe)
    with pytest.raises(ConfigError) as error:
        load(tmp_path)
    (problem,) = error.value.problems
    assert (problem.file, problem.sentence.code) == ("machines/mill-2.toml", code)
    (tmp_path / "machines" / "mill-2.toml").write_text(
        lathe.replace("by-id", "usb").replace(f"baud = {baud}", "baud = 9600")
    )
    assert len(load(tmp_path).machines) == 2


def test_paths_count_from_the_folder_and_files_are_looked_for(tmp_path: Path) -> None:
    source = """
[[controllers]]
name = "cnc"
[controllers.source]
kind = "opcua"
url = "opc.tcp://192.168.0.10:4840"
user = "reader"
password_file = "cnc-password"
certificate_folder = "certificates"
points = [{ name = "speed", node = "ns=2;s=speed" }]
"""
    main = MAIN + '[sharing]\nkey_file = "pseudonym.key"\n'
    config = loaded(MACHINE + source, main)
    assert config.sharing.key_file == "/etc/collector/pseudonym.key"
    cnc = config.machines[0].controllers[1].source
    assert cnc.kind == "opcua"
    assert cnc.password_file == "/etc/collector/cnc-password"
    assert cnc.certificate_folder == FOLDER / "certificates"
    (tmp_path / "machines").mkdir()
    (tmp_path / "collector.toml").write_text(main + f'[outbox]\ndirectory = "{tmp_path}/outbox"\n')
    (tmp_path / "machines" / "mill-1.toml").write_text(MACHINE + source)
    with pytest.raises(ConfigError) as error:
        load(tmp_path)
    assert [(problem.path, problem.sentence.code) for problem in error.value.problems] == [
        ("sharing.key_file", "config.file-missing"),
        ("controllers[1].source.password_file", "config.file-missing"),
    ]
    for name in ("pseudonym.key", "cnc-password"):
        (tmp_path / name).touch()
    load(tmp_path)


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("publish_every_s", "0.5", "config.not-at-least"),
        ("publish_every_s", '"10"', "config.number-in-quotes"),
        ("stale_after_s", "0", "config.not-above"),
        ("publish_evry_s", "10", "config.unknown-key"),
    ],
)
def test_keys_of_a_controller(key: str, value: str, code: str) -> None:
    text = change('name = "plc"\n', f'name = "plc"\n{key} = {value}\n')
    assert only(text) == (line_with(text, key), f"controllers[0].{key}", code)


def test_a_machine_file_survives_the_round_trip_of_the_last_good_configuration(tmp_path: Path) -> None:
    from collector.config import load_last_good, save_last_good

    folder = tmp_path / "etc"
    (folder / "machines").mkdir(parents=True)
    (folder / "collector.toml").write_text(MAIN + f'[outbox]\ndirectory = "{tmp_path}/outbox"\n')
    (folder / "machines" / "mill-1.toml").write_text(MACHINE)
    config = load(folder)
    assert save_last_good(folder, tmp_path / "state") is None
    shutil.rmtree(folder)
    assert load_last_good(tmp_path / "state") == config


OPCUA = """
[[controllers]]
name = "cnc"
[controllers.source]
kind = "opcua"
url = "%s"
profile = "%s"
"""


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("opc.tcp://192.168.0.10:4840", None),
        ("opc.tcp://cnc_1/path", None),
        ("opc.tcp://[fe80::1]:4840", None),
        ("opc.tcp://192.168.0.300:4840", "config.opcua.url-host"),
        ("opc.tcp://192.168.0,10:4840", "config.opcua.url-host"),
        ("opc.tcp://cnc:484o", "config.opcua.url-host"),
        ("opc.tcp://:4840", "config.opcua.url-host"),
        ("opc.tcp://[fe80:4840", "config.opcua.url-host"),
        ("opc.tcp://me:hunter2@cnc:4840", "config.not-of-this-form"),
    ],
)
def test_the_address_of_an_opcua_server(url: str, code: str | None) -> None:
    text = MACHINE + OPCUA % (url, "opc-40501-1")
    if code is None:
        assert loaded(text)
        return
    (problem,) = problems(text)
    assert (problem.line, problem.sentence.code) == (line_with(text, "url"), code)
    assert "opc.tcp://192.168.0.10:4840" in problem.advice
    assert "hunter2" not in str(problem)


@pytest.mark.parametrize(("kind", "profile"), [("opcua", "OPC 40501-1"), ("modbus", "SDM630")])
def test_a_profile_that_is_none_is_answered_with_those_there_are(kind: str, profile: str) -> None:
    text = MACHINE + OPCUA % ("opc.tcp://cnc", "opc-40501-1" if kind == "modbus" else profile)
    text = (
        text if kind == "opcua" else text.replace("addressing =", f'profile = "{profile}"\naddressing =', 1)
    )
    (problem,) = problems(text)
    assert (problem.line, problem.sentence.code) == (
        line_with(text, "profile"),
        f"config.{kind}.unknown-profile",
    )
    assert problem.sentence.values["nearest"] == {"opcua": "opc-40501-1", "modbus": "eastron-sdm630"}[kind]


def test_a_key_that_was_cut_short_is_known() -> None:
    text = MACHINE.replace('addressing = "pdu"', 'addressing = "pdu"\nunit = 3')
    (problem,) = problems(text)
    assert (problem.line, problem.sentence.code) == (line_with(text, "unit"), "config.unknown-key")
    assert problem.advice == 'Type "unit_id" instead.'


def test_the_meaning_before_its_number_is_told() -> None:
    text = (
        MACHINE
        + """
[[controllers.source.points]]
name = "mode"
table = "holding"
address = 20
type = "u16"
states = { off = 0, 1 = "on" }
"""
    )
    (problem,) = problems(text)
    assert (problem.line, problem.path) == (
        line_with(text, "states"),
        "controllers[0].source.points[2].states.off",
    )
    assert problem.sentence.code == "config.number-first"
    assert 'the key "off"' in str(problem)
    assert loaded(text.replace("off = 0", '0 = "off"'))
