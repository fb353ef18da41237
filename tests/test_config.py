"""A configuration folder becomes a `Config`, or every mistake in it with its line and what to type."""

import math
import os
import re
import shutil
import socket
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Literal

import pytest

from collector.config import Config, ConfigError, GatewayFile, MachineFile, Problem, json_schema, load
from collector.samples import Channel
from collector.sources.replay import ReplaySettings
from collector.sources.serial import BinaryFormat, SerialSettings, TextFormat
from collector.toml.model_tree import choices, field_kind, header, tables
from collector.toml.problems import shown

EXAMPLES = Path(__file__).resolve().parent.parent / "config"
MAIN, MILL, LATHE = "collector.toml", "machines/mill-1.toml", "machines/lathe-1.toml"
GRINDER, RECORDING, SIMULATED = (
    "machines/grinder-1.toml",
    "machines/recording-1.toml",
    "machines/simulated-1.toml",
)

TOOLS = "#[[tools]]\n#number = 1\n#diameter_mm = 12.0\n#teeth = 4\n\n#[[tools]]\n#number = 2\n"
BEARING = "bearing = { rollers = 13, roller_diameter_mm = 11.1, pitch_diameter_mm = 70 }"
SAME_TOOLS = "[[tools]]\nnumber = 1\n\n[[tools]]\nnumber = 1\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the examples whose outbox may be written."""
    folder = tmp_path / "etc"
    shutil.copytree(EXAMPLES, folder)
    change(folder, MAIN, "/var/lib/collector/outbox", str(tmp_path / "state" / "outbox"))
    return folder


def change(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text("utf-8")
    assert old in text, old
    (folder / file).write_text(text.replace(old, new, 1), "utf-8")


def line_with(folder: Path, file: str, beginning: str) -> int:
    """The line, from 1, that is the first to begin so."""
    lines = (folder / file).read_text("utf-8").split("\n")
    return next(number for number, line in enumerate(lines, 1) if line.startswith(beginning))


def problems(folder: Path) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as error:
        load(folder)
    return error.value.problems


def only_problem(folder: Path) -> Problem:
    found = problems(folder)
    assert len(found) == 1, "\n".join(map(str, found))
    return found[0]


def machine(config: Config, name: str) -> MachineFile:
    return next(machine for machine in config.machines if machine.name == name)


def test_the_examples_load(folder: Path, tmp_path: Path) -> None:
    config = load(folder)
    assert config == load(folder / MAIN) == load(folder / MILL)
    assert [machine.name for machine in config.machines] == sorted(
        file.stem for file in (EXAMPLES / "machines").iterdir()
    )
    assert config.folder == folder
    assert config.outbox.directory == tmp_path / "state" / "outbox"
    assert not (tmp_path / "state").exists(), "looking must leave nothing behind"
    mill = machine(config, "mill-1").waveforms[0]
    assert mill.window.overlap == 0.5
    assert isinstance(mill.source, SerialSettings)
    assert isinstance(mill.source.format, TextFormat)
    assert mill.source.rate_hz == 1000.0
    assert mill.source.format.columns == (1, 2, 3)
    lathe = machine(config, "lathe-1").waveforms[0].source
    assert isinstance(lathe, SerialSettings)
    assert isinstance(lathe.format, BinaryFormat)
    replay = machine(config, "recording-1").waveforms[0].source
    assert isinstance(replay, ReplaySettings)
    assert replay.file == folder / "recordings" / "example.csv"


def test_everything_that_the_examples_have_switched_off_is_valid_too(folder: Path) -> None:
    switched = 0
    for file in folder.rglob("*.toml"):
        text, count = re.subn(r"(?m)^#(?=\[|[a-z_]+ = )", "", file.read_text("utf-8"))
        file.write_text(text, "utf-8")
        switched += count
    (folder / "pseudonym.key").touch()
    for name in ("ca.pem", "gateway.pem", "gateway.key", "mqtt-password"):
        (folder / name).touch()
        change(folder, MAIN, f"credential:secrets_{name}", name)
    config = load(folder)
    assert switched > 15
    assert config.broker.password_file == str(folder / "mqtt-password")
    assert config.broker.tls is not None
    assert config.broker.tls.key_file == str(folder / "gateway.key")
    mill = machine(config, "mill-1")
    assert [tool.number for tool in mill.tools] == [1, 2]
    assert mill.waveforms[0].sensor.calibration_date == date(2025, 3, 31)


def test_channels_clip_near_full_scale(folder: Path) -> None:
    change(folder, MILL, 'full_scale = 16.0\n#axis = "y"', 'axis = "y"')
    x, y, _ = machine(load(folder), "mill-1").waveforms[0].signal_channels()
    assert x == Channel("x", "g", clip_low=-15.92, clip_high=15.92)
    assert y == Channel("y", "g")


def test_a_company_with_a_credential_needs_no_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change(folder, MAIN, "[outbox]", 'user = "a"\npassword_file = "credential:broker"\n[outbox]')
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert load(folder).broker.password_file == "credential:broker"
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    problem = only_problem(folder)
    assert problem.sentence.code == "config.credential-missing"
    assert "Put the file broker into the secrets folder" in problem.advice
    (folder / "broker").touch()
    load(folder)


def test_six_mistakes_over_two_files_in_one_run(folder: Path) -> None:
    change(folder, MAIN, 'company = "example-works"', 'company = "Example Works"')
    change(folder, MAIN, "max_mib = 2048", 'max_mib = "2048"')
    change(folder, MAIN, "[control]", "[contrl]")
    change(folder, MILL, "baud = 460800", "boud = 460800")
    change(folder, MILL, 'unit = "g"', 'unit = "gee"')
    change(folder, MILL, "{ low_hz = 100, high_hz = 400 }", "{ low_hz = 100, high_hz = 600 }")
    assert [(p.file, p.line, p.path, p.sentence.code) for p in problems(folder)] == [
        (MAIN, line_with(folder, MAIN, "company"), "gateway.company", "config.name"),
        (MAIN, line_with(folder, MAIN, "max_mib"), "outbox.max_mib", "config.number-in-quotes"),
        (MAIN, line_with(folder, MAIN, "[contrl]"), "contrl", "config.unknown-key"),
        (MILL, line_with(folder, MILL, "boud"), "waveforms[0].source.boud", "config.unknown-key"),
        (
            MILL,
            line_with(folder, MILL, 'unit = "gee"'),
            "waveforms[0].channels[0].unit",
            "config.choice.list",
        ),
        (
            MILL,
            line_with(folder, MILL, "bands"),
            "waveforms[0].features.bands[1].high_hz",
            "config.band-above-half-rate",
        ),
    ]


def test_a_problem_reads_as_one_line(folder: Path) -> None:
    change(folder, MILL, "baud = 460800", 'baud = "fast"')
    line = line_with(folder, MILL, "baud")
    assert str(only_problem(folder)) == (
        f'machines/mill-1.toml:{line}: waveforms[0].source.baud: found "fast", where a whole number belongs. '
        "Type a whole number without quotes, such as 115200."
    )


def test_problems_survive_the_control_socket(folder: Path) -> None:
    change(folder, MILL, "baud = 460800", 'baud = "fast"')
    change(folder, MILL, "peaks = 5", "peeks = 5")
    with pytest.raises(ConfigError) as error:
        load(folder)
    data = error.value.to_json()
    assert data["code"] == "config.refused"
    assert tuple(map(Problem.from_json, data["problems"])) == error.value.problems


# ruff: noqa: E501, RUF001 (a table is read along its lines)
# One mistake each: file, what stands there, what is typed instead, how the line of the problem begins, the path
# (a leading dot stands for waveforms[0]), the code, and what the message must name.
MISTAKES = [
    # unknown keys
    (MAIN, "max_mib", "max_mb", "max_mb", "outbox.max_mb", "unknown-key", '"max_mib"'),
    (MAIN, "max_mib", "Max-MiB", "Max-MiB", "outbox.Max-MiB", "unknown-key", '"max_mib"'),
    (MILL, '#maker = "', 'baud = 1\nmaker = "', "baud = 1", "machine.baud", "unknown-key.elsewhere", "[waveforms.source]"),
    (MILL, '#maker = "', 'xyzzy = 1\nmaker = "', "xyzzy", "machine.xyzzy", "unknown-key.list", "maker"),
    (MILL, "[waveforms.sensor]", "[sensor]", "[sensor]", "sensor", "unknown-key", "[waveforms.sensor]"),
    (MILL, 'kind = "serial"', 'kint = "serial"', "kint", ".source.kint", "unknown-key", '"kind"'),
    # secrets
    (MAIN, "[outbox]", 'password = "hunter2"\n[outbox]', "password", "broker.password", "secret", "password_file"),
    (MAIN, "[outbox]", '[broker.login]\ntoken = "hunter2"\n[outbox]', "[broker.login]", "broker.login", "secret", "login"),
    # missing
    (MAIN, 'company = "example-works"', "", "[gateway]", "gateway.company", "missing-key", 'company = "'),
    (MAIN, 'host = "broker.example.org"', "", "[broker]", "broker.host", "missing-key", 'host = "'),
    (MILL, 'kind = "text"', "", "[waveforms.source.format]", ".source.format.kind", "missing-kind", '"witmotion"'),
    (MILL, "rate_hz = 1000", "", "[waveforms.source]", ".source.rate_hz", "missing-key", "rate_hz = 1000"),
    (GRINDER, "[waveforms.window]\nsamples = 1024", "", "[[waveforms]]", ".window", "missing-table", "[waveforms.window]"),
    # types
    (MILL, "baud = 460800", 'baud = "460800"', "baud", ".source.baud", "number-in-quotes", "460800 without"),
    (MILL, "baud = 460800", "baud = 460800.0", "baud", ".source.baud", "not-whole", "460800."),
    (MILL, "baud = 460800", "baud = true", "baud", ".source.baud", "not-whole", "true"),
    (MILL, "rate_hz = 1000", "rate_hz = true", "rate_hz", ".source.rate_hz", "not-a-number", "true"),
    (MILL, "rate_hz = 1000", 'rate_hz = "1000.5"', "rate_hz", ".source.rate_hz", "number-in-quotes", "1000.5 without"),
    (MILL, "rate_hz = 1000", "rate_hz = inf", "rate_hz", ".source.rate_hz", "not-finite", "inf"),
    (MILL, '#serial = "0001"', "serial = 1", "serial", ".sensor.serial", "not-text", '"1"'),
    (MILL, "columns = [1, 2, 3]", "columns = 1", "columns", ".source.format.columns", "not-a-list", "[1]"),
    (MILL, "columns = [1, 2, 3]", 'columns = [1, "2", 3]', "columns", ".source.format.columns[1]", "number-in-quotes", "2 without"),
    (MILL, "#calibration_date = 2025-03-31", 'calibration_date = "31.3.2025"', "calibration_date", ".sensor.calibration_date", "not-a-date", "2025-03-31"),
    (MILL, "scale = 1.0", 'scale = "1.0"', "scale", ".source.format.scale", "number-in-quotes", "1.0 without"),
    (MILL, "scale = 1.0", "scale = [1, 1, 0]", "scale", ".source.format.scale[2]", "not-above", "above 0"),
    (RECORDING, "repeat = true", "repeat = 1", "repeat", ".source.repeat", "not-true-or-false", "true or false"),
    (RECORDING, "speed = 1", 'speed = "quick"', "speed", ".source.speed", "choice-or-number", '"max"'),
    (RECORDING, "speed = 1", "speed = 0", "speed", ".source.speed", "not-above", "above 0"),
    (MAIN, "[control]", "[[control]]", "[[control]]", "control", "one-table", "[control]"),
    (GRINDER, 'name = "wheel-head"', 'name = "wheel-head"\nfeatures = 3', "features", ".features", "not-a-table", "[waveforms.features]"),
    # ranges and choices
    (MILL, "peaks = 5", "peaks = 51", "peaks", ".features.peaks", "not-at-most", "50"),
    (MILL, "overlap = 0.5", "overlap = 1", "overlap", ".window.overlap", "not-below", "below 1"),
    (MILL, "samples = 4096", "samples = 400000000", "samples", ".window.samples", "not-at-most", "Type 1048576 or a smaller"),
    (MILL, "samples = 4096", "samples = 8", "samples", ".window.samples", "not-at-least", "16"),
    (MILL, 'unit = "g"', 'unit = "G"', 'unit = "G"', ".channels[0].unit", "choice", 'Type "g"'),
    (MILL, 'unit = "g"', 'unit = "Pascal"', 'unit = "Pascal"', ".channels[0].unit", "choice.list", '"m/s2"'),
    *(
        (MILL, 'unit = "g"', f'unit = "{found}"', f'unit = "{found}"', ".channels[0].unit", f"{code}", named)
        for found, code, named in (
            ("mg", "unit.scaled", 'unit = "g" and multiply "scale" of the source by 0.001;'),
            ("µg", "unit.scaled", "scale = 0.000001"),
            ("mm/s2", "unit.scaled", 'unit = "m/s2" and multiply "scale" of the source by 0.001;'),
            ("mm/s²", "unit.scaled", "scale = 0.001"),
            ("gal", "unit.scaled", 'unit = "m/s2" and multiply "scale" of the source by 0.01;'),
            ("Gal", "unit.scaled", "scale = 0.01"),
            ("mA", "unit.scaled", 'unit = "A" and multiply "scale" of the source by 0.001;'),
            ("mV", "unit.scaled", 'unit = "V"'),
            ("kV", "unit.scaled", "by 1000;"),
            ("m/s^2", "choice", 'Type "m/s2"'),
            ("m/s²", "choice", 'Type "m/s2"'),
            ("ｇ", "choice", 'Type "g"'),
            ("mm/s", "unit.velocity", "Choose acceleration"),
            ("m/s", "unit.velocity", "Choose acceleration"),
            ("mm", "choice.list", '"g", "m/s2", "A", "V", "count"'),
            ("", "choice.list", '"g", "m/s2", "A", "V", "count"'),
        )
    ),
    (MILL, 'kind = "serial"', 'kind = "seriell"', "kind", ".source.kind", "choice", 'Type "serial"'),
    (LATHE, 'checksum = "crc16-modbus"', 'checksum = "crc16 modbus"', "checksum", ".source.format.checksum", "choice", '"crc16-modbus"'),
    # patterns
    (MAIN, 'name = "gateway-1"', 'name = "Gateway_1 (Süd)"', "name", "gateway.name", "name", '"gateway-1-sud"'),
    (MAIN, 'name = "gateway-1"', 'name = "旋盤"', "name", "gateway.name", "name", '"gateway-1"'),
    (MAIN, '#root = "shopfloor/v1"', 'root = "/Shop Floor//v1/"', "root", "gateway.root", "root", '"shop-floor/v1"'),
    (MAIN, 'company = "example-works"', 'company = "株式会社 1"', "company", "gateway.company", "name", '"example-works"'),
    (MILL, 'name = "mill-1"', 'name = "mill–1"', "name", "machine.name", "name", '"mill-1"'),
    (MILL, 'name = "mill-1"', 'name = "フライス盤1"', "name", "machine.name", "name", '"mill-1"'),
    (MILL, 'name = "mill-1"', 'name = "Große Fräse"', "name", "machine.name", "name", '"grosse-frase"'),
    (MAIN, 'name = "gateway-1"', 'name = ""', "name", "gateway.name", "empty-text", "gateway-1"),
    (MAIN, 'name = "gateway-1"', f'name = "{"g" * 65}"', "name", "gateway.name", "too-long", "64"),
    (LATHE, 'sync = "aa55"', 'sync = "AA 55"', "sync", ".source.format.sync", "hexadecimal", '"aa55"'),
    # within a file
    (MAIN, 'company = "example-works"', 'company = "receipt"', "company", "gateway.company", "reserved-company", "receipt"),
    (MAIN, '"broker.example.org"', '"mqtt://me:hunter2@host:1883"', "host", "broker.host", "host", "port"),
    (MAIN, '#password_file = "credential:secrets_mqtt-password"', 'password_file = "collector.toml"', "password_file", "broker.password_file", "belongs-together", "user"),
    (MAIN, "[outbox]", '[broker.tls]\ncert_file = "collector.toml"\n[outbox]', "cert_file", "broker.tls.cert_file", "belongs-together", "key_file"),
    (MILL, TOOLS, SAME_TOOLS, "number = 1", "tools[1].number", "same-number", "line {first}"),
    (MILL, 'name = "y"', 'name = "x"', 'name = "x"', ".channels[1].name", "same-name", "line {first}"),
    (MILL, "#counter_modulus = 65536", "counter_modulus = 65536", "counter_modulus", ".source.format.counter_modulus", "belongs-together", "counter_column = "),
    (MILL, "#counter_column = 4", "counter_column = 4", "counter_column", ".source.format.counter_column", "belongs-together", "counter_modulus = "),
    (MILL, "#time_column = 5", "time_column = 5", "time_column", ".source.format.time_column", "belongs-together", "time_unit_s = "),
    (MILL, "#time_column = 5\n#", "time_column = 3\n", "time_column", ".source.format.time_column", "column-taken", "columns[2]"),
    (MILL, "#time_modulus", "time_modulus", "time_modulus", ".source.format.time_modulus", "belongs-together", "time_column = "),
    (MILL, "#line_columns = 6", "line_columns = 2", "line_columns", ".source.format.line_columns", "line-columns", "at least 3"),
    (MILL, "columns = [1, 2, 3]", "columns = [1, 2]", "columns", ".source.format.columns", "entries-for-channels", "3 channels"),
    (MILL, "columns = [1, 2, 3]", "columns = [0, 1, 2]", "columns", ".source.format.columns[0]", "column-below-one", "Type 1"),
    (MILL, "columns = [1, 2, 3]", "columns = [1, 1, 2]", "columns", ".source.format.columns[1]", "column-taken", "columns[0]"),
    (LATHE, "[0.00048828125, 0.00048828125, 0.001]", "[1, 2]", "scale", ".source.format.scale", "entries-for-channels", "found 2"),
    (RECORDING, "columns = [2, 3]", "columns = [2, 3, 4]", "columns", ".source.columns", "entries-for-channels", "found 3"),
    (RECORDING, "scale = 1.0", "scale = [1, 2, 3]", "scale", ".source.scale", "entries-for-channels", "found 3"),
    (GRINDER, '[[waveforms.channels]]\nname = "z"\nunit = "g"\nfull_scale = 16.0\n', "", "[[waveforms.channels]]", ".channels", "witmotion-channels", "found 2"),
    (MILL, "samples = 4096", "", "[waveforms.window]", ".window.seconds", "window.length-missing", "samples = "),
    (MILL, "samples = 4096", "samples = 4096\nseconds = 1", "seconds", ".window.seconds", "window.length-twice", "Delete"),
    (LATHE, "seconds = 0.5", "seconds = 0.001", "seconds", ".window.seconds", "window.seconds", "0.0025"),
    (LATHE, "seconds = 0.5", "seconds = 1e300", "seconds", ".window.seconds", "window.seconds", "between 0.0025 and 163.8"),
    (MILL, "overlap = 0.5", "overlap = 0.5\nhop_samples = 9", "hop_samples", ".window.hop_samples", "window.hop-twice", "Delete"),
    (MILL, "overlap = 0.5", "hop_samples = 4097", "hop_samples", ".window.hop_samples", "window.hop-long", "4096"),
    (MILL, "overlap = 0.5", "hop_samples = 9", "hop_samples", ".window.hop_samples", "window.often", "hop_samples = 10 or more"),
    (MILL, "overlap = 0.5", "overlap = 0.998", "[waveforms.window]", ".window.hop_samples", "window.often", "overlap = 0.997 or less"),
    (MILL, '0001-if00"', '0001-if00 "', "port", ".source.port", "blanks-around", '0001-if00"'),
    (MILL, 'port = "/dev', 'port = " /dev', "port", ".source.port", "blanks-around", 'Type it without: "/dev'),
    (MILL, 'port = "/dev', 'port = "dev', "port", ".source.port", "not-of-this-form", "by-id"),
    (LATHE, "rate_hz = 6400", "rate_hz = 6400\nsilent_after_s = 0.0001", "silent_after_s", ".source.silent_after_s", "silent-short", "0.00046875"),
    (MILL, 'name = "mill-1"', 'name = "gateway"', "name", "machine.name", "reserved-machine", "mill-1"),
    (MILL, "{ low_hz = 10,", "{ low_hz = 100,", "bands", ".features.bands[0].high_hz", "band-order", "100"),
    (MILL, "{ low_hz = 10, high_hz = 100 }", "{ low_hz = 100, high_hz = 400 }", "bands", ".features.bands[1]", "same-band", "line"),
    (MILL, "peaks = 5", 'peaks = 5\ngroups = ["shapes"]', "groups", ".features.groups[0]", "choice", '"shape"'),
    (MILL, "peaks = 5", "peaks = 5\nenvelope = { low_hz = 100, high_hz = 600 }", "envelope", ".features.envelope.high_hz", "band-above-half-rate", "500 or less"),
    (MILL, "peaks = 5", "peaks = 5\nenvelope = { low_hz = 100, high_hz = 100 }", "envelope", ".features.envelope.high_hz", "band-order", "100"),
    (MILL, "peaks = 5", "peaks = 5\nvelocity = { low_hz = 10, high_hz = 5 }", "velocity", ".features.velocity.high_hz", "band-order", "above 10"),
    (MILL, "peaks = 5", f"peaks = 5\n{BEARING}", "bearing", ".features.bearing", "belongs-together", "envelope = "),
    (MILL, "peaks = 5", f"peaks = 5\nenvelope = {{ low_hz = 100, high_hz = 300 }}\n{BEARING.replace('11.1', '711')}", "bearing", ".features.bearing.roller_diameter_mm", "roller-large", "711"),
    (MILL, "#high_hz = 400\n", "high_hz = 0.5\nrange_ = 1\n", "range_", ".sensor.range_", "unknown-key", "range"),
    (MILL, "#low_hz = 0\n#", "low_hz = 400\n", "high_hz", ".sensor.high_hz", "band-order", "400"),
    # on this gateway
    (RECORDING, "example.csv", "exmple.csv", "file", ".source.file", "file-missing.nearest", "recordings/example.csv"),
    (RECORDING, "recordings/example.csv", "/nowhere/a.csv", "file", ".source.file", "file-missing", "/nowhere/a.csv"),
    (RECORDING, "recordings/example.csv", "recordings", "file", ".source.file", "file-missing", "recordings"),
    (RECORDING, "recordings/example.csv", "a\\u0000b.csv", "file", ".source.file", "file-missing", "b.csv"),
    (MAIN, "[outbox]", '[broker.tls]\nca_file = "missing.pem"\n[outbox]', "ca_file", "broker.tls.ca_file", "file-missing", "missing.pem"),
    (MAIN, '#socket = "/run/collector/control.sock"', 'socket = "collector.toml"', "socket", "control.socket", "socket-taken", "no socket"),
    (MAIN, '#socket = "/run/collector/control.sock"', 'socket = "machines"', "socket", "control.socket", "socket-folder", "machines/control.sock"),
    (MAIN, '#socket = "/run/collector/control.sock"', 'socket = "\\u0000"', "socket", "control.socket", "socket-taken", "no socket"),
    (MAIN, '#socket = "/run/collector/control.sock"', f'socket = "/run/{"s" * 96}"', "socket", "control.socket", "socket-long", "101 bytes"),
    (MAIN, "/state/outbox", "/etc/collector.toml/outbox", "directory", "outbox.directory", "not-a-folder", "collector.toml"),
    (MAIN, "/state/outbox", "/a\\u0000b", "directory", "outbox.directory", "not-a-folder", "not a folder"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "old", "new", "beginning", "path", "code", "named"), MISTAKES, ids=lambda value: str(value)[:24]
)
def test_a_mistake(
    folder: Path, file: str, old: str, new: str, beginning: str, path: str, code: str, named: str
) -> None:
    change(folder, file, old, new)
    problem = only_problem(folder)
    first = line_with(folder, file, beginning)
    assert (problem.file, problem.path, problem.sentence.code) == (
        file,
        f"waveforms[0]{path}" if path.startswith(".") else path,
        f"config.{code}",
    )
    if "{first}" in named:
        assert problem.line is not None
        assert problem.line > first
    elif "bands" not in path:
        assert problem.line == first
    assert named.format(first=first) in str(problem)
    assert "hunter2" not in str(problem)


@pytest.mark.parametrize(
    ("rate_hz", "wrong"),
    [("6400", "samples = 400000000"), ("6400", "seconds = 1e9"), ("4.2e6", "seconds = 1e-9")],
)
def test_the_limits_that_are_told_are_accepted_as_they_are_typed(
    folder: Path, rate_hz: str, wrong: str
) -> None:
    change(folder, LATHE, "rate_hz = 6400", f"rate_hz = {rate_hz}")
    change(folder, LATHE, "seconds = 0.5", wrong)
    advice = only_problem(folder).advice
    assert "e+" not in str(only_problem(folder))
    key = wrong.partition(" = ")[0]
    (limit,) = re.findall(r"Type ([\d.]+) or|between [\d.]+ and ([\d.]+)\.", advice)
    change(folder, LATHE, wrong, f"{key} = {''.join(limit)}")
    load(folder)


@pytest.mark.parametrize("advised", ["hop_samples = 10", "overlap = 0.997"])
def test_what_is_advised_for_too_many_windows_is_accepted(folder: Path, advised: str) -> None:
    change(folder, MILL, "overlap = 0.5", advised)
    load(folder)


# The least bits in a second: mill-1 has lines of 3 numbers, lathe-1 frames, grinder-1 the protocol of WitMotion.
@pytest.mark.parametrize(
    ("file", "changes", "needed"),
    [
        (MILL, {}, 6 * 10 * 1000),
        (MILL, {"#line_columns = 6": "line_columns = 6"}, 9 * 10 * 1000),
        (
            MILL,
            {'#delimiter = ","': 'delimiter = ","', "columns = [1, 2, 3]": "columns = [1, 2, 5]"},
            8 * 10 * 1000,
        ),
        (LATHE, {}, 12 * 10 * 6400),
        (GRINDER, {}, 11 * 10 * 200),
    ],
)
def test_a_port_that_cannot_carry_the_samples(
    folder: Path, file: str, changes: dict[str, str], needed: int
) -> None:
    for old, new in changes.items():
        change(folder, file, old, new)
    text = re.sub(
        r"(?m)^port = .*",
        'port = "/dev/serial/by-id/usb-Example-if00-port0"',
        (folder / file).read_text("utf-8"),
    )
    for baud, is_enough in (
        (needed, True),
        (math.ceil(needed / 1.04), True),
        (math.floor(needed / 1.06), False),
    ):
        (folder / file).write_text(re.sub(r"(?m)^baud = .*", f"baud = {baud}", text), "utf-8")
        if is_enough:
            load(folder)
            continue
        problem = only_problem(folder)
        assert (problem.path, problem.sentence.code) == ("waveforms[0].source.baud", "config.baud-low")
        assert f"need {needed}" in str(problem)


def test_a_port_that_is_really_usb_is_fast_whatever_its_baud(folder: Path, tmp_path: Path) -> None:
    change(folder, LATHE, "baud = ", "baud = 9 # ")
    load(folder)
    port = tmp_path / "sensor"
    text = re.sub(r"(?m)^port = .*", f'port = "{port}"', (folder / LATHE).read_text("utf-8"))
    (folder / LATHE).write_text(text, "utf-8")
    port.symlink_to("/dev/ttyACM7")
    load(folder)
    port.unlink()
    port.symlink_to("/dev/ttyUSB7")
    assert only_problem(folder).sentence.code == "config.baud-low"
    change(folder, LATHE, "rate_hz = 6400", "rate_hz = 1e308")
    assert "config.baud-low" in {problem.sentence.code for problem in problems(folder)}


def test_windows_that_are_too_short_for_the_rate(folder: Path) -> None:
    change(folder, LATHE, "seconds = 0.5", "samples = 63")
    problem = only_problem(folder)
    assert problem.sentence.code == "config.window.short"
    assert "samples = 64 or more" in problem.advice
    change(folder, LATHE, "samples = 63", "samples = 64")
    load(folder)


def test_a_socket_of_a_collector_is_no_mistake(folder: Path, tmp_path: Path) -> None:
    change(folder, MAIN, '#socket = "/run/collector/control.sock"', f'socket = "{tmp_path / "s"}"')
    load(folder)
    with socket.socket(socket.AF_UNIX) as running:
        running.bind(str(tmp_path / "s"))
        load(folder)


def test_of_thousands_of_mistakes_the_first_are_told_and_the_rest_counted(folder: Path) -> None:
    text = (folder / MILL).read_text("utf-8")
    unknown = "".join(f"xyzzy-{number} = 1\n" for number in range(6000))
    (folder / MILL).write_text(unknown + text, "utf-8")
    began_s = time.process_time()
    *listed, more = problems(folder)
    assert time.process_time() - began_s < 10
    assert len(listed) == 50
    assert more.sentence.code == "config.more"
    assert more.sentence.values["count"] == 5950


SYNTAX = [
    ("baud = 460800", "baud = fast", "config.syntax.unquoted"),
    ("baud = 460800", "baud = True", "config.syntax.meant"),
    ("baud = 460800", "baud =", "config.syntax.value"),
    ('kind = "serial"', "kind = \u201cserial\u201d", "config.syntax.quotes"),
    ('kind = "serial"', 'kind = "serial\u201d', "config.syntax.quotes"),
    ("baud = 460800", "baud 460800", "config.syntax.equals"),
    ("baud = 460800", "baud = 460800 samples", "config.syntax.unit"),
    ("scale = 1.0", "scale = 1,0", "config.syntax.comma"),
    ("baud = 460800", "baud = 460800\nbaud = 1", "config.syntax.twice"),
    ('#serial = "0001"', 'serial = "0001', "config.syntax.string"),
    ('#serial = "0001"', 'serial = "C:\\Users"', "config.syntax.string"),
    ("[waveforms.sensor]", "[waveforms.sensor", "config.syntax.bracket"),
    ("[waveforms.sensor]", "[waveforms.source]", "config.syntax.table-twice"),
    ("baud = 460800", "ä = 460800", "config.syntax"),
]


@pytest.mark.parametrize(("old", "new", "code"), SYNTAX)
def test_a_syntax_error_hides_no_mistake_in_other_files(folder: Path, old: str, new: str, code: str) -> None:
    line = line_with(folder, MILL, old) + new.count("\n")
    change(folder, MILL, old, new)
    change(folder, LATHE, "rate_hz = 6400", "rate_hz = -1")
    in_lathe, in_mill = problems(folder)
    assert (in_lathe.file, in_lathe.sentence.code) == (LATHE, "config.not-above")
    assert (in_mill.file, in_mill.line, in_mill.sentence.code) == (MILL, line, code)


def test_a_second_machine_in_a_file_needs_a_file_of_its_own(folder: Path) -> None:
    text = (folder / SIMULATED).read_text("utf-8")
    line = text.count("\n") + line_with(folder, SIMULATED, "[machine]")
    (folder / SIMULATED).write_text(text + text.replace("simulated-1", "simulated-2"), "utf-8")
    problem = only_problem(folder)
    assert (problem.line, problem.sentence.code) == (line, "config.second-machine")
    assert f"line {line} on" in problem.advice
    (folder / SIMULATED).write_text(text, "utf-8")
    (folder / "machines" / "other.toml").write_text(text.replace("simulated-1", "simulated-2"), "utf-8")
    load(folder)


def test_files_from_windows_are_read(folder: Path) -> None:
    expected = load(folder)
    for file in folder.rglob("*.toml"):
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    assert load(folder) == expected
    change(folder, MILL, "baud = 460800", 'baud = "fast"')
    assert only_problem(folder).line == line_with(folder, MILL, "baud")


def test_another_encoding_is_refused_with_its_line(folder: Path) -> None:
    change(folder, MILL, "spindle housing", "主軸")
    line = line_with(folder, MILL, "#mounting_place")
    text = (folder / MILL).read_text("utf-8").replace("±", "+-")
    (folder / MILL).write_bytes(text.encode("shift_jis"))
    problem = only_problem(folder)
    assert (problem.line, problem.sentence.code) == (line, "config.not-utf8")


@pytest.mark.parametrize("text", ["a = " + "[" * 5000, f"a = 0x{'f' * 9000}", f"a = {'9' * 9000}"])
def test_a_file_gone_wild_is_a_problem_like_any(folder: Path, text: str) -> None:
    (folder / MILL).write_text(text, "utf-8")
    assert {problem.file for problem in problems(folder)} == {MILL}


def test_names_and_ports_are_used_once_over_all_machines(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / MILL, folder / "machines" / "mill-2.toml")
    name, port = problems(folder)
    assert (name.file, name.path, name.sentence.code) == (
        "machines/mill-2.toml",
        "machine.name",
        "config.same-name",
    )
    assert f"line {line_with(folder, MILL, 'name')} of {MILL}" in str(name)
    assert (port.path, port.sentence.code) == ("waveforms[0].source.port", "config.same-port")
    # the same device under another name
    link = tmp_path / "link"
    link.symlink_to("/dev/serial/by-id/usb-Example_Accelerometer_0001-if00")
    change(folder, "machines/mill-2.toml", "/dev/serial/by-id/usb-Example_Accelerometer_0001-if00", str(link))
    change(folder, "machines/mill-2.toml", '"mill-1"', '"mill-2"')
    assert only_problem(folder).sentence.code == "config.same-port"


def test_streams_of_a_machine_have_different_names(folder: Path) -> None:
    text = (folder / SIMULATED).read_text("utf-8")
    (folder / SIMULATED).write_text(text + text[text.index("[[waveforms]]") :], "utf-8")
    problem = only_problem(folder)
    assert (problem.path, problem.sentence.code) == ("waveforms[1].name", "config.same-name")
    change(folder, SIMULATED, 'name = "spindle"', 'name = "bed"')
    assert [stream.name for stream in machine(load(folder), "simulated-1").waveforms] == ["bed", "spindle"]


def test_mistakes_in_one_part_hide_none_in_another(folder: Path) -> None:
    change(folder, MILL, "baud = 460800", 'baud = "fast"')
    change(folder, MILL, TOOLS, SAME_TOOLS)
    change(folder, MILL, "samples = 4096", "")
    change(folder, MILL, "{ low_hz = 100, high_hz = 400 }", "{ low_hz = 100, high_hz = 600 }")
    assert [problem.path for problem in problems(folder)] == [
        "tools[1].number",
        "waveforms[0].source.baud",
        "waveforms[0].window.seconds",
        "waveforms[0].features.bands[1].high_hz",
    ]


def test_an_empty_place_says_how_to_start(tmp_path: Path) -> None:
    main, machines = problems(tmp_path)
    assert main.sentence.code == "config.no-main-file"
    assert "example" in main.advice
    assert machines.sentence.code == "config.no-machines"
    assert main.line is None
    assert str(tmp_path) in str(main)
    assert [p.sentence.code for p in problems(tmp_path / "nowhere")] == [
        "config.no-main-file",
        "config.no-machines",
    ]


def test_a_machines_folder_without_machines(folder: Path) -> None:
    for file in (folder / "machines").iterdir():
        file.unlink()
    (folder / "machines" / "note.txt").touch()
    assert only_problem(folder).sentence.code == "config.no-machines"


@pytest.mark.parametrize("name", ["mill-9.TOML", "mill-9.toml.txt"])
def test_a_machine_file_with_a_name_that_would_be_passed_over(folder: Path, name: str) -> None:
    (folder / "machines" / name).touch()
    problem = only_problem(folder)
    assert problem.sentence.code == "config.machine-file-name"
    assert "mill-9.toml" in problem.advice


def test_a_machine_file_without_extension_is_told(folder: Path) -> None:
    shutil.copy(folder / MILL, folder / "machines" / "mill-2")
    problem = only_problem(folder)
    assert (problem.file, problem.sentence.code) == ("machines/mill-2", "config.machine-file-name")
    assert "mill-2.toml" in problem.advice


def test_a_folder_of_machine_files_among_them_is_told(folder: Path) -> None:
    (folder / "machines" / "hall-2").mkdir()
    load(folder)
    shutil.copy(folder / MILL, folder / "machines" / "hall-2" / "mill-2.toml")
    problem = only_problem(folder)
    assert (problem.file, problem.sentence.code) == ("machines/hall-2", "config.machine-subfolder")
    assert "mill-2.toml" in str(problem)
    (folder / "machines" / "hall-2").rename(folder / "machines" / ".hall-2")
    load(folder)


def test_other_files_in_the_folder_do_no_harm(folder: Path) -> None:
    (folder / "machines" / "README").write_text("Each file tells of one [machine].\n", "utf-8")
    (folder / "machines" / "link").symlink_to("/nowhere")
    for name in (".mill-1.toml.swp", "mill-1.toml~", "mill-1.toml.bak", ".hidden.toml"):
        (folder / "machines" / name).write_text("nonsense", "utf-8")
    load(folder)


def test_what_this_user_may_not_use_is_told() -> None:
    with tempfile.TemporaryDirectory() as temporary:  # pytest's own may be entered by its user alone
        folder = Path(temporary) / "etc"
        shutil.copytree(EXAMPLES, folder)
        state = Path(temporary) / "state"
        change(folder, MAIN, "/var/lib/collector", str(state))
        state.mkdir()
        load(folder)  # reads the profiles, which may lie where only root may look
        state.chmod(0o555)
        (folder / MILL).chmod(0)
        (folder / "recordings" / "example.csv").chmod(0)
        Path(temporary).chmod(0o755)
        codes = as_ordinary_user(lambda: " ".join(problem.sentence.code for problem in problems(folder)))
    assert codes == "config.folder-unwritable config.unreadable config.file-unreadable"


def as_ordinary_user(look: Callable[[], str]) -> str:
    """What a user who is not root sees, for whom alone permissions count."""
    if os.getuid() != 0:
        return look()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setuid(65534)
            os.write(writing, look().encode())
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as pipe:
        return pipe.read()


def test_a_machine_file_that_is_a_folder(folder: Path) -> None:
    (folder / "machines" / "a.toml").mkdir()
    assert only_problem(folder).sentence.code == "config.is-folder"


@pytest.mark.parametrize("file", ["gateway", "machine", "learned"])
def test_each_schema_is_one_and_says_a_sentence_about_every_table_and_key(
    file: Literal["gateway", "machine", "learned"],
) -> None:
    schema = json_schema(file)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    for title, table in {file: schema, **schema["$defs"]}.items():
        assert table["description"], title
        for key, value in table.get("properties", {}).items():
            assert {"description", "const", "$ref"} & value.keys(), f"{title}.{key}"


def test_the_reference_page_explains_every_key_and_every_choice() -> None:
    page = (EXAMPLES.parent / "docs" / "configuration.md").read_text("utf-8")
    cells = {key for row in re.findall(r"(?m)^\| ([^|]*) \|", page) for key in re.findall(r"\w+", row)}
    for table in (*tables(GatewayFile), *tables(MachineFile)):
        assert header(table.path, listed=table.listed) in page or table.path[-1] in {"format", "bands"}
        fields = {key for key in table.model.model_fields if (*table.path, key) not in inner_tables()}
        assert fields <= cells, table
        for key in fields:
            assert all(shown(choice) in page for choice in choices(field_kind(table.model, key))), (
                table,
                key,
            )


def inner_tables() -> set[tuple[str, ...]]:
    return {table.path for file in (GatewayFile, MachineFile) for table in tables(file)}


def test_the_configuration_is_frozen(folder: Path) -> None:
    config = load(folder)
    assert isinstance(config, Config)
    with pytest.raises(AttributeError):
        config.folder = Path("/")  # type: ignore[misc]
